"""The hall as a meeting, over HTTP: messages, mutes, files, reconvening, what each role sees apart, silence by regime."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from crypto import statement
from tests.acceptance.opening.test_scenarios import code, now, object_, opened, record
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    from tests.acceptance.hostile.whole import Bidder, Whole
    from tests.trading.world import Someone

PDF = b"%PDF-1.7 evidence of the objection"


def say(whole: Whole, who: Someone, text: str) -> Any:
    return whole.call("POST", f"/openings/{whole.section}/messages", {"text": text}, who)


def mute(whole: Whole, bidder: str, muted: bool = True) -> Any:
    body = {"bidder": bidder, "muted": muted, "reason": "重复刷屏"}
    return whole.call("POST", f"/openings/{whole.section}/mutes", body, whole.one(Role.OPERATOR))


def upload(whole: Whole, who: Someone, data: bytes) -> dict[str, Any]:
    """A file over tus; returns what a statement names it by."""
    made = whole.raw("POST", "/uploads", who, **{"Upload-Length": str(len(data))})
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    place = made.headers["location"].removeprefix("/api/v1")
    assert whole.raw("PATCH", place, who, data, **headers).status_code == 204
    return {"name": "依据.pdf", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def reconvene(whole: Whole, time: int, by: Role = Role.SUPERVISOR) -> Any:
    who = whole.one(by)
    body = {
        "section": whole.section,
        "time": time,
        "reason": "供电恢复",
        "at": whole.clock.now(),
    }
    signed = statement.sign(who.key, "reconvening", CENTRE, body)
    path = f"/openings/{whole.section}/reconvenings"
    return whole.call("POST", path, {"supervisor": signed}, whole.one(Role.OPERATOR))


def test_messages_mutes_files_and_roles(whole: Whole) -> None:
    whole.set_up(minimum=3)
    a, b, c = (whole.hand_in(n, f"4{n}000000.00") for n in (1, 2, 3))
    stranger = whole.bidder(9)
    host, supervisor = whole.one(Role.OPERATOR), whole.one(Role.SUPERVISOR)
    whole.until(whole.deadline - 1)
    # Before T nobody says anything, and a bidder is answered like one who does not bid.
    for who in (a.who, stranger.who, host, supervisor):
        assert code(say(whole, who, "在吗")) == "opening-phase"
    mine = [whole.get(f"/openings/{whole.section}/mine", who) for who in (a.who, stranger.who)]
    assert mine[0] == mine[1]
    assert mine[0]["listed"] is None
    desk = f"/openings/{whole.section}/desk"
    assert code(whole.call("GET", desk, who=supervisor)) == "too-early"
    assert whole.hall()["messages"] == []
    whole.until(whole.deadline)
    whole.cosign()
    for name in ("custodian-1", "custodian-2"):
        assert whole.release(name).json()["status"] == "answered"
    # From the publication on everybody concerned may.
    assert say(whole, a.who, "请放慢语速").json()["no"] == 1
    assert say(whole, host, "好的").json()["no"] == 2
    assert say(whole, supervisor, "请遵守纪律").json()["no"] == 3
    assert code(say(whole, stranger.who, "我也在")) == "not-listed"
    assert say(whole, whole.one(Role.AUDITOR), "x").status_code == 403
    assert say(whole, a.who, "\u202e反写").status_code == 422
    assert say(whole, a.who, "").status_code == 422
    assert say(whole, a.who, "长" * 501).status_code == 422
    more = {"text": "x", "role": "host"}
    path = f"/openings/{whole.section}/messages"
    assert whole.call("POST", path, more, a.who).status_code == 422
    # The host sees the prices from the import on, the public when they are read out (domain.md §1.8).
    seen = whole.get(desk, host)
    assert [row["summary"]["total_price"] for row in seen["bids"]] == [
        "41000000.00", "42000000.00", "43000000.00",
    ]  # fmt: skip
    assert {row["price"] for row in whole.hall()["rows"]} == {""}
    assert whole.call("GET", desk, who=a.who).status_code == 403
    # A mute stops messages and no right.
    assert mute(whole, a.who.organisation).status_code == 201
    assert code(say(whole, a.who, "还有一句")) == "speaker-muted"
    assert whole.get(f"/openings/{whole.section}/mine", a.who)["muted"] is True
    assert whole.hall()["muted"] == [a.who.organisation]
    note = {"bidder": b.who.organisation, "text": "委托书日期有误，已补正"}
    path = f"/openings/{whole.section}/identity-notes"
    assert whole.call("POST", path, note, host).status_code == 201
    assert now(whole, "read_all").status_code == 200
    assert now(whole, "confirm").status_code == 200
    # An objection with a file: named by hash, uploaded before, by the same organisation.
    named = {"name": "依据.pdf", "size": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
    assert code(object_(whole, a, "单价有误", (named,))) == "file-missing"
    upload(whole, c.who, PDF)
    assert code(object_(whole, a, "单价有误", (named,))) == "file-missing"  # another's upload
    assert upload(whole, a.who, PDF) == named
    assert code(object_(whole, a, "单价有误", ({**named, "size": 1},))) == "file-missing"
    assert object_(whole, a, "单价有误", (named,)).status_code == 201
    assert object_(whole, a, "单价有误", (named,)).status_code == 201  # again changes nothing
    tenderer = whole.one(Role.TENDERER)
    reply = upload(whole, tenderer, b"%PDF reply")
    answer = {"bidder": a.who.organisation, "text": "见附件", "files": [reply]}
    path = f"/openings/{whole.section}/answers"
    assert whole.call("POST", path, answer, tenderer).status_code == 201
    files = f"/openings/{whole.section}/files/"
    for who in (b.who, host, tenderer, supervisor, whole.one(Role.AUDITOR)):
        got = whole.call("GET", files + named["sha256"], who=who)
        assert got.content == PDF
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["content-type"] == "application/octet-stream"
    assert whole.call("GET", files + named["sha256"]).status_code == 401
    assert whole.call("GET", files + named["sha256"], who=stranger.who).status_code == 404
    assert whole.call("GET", files + "0" * 64, who=host).status_code == 404
    other = whole.other(Role.TENDERER)
    assert code(whole.call("GET", files + named["sha256"], who=other)) == "section-foreign"
    hall = whole.hall()
    assert hall["rows"][0]["objection"]["files"] == [named]
    assert [(one["who"], one["part"], one["no"]) for one in hall["messages"]] == [
        ("投标单位1", "bidder", 1), (whole.bidding.room.name(host.organisation), "host", 2),
        (whole.bidding.room.name(supervisor.organisation), "supervisor", 3),
    ]  # fmt: skip
    assert not any(one["kind"] == "said" for one in hall["feed"])
    whole.again()  # all of it is the journal's
    assert whole.hall() == hall
    assert whole.call("GET", files + named["sha256"], who=b.who).content == PDF
    facts = record(whole)
    assert facts["objections"][0]["files"] == [named]
    assert facts["objections"][0]["answer_files"] == [reply]
    assert [one["bidder"] for one in facts["mutings"]] == ["投标单位1"]
    assert [one["text"] for one in facts["identity"]] == ["委托书日期有误，已补正"]
    assert facts["messages"] == 3
    said = json.dumps(
        [dict(row.body) for row in whole.ground.journal.rows(f"bidding/{whole.section}")],
        ensure_ascii=False,
    )
    for someone in (host, supervisor, tenderer):
        name = whole.service.person_name(someone.person)
        assert name
        assert name not in said  # names are personal data and stand in no row


def test_a_paused_hall_goes_on_by_itself_at_the_date_that_two_set(whole: Whole) -> None:
    bidders: list[Bidder] = opened(whole)
    assert now(whole, "read_next").status_code == 200
    t = whole.clock.now()
    assert code(reconvene(whole, t + 5000)) == "opening-not-paused"
    assert whole.suspend(whole.one(Role.SUPERVISOR), whole.section).status_code < 300
    assert code(now(whole, "read_next")) == "opening-paused"
    assert say(whole, bidders[0].who, "何时复会").status_code == 201  # talk goes on
    date = (whole.clock.now() // 1000 + 6) * 1000
    assert code(reconvene(whole, date, by=Role.REVIEWER)) == "reconvening-signer"
    assert code(reconvene(whole, whole.clock.now())) == "reconvenes-past"
    assert reconvene(whole, date).status_code == 201
    assert whole.hall()["reconvene"] == date
    assert whole.resume(whole.section).status_code == 200
    assert whole.hall()["paused"] is True  # two let it go on, at the date and not before
    whole.again()  # the date survives a restart
    whole.until(date - 1)
    assert whole.hall()["paused"] is True
    whole.until(date)
    hall = whole.hall()
    assert (hall["paused"], hall["reconvene"]) == (False, None)
    assert now(whole, "read_all").status_code == 200


def test_a_sealed_hall_meets_again_and_its_record_stays(whole: Whole) -> None:
    bidders = opened(whole)
    assert now(whole, "read_all").status_code == 200
    assert now(whole, "confirm").status_code == 200
    for bidder in bidders:
        assert whole.confirm_reading(bidder).status_code == 201
    assert now(whole, "seal").status_code == 200
    before = record(whole)
    date = (whole.clock.now() // 1000 + 3) * 1000
    assert code(say(whole, bidders[0].who, "x")) == "opening-ended"
    assert reconvene(whole, date).status_code == 201
    whole.until(date - 1)
    assert code(say(whole, bidders[0].who, "x")) == "opening-ended"
    whole.until(date)
    assert say(whole, bidders[0].who, "请问结果").status_code == 201
    assert code(now(whole, "read_next")) == "opening-ended"
    assert now(whole, "end_meeting").status_code == 200
    assert code(say(whole, bidders[0].who, "x")) == "opening-ended"
    after = record(whole)
    assert after["rows"] == before["rows"]
    assert after["confirmations"] == before["confirmations"]


def test_government_procurement_deems_the_absent_to_accept_and_works_does_not(whole: Whole) -> None:
    """law.md §8; 87号令 42: only who neither signed in nor did anything."""
    real = whole.tender_form
    whole.tender_form = lambda **more: {**real(**more), "regime": "procurement"}  # type: ignore[method-assign]
    whole.set_up(minimum=3)
    bidders = [whole.hand_in(n, f"4{n}000000.00") for n in (1, 2, 3)]
    path = f"/openings/{whole.section}/sign-in"
    assert whole.call("POST", path, {}, bidders[1].who).status_code == 201
    whole.until(whole.deadline)
    whole.cosign()
    for name in ("custodian-1", "custodian-2"):
        whole.release(name)
    assert now(whole, "read_all").status_code == 200
    assert now(whole, "confirm").status_code == 200
    assert whole.confirm_reading(bidders[2]).status_code == 201
    assert {row["confirmation"] for row in whole.hall()["rows"]} == {
        "not_confirmed",
        "no_objection",
    }
    whole.until(whole.hall()["ends_at"])
    assert now(whole, "seal").status_code == 200
    assert [row["confirmation"] for row in whole.hall()["rows"]] == [
        "deemed_accepted", "not_confirmed", "no_objection",
    ]  # fmt: skip
    assert [row["confirmation"] for row in record(whole)["rows"]] == [
        "deemed_accepted_absent", "none", "confirmed",
    ]  # fmt: skip
