"""Orders of two, and what happens when too few custodians can answer: pledges, file keys, import."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bidding.opening import begin
from bidding.store import stream_of
from clients.auditor import hall
from crypto import statement
from crypto.encoding import b64, sha256_hex
from crypto.random import token
from tests.bidding.centre import Bidder, Centre
from tests.bidding.test_run import read_out, restart, three
from tests.trading.world import CENTRE
from trading.model import Role

MINUTE = 60_000


@pytest.fixture
def centre(tmp_path: Path, stored: str) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def close_list(centre: Centre) -> str:
    index, _ = centre.bidding.room.book(centre.section).leaf("close_list")
    return sha256_hex(centre.ground.ledger.leaf(index))


def order(centre: Centre, path: str, purpose: str, by: Any = None, **body: Any) -> httpx.Response:
    """The supervisor signs, the operator brings it."""
    key = (by or centre.one(Role.SUPERVISOR)).key
    said = {"section": centre.section, "reason": "依规", "at": centre.clock.now(), **body}
    signed = statement.sign(key, purpose, CENTRE, said)
    where = f"/sections/{centre.section}/{path}"
    return centre.post(where, {"supervisor": signed}, centre.one(Role.OPERATOR))


def failed(centre: Centre) -> httpx.Response:
    return order(centre, "quorum-failures", "quorum_failure", close_list=close_list(centre))


def jump(centre: Centre, ms: int) -> None:
    """Let time pass at once to an instant at which no section takes bids; all log in anew."""

    async def go() -> None:
        centre.clock.set(ms)
        centre.ground.timers.fire()
        await centre.settle()

    centre.runner.run(go())
    for someone in (*centre.people.values(), *(b.who for b in centre.bidders.values())):
        centre.login(someone)


def after_the_window(centre: Centre) -> None:
    jump(centre, centre.bidding.room.keyed(centre.section).opening.unlock.end)


def to_disclose(centre: Centre, bidder: Bidder, path: str, **body: Any) -> httpx.Response:
    shown = centre.get(f"/openings/{centre.section}/failure")
    said = {
        "section": centre.section, "bidder": bidder.who.organisation,
        "submission": bidder.receipts[-1]["statement"]["entry"]["id"],
        "failure": shown["failure"], **body,
    }  # fmt: skip
    purpose = "disclosure_pledge" if path == "pledges" else "disclosure"
    signed = statement.sign(bidder.who.key, purpose, CENTRE, said)
    return centre.post(f"/openings/{centre.section}/{path}", signed, bidder.who)


def hand_over(centre: Centre, bidder: Bidder, key: bytes | None = None) -> httpx.Response:
    return to_disclose(centre, bidder, "file-keys", file_key=b64(key or bidder.file_key))


def all_bidders(centre: Centre) -> list[Bidder]:
    return [centre.bidders[f"投标单位{n}"] for n in (1, 2, 3)]


def replayed(centre: Centre) -> None:
    """The auditor's own replay of the hall, event by event, reaches the same state."""
    book = centre.bidding.room.keyed(centre.section)
    rows = list(centre.ground.journal.rows(stream_of(centre.section)))
    opened = next(row.body for row in rows if row.kind == "bids_opened")
    assert hall.replay(begin(book.keyed.tender, opened), rows) == book.opening


def code(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_after_a_declared_failure_all_pledge_then_hand_over_and_every_bid_opens(
    centre: Centre,
) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.release("custodian-1").json()["status"] == "answered"
    assert code(failed(centre)) == "unlock-window-open"
    after_the_window(centre)
    both = failed(centre)
    assert both.status_code == 201, both.text
    assert both.json()["centre"]["statement"] == both.json()["supervisor"]["statement"]
    assert centre.hall()["phase"] == "pledging"
    one, two, three_ = all_bidders(centre)
    assert code(hand_over(centre, one)) == "opening-phase"  # nobody before all have pledged
    for bidder in (one, two):
        assert to_disclose(centre, bidder, "pledges").status_code == 201
    restart(centre)
    assert to_disclose(centre, one, "pledges").status_code == 201  # again changes nothing
    assert to_disclose(centre, three_, "pledges").json()["phase"] == "disclosing"
    assert code(hand_over(centre, one, token(16))) == "file-key-wrong"
    for bidder in (one, two):
        assert hand_over(centre, bidder).status_code == 201
    assert {row["status"] for row in centre.hall()["rows"]} == {"sealed"}
    assert not (centre.settings.home / "opened").exists()
    restart(centre)
    assert hand_over(centre, three_).json()["phase"] == "reading_out"
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]
    shown = centre.get(f"/openings/{centre.section}/evidence")["leaves"]
    keys = [bid["file_key"] for bid in shown["disclosed"][0]["leaf"]["bids"]]
    assert keys == [b64(bidder.file_key) for bidder in (one, two, three_)]
    assert "opened" not in shown
    replayed(centre)


def test_who_pledged_and_hands_over_no_key_that_fits_is_deemed_revoked(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    after_the_window(centre)
    assert failed(centre).status_code == 201
    for bidder in all_bidders(centre):
        to_disclose(centre, bidder, "pledges")
    one, two, three_ = all_bidders(centre)
    hand_over(centre, one)
    hand_over(centre, three_)
    assert code(hand_over(centre, two, token(16))) == "file-key-wrong"
    jump(centre, centre.bidding.room.keyed(centre.section).opening.disclose.end)
    assert centre.hall()["phase"] == "reading_out"
    assert code(hand_over(centre, two)) == "opening-phase"
    read_out(centre)
    rows = centre.hall()["rows"]
    assert [row["status"] for row in rows] == ["opened", "deemed_revoked", "opened"]
    assert "disclosure-missing" in rows[1]["reason_en"]


def test_where_one_bidder_does_not_pledge_nothing_is_opened(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    after_the_window(centre)
    assert failed(centre).status_code == 201
    for bidder in all_bidders(centre)[:2]:
        to_disclose(centre, bidder, "pledges")
    jump(centre, centre.bidding.room.keyed(centre.section).opening.pledge.end)
    assert centre.hall()["phase"] == "failed_quorum"
    assert code(to_disclose(centre, all_bidders(centre)[2], "pledges")) == "opening-ended"
    assert not (centre.settings.home / "opened").exists()
    replayed(centre)


def test_release_ends_for_the_key_when_the_failure_is_declared(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    request, leaves = centre.request()
    centre.release("custodian-1")
    after_the_window(centre)
    both = failed(centre).json()
    assert centre.get("/custody/tasks?custodian=custodian-2")["tasks"] == []
    path = f"/custody/sections/{centre.section}/release-request"
    assert centre.call("GET", path).status_code == 409
    from bidding.release import TwoSigned, decide

    view = centre.view(centre.keepers["custodian-2"], handed=(TwoSigned.from_body(both),))
    verdict = decide(view, request, leaves)  # an older request, the order handed over directly
    assert verdict.refusal is not None
    assert verdict.refusal.id == "deadline-agreed"


def test_a_lawful_refusal_is_no_failure_of_the_quorum(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    for id_ in ("custodian-1", "custodian-2"):
        assert centre.release(id_, hold="court order").json()["status"] == "refused"
    after_the_window(centre)
    assert code(failed(centre)) == "quorum-refused"


def test_a_failure_is_declared_by_two_and_never_after_the_import(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    body = {"close_list": close_list(centre)}
    operator = centre.one(Role.OPERATOR)
    alone = order(centre, "quorum-failures", "quorum_failure", by=operator, **body)
    assert code(alone) == "quorum-failure-signer"
    other = order(centre, "quorum-failures", "quorum_failure", close_list="0" * 64)
    assert code(other) == "statement-foreign-section"
    assert code(centre.call("GET", f"/openings/{centre.section}/failure")) == "quorum-not-failed"
    centre.release("custodian-1")
    centre.release("custodian-2")
    after_the_window(centre)
    assert code(failed(centre)) == "opening-phase"


def test_a_file_key_is_taken_from_its_own_bidder_only(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    after_the_window(centre)
    failed(centre)
    one, two, _ = all_bidders(centre)
    theirs = two.receipts[-1]["statement"]["entry"]["id"]
    assert code(to_disclose(centre, one, "pledges", submission=theirs)) == "disclosure-foreign"
    assert code(to_disclose(centre, one, "pledges", failure="0" * 64)) == "disclosure-foreign"


def lose(centre: Centre, bidder: Bidder) -> list[Path]:
    """Every stored copy of a bid is gone; returns where they were."""
    entry = bidder.receipts[-1]["statement"]["entry"]["id"]
    blob = centre.bidding.room.book(centre.section).kept[entry].blob
    copies = list((centre.settings.home / "blobs").glob(f"*/{blob.name}"))
    for copy in copies:
        copy.unlink()
    return copies


def supplement(centre: Centre, *ids: str) -> httpx.Response:
    body = {"close_list": close_list(centre), "submissions": list(ids)}
    return order(centre, "supplements", "supplement", **body)


def test_a_bid_left_out_for_a_lost_copy_is_put_back_by_two_when_a_copy_is_there(
    centre: Centre,
) -> None:
    three(centre)
    fourth = centre.hand_in(4, "44000000.00")
    entry = fourth.receipts[-1]["statement"]["entry"]["id"]
    copies = lose(centre, fourth)
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.hall()["counted"] == 3
    assert [row["status"] for row in centre.hall()["rows"]] == ["sealed"] * 3 + ["excluded"]
    assert centre.release("custodian-1").json()["status"] == "answered"
    assert code(supplement(centre, entry)) == "reason-not-mended"
    shutil.copyfile(fourth.file, copies[0])
    assert supplement(centre, entry).status_code == 201
    assert all(copy.exists() for copy in copies)
    assert code(supplement(centre, entry)) == "supplement-foreign"
    restart(centre)
    for id_ in ("custodian-1", "custodian-3"):  # the first one answers again, for four
        assert centre.release(id_).json()["status"] == "answered"
        assert len(centre.keepers[id_].verdict.answer.encapsulations) == 4
    prices = read_out(centre)
    assert prices == ["46382715.40", "47105600.00", "45998800.88", "44000000.00"]
    replayed(centre)


def test_a_supplement_never_names_a_withdrawn_replaced_or_foreign_bid(centre: Centre) -> None:
    three(centre)
    fourth = centre.hand_in(4, "44000000.00")
    gone = fourth.receipts[-1]["statement"]["entry"]["id"]
    assert centre.withdraw(fourth).status_code == 201
    centre.until(centre.deadline)
    centre.cosign()
    listed = all_bidders(centre)[0].receipts[-1]["statement"]["entry"]["id"]
    for id_ in (gone, listed, "bid_unknown"):
        assert code(supplement(centre, id_)) == "supplement-foreign"


def test_a_termination_of_two_ends_the_opening_and_is_what_custodians_take(centre: Centre) -> None:
    three(centre)
    tender = centre.tender_file()["tender"]
    both = order(centre, "terminations", "termination", tender=tender)
    assert both.status_code == 201, both.text
    assert centre.hall()["phase"] == "terminated"
    again = order(centre, "terminations", "termination", tender=tender)
    assert again.status_code == 201
    leaves = centre.bidding.room.book(centre.section).leaves["announced"]
    assert len(leaves) == 1
    bidder = centre.seal(centre.bidder(4), "44000000.00")
    centre.send_file(bidder)
    assert code(centre.submit(bidder)) == "section-not-open"
    centre.until(centre.deadline + 5)
    assert centre.hall()["phase"] == "terminated"
    assert centre.get("/custody/tasks?custodian=custodian-1")["tasks"] == []


def late_word(centre: Centre, by: Role) -> httpx.Response:
    _, closing = centre.bidding.room.book(centre.section).leaf("close_list")
    who = centre.one(by)
    said = {
        "section": centre.section, "closing_size": closing["closing_size"],
        "closing_root": closing["closing_root"], "reason": "停电", "at": centre.clock.now(),
    }  # fmt: skip
    signed = statement.sign(who.key, "late_witness", CENTRE, said)
    return centre.post(f"/sections/{centre.section}/late-witnesses", signed, who)


def test_after_an_outage_over_t_late_cosignatures_count_by_the_supervisors_word(
    centre: Centre,
) -> None:
    three(centre)
    centre.until(centre.deadline)
    jump(centre, centre.deadline + 2 * MINUTE)
    centre.cosign()
    answer = centre.release("custodian-1")
    assert answer.json()["status"] == "refused"
    assert centre.keepers["custodian-1"].verdict.refusal.id == "witnessed"
    assert late_word(centre, Role.OPERATOR).status_code == 403
    assert late_word(centre, Role.SUPERVISOR).status_code == 201
    restart(centre)
    for id_ in ("custodian-1", "custodian-2"):
        assert centre.release(id_).json()["status"] == "answered"
    assert len(read_out(centre)) == 3


def test_a_late_word_after_an_answer_is_refused(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    assert code(late_word(centre, Role.SUPERVISOR)) == "already-answered"


def board(centre: Centre) -> dict[str, Any]:
    answer = centre.call("GET", "/custody/board", None, centre.one(Role.OPERATOR))
    assert answer.status_code == 200, answer.text
    return answer.json()["sections"][0]


def test_a_silent_custodian_is_red_on_the_board_from_a_day_before_t(centre: Centre) -> None:
    three(centre)
    assert {one["state"] for one in board(centre)["custodians"]} == {"red"}
    assert board(centre)["opens"] is False
    centre.cosign("custodian-1", "custodian-2")
    states = [one["state"] for one in board(centre)["custodians"]]
    assert states == ["awake", "awake", "red"]
    assert board(centre)["opens"] is True
    restart(centre)
    assert [one["state"] for one in board(centre)["custodians"]] == states
    centre.clock.advance(61_000)
    assert {one["state"] for one in board(centre)["custodians"]} == {"red"}
    assert centre.get("/custody/board")["sections"][0]["section"] == centre.section


def test_the_board_follows_the_answers_and_tells_of_no_section_that_is_not_announced(
    centre: Centre,
) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.keepers["custodian-2"].lies = True
    centre.release("custodian-2")
    assert centre.release("custodian-3", hold="court order").json()["status"] == "refused"
    assert [one["state"] for one in board(centre)["custodians"]] == ["answered", "wrong", "refused"]
    assert board(centre)["opens"] is False
    form = centre.tender_form(deadline=centre.clock.now() // 1000 * 1000 + 60_000)
    section = centre.carry("tender.create", form)["sections"][0]
    centre.call("POST", f"/sections/{section}/ceremony", {}, centre.one(Role.OPERATOR))
    for _ in range(3):
        centre.ceremony_round()
    assert centre.bidding.room.book(section).keyed is not None
    assert section not in str(centre.get("/custody/board"))


def test_more_than_a_day_before_t_a_silent_custodian_is_only_stale(centre: Centre) -> None:
    centre.set_up(minimum=3, deadline=centre.clock.now() // 1000 * 1000 + 25 * 60 * MINUTE)
    assert {one["state"] for one in board(centre)["custodians"]} == {"stale"}
    jump(centre, centre.clock.now() + 60 * MINUTE)
    assert {one["state"] for one in board(centre)["custodians"]} == {"red"}
