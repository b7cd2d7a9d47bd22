"""The auctions of the centre: announced, opened, bid in, suspended and ended; one writer each.

    business.py        what the centre's own acts mean for auctions
    admissions.py      who may bid
    clockgate.py       no beginning by a wrong clock
    participation.py   applications, and letters of qualification
    preemption.py      优先购买权, recognised by two people
    reserve.py         the reserve, entered by two people
    offers.py          signed messages of bidders
    turn.py            signatures of one turn of the loop, checked together
    bidding.py         the way of an offer: pace, signature, key, engine, receipt

At start every auction is folded from its rows. Acts of the centre that no auction has answered yet
are answered. Then the outage rule: every running auction is suspended at the stamp of the last
durable row, and resumed at max(now, that + outage_min_s). Timers only wake: what a deadline means
is in the rules.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from auction import store
from auction.model import CENTRE, Do, Phase
from auction.replay.book import STREAM, Book, Seat, evolve
from auction.replay.closed import by_key, seal
from auction.service import business
from auction.service.admissions import APPLIED, ENTITLED, Admissions
from auction.service.business import UnknownAuctionError
from auction.service.clockgate import held_already, hold_back
from auction.service.loading import Remembering, load
from auction.service.turn import Turn
from auction.writer import Heads, LotWriter, Sealer
from auction.writer.heard import Heard
from auction.writer.memory import Memory
from crypto.encoding import b64
from crypto.random import token
from crypto.signature import SigningKey
from trading.ground.clock import Clock
from trading.ground.journal import Journal, Row
from trading.ground.private import Private
from trading.ground.problems import Problem, StorageFailed
from trading.ground.slots import slot_of
from trading.ground.timers import Timers
from trading.model import STREAM as BUSINESS
from trading.model import Lot, Session, State

_log = logging.getLogger(__name__)


class Desk(Protocol):
    """A bidder's open socket."""

    lot: str
    paddle: str

    def check_key(self) -> bool:
        """Close it where its certified key no longer holds; say whether it does."""
        ...

    def look(self, public: Mapping[str, Any]) -> None:
        """Take the public state that is about to be published."""
        ...


class Watcher(Protocol):
    """What stands above: the halls."""

    def opened(self, writer: LotWriter, newest: Iterable[Row]) -> None:
        """An auction has opened, or was folded again; with its newest rows."""
        ...

    def shown(self, writer: LotWriter, rows: list[Row]) -> None:
        """Rows of an auction have become durable; `writer.durable` is the state after them."""
        ...


class AuctionService:
    """All auctions of one centre, in one event loop.

    Args:
        journal: the truth; its own `reload` after a storage error comes before `recover`.
        clock: stamps arrivals.
        timers: wake at ends of phases.
        private: keeps each auction's closing key.
        key: the centre's statement key; signs one head for each commit.
        state: the centre's business as of now: sessions, lots, organisations, keys, deposits.
        memory: folder of snapshots that shorten a restart; None for none.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        timers: Timers,
        private: Private,
        key: SigningKey,
        state: Callable[[], State],
        memory: Path | None = None,
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.business = state
        self.writers: dict[str, LotWriter] = {}
        self.heard: dict[str, Heard] = {}
        self.desks: set[Desk] = set()
        self.sealer: Sealer
        self.turn = Turn()
        self._timers = timers
        self._private = private
        self._key = key
        self._watchers: list[Watcher] = []
        self._auction_of: dict[str, str] = {}
        self._keys: dict[str, bytes] = {}
        self._memory = Memory(memory)
        self._remembering = Remembering(self._memory)
        self._armed: dict[str, int] = {}
        self.admissions = Admissions(state)
        self._acts: asyncio.Queue[Row] = asyncio.Queue()
        self._answering: asyncio.Task[None] | None = None
        self._listening = False
        self._recovering = asyncio.Lock()

    @property
    def centre(self) -> str:
        """The centre's id."""
        return self.journal.centre

    async def start(self) -> None:
        """Fold every auction, answer what is unanswered, apply the outage rule.

        Raises:
            JournalError: the rows of an auction do not follow from its rules.
            StorageFailed: the journal cannot be read or has stopped.
        """
        loop = asyncio.get_running_loop()
        self.sealer = Sealer(self.centre, self._key, self.clock.now, loop.call_soon)
        if not self._listening:
            self.journal.listen(self._on_row)
            self.journal.on_stop(self._halt)
            self._listening = True
        await self._load()
        self._answering = loop.create_task(self._answer(), name="auction-acts")

    async def recover(self) -> None:
        """Begin anew from what is durable, after a storage error and the journal's reload."""
        async with self._recovering:  # a second stop may come while the first is being mended
            self._halt()  # nor may a mended one decide what the fold, begun meanwhile, would not know of
            if landing := [w.latest for w in self.writers.values() if w.latest is not None]:
                await asyncio.wait(landing)
            await self.stop()
            await self.start()

    async def stop(self) -> None:
        """Forget timers; rows that are queued are the journal's affair."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
            self._answering = None
        self.turn.settle()
        self.turn.close()
        for lot in self.writers:
            self._timers.cancel(STREAM + lot)
        self._armed.clear()
        self._acts = asyncio.Queue()
        await self._remembering.stop()

    def watch(self, watcher: "Watcher") -> None:
        """Tell a watcher of every auction that opens and of all that becomes durable."""
        self._watchers.append(watcher)

    def judge(self, session: Session, lots: Iterable[Lot]) -> None:
        """Judge a session before the centre registers or announces it; see `business.judge`."""
        business.judge(session, lots, self.business())

    def writer(self, lot: str) -> LotWriter:
        """The actor of an auction.

        Args:
            lot: its id; under quota the session's.

        Raises:
            UnknownAuctionError: there is none.
        """
        if lot not in self.writers:
            raise UnknownAuctionError
        return self.writers[lot]

    def auction_of(self, target: str) -> str:
        """The auction that sells a lot; "" where none was announced."""
        return self._auction_of.get(target, "")

    def seat_of(self, lot: str, organisation: str) -> Seat | None:
        """The seat of an organisation in an auction, None if it has none."""
        writer = self.writer(lot)
        return next(
            (s for s in writer.book.seats.values() if writer.holder(s) == organisation), None
        )

    def rows(self, lot: str) -> list[Row]:
        """All durable rows of an auction, from the journal."""
        return list(self.journal.rows(STREAM + lot))

    def commitments(self, slot: int) -> dict[str, str]:
        """Chain heads of all auctions that run, or ended, in a slot (see `slots.Source`)."""
        heads = {}
        for lot, writer in self.writers.items():
            head, wanted = writer.heads.as_of(slot)
            if head and wanted:
                heads[lot] = head
        return heads

    def ready(self, slot: int) -> bool:
        """Say whether no decision with a stamp inside the slot is still on its way."""
        self.turn.settle()
        return not any(
            slot_of(writer.in_flight[0]) <= slot
            for writer in self.writers.values()
            if writer.in_flight
        )

    # --- Start ---

    async def _load(self) -> None:
        folded, loaded = load(self.journal, self._private, self._memory)
        self.heard, self.writers = {lot: one.heard for lot, one in folded.items()}, {}
        self._keys = {lot: one.key for lot, one in folded.items()}
        for row in loaded.business:
            self.admissions.note(row)
        for one in folded.values():
            self._open(one.book, one.heads, one.newest, one.fresh)
        answered = max((one.book.cause for one in folded.values()), default=0)
        for row in loaded.business:
            if (
                row.position >= answered
            ):  # the last one may be half answered; answers are idempotent
                await self._follow(row)
        for writer in self.writers.values():
            await self._outage(writer, loaded.last_at)

    def _open(self, book: Book, heads: Heads, newest: Iterable[Row], fresh: int = 0) -> None:
        """Give a book its writer, its hall and its timer."""
        key = self._keys[book.lot]
        writer = LotWriter(book, self.journal, key, self._arm, self._show, heads)
        self.writers[book.lot] = writer
        writer.before, writer.now, writer.fresh = self.turn.settle, self.clock.now, fresh
        self._remembering.follow(writer, self.heard.setdefault(book.lot, Heard()), key)
        for target in (*book.lots, book.session, book.lot):
            self._auction_of.setdefault(target, book.lot)
        for watcher in self._watchers:
            watcher.opened(writer, newest)
        self._arm(writer)

    async def _outage(self, writer: LotWriter, stamp: int) -> None:
        """Apply the outage rule to one auction; an announced one that is not due yet runs on."""
        now = self.clock.now()
        writer.hammer(stamp)
        state, book = writer.book.live, writer.book
        if state.outcome is None and state.phase is not Phase.SUSPENDED:
            idle = state.phase is Phase.ANNOUNCED and state.ends is not None and now < state.ends
            if not idle:
                more = {"reason": "outage", "resume_at": stamp + book.outage_min_s * 1000}
                writer.decide(store.Order(CENTRE, Do.SUSPEND, stamp, more=more))
        if book.resume_at is not None and book.resume_at <= now:
            self._resume(writer)
        self._arm(writer)

    def _resume(self, writer: LotWriter) -> None:
        """End an outage; exempt from the two persons that a resumption takes (design §2)."""
        order = store.Order(CENTRE, Do.RESUME, self.clock.now(), more={"reason": "outage"})
        writer.decide(order)

    # --- Timers wake; the rules decide. ---

    def _arm(self, writer: LotWriter) -> None:
        """Wake at the end of the running phase, or of an outage; an earlier waking is harmless."""
        key, state = STREAM + writer.lot, writer.book.live
        due = writer.book.resume_at if state.phase is Phase.SUSPENDED else state.ends
        if due is None:
            self._armed.pop(writer.lot, None)
            self._timers.cancel(key)
            return
        armed = self._armed.get(writer.lot)
        if armed is None or due < armed:
            self._armed[writer.lot] = due
            self._timers.at(due, lambda: self._wake(writer), key)

    def _wake(self, writer: LotWriter) -> None:
        if self.writers.get(writer.lot) is not writer:
            return  # a newer actor has its own timer
        self.turn.settle()
        self._armed.pop(writer.lot, None)
        if writer.stopped or self.journal.stopped:
            return  # `recover` arms it again
        now, due = self.clock.now(), writer.book.resume_at
        if writer.book.live.phase is Phase.SUSPENDED:
            if due is not None and due <= now:
                self._resume(writer)
        elif not hold_back(writer, self.journal, now, self.clock):
            writer.hammer(now)
        self._arm(writer)

    # --- What the journal shows. ---

    def _halt(self) -> None:
        """The journal has stopped: no actor of now goes on before `recover`, which would not know of it."""
        for writer in self.writers.values():
            writer.stopped = True

    def _on_row(self, row: Row) -> None:
        if row.stream == BUSINESS:
            self._acts.put_nowait(row)
        elif row.stream.startswith(STREAM):
            writer = self.writers.get(row.stream.removeprefix(STREAM))
            if writer is not None:
                writer.durably(row)
                self.sealer.gather(row)

    def _show(self, writer: LotWriter, rows: list[Row]) -> None:
        if self.writers.get(writer.lot) is writer:
            mine = [row for row in rows if row.stream == STREAM + writer.lot]
            for watcher in self._watchers:
                watcher.shown(writer, mine)

    # --- The centre's acts, answered in their order. ---

    async def _answer(self) -> None:
        while True:
            row = await self._acts.get()
            try:
                await self._follow(row)
            except StorageFailed:
                return  # `recover` answers what is left

    async def _follow(self, row: Row) -> None:
        """Answer an act; one that cannot be followed is told to the log and stops no other."""
        try:
            await self._act(row)
        except StorageFailed:
            raise
        except Problem:
            _log.exception("an act of the centre could not be followed: row %d", row.position)

    async def _act(self, row: Row) -> None:
        self.admissions.note(row)
        if row.kind == "session.published":
            await self._announce(row)
        elif row.kind in ("deposit.recorded", APPLIED, ENTITLED):
            for deposit in self.admissions.deposits(row):
                self.admissions.admit(self.writers, self._auction_of, deposit, row)
        elif row.kind == "deposit.released" and "by_rule" not in row.body:
            self._expel(row)
        elif row.kind == "key.revoked":
            for desk in list(self.desks):
                desk.check_key()
        elif row.kind in business.ACTS:
            for lot in self._meant(business.targets(row)):
                writer = self.writers[lot]
                over = writer.book.outcome is not None or row.position <= writer.book.cause
                if not over and not held_already(writer, row):
                    writer.decide(business.order_of(row))

    def _meant(self, target: str) -> list[str]:
        """The auctions that an id means: a lot's own, or all of a session."""
        books = (writer.book for writer in self.writers.values())
        return [book.lot for book in books if target in (book.lot, book.session, *book.lots)]

    async def _announce(self, row: Row) -> None:
        state = self.business()
        session = state.sessions[row.body["session"]]
        lots = [state.lots[lot] for lot in session.lots]
        for book in business.plan(session, lots, state):
            if book.lot in self.writers:
                continue
            key = token(32)
            kept = await self._private.put(book.lot, "closing-key", b64(key))
            self._keys[book.lot] = key
            if book.lot in self.admissions.reserves:
                value, salt = self._private.open(self.admissions.reserves[book.lot][0])
                book.reserve = seal(value, key, salt + token(24))
            draft = store.announced(book, row.at, kept.ref, row.position)
            fresh = Book()
            (made,) = await self.journal.append(draft)
            evolve(fresh, made, by_key(key))
            heads = Heads()
            heads.note(made)
            self._open(fresh, heads, [made])
            for deposit in state.deposits.values():
                if deposit.target in book.lots and deposit.released_at is None:
                    self.admissions.admit(self.writers, self._auction_of, deposit.id, row)

    def _expel(self, row: Row) -> None:
        for deposit in row.body["deposits"]:
            for writer in self.writers.values():
                seat = business.seat_with(writer.book, deposit)
                if seat is not None and writer.book.outcome is None:
                    writer.expel(seat.paddle, row.at, row.position)
