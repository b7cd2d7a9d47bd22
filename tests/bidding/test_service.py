"""From the ceremony to the sealed record, over HTTP, with custodians that judge by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bidding.centre import Centre


@pytest.fixture
def centre(tmp_path: Path, stored: str) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def test_the_whole_opening(centre: Centre) -> None:
    centre.set_up(minimum=3)
    a = centre.hand_in(1, "46382715.40")
    b = centre.hand_in(2, "47105600.00")
    centre.seal(b, "47000000.00", supersedes=b.receipts[-1]["statement"]["entry"]["id"])
    centre.send_file(b)
    assert centre.submit(b).status_code == 201
    c = centre.hand_in(3, "45998800.88", damage=True)
    d = centre.hand_in(4, "46200000.00")
    assert centre.withdraw(d).status_code == 201
    late = centre.bidder(5)
    centre.seal(late, "45000000.00")
    centre.send_file(late)
    before = centre.hall()
    assert before["counted"] is None
    assert before["rows"] == []
    centre.until(centre.deadline + 20)
    refused = centre.submit(late)
    assert refused.status_code == 410, refused.text
    assert refused.json()["refusal"]["statement"]["arrival"] == centre.deadline + 20
    assert centre.hall()["phase"] == "unlocking"
    centre.cosign()
    answer = centre.release("custodian-1")
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "answered", centre.keepers["custodian-1"].verdict
    centre.keepers["custodian-2"].lies = True
    assert centre.release("custodian-2").json()["status"] == "wrong"
    assert centre.hall()["phase"] == "unlocking"
    assert centre.release("custodian-3").json()["status"] == "answered"
    hall = centre.hall()
    assert hall["phase"] == "reading_out"
    assert [row["status"] for row in hall["rows"]] == ["sealed"] * 3 + ["withdrawn"]
    assert centre.pace("read_all").status_code == 200
    rows = centre.hall()["rows"]
    assert [(row["bidder"], row["price"], row["status"]) for row in rows] == [
        (a.name, "46382715.40", "opened"),
        (b.name, "47000000.00", "opened"),
        (c.name, "", "deemed_revoked"),
        (d.name, "", "withdrawn"),
    ]
    assert centre.pace("confirm").status_code == 200
    assert centre.confirm_reading(a).status_code == 201
    assert centre.pace("seal").status_code == 409
    centre.until(centre.clock.now() + 60_000)
    undecided = centre.pace("seal")
    assert undecided.json()["type"].endswith(":bid-undecided")
    assert centre.decided() == 1
    assert centre.pace("seal").status_code == 200
    assert centre.hall()["phase"] == "sealed"
