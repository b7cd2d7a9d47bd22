"""Acts in the hall are answered with the centre's signed word: to their owner, the same again, and silent on others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bidding.model.hall import HallHead, HallReceipt, HallState
from crypto import statement
from crypto.encoding import sha256_hex
from tests.bidding.centre import CENTRE_KEY, Centre
from tests.bidding.test_run import restart, three
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def read(signed: dict[str, Any], kind: Any) -> Any:
    key = CENTRE_KEY.public
    return kind.from_body(statement.verify(signed, purpose=kind.PURPOSE, centre=CENTRE, key=key))


def sign_in(centre: Centre, number: int) -> Any:
    path = f"/openings/{centre.section}/sign-in"
    answer = centre.call("POST", path, {}, centre.bidder(number).who)
    assert answer.status_code == 201
    return answer.json()["receipt"]


def heads(centre: Centre) -> list[HallHead]:
    rows = centre.ground.journal.rows("ledger", kind=HallHead.PURPOSE)
    return [HallHead.from_leaf(row.body, CENTRE) for row in rows]


def test_acts_of_an_opening_and_their_receipts(centre: Centre) -> None:
    three(centre)
    place = f"/openings/{centre.section}/head"
    came = sign_in(centre, 1)
    said = read(came, HallReceipt)
    at = centre.clock.now()
    assert said == HallReceipt(
        section=centre.section, organisation=centre.bidder(1).who.organisation, act="signed_in",
        said="", arrival=at, seq=0, chain="",
    )  # fmt: skip
    stranger = read(sign_in(centre, 9), HallReceipt)  # who bids nothing is answered alike
    assert (stranger.arrival, stranger.seq, stranger.chain) == (at, 0, "")
    centre.until(at + 2000)
    assert sign_in(centre, 1) == came or read(sign_in(centre, 1), HallReceipt) == said
    early = centre.call("GET", place)
    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (409, "too-early")
    centre.until(centre.deadline)
    centre.until(centre.deadline + 2000)
    (first, *_) = heads(centre)
    rows = {row.seq: row for row in centre.ground.journal.rows(f"bidding/{centre.section}")}
    assert rows[first.seq].chain.hex() == first.chain
    assert first.seq >= next(seq for seq, row in rows.items() if row.kind == "published")

    told = {"text": "请放慢语速"}
    who = centre.bidder(1).who
    spoken = centre.call("POST", f"/openings/{centre.section}/messages", told, who).json()
    receipt = read(spoken["receipt"], HallReceipt)
    rows = {row.seq: row for row in centre.ground.journal.rows(f"bidding/{centre.section}")}
    assert rows[receipt.seq].chain.hex() == receipt.chain
    assert (receipt.act, receipt.said) == ("said", sha256_hex(told["text"].encode()))
    seen = read(centre.get(place), HallState)
    assert (seen.phase, seen.paused, seen.seq, seen.chain) == (
        "unlocking", 0, receipt.seq, receipt.chain,
    )  # fmt: skip

    supervisor = centre.one(Role.SUPERVISOR)
    signed = centre.signed(supervisor, "suspension", target=centre.section, reason="网络核查")
    assert centre.call("POST", "/suspensions", signed, supervisor).status_code < 300
    centre.runner.run(centre.settle())
    stopped = read(centre.get(place), HallState)
    assert (stopped.paused, stopped.seq) == (centre.clock.now(), receipt.seq + 1)


def test_after_a_restart_the_head_is_written_and_the_same_words_are_signed(centre: Centre) -> None:
    three(centre)
    came = read(sign_in(centre, 1), HallReceipt)
    centre.until(centre.deadline)
    centre.bidding.room.timers.cancel(f"hall-head:{centre.section}")  # the process dies before
    newest = centre.ground.journal.head(f"bidding/{centre.section}")[0]
    assert newest not in {one.seq for one in heads(centre)}
    restart(centre)
    assert read(sign_in(centre, 1), HallReceipt) == came
    centre.until(centre.clock.now() + 2000)
    assert newest in {one.seq for one in heads(centre)}
    told = [one.seq for one in heads(centre)]
    assert told == sorted(set(told))
    centre.until(centre.clock.now() + 5000)
    assert [one.seq for one in heads(centre)] == told  # nothing happened, nothing is written


def test_a_row_of_a_later_second_brings_the_head_before_it(centre: Centre) -> None:
    """However late the timer: what stood when the second was over is in the ledger before what follows."""
    three(centre)
    centre.until(centre.deadline)
    centre.bidding.room.timers.cancel(f"hall-head:{centre.section}")
    newest = centre.ground.journal.head(f"bidding/{centre.section}")[0]
    centre.clock.advance(3000)
    path, body = f"/openings/{centre.section}/messages", {"text": "在吗"}
    assert centre.call("POST", path, body, centre.bidder(1).who).status_code == 201
    rows = list(centre.ground.journal.rows())
    leaf = next(row for row in rows if row.kind == HallHead.PURPOSE and row.body["seq"] == newest)
    spoken = next(row for row in rows if row.kind == "said")
    assert leaf.position < spoken.position
