"""What the custodians' proofs are for: without the check a liar is not named and the bidders are blamed.

The demonstration's opening has one lying custodian (step 4). This file holds both halves beside each other, so
that the step cannot pass by luck: with the check the lie is found, named and passed over, and every bid
opens; with the check taken out the very same answers open no bid, name nobody, and the bidders would lose
their bids for it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bidding.centre import Centre

PRICES = ["46382715.40", "47105600.00", "45998800.88"]


@pytest.fixture
def centre(tmp_path: Path, stored: str) -> Iterator[Centre]:
    """Three sealed bids, the deadline over, a witnessed closing; the first custodian lies."""
    with Centre(tmp_path / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        for number, price in enumerate(PRICES, 1):
            made.hand_in(number, price)
        made.until(made.deadline)
        made.cosign()
        made.keepers["custodian-1"].lies = True
        yield made


def opened(centre: Centre) -> tuple[list[str | None], dict[str, str]]:
    """Two custodians answer, a third where the opening still waits; prices and what is said of each custodian."""
    for keeper in ("custodian-1", "custodian-2", "custodian-3"):
        if centre.hall()["phase"] == "unlocking":
            centre.release(keeper)
    assert centre.pace("read_all").status_code == 200
    hall = centre.hall()
    said = {each["id"]: each["status"] for each in hall["custody"]["custodians"]}
    return [row["price"] for row in hall["rows"]], said


def test_with_the_check_the_liar_is_named_and_every_bid_opens(centre: Centre) -> None:
    prices, said = opened(centre)
    assert prices == PRICES
    assert said == {"custodian-1": "wrong", "custodian-2": "answered", "custodian-3": "answered"}
    (leaf,) = centre.get(f"/openings/{centre.section}/evidence")["leaves"]["opened"]
    assert leaf["leaf"]["wrong"] == ["custodian-1"]


def test_without_the_check_no_bid_opens_nobody_is_named_and_the_bidders_are_blamed(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidding.service.custody.check_partial", lambda *_: None)
    prices, said = opened(centre)
    assert not set(prices) & set(PRICES)
    assert "wrong" not in said.values()
    assert {row["status"] for row in centre.hall()["rows"]} == {"deemed_revoked"}
