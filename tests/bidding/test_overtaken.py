"""A bid for an older version is taken and told of: in the receipt, on the bidder's own page, by a message; nobody else learns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crypto import statement
from tests.bidding.amending import amend, moved
from tests.bidding.centre import Bidder, Centre
from tests.bidding.test_delegates import empower
from tests.trading.world import CENTRE
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


def mine(centre: Centre, bidder: Bidder) -> tuple[int, int, bool]:
    said = centre.get(f"/sections/{centre.section}/submissions/me", bidder.who)
    return said["version"], said["newest"], said["overtaken"]


def messages(centre: Centre) -> list[dict[str, Any]]:
    """What has left the house, by version."""
    centre.runner.run(centre.settle())
    centre.runner.run(centre.ground.outbox.deliver())
    folder = centre.settings.home / "outbox"
    found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
    return sorted(found, key=lambda one: one["body"]["newest"])


def test_who_had_bid_is_told_of_each_later_version_once_and_nobody_else(centre: Centre) -> None:
    early = centre.hand_in(1, "46382715.40")
    gone = centre.hand_in(2, "47105600.00")
    assert centre.withdraw(gone).status_code == 201
    assert mine(centre, early) == (1, 1, False)
    before = centre.hall()
    assert amend(centre).status_code == 200
    late = centre.hand_in(3, "45998800.88")
    assert mine(centre, early) == (1, 2, True)
    assert mine(centre, late) == (2, 2, False)
    assert mine(centre, gone) == (0, 2, False)
    (told,) = messages(centre)
    assert (told["kind"], told["recipient"]) == ("tender_changed", early.who.organisation)
    assert (told["body"]["version"], told["body"]["newest"]) == (1, 2)
    assert moved(centre, 20_000, affects_bids=False, title="延期").status_code == 200
    centre.restart()
    said = messages(centre)  # each once, also after a start that looks for what was left out
    assert [(one["recipient"], one["body"]["newest"]) for one in said[1:]] == [
        (who, 3) for who in (said[1]["recipient"], said[2]["recipient"])
    ]
    assert {one["recipient"] for one in said[1:]} == {
        early.who.organisation, late.who.organisation,
    }  # fmt: skip
    assert said[1]["body"]["deadline"] == centre.deadline
    same = ("phase", "rows", "counted", "opened")
    assert {name: before[name] for name in same} == {name: centre.hall()[name] for name in same}


def resigned(centre: Centre, bidder: Bidder, **changes: Any) -> dict[str, Any]:
    head = ("v", "suite", "purpose", "centre")
    said = bidder.submission["submission"]["statement"]
    body = {k: v for k, v in said.items() if k not in head}
    return {
        **bidder.submission,
        "submission": statement.sign(bidder.who.key, "submission", CENTRE, body | changes),
    }


def test_a_bid_names_a_tender_file_of_its_section_and_the_receipt_says_which(
    centre: Centre,
) -> None:
    bidder = centre.bidder(1)
    centre.seal(bidder, "46382715.40")
    whole = bidder.submission
    centre.send_file(bidder)
    for changes in ({"version": 2}, {"tender_file": "ab" * 32}):
        bidder.submission = resigned(centre, bidder, **changes)
        refused = centre.submit(bidder)
        assert refused.status_code == 422, refused.text
        bidder.submission = whole
    assert amend(centre).status_code == 200
    assert centre.submit(bidder).status_code == 201  # sealed before, handed in after: taken
    said = bidder.receipts[-1]["statement"]
    assert (said["version"], said["newest"]) == (1, 2)
    gone = centre.withdraw(bidder).json()["statement"]
    assert (gone["version"], gone["newest"]) == (1, 2)


def test_a_delegation_for_another_section_carries_no_bid(centre: Centre) -> None:
    principal, delegate = centre.one(Role.BIDDER), centre.one(Role.DELEGATE)
    unknown = centre.signed(
        principal, "delegation", person=delegate.person, scopes=["submit"],
        until=centre.deadline, targets=["sec_x"],
    )  # fmt: skip
    assert centre.call("POST", "/delegations", unknown, principal).status_code == 404
    draft = centre.carry("tender.create", centre.tender_form())["sections"][0]
    early = centre.signed(
        principal, "delegation", person=delegate.person, scopes=["submit"],
        until=centre.deadline, targets=[draft],
    )  # fmt: skip
    assert centre.call("POST", "/delegations", early, principal).status_code == 404  # not public
    other, here = centre.section, centre.set_up(minimum=3)
    bidder = Bidder(delegate, "委托代理人")
    for target, status in ((other, 403), (here, 201)):
        said = {
            "person": delegate.person, "scopes": ["submit", "confirm"],
            "until": centre.deadline + 600_000, "targets": [target],
        }  # fmt: skip
        signed = centre.signed(principal, "delegation", **said)
        granted = centre.call("POST", "/delegations", signed, principal)
        assert granted.json()["targets"] == [target]
        centre.login(delegate)
        centre.seal(bidder, "46382715.40")
        centre.send_file(bidder)
        assert centre.submit(bidder).status_code == status
        path = f"/openings/{here}/sign-in"
        assert centre.call("POST", path, {}, delegate).status_code == status
    entry = bidder.receipts[-1]["statement"]["entry"]
    assert len(entry["delegation"]) == 64
    kept = [row.kind for row in centre.ground.journal.rows(f"bidding/{here}")]
    assert kept.count("delegation_kept") == 1
    empower(centre, "submit")  # a new one, for all: it ends the one before
    centre.runner.run(centre.settle())
    rows = list(centre.ground.journal.rows(f"bidding/{here}"))
    assert [row.kind for row in rows].count("delegation_ended") == 1
    assert not [row for row in centre.ground.journal.rows("ledger") if row.kind == "delegations"]
