"""One auction on one home, bidders who write down what they were told, and a judge who compares.

What a bidder was told is what its socket carried; all the rest is in doubt until its own key settles
it. The judge reads the stored journal and knows nothing else of the centre.
"""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from auction.replay.book import STREAM, Book, evolve
from auction.replay.closed import by_key
from auction.service.bidding import BidderDesk
from crypto.encoding import unb64
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Bidder, Stage
from trading.ground.database import open_database
from trading.ground.journal import Journal, Row
from trading.ground.private import Private
from trading.ground.settings import Settings

LOT = "lot_0"
RULES = {**LISTING_RULES, "outage_min_s": 0}
BIDDERS = 4


def prepare(home: Path) -> None:
    """Make a home with a listed auction, its bidders in the hall, TIMED running."""

    async def act() -> None:
        stage = await Stage(home).start()
        await stage.listed(RULES, count=BIDDERS)
        await stage.stop()

    home.mkdir()
    asyncio.run(act())


def copied(template: Path, home: Path) -> Path:
    """A home of its own, for one life."""
    shutil.copytree(template, home)
    return home


@dataclass
class Told:
    """What a bidder was told of one offer."""

    ok: bool
    seq: int | None
    code: str | None
    arrival: int
    chain: str


@dataclass
class Memory:
    """What all bidders together remember, whatever becomes of the centre.

    Attributes:
        sent: by key, the frame as it was sent and by whom.
        told: by key, the answer.
    """

    sent: dict[str, tuple[int, str]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    top: int = 90

    def doubtful(self) -> dict[str, tuple[int, str]]:
        """What was sent and never answered."""
        return {key: sent for key, sent in self.sent.items() if key not in self.told}

    def hear(self, message: dict[str, Any]) -> None:
        """Take an answer; a second one to the same key must say the same."""
        if message["type"] != "answer":
            return
        chain = message["receipt"]["row"]["chain"]
        said = Told(
            message["ok"], message.get("seq"), message.get("code"), message["arrival"], chain
        )
        assert self.told.setdefault(message["key"], said) == said, message["key"]


class Crowd:
    """The bidders of one process of the centre, each at its desk.

    Args:
        stage: the process.
        memory: outlives it.
        acknowledged: called with each message as the socket would carry it.
    """

    def __init__(
        self, stage: Stage, memory: Memory, acknowledged: Callable[[bytes], None] | None = None
    ) -> None:
        self.stage, self.memory = stage, memory
        self.problems: list[dict[str, Any]] = []
        self._acknowledged = acknowledged
        self._waiting = 0
        self._quiet: asyncio.Event = asyncio.Event()
        self.desks = [self._desk(bidder) for bidder in stage.bidders[:BIDDERS]]

    def offer(self, number: int) -> str:
        """A fresh offer above all that were ever sent; every seventh one is refused by the rules."""
        memory, bidder = self.memory, self.stage.bidders[number]
        memory.top += 10
        key = f"offer-{len(memory.sent):012}"
        amount = str(memory.top if len(memory.sent) % 7 else 1)
        frame = bidder.offer(LOT, self.desks[number].paddle, amount, key=key)
        memory.sent[key] = (number, frame)
        return frame

    def say(self, number: int, frame: str) -> None:
        """Let a frame arrive; its answer comes when it is durable."""
        self._waiting += 1
        self._quiet.clear()
        self.desks[number].receive(frame, self.stage.clock.now())

    async def answered(self) -> None:
        """Wait until every frame has its answer, whatever it says."""
        if self._waiting:
            await self._quiet.wait()

    async def round(self, offers: int = BIDDERS) -> None:
        """Offers that arrive together, hence in few commits."""
        first = len(self.memory.sent)
        for turn in range(first, first + offers):
            self.say(turn % BIDDERS, self.offer(turn % BIDDERS))
        await self.answered()

    async def settle_doubts(self) -> None:
        """Send again, unchanged, whatever was never answered."""
        for number, frame in self.memory.doubtful().values():
            self.say(number, frame)
        await self.answered()

    def _desk(self, bidder: Bidder) -> BidderDesk:
        seat = self.stage.service.seat_of(LOT, bidder.organisation)
        assert seat is not None
        desk = BidderDesk(
            self.stage.service, LOT, seat.paddle, bidder.actor, self._take, self._closed, None
        )
        self.stage.service.desks.add(desk)
        return desk

    def _take(self, message: bytes) -> None:
        if self._acknowledged is not None:
            self._acknowledged(message)
        said = json.loads(message)
        self.memory.hear(said)
        if said["type"] == "problem":
            self.problems.append(said)
        self._waiting -= 1
        if not self._waiting:
            self._quiet.set()

    @staticmethod
    def _closed(code: int, reason: str) -> None:
        raise AssertionError(f"a desk was closed: {code} {reason}")


async def opened(home: Path, *pragmas: str, later: int = 0) -> Stage:
    """Start a process of the centre on a prepared home.

    Args:
        home: as `prepare` made it, or as a life has left it.
        pragmas: said on every connection after our own, as `synchronous=NORMAL`.
        later: ms since the last stamp.
    """
    stage = Stage(home, NOON)
    if pragmas:
        database = stage.database

        def prepare_more(connection: sqlite3.Connection, _record: object) -> None:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")

        event.listen(database.engine, "connect", prepare_more)
        database.engine.dispose()  # connections from before have not heard them
    stage.clock.not_before(stage.journal.last_at + later)
    return await stage.start()


def stored(home: Path) -> list[Row]:
    """The rows that a home holds; every chain is verified. Raises as the journal does."""
    database = open_database(Settings(home=home).database_url, home)
    try:
        return list(Journal(database, CENTRE).rows())
    finally:
        database.close()


def paddles(home: Path) -> list[str]:
    """The paddles of all bidders of a home that nobody has open."""

    async def act() -> list[str]:
        stage = await opened(home)
        seats = [stage.service.seat_of(LOT, bidder.organisation) for bidder in stage.bidders]
        await stage.stop()
        return [seat.paddle for seat in seats if seat is not None]

    return asyncio.run(act())


def faults(rows: Iterable[Row], memory: Memory) -> list[str]:
    """What the stored rows and the bidders' memory say against each other; empty when all is well."""
    found: list[str] = []
    decided: dict[str, Row] = {}
    for row in rows:
        if row.stream == STREAM + LOT and "key" in row.body:
            key = row.body["key"]
            if key in decided:
                found.append(f"{key} was decided twice")
            if key not in memory.sent:
                found.append(f"{key} was never sent")
            decided[key] = row
    for key, told in memory.told.items():
        kept = decided.get(key)
        if kept is None:
            found.append(f"{key} was acknowledged and is lost")
            continue
        verdict = kept.body["verdict"]
        said = Told(
            verdict["ok"], verdict.get("seq"), verdict.get("code"), kept.at, kept.chain.hex()
        )
        if said != told:
            found.append(f"{key} was told {told}, the journal says {said}")
    return found


def refold(home: Path) -> Book:
    """Decide the whole auction again from its stored rows. Raises where a row does not follow."""
    database = open_database(Settings(home=home).database_url, home)
    try:
        journal, book = Journal(database, CENTRE), Book()
        rows = list(journal.rows(STREAM + LOT))
        key = Private(database).get(rows[0].body["closing_ref"])
        assert key is not None
        for row in rows:
            evolve(book, row, by_key(unb64(key)))
        return book
    finally:
        database.close()


Write = Callable[[Any, str, Any], None]
"""What becomes of a statement: (the real engine, its SQL, its values)."""


class Swallowing:
    """An engine that says "written" whatever becomes of its statements: a planted mistake."""

    def __init__(self, engine: Any, write: Write) -> None:
        self.dialect = engine.dialect
        self._engine, self._write = engine, write

    def execution_options(self, **_: Any) -> "Swallowing":
        """As that of an engine."""
        return self

    @contextmanager
    def begin(self) -> Iterator["Swallowing"]:
        """As that of an engine."""
        yield self

    def exec_driver_sql(self, statement: str, values: Any) -> None:
        """As that of a connection."""
        self._write(self._engine, statement, values)


Commit = Callable[[Journal, Any], Any]


def commit_by(real: Commit, write: Write) -> Commit:
    """A journal's commit whose rows go through `write`, whatever that does with them."""

    def commit(self: Journal, items: Any) -> Any:
        database = self._database
        engine, database.engine = database.engine, Swallowing(database.engine, write)  # type: ignore[assignment]
        try:
            return real(self, items)
        finally:
            database.engine = engine

    return commit


def commit_deaf(real: Commit) -> Commit:
    """A commit whose failure nobody hears of."""

    def write(engine: Any, statement: str, values: Any) -> None:
        with suppress(SQLAlchemyError):
            _write(engine, statement, values)

    return commit_by(real, write)


def commit_late(real: Commit, kind: str = "") -> Commit:
    """A commit that writes each statement, or only those with a row of a kind, when the next one comes."""
    waiting: list[Any] = []

    def write(engine: Any, statement: str, values: Any) -> None:
        if waiting:
            _write(engine, *waiting.pop())
        if not kind or kind in values[4::7]:
            waiting.append((statement, values))
        else:
            _write(engine, statement, values)

    return commit_by(real, write)


def _write(engine: Any, statement: str, values: Any) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(statement, values)
