"""Between notice and opening, in the room that takes bids: tender documents, and objections that hold the opening."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.bidding.amending import amend, moved
from tests.bidding.centre import Bidder, Centre
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.trading.world import Someone


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def attach(
    centre: Centre, data: bytes, who: Someone, name: str = "图纸.pdf", **changes: Any
) -> httpx.Response:
    """Upload a document and attach it."""
    sender = Bidder(who, "x")
    made = centre.raw("POST", "/uploads", who, **{"Upload-Length": str(len(data))})
    assert made.status_code == 201, made.text
    sender.upload = made.headers["location"].rsplit("/", 1)[1]
    assert centre.patch(sender, 0, data).status_code == 204
    said = {
        "section": centre.section, "name": name, "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data), **changes,
    }  # fmt: skip
    body = {"statement": centre.signed(who, "document", **said), "upload": sender.upload}
    return centre.call("POST", f"/sections/{centre.section}/documents", body, who)


def announcement(centre: Centre, who: Someone | None = None) -> dict[str, Any]:
    found: dict[str, Any] = centre.get(f"/sections/{centre.section}/announcement", who)
    return found


def objected(centre: Centre, who: Someone) -> str:
    signed = centre.signed(
        who, "document_objection", section=centre.section, text="业绩要求排斥潜在投标人。"
    )
    taken = centre.call("POST", f"/sections/{centre.section}/objections", signed, who)
    assert taken.status_code == 201, taken.text
    return str(taken.json()["objection"])


def settled(centre: Centre, objection: str) -> None:
    who = centre.one(Role.TENDERER)
    signed = centre.signed(
        who, "objection_answer", section=centre.section, objection=objection, text="已修改。", addendum=0,
    )  # fmt: skip
    path = f"/sections/{centre.section}/objections/{objection}/answer"
    answer = centre.call("POST", path, signed, who)
    assert answer.status_code == 204, answer.text
    centre.runner.run(centre.settle())


def test_documents_come_with_their_version_and_leave_no_trace(centre: Centre) -> None:
    form = centre.tender_form(deadline=centre.clock.now() // 1000 * 1000 + 30_000)
    made = centre.carry("tender.create", form)
    centre.section = made["sections"][0]
    owner, data = centre.one(Role.TENDERER), b"%PDF drawing " * 5000
    first = attach(centre, data, owner)
    assert first.status_code == 201, first.text
    assert first.json()["version"] == 1
    address = f"/sections/{centre.section}/documents/{first.json()['document']}"
    assert centre.call("GET", address, who=owner).status_code == 404  # before the notice: nobody
    assert centre.call("GET", f"/sections/{centre.section}/announcement").status_code == 404
    centre.call("POST", f"/sections/{centre.section}/ceremony", {}, centre.one(Role.OPERATOR))
    for _ in range(3):
        centre.ceremony_round()
    centre.carry("tender.publish", {"tender": made["tender"]})
    rows = centre.ground.journal.head("trading")
    askers = [None, owner, centre.bidder(1).who, centre.one(Role.OPERATOR)]
    rows = centre.ground.journal.head("trading")
    answers = [centre.call("GET", address, who=who) for who in askers]
    assert all(a.content == data and a.headers == answers[0].headers for a in answers)
    assert answers[0].headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answers[0].headers["content-disposition"].endswith('.pdf"')
    assert centre.ground.journal.head("trading") == rows  # read by four, written by nobody
    later = attach(centre, b"new", owner, "清单.xlsx")
    assert later.json()["version"] == 0
    waiting = f"/sections/{centre.section}/documents/{later.json()['document']}"
    assert centre.call("GET", waiting, who=owner).status_code == 404
    done = amend(centre, documents=[later.json()["document"]])
    assert done.status_code == 200, done.text
    assert centre.call("GET", waiting).content == b"new"
    shown = announcement(centre)
    assert [(d["name"], d["version"]) for d in shown["documents"]] == [("图纸.pdf", 1), ("清单.xlsx", 2)]  # fmt: skip
    assert shown["addenda"][0]["documents"] == [later.json()["document"]]
    assert amend(centre, documents=[later.json()["document"]]).status_code == 409  # it is out
    rows_ = list(centre.ground.journal.rows(f"bidding/{centre.section}"))
    said = next(row.body["addendum"] for row in rows_ if row.kind == "refiled")
    assert said["documents"] == [
        {"name": "清单.xlsx", "sha256": hashlib.sha256(b"new").hexdigest(), "size": 3}
    ]
    centre.restart()
    assert centre.call("GET", waiting).content == b"new"


def test_a_document_is_what_was_signed_for_and_ones_own_projects(centre: Centre) -> None:
    centre.set_up(minimum=3)
    owner = centre.one(Role.TENDERER)
    wrong: list[dict[str, Any]] = [
        {"sha256": "0" * 64}, {"size": 4}, {"section": "sec_x"}, {"name": "../../etc/passwd"},
        {"name": "a\x00b"}, {"name": "\u202efdp.exe"}, {"name": "长" * 100}, {"size": 0}, {"more": 1},
    ]  # fmt: skip
    for changes in wrong:
        refused = attach(centre, b"abc", owner, **{"name": "a.pdf"} | changes)
        assert refused.status_code in (404, 422), (changes, refused.text)
    other = centre.one(Role.AGENT)  # of no project here
    assert attach(centre, b"abc", other).status_code == 403
    stranger = {"statement": centre.signed(owner, "document", section=centre.section, name="a", sha256="0" * 64, size=3), "upload": "upl_" + "a" * 26}  # fmt: skip
    path = f"/sections/{centre.section}/documents"
    assert centre.call("POST", path, stranger, owner).status_code == 404
    assert centre.call("POST", path, stranger, centre.bidder(1).who).status_code == 403
    assert announcement(centre)["documents"] == []


def test_an_open_objection_holds_the_opening_over_t_until_it_is_answered(centre: Centre) -> None:
    centre.set_up(minimum=3)
    for number, price in enumerate(("46382715.40", "47105600.00"), 1):
        centre.hand_in(number, price)
    objection = objected(centre, centre.bidder(1).who)
    assert announcement(centre)["held"] is True
    centre.hand_in(3, "45998800.88")  # bids are taken all the same
    held = centre.deadline
    centre.until(held + 5000)
    assert centre.hall()["phase"] == "bidding"
    assert centre.call("GET", f"/custody/sections/{centre.section}/release-request").status_code == 409  # fmt: skip
    assert centre.bidding.room.book(centre.section).leaf("close_list") is None
    centre.restart()
    centre.login(centre.one(Role.OPERATOR))
    centre.login(centre.one(Role.TENDERER))
    centre.until(held + 7000)
    assert centre.bidding.room.book(centre.section).leaf("close_list") is None
    settled(centre, objection)
    centre.cosign()
    assert centre.bidding.room.book(centre.section).leaf("close_list") is not None
    book = centre.bidding.room.book(centre.section)
    assert book.opening is not None
    ((since, until, why),) = book.opening.pauses
    assert held <= since < (until or 0)
    assert "异议" in why


def test_an_objection_answered_before_t_holds_nothing_and_t_may_move_meanwhile(
    centre: Centre,
) -> None:
    centre.set_up(minimum=3)
    for number, price in enumerate(("46382715.40", "47105600.00", "45998800.88"), 1):
        centre.hand_in(number, price)
    objection = objected(centre, centre.bidder(1).who)
    assert moved(centre, 10_000).status_code == 200
    settled(centre, objection)
    centre.until(centre.deadline + 20)
    assert centre.hall()["phase"] == "unlocking"
    book = centre.bidding.room.book(centre.section)
    assert book.opening is not None
    assert book.opening.pauses == ()
