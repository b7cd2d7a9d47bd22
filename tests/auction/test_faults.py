"""Storage that fails, processes that die: nothing acknowledged is lost or doubled, and what was in doubt is settled by its key."""

import asyncio
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from auction import store
from auction.model import Do
from auction.replay.book import STREAM, Book, Seat, evolve
from auction.replay.closed import by_key
from auction.writer import Heads, LotWriter
from auction.writer.heard import Heard
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Stage
from trading.ground.chain import Draft
from trading.ground.database import open_database
from trading.ground.journal import Journal, Row

KEY = bytes(range(32))
RULES = {
    "start_price": "1",
    "increment": "1",
    "timed": {"starts_at": "2026-01-01T00:00:00Z", "extend_s": 10**9},
}


@pytest.mark.parametrize("committed", [False, True])
def test_a_storage_error_stops_the_auction_and_the_key_settles_what_was_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    async def act() -> None:
        stage = await Stage(tmp_path).start()
        lot, (a, b, _) = await stage.listed({**LISTING_RULES, "outage_min_s": 0})
        assert (await a.bid("100"))["ok"]
        sound, fired, stopped = stage.journal._commit, [], asyncio.Event()
        stage.journal.on_stop(stopped.set)

        def failing(items: Any) -> Any:
            if committed:
                sound(items)
            fired.append(len(items))
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(stage.journal, "_commit", failing)
        text = b.bidder.offer(lot, b.paddle, "110")
        b.say(text)
        await stopped.wait()
        await asyncio.sleep(0)
        assert fired
        assert b.got[-1]["code"] == "storage-failed"
        assert stage.halls[lot].state["best"] != "110.00"
        a.say(a.bidder.offer(lot, a.paddle, "120"))
        await asyncio.sleep(0)  # offers are decided when their turn of the loop ends
        assert a.got[-1]["code"] == "storage-failed"
        monkeypatch.setattr(stage.journal, "_commit", sound)
        await stage.journal.reload()
        await stage.service.recover()
        await stage.quiet()
        assert stage.service.writer(lot).durable.seq == (
            4 if committed else 3
        )  # with the outage's two
        answer = await b.answer(text)
        assert (answer["ok"], answer["seq"]) == (True, 2 if committed else 4)
        keys = [row.body["key"] for row in stage.service.rows(lot) if "key" in row.body]
        assert len(keys) == len(set(keys)) == 2
        await stage.stop()

    asyncio.run(act())


class Child:
    """Engine and store only, on one home; whoever runs it may be killed anywhere."""

    def __init__(self, home: Path) -> None:
        self.database = open_database(f"sqlite:///{home / 'kaibiao.db'}")
        self.journal = Journal(self.database, CENTRE)
        self.heard = Heard()
        loaded = store.load(
            self.journal, lambda _: by_key(KEY), lambda row: self.heard.fold(row, by_key(KEY))
        )
        self.book = loaded.books.get("L", Book())
        self.writer: LotWriter

    async def open(self) -> "Child":
        if self.book.state is None:
            book = Book(lot="L", mode="listing", rules=RULES)
            drafts = [
                store.announced(book, NOON, "prv_none", 0),
                *(store.admitted("L", Seat(paddle, closed={"commitment": paddle, "sealed": ""}, deposit=paddle), NOON, 0) for paddle in "AB"),
            ]  # fmt: skip
            for row in await self.journal.append(*drafts):
                evolve(self.book, row, by_key(KEY))
        self.writer = LotWriter(
            self.book, self.journal, KEY, lambda _: None, lambda *_: None, Heads()
        )
        self.journal.listen(
            lambda row: self.writer.durably(row) if row.stream == STREAM + "L" else None
        )
        return self

    def offer(self, number: int) -> store.Order:
        proof = {"offer": f"offer {number}", "signature": ""}
        return store.Order(
            "AB"[number % 2],
            Do.BID,
            NOON + number,
            {"amount": str(number + 1)},
            proof,
            f"key-{number:016}",
        )

    def close(self) -> None:
        self.journal.close()
        self.database.close()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


POINTS = [
    "before the decision is queued",
    "queued, before the transaction",
    "inside the transaction",
    "committed, before anybody knows",
    "told to listeners, before the answer",
    "answered, before the hall",
]


def arm(child: Child, point: str, times: int) -> Callable[[str], None]:
    """Make the process die the n-th time it comes to a point; gives what to call after an answer."""
    left = [times]

    def reached(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == 0:
                die()

    journal, commit, queue = child.journal, child.journal._commit, child.journal.append_nowait

    def append_nowait(drafts: list[Draft]) -> Any:
        reached(POINTS[0])
        return queue(drafts)

    def committing(items: Any) -> Any:
        reached(POINTS[1])
        groups = commit(items)
        reached(POINTS[3])
        return groups

    journal.append_nowait = append_nowait  # type: ignore[method-assign,assignment]
    journal._commit = committing  # type: ignore[method-assign]
    event.listen(child.database.engine, "commit", lambda _: reached(POINTS[2]))
    journal.listen(lambda _: reached(POINTS[4]))
    return reached


async def bid_until_killed(home: Path, point: str, times: int, first: int, told: int) -> None:
    """Send offers three at a time and tell every answer through a pipe before anything else."""
    child = await Child(home).open()
    reached = arm(child, point, times)
    for base in range(first, first + 60, 3):
        flights = []
        for number in range(base, base + 3):
            os.write(told, b"sent %d 0\n" % number)
            flights.append((number, child.writer.decide(child.offer(number))))
        for number, flight in flights:
            rows = await flight
            os.write(told, b"answered %d %d\n" % (number, rows[0].body["verdict"]["seq"]))
            reached(POINTS[5])


def run_child(home: Path, point: str, times: int, first: int) -> tuple[set[int], dict[int, int]]:
    """Fork, let it die, and give what it sent and what it was answered."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            asyncio.run(bid_until_killed(home, point, times, first, writing))
        finally:
            os._exit(9)
    os.close(writing)
    data = b""
    while select.select([reading], [], [], 30)[0] and (part := os.read(reading, 65536)):
        data += part
    os.close(reading)
    _, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, (point, times, status)
    sent, answered = set(), {}
    for line in data.decode().splitlines():
        word, number, seq = line.split()
        if word == "sent":
            sent.add(int(number))
        else:
            answered[int(number)] = int(seq)
    return sent, answered


def decided(rows: list[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        if row.kind == "auction.decided":
            assert row.body["key"] not in found, "an offer stands twice"
            found[row.body["key"]] = row.body["verdict"]["seq"]
    return found


async def settle(home: Path, sent: set[int], answered: dict[int, int]) -> int:
    """Start again: check what was answered, and settle what was in doubt by its key."""
    child = await Child(home).open()
    stands = decided(list(child.journal.rows(STREAM + "L")))
    for number, seq in answered.items():
        assert stands[f"key-{number:016}"] == seq, "an acknowledged offer is lost or changed"
    for number in sorted(sent - answered.keys()):
        order = child.offer(number)
        found = child.heard.find(order.by, order.key, order.proof["offer"])
        if found is None:
            await child.writer.decide(order)
        else:
            same, place = found
            assert same
            assert isinstance(place, int)
    after = decided(list(child.journal.rows(STREAM + "L")))
    assert {f"key-{number:016}" for number in sent} <= after.keys()
    assert sorted(after.values()) == list(range(1, len(after) + 1))
    child.close()
    return len(after)


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_at_a_named_point_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    asyncio.run(settle(tmp_path, set(), {}))
    first, unanswered = 0, 0
    for times in range(1, 51):
        sent, answered = run_child(tmp_path, point, times % 10 + 1, first)
        unanswered += len(sent - answered.keys())
        first = max(sent, default=first - 1) + 1
        asyncio.run(settle(tmp_path, sent, answered))
    assert unanswered > 0, "the harness never killed an offer in flight"


def test_a_second_process_on_the_same_home_refuses_to_start(tmp_path: Path) -> None:
    first = Child(tmp_path)
    with pytest.raises(Exception, match="home-in-use"):
        Child(tmp_path)
    first.close()


def test_the_harness_finds_an_answer_given_before_the_journal(tmp_path: Path) -> None:
    """Negative control: a writer that answers before it is durable loses an acknowledged offer."""
    asyncio.run(settle(tmp_path, set(), {}))
    with pytest.raises((AssertionError, KeyError)):
        asyncio.run(settle(tmp_path, {5}, {5: 1}))


def test_a_desk_outlives_the_recovery(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await Stage(tmp_path).start()
        _, (a, *_) = await stage.listed({**LISTING_RULES, "outage_min_s": 0})
        await stage.service.recover()
        await stage.quiet()
        assert (await a.bid("100"))["ok"]
        await stage.stop()

    asyncio.run(act())
