"""A delegate's bid counts as its bidder's, within its power; a key out of power signs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bidding.centre import Bidder, Centre
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        yield made


def empower(centre: Centre, *scopes: str) -> None:
    bidder, person = centre.one(Role.BIDDER), centre.one(Role.DELEGATE).person
    said = {"person": person, "scopes": list(scopes), "until": centre.deadline + 600_000}
    signed = centre.signed(bidder, "delegation", **said)
    assert centre.call("POST", "/delegations", signed, bidder).status_code == 201
    centre.login(centre.one(Role.DELEGATE))


def test_a_delegates_bid_is_opened_as_its_bidders(centre: Centre) -> None:
    delegate = Bidder(centre.one(Role.DELEGATE), "委托代理人")
    assert centre.one(Role.BIDDER).organisation == delegate.who.organisation
    path = f"/openings/{centre.section}/sign-in"
    empower(centre, "confirm")
    assert centre.call("POST", path, {}, delegate.who).status_code == 201
    made = centre.raw("POST", "/uploads", delegate.who, **{"Upload-Length": "3"})
    assert made.status_code == 403
    drill = ("POST", "/custody/drill", {"sealed": ""}, delegate.who)
    assert centre.call(*drill).status_code == 403  # a self-test rehearses handing in
    empower(centre, "submit")
    assert centre.call(*drill).status_code == 422
    centre.seal(delegate, "46382715.40")
    centre.send_file(delegate)
    assert centre.submit(delegate).status_code == 201
    assert centre.call("POST", path, {}, delegate.who).status_code == 403
    for number, price in enumerate(("47105600.00", "45998800.88"), 11):
        centre.hand_in(number, price)
    centre.until(centre.deadline + 20)
    centre.cosign()
    for keeper in ("custodian-1", "custodian-2"):
        assert centre.release(keeper).json()["status"] == "answered"
    assert centre.hall()["opened"] == 3


def test_a_delegates_signature_without_power_is_no_bidders_whoever_brings_it(
    centre: Centre,
) -> None:
    principal = Bidder(centre.one(Role.BIDDER), "投标人")
    forged = Bidder(centre.one(Role.DELEGATE), "委托代理人")
    empower(centre, "confirm", "object", "offer")
    centre.seal(forged, "46382715.40")
    principal.file, principal.submission = forged.file, forged.submission
    centre.send_file(principal)
    refused = centre.submit(principal)
    assert refused.status_code == 403, refused.text
    assert refused.json()["type"].endswith(":bidder-differs")
