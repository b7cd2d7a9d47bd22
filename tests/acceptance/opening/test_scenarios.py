"""O1–O5 of domain.md §1.9, as amended by design.md §6, over HTTP in the composed centre, to the millisecond.

O1 is also run over a real socket: see `test_over_a_socket`. The pure machine has its own boundaries in
`tests/bidding/test_opening.py` and `test_meeting.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto import statement
from crypto.encoding import sha256_hex
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    from tests.acceptance.hostile.whole import Bidder, Whole

pytestmark = pytest.mark.both_databases
PRICES = {"A": "46382715.40", "B": "47105600.00", "C": "45998800.88", "D": "46200000.00"}


def opened(whole: Whole, count: int = 3, **changes: Any) -> list[Bidder]:
    """A section in which so many bids open, up to the reading-out."""
    whole.set_up(minimum=3, **changes)
    bidders = [whole.hand_in(n, f"4{n}000000.00") for n in range(1, count + 1)]
    whole.until(whole.deadline)
    unlock(whole)
    return bidders


def unlock(whole: Whole) -> None:
    whole.cosign()
    for name in ("custodian-1", "custodian-2"):
        assert whole.release(name).json()["status"] == "answered"


def first(bidder: Bidder) -> str:
    entry: str = bidder.receipts[0]["statement"]["entry"]["id"]
    return entry


def object_(whole: Whole, bidder: Bidder, text: str, files: tuple[Any, ...] = ()) -> Any:
    body = {
        "section": whole.section, "bidder": bidder.who.organisation, "text": text,
        "files": list(files),
    }  # fmt: skip
    signed = statement.sign(bidder.who.key, "objection", CENTRE, body)
    return whole.call("POST", f"/openings/{whole.section}/objections", signed, bidder.who)


def now(whole: Whole, action: str) -> Any:
    """The host's act at this very millisecond (`whole.pace` may let a second pass)."""
    host = whole.one(Role.OPERATOR)
    return whole.call("POST", f"/openings/{whole.section}/phase", {"action": action}, host)


def code(answer: Any) -> str:
    return str(answer.json()["type"].rpartition(":")[2])


def test_o1_withdrawn_late_damaged_absent_and_one_copy_corrupt(whole: Whole) -> None:
    o1(whole)


def o1(whole: Whole) -> None:
    """E withdraws, D's second version is 20 ms late, B's package is damaged by itself, C is absent, A's copy rots."""
    whole.set_up(minimum=3)
    a, b, c, d, e = (whole.bidder(n, name) for n, name in enumerate("甲乙丙丁戊", 1))
    for bidder, price, more in (
        (a, PRICES["A"], {}), (b, PRICES["B"], {"damage": True}), (c, PRICES["C"], {}),
        (d, PRICES["D"], {}), (e, "44000000.00", {}),
    ):  # fmt: skip
        whole.seal(bidder, price, **more)
        whole.send_file(bidder)
        assert whole.submit(bidder).status_code == 201
    assert whole.withdraw(e).status_code == 201
    for bidder in (a, b, d):
        path = f"/openings/{whole.section}/sign-in"
        assert whole.call("POST", path, {}, bidder.who).status_code == 201
    book = whole.bidding.room.book(whole.section)
    blob = book.kept[first(a)].blob
    assert blob is not None
    copy = min((whole.settings.home / "blobs").glob(f"*/{blob.name}"))
    copy.write_bytes(b"rotten")
    whole.seal(d, "40000000.00", supersedes=first(d))
    whole.send_file(d)
    t = whole.deadline
    whole.until(t - 1)
    assert whole.hall()["phase"] == "bidding"
    assert whole.hall()["counted"] is None
    whole.until(t + 20)
    late = whole.submit(d)
    assert late.status_code == 410
    assert late.json()["refusal"]["statement"]["arrival"] == t + 20
    assert whole.hall()["counted"] == 4
    unlock(whole)
    assert whole.pace("read_all").status_code == 200
    rows = {row["bidder"]: row for row in whole.hall()["rows"]}
    assert {name: (row["status"], row["price"]) for name, row in rows.items()} == {
        "甲": ("opened", PRICES["A"]),
        "乙": ("deemed_revoked", ""),
        "丙": ("opened", PRICES["C"]),  # absent: custodians open, whoever comes
        "丁": ("opened", PRICES["D"]),  # the complete first version stands
        "戊": ("withdrawn", ""),
    }
    assert sha256_hex(copy.read_bytes()) == blob.sha256  # repaired from the replica
    assert now(whole, "confirm").status_code == 200
    window = whole.hall()["ends_at"]
    assert whole.confirm_reading(a).status_code == 201
    assert object_(whole, d, "唱标金额请核对").status_code == 201
    asked = whole.clock.now()
    whole.until(asked + 1)
    reply = {"bidder": d.who.organisation, "text": "与开标一览表一致"}
    path = f"/openings/{whole.section}/answers"
    assert whole.call("POST", path, reply, whole.one(Role.TENDERER)).status_code == 201
    whole.until(window - 1)
    assert code(now(whole, "seal")) == "confirm-window-open"
    whole.until(window)
    assert code(now(whole, "seal")) == "bid-undecided"
    assert whole.decided() == 1
    assert now(whole, "seal").status_code == 200
    facts = record(whole)
    assert [(row["bidder"][0]["name"], row["unlock"]) for row in facts["rows"]] == [
        ("甲", "opened"), ("乙", "deemed_revoked"), ("丙", "opened"), ("丁", "opened"),
    ]  # fmt: skip
    signed_in = {one["bidder"]: one["status"] for one in facts["sign_ins"]}
    assert signed_in == {"甲": "signed_in", "乙": "signed_in", "丙": "absent", "丁": "signed_in"}
    acts = [(one["bidder"], one["act"]) for one in facts["deliveries"]]
    assert acts == [
        *((name, "submitted") for name in "甲乙丙丁戊"), ("戊", "withdrawn"), ("丁", "refused"),
    ]  # fmt: skip
    assert [(one["bidder"], one["verdict"], one["role"]) for one in facts["decisions"]] == [
        ("乙", "deemed_revoked", "supervisor")
    ]
    assert facts["decisions"][0]["by"] != ""
    assert [one["answered_at"] - one["raised_at"] for one in facts["objections"]] == [1]
    answers = {row["bidder"][0]["name"]: row["confirmation"] for row in facts["rows"]}
    assert answers == {"甲": "confirmed", "乙": "none", "丙": "none", "丁": "objected"}


def record(whole: Whole) -> dict[str, Any]:
    """The facts that the record's paper will carry, as the service computes them."""
    book = whole.bidding.room.book(whole.section)
    found: dict[str, Any] = whole.bidding.paper._opening(book, whole.clock.now()).to_json()
    return found


def test_o2_two_bids_fail_unopened_and_the_record_is_made_all_the_same(whole: Whole) -> None:
    whole.set_up(minimum=3)
    bids = [whole.hand_in(1, "46382715.40"), whole.hand_in(2, "47105600.00")]
    whole.until(whole.deadline - 1)
    assert whole.hall()["phase"] == "bidding"
    whole.until(whole.deadline)
    hall = whole.hall()
    assert (hall["phase"], hall["rows"]) == ("failed_fewer_than_3", [])
    assert whole.get("/custody/tasks?custodian=custodian-1")["tasks"] == []
    asked = whole.call("GET", f"/custody/sections/{whole.section}/release-request")
    assert asked.status_code == 409
    kinds = {row.kind for row in whole.ground.journal.rows(f"bidding/{whole.section}")}
    assert not kinds & {"published", "unlock_begun", "answered", "release", "imported"}
    assert not (whole.settings.home / "opened").exists()
    said = {"text": "还开标吗"}
    refused = whole.post(f"/openings/{whole.section}/messages", said, bids[0].who)
    assert code(refused) == "opening-ended"
    facts = record(whole)
    assert (facts["outcome"], facts["rows"]) == ("failed_too_few", [])
    assert facts["sign_ins"] == facts["deliveries"] == []  # it names nobody: they may bid again


def test_o3_a_pause_of_twelve_minutes_moves_the_end_of_the_window_by_as_much(whole: Whole) -> None:
    """Seven of the window's ten minutes are used when the platform fails; three are left afterwards."""
    whole.set_up(minimum=3)
    for number in (1, 2, 3):
        whole.hand_in(number, f"4{number}000000.00")
    whole.until(whole.deadline)
    whole.cosign()
    start = whole.hall()["ends_at"] - 600_000
    jump(whole, start + 420_000)
    assert whole.suspend(whole.one(Role.SUPERVISOR), whole.section).status_code < 300
    hall = whole.hall()
    assert (hall["paused"], hall["ends_at"], hall["pause_reason"]) == (True, None, "系统故障")
    assert code(whole.release("custodian-1")) == "opening-paused"
    jump(whole, start + 420_000 + 720_000)
    assert whole.resume(whole.section).status_code == 200
    end = whole.hall()["ends_at"]
    assert end == start + 600_000 + 720_000
    for name, ms in (("custodian-1", -1), ("custodian-2", 0), ("custodian-3", 1)):
        jump(whole, end + ms)
        assert whole.release(name).json()["status"] == "answered"  # its proof holds
    replies = whole.bidding.room.book(whole.section).opening.replies  # type: ignore[union-attr]
    assert {name[-1]: (reply.at - end, reply.status) for name, reply in replies.items()} == {
        "1": (-1, "answered"), "2": (0, "late"), "3": (1, "late"),
    }  # fmt: skip
    assert whole.hall()["phase"] == "reading_out"  # late counts: what is known is known


def jump(whole: Whole, ms: int) -> None:
    """Let minutes pass without writing a leaf for each of their seconds; sessions are renewed."""
    whole.clock.set(ms)
    whole.runner.run(whole.settle())
    for someone in (*whole.people.values(), *(b.who for b in whole.bidders.values())):
        whole.login(someone)


def test_o4_shares_offered_a_millisecond_early_are_refused_and_at_t_they_are_asked_for(
    whole: Whole,
) -> None:
    whole.set_up(minimum=3)
    for number in (1, 2, 3):
        whole.hand_in(number, f"4{number}000000.00")
    keeper = whole.keepers["custodian-1"]
    whole.until(whole.deadline - 1)
    early = {
        "section": whole.section, "custodian": keeper.id, "ceremony": "cer_x", "index": 1,
        "close_list": "0" * 64, "encapsulations": [], "partials": [], "proof": "AA==",
        "head_size": 1, "head_root": "0" * 64,
    }  # fmt: skip
    path = f"/custody/sections/{whole.section}"
    assert whole.call("GET", f"{path}/release-request").status_code == 409
    offered = whole.call(
        "POST", f"{path}/partials", statement.sign(keeper.key, "release", CENTRE, early)
    )
    assert offered.status_code in {409, 422}, offered.text
    kinds = {row.kind for row in whole.ground.journal.rows(f"bidding/{whole.section}")}
    assert not kinds & {"release", "answered"}
    assert whole.hall()["phase"] == "bidding"
    whole.until(whole.deadline)
    unlock(whole)
    assert whole.hall()["phase"] == "reading_out"


def test_o5_the_host_reads_nothing_while_custodians_are_asked(whole: Whole) -> None:
    whole.set_up(minimum=3)
    for number in (1, 2, 3):
        whole.hand_in(number, f"4{number}000000.00")
    whole.until(whole.deadline)
    whole.cosign()
    assert whole.release("custodian-1").json()["status"] == "answered"
    for action in ("read_next", "read_all", "confirm", "seal", "end_meeting"):
        if action == "read_all":  # nothing is known yet that it could read
            whole.pace(action)
        else:
            assert whole.pace(action).status_code == 409, action
    assert all(row["price"] == "" for row in whole.hall()["rows"])
    desk = whole.get(f"/openings/{whole.section}/desk", whole.one(Role.OPERATOR))
    assert all(row["summary"] == {} for row in desk["bids"])
    assert whole.release("custodian-3").json()["status"] == "answered"
    assert whole.pace("read_next").status_code == 200
