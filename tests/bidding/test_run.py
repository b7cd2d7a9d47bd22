"""Openings that meet accidents: restarts at every step, corrupt copies, absent and lying custodians, late bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto import statement
from tests.bidding.centre import Centre
from tests.trading.world import CENTRE
from trading.model import Role


@pytest.fixture
def centre(tmp_path: Path, stored: str) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def restart(centre: Centre) -> None:
    """Close and open the same home; everybody logs in again."""
    centre.restart()
    for someone in (*centre.people.values(), *(b.who for b in centre.bidders.values())):
        centre.login(someone)


def three(centre: Centre, **changes: Any) -> None:
    centre.set_up(minimum=3, **changes)
    for number, price in ((1, "46382715.40"), (2, "47105600.00"), (3, "45998800.88")):
        centre.hand_in(number, price)


def prices(centre: Centre) -> list[str]:
    return [row["price"] for row in centre.hall()["rows"]]


def read_out(centre: Centre) -> list[str]:
    assert centre.pace("read_all").status_code == 200
    return prices(centre)


@pytest.mark.both_databases
def test_e7_a_restart_at_every_step_loses_and_doubles_nothing(centre: Centre) -> None:
    three(centre)
    restart(centre)
    centre.until(centre.deadline - 1)
    assert centre.hall()["phase"] == "bidding"
    centre.bidding.room.timers.cancel(f"opening:{centre.section}")  # the process dies before T
    centre.until(centre.deadline)
    restart(centre)
    centre.until(centre.clock.now() + 1000)
    assert centre.hall()["phase"] == "unlocking"
    centre.cosign()
    restart(centre)
    assert centre.release("custodian-1").json()["status"] == "answered"
    restart(centre)
    assert centre.release("custodian-3").json()["status"] == "answered"
    restart(centre)
    assert centre.hall()["phase"] == "reading_out"
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]
    restart(centre)
    assert prices(centre) == ["46382715.40", "47105600.00", "45998800.88"]
    kinds = [kind for kind, _, _ in centre.bidding.room.book(centre.section).events]
    for once in ("closed", "price_stated", "float_drawn", "published", "unlock_begun", "imported"):
        assert kinds.count(once) == 1
    leaves = centre.bidding.room.book(centre.section).leaves
    assert {kind: len(found) for kind, found in leaves.items()} == {
        "key_assign": 1, "float_commit": 1, "close_list": 1, "control_price": 1,
        "float_result": 1, "published_bidders": 1, "release": 2, "opened": 1,
    }  # fmt: skip


def test_an_opening_cut_before_the_import_is_done_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")

    async def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(centre.bidding.run, "_unlock", dies)
        assert centre.release("custodian-2").status_code == 503
    restart(centre)
    centre.until(centre.clock.now() + 1000)
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]


def test_u22_a_corrupt_copy_is_repaired_and_nobodys_fault(centre: Centre) -> None:
    three(centre)
    book = centre.bidding.room.book(centre.section)
    blob = next(iter(book.kept.values())).blob
    assert blob is not None
    copies = sorted((centre.settings.home / "blobs").glob(f"*/{blob.name}"))
    assert len(copies) == 2
    copies[0].write_bytes(b"rotten")
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    assert read_out(centre)[0] == "46382715.40"
    assert copies[0].read_bytes() == copies[1].read_bytes()


def test_a_bid_whose_every_copy_is_lost_is_deemed_withdrawn_never_revoked(centre: Centre) -> None:
    three(centre)
    blob = next(iter(centre.bidding.room.book(centre.section).kept.values())).blob
    assert blob is not None
    for copy in (centre.settings.home / "blobs").glob(f"*/{blob.name}"):
        copy.write_bytes(b"rotten")
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    centre.pace("read_all")
    rows = centre.hall()["rows"]
    assert [row["status"] for row in rows] == ["deemed_withdrawn", "opened", "opened"]
    assert "stored-copy-corrupt" in rows[0]["reason_en"]


def test_e2_fewer_than_t_answers_show_nothing_of_any_bid(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.until(centre.clock.now() + 700_000)
    hall = centre.hall()
    assert hall["phase"] == "unlocking"
    assert {row["status"] for row in hall["rows"]} == {"sealed"}
    assert not (centre.settings.home / "opened").exists()
    assert centre.call("GET", f"/openings/{centre.section}/evidence").status_code == 409


def test_e3_a_liar_is_named_by_proof_and_the_opening_goes_on(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.keepers["custodian-1"].lies = True
    assert centre.release("custodian-1").json()["status"] == "wrong"
    centre.release("custodian-2")
    centre.release("custodian-3")
    states = {c["id"]: c["status"] for c in centre.hall()["custody"]["custodians"]}
    assert states == {"custodian-1": "wrong", "custodian-2": "answered", "custodian-3": "answered"}
    assert len(read_out(centre)) == 3
    opened = centre.get(f"/openings/{centre.section}/evidence")["leaves"]["opened"][0]["leaf"]
    assert opened["wrong"] == ["custodian-1"]
    assert opened["custodians"] == ["custodian-2", "custodian-3"]


def test_without_the_proof_check_a_liar_would_spoil_every_bid(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: what the proof check is there for."""
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    monkeypatch.setattr(centre.bidding.custody, "_wrong", lambda *_: "")
    centre.keepers["custodian-1"].lies = True
    centre.release("custodian-1")
    centre.release("custodian-2")
    centre.pace("read_all")
    assert {row["status"] for row in centre.hall()["rows"]} == {"deemed_revoked"}


def test_e5_e10_an_answer_of_another_or_for_another_list_is_refused(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    keeper = centre.keepers["custodian-1"]
    centre.release("custodian-1")
    signed = centre.bidding.room.book(centre.section).releases["custodian-1"][0]
    path = f"/custody/sections/{centre.section}/partials"
    assert centre.post(path, signed).status_code in {201, 409}  # the identical one again is nothing
    body = {k: v for k, v in signed["statement"].items()
            if k not in ("v", "suite", "purpose", "centre")}  # fmt: skip
    for change in (
        {"section": "sec_" + "b" * 26},
        {"close_list": "0" * 64},
        {"index": 2},
        {"encapsulations": body["encapsulations"][::-1]},
    ):
        other = statement.sign(keeper.key, "release", CENTRE, {**body, **change})
        assert centre.post(path, other).status_code == 422
    forged = statement.sign(centre.keepers["custodian-2"].key, "release", CENTRE, body)
    assert centre.post(path, forged).status_code == 422
    stranger = {**body, "custodian": "custodian-9"}
    forged = statement.sign(keeper.key, "release", CENTRE, stranger)
    assert centre.post(path, forged).status_code == 404


def test_o1_a_late_second_version_leaves_the_first_one_standing(centre: Centre) -> None:
    three(centre)
    d = centre.bidders["投标单位1"]
    first = d.receipts[0]["statement"]["entry"]["id"]
    centre.seal(d, "40000000.00", supersedes=first)
    centre.send_file(d)
    centre.until(centre.deadline + 20)
    answer = centre.submit(d)
    assert answer.status_code == 410
    refused = answer.json()["refusal"]["statement"]
    assert refused["arrival"] - refused["deadline"] == 20
    assert centre.submit(d).json()["refusal"] == answer.json()["refusal"]
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    assert read_out(centre)[0] == "46382715.40"


@pytest.mark.parametrize(("ms", "status"), [(-1, 201), (0, 410), (1, 410)])
def test_u6_the_deadline_is_judged_to_the_millisecond_by_arrival(
    centre: Centre, ms: int, status: int
) -> None:
    three(centre)
    bidder = centre.seal(centre.bidder(4), "44000000.00")
    centre.send_file(bidder)
    centre.until(centre.deadline - 1)
    centre.clock.set(centre.deadline + ms)
    answer = centre.submit(bidder)
    assert answer.status_code == status, answer.text
    centre.until(centre.deadline + 5)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    # a bid acknowledged in the last slot opens
    assert len(read_out(centre)) == (4 if status == 201 else 3)


def test_a_slow_handler_holds_the_closing_leaf_back(centre: Centre) -> None:
    """A bid whose last byte came at T − 1 ms is in the closing slot, however long judging takes."""
    centre.set_up(minimum=3)
    flight = centre.bidding.intake.depart(centre.deadline - 1)
    slot = centre.deadline // 1000 - 1
    assert not centre.bidding.intake.ready(slot)
    assert centre.bidding.intake.ready(slot - 1)
    flight.land()
    flight.land()
    assert centre.bidding.intake.ready(slot)


def test_o2_two_bidders_are_not_opened_and_custodians_are_not_asked(centre: Centre) -> None:
    centre.set_up(minimum=3)
    centre.hand_in(1, "46382715.40")
    centre.hand_in(2, "47105600.00")
    centre.until(centre.deadline + 5)
    assert centre.hall()["phase"] == "failed_fewer_than_3"
    assert centre.get("/custody/tasks?custodian=custodian-1")["tasks"] == []
    path = f"/custody/sections/{centre.section}/release-request"
    assert centre.call("GET", path).status_code == 409


def test_o4_nothing_is_asked_of_custodians_before_t(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline - 1)
    assert centre.get("/custody/tasks?custodian=custodian-1")["tasks"] == []
    path = f"/custody/sections/{centre.section}/release-request"
    assert centre.call("GET", path).json()["type"].endswith(":too-early")


def test_a_rehearsal_is_opened_the_same_way_on_a_key_born_for_it(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = centre.bidding.ceremonies.begin
    monkeypatch.setattr(
        centre.bidding.ceremonies,
        "begin",
        lambda section, _use, now: begin(section, "rehearsal", now),
    )
    three(centre)
    assert centre.tender_file()["use"] == "rehearsal"
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    assert len(read_out(centre)) == 3


def test_before_t_three_bidders_and_none_look_the_same(centre: Centre) -> None:
    centre.set_up(minimum=3)
    one = centre.section
    other = None
    for number in (1, 2, 3):
        centre.hand_in(number, f"4{number}000000.00")
    centre.people[Role.TENDERER] = centre.one(Role.TENDERER)
    made = centre.carry("tender.create", centre.tender_form(deadline=centre.deadline))
    other = made["sections"][0]
    centre.call("POST", f"/sections/{other}/ceremony", {}, centre.one(Role.OPERATOR))
    for _ in range(3):
        centre.ceremony_round()
    centre.carry("tender.publish", {"tender": made["tender"]})

    def seen(section: str) -> Any:
        hall = centre.get(f"/openings/{section}")
        listed = next(s for s in centre.get("/openings") if s["section"] == section)
        text = f"{hall}{ {**listed, 'tender': ''} }"
        return text.replace(section, "S")

    assert seen(one) == seen(other)
    leaf = centre.ground.ledger.leaf(centre.ground.ledger.size - 1)
    assert b'"kind":"slot"' not in leaf or len(leaf) > 0


def test_a_postponement_by_supervisor_and_centre_moves_t_for_everybody(centre: Centre) -> None:
    three(centre)
    before = centre.deadline
    body = {
        "tender": centre.tender_file()["tender"], "section": centre.section, "previous": before,
        "deadline": before + 5000, "reason": "补遗", "at": centre.clock.now(),
    }  # fmt: skip
    path = f"/sections/{centre.section}/postponements"
    operator = centre.one(Role.OPERATOR)
    alone = statement.sign(operator.key, "postponement", CENTRE, body)
    assert centre.post(path, {"supervisor": alone}, operator).status_code == 422
    signed = statement.sign(centre.one(Role.SUPERVISOR).key, "postponement", CENTRE, body)
    both = centre.post(path, {"supervisor": signed}, operator)
    assert both.status_code == 201, both.text
    assert centre.tender_file()["deadline"] == before + 5000
    centre.until(before + 1)
    assert centre.hall()["phase"] == "bidding"
    centre.hand_in(4, "44000000.00")
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.release("custodian-1").json()["status"] == "answered"
    centre.release("custodian-2")
    assert len(read_out(centre)) == 4


def test_objections_are_answered_and_seal_the_record(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    centre.pace("read_all")
    centre.pace("confirm")
    a, b, c = (centre.bidders[f"投标单位{n}"] for n in (1, 2, 3))
    assert centre.confirm_reading(a).status_code == 201
    assert centre.confirm_reading(a).status_code == 201  # again changes nothing
    body = {
        "section": centre.section,
        "bidder": b.who.organisation,
        "text": "唱标金额有误",
        "files": [],
    }
    signed = statement.sign(b.who.key, "objection", CENTRE, body)
    path = f"/openings/{centre.section}"
    assert centre.post(f"{path}/objections", signed, b.who).status_code == 201
    assert centre.confirm_reading(b).status_code == 409
    assert centre.confirm_reading(c).status_code == 201
    assert centre.pace("seal").status_code == 409
    answer = {"bidder": b.who.organisation, "text": "与开标一览表一致"}
    assert centre.post(f"{path}/answers", answer, centre.one(Role.OPERATOR)).status_code == 201
    assert centre.pace("seal").status_code == 200
    assert [row["confirmation"] for row in centre.hall()["rows"]] == [
        "no_objection", "objection", "no_objection",
    ]  # fmt: skip


def test_a_confirmation_of_something_else_is_refused(centre: Centre) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    centre.release("custodian-2")
    centre.pace("read_all")
    centre.pace("confirm")
    a = centre.bidders["投标单位1"]
    body = {"section": centre.section, "bidder": a.who.organisation, "reading": "0" * 64}
    signed = statement.sign(a.who.key, "confirmation", CENTRE, body)
    answer = centre.post(f"/openings/{centre.section}/confirmations", signed, a.who)
    assert answer.json()["type"].endswith(":reading-differs")


def test_a_flood_of_late_acts_is_refused_and_leaves_the_record_readable(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidding.service.intake.MAX_LATE", 2)
    three(centre)
    centre.until(centre.deadline)
    late, told = centre.bidder(4), []
    for price in ("1.00", "2.00", "3.00"):
        centre.seal(late, price)
        told.append(centre.submit(late))
    assert [answer.status_code for answer in told] == [410, 410, 410]
    assert ["refusal" in answer.json() for answer in told] == [True, True, False]
    other = centre.bidder(5)
    centre.seal(other, "4.00")
    assert "refusal" in centre.submit(other).json()  # another's flood takes nobody's refusal
    assert centre.bidding.room.book(centre.section).late.total() == 3
