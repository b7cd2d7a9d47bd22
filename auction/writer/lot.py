"""One actor per lot: the only one who moves its auction.

The event loop is the queue. A command is stamped where it arrives, and from the stamp to the
journal's queue nothing waits: so commands are decided in the order of their stamps, the hammer
among them, and rows stand in the order of decisions. What a decision says becomes true when its
rows are durable: only then comes the answer, and after it the hall.

After a storage error nothing is known about what was in flight. The actor refuses from then on,
its memory is thrown away, and the book is folded again from what is durable.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from auction import engine, store
from auction.model import Command, Phase, State
from auction.replay import outcome_json
from auction.replay.book import (
    CLOSES,
    LAG_MS,
    STREAM,
    Book,
    Seat,
    copied,
    losers,
    ripe,
    take,
    took,
)
from auction.replay.closed import by_key, read_identity, seal
from auction.replay.rights import Right, open_to_rights
from auction.writer.heads import Heads
from crypto.canonical import canonical
from crypto.random import token
from trading.ground.journal import Draft, Journal, Row
from trading.ground.problems import StorageFailed

Decision = asyncio.Future[list[Row]]
"""Becomes the durable rows of one decision, the decided one first; raises `StorageFailed`."""

REMEMBER_EVERY = 4_000
"""Rows after which a snapshot is due; more of them in a longer auction (a sixteenth of its rows)."""

EVENTS = {
    Phase.SOLD: "DEAL_CONFIRMED",
    Phase.UNSOLD: "NO_DEAL",
    Phase.TERMINATED: "TERMINATED",
}
"""What the result is called; the first forms the contract (民法典合同编通则解释 4)."""


LATE_MS = 1_000
"""A boundary crossed later than this is told to the log: the process had stalled, or was not there."""

_log = logging.getLogger(__name__)
_CLOSES_SOMETHING = frozenset({"closed", "delegation"})


def _nothing() -> None:
    """Nothing waits where no sockets are."""


class LotWriter:
    """Decides the commands of one auction and writes them down.

    Args:
        book: folded from the lot's rows; moved here from now on.
        journal: takes the rows.
        key: the lot's closing key, 32 bytes.
        moved: called when the end of the running phase may have changed.
        shown: called with the state that has become durable and the rows that made it so.

    Attributes:
        durable: the state as of the last durable row: all that may be shown.
        heads: chain heads by slot, for the ledger; those of the rows so far, then of later ones.
        in_flight: stamps of decisions that are not durable yet, oldest first.
        latest: the newest decision; when that has landed, so have all.
        now: the clock, for how late the server is; None where nobody asks.
        before: called before anything is decided: settles offers that have arrived and still wait.
        remember: called with a copy of the book, once what it says is durable, when a snapshot is due.
        fresh: rows since the last snapshot.
    """

    def __init__(
        self,
        book: Book,
        journal: Journal,
        key: bytes,
        moved: Callable[["LotWriter"], None],
        shown: Callable[["LotWriter", list[Row]], None],
        heads: Heads,
    ) -> None:
        self.book = book
        self.durable = book.live
        self.stopped = False
        self.heads = heads
        self.in_flight: deque[int] = deque()
        self.latest: Decision | None = None
        self.now: Callable[[], int] | None = None
        self.before: Callable[[], None] = _nothing
        self.remember: Callable[[Book], None] | None = None
        self.fresh = 0
        self._last = book.last_at
        self._phase: Phase | None = None
        self._journal = journal
        self._key = key
        self._open = by_key(key)
        self._moved = moved
        self._shown = shown

    @property
    def lot(self) -> str:
        """Its id."""
        return self.book.lot

    def decide(self, order: store.Order) -> Decision:
        """Decide a command at its arrival stamp and queue what follows from it.

        Raises:
            StorageFailed: the journal has stopped; nothing was decided.
        """
        self.before()
        stamp = self._stamp(order.at)
        if stamp != order.at:
            order = msgspec.structs.replace(order, at=stamp)
        if self.now and order.proof and (lag := self.now() - order.at) >= LAG_MS:
            order = msgspec.structs.replace(order, more={**order.more, "lag_ms": lag})
        content = order.content
        command = Command(order.by, order.do, *map(content.get, ("amount", "commit", "nonce")))
        after, events = engine.apply(self.book.live, command, order.at)
        closed = None
        if order.do in CLOSES and content:
            closed = seal(store.closed_text(order), self._key, token(56))
        draft = store.decided(self.lot, order, events, closed)
        took(self.book, draft.body, after)
        return self._write(draft)

    def hammer(self, now: int) -> Decision | None:
        """Cross the boundaries up to `now`; None where there is none to cross.

        Raises:
            StorageFailed: as `decide`.
        """
        self.before()
        now = self._stamp(now)
        after, entered = engine.advance(self.book.live, now)
        if not entered:
            return None
        if now - entered[-1].at > LATE_MS:  # it changes nothing: the row says both instants
            _log.warning("%s: crossed a boundary %d ms late", self.lot, now - entered[-1].at)
        self.book.state = after
        return self._write(store.advanced(self.lot, entered, now))

    def admit(self, seat: Seat, at: int, cause: int) -> Decision:
        """Let a seat bid from now on. Raises `StorageFailed` as `decide`."""
        return self._take(store.admitted(self.lot, seat, at, cause))

    def entitle(self, right: Right, at: int, cause: int) -> Decision | None:
        """Let a seat hold 优先购买权; None where timed bidding has begun. Raises `StorageFailed` as `decide`."""
        self.before()
        after, _ = engine.advance(self.book.live, self._stamp(at))
        if not open_to_rights(after):
            return None
        return self._take(store.entitled(self.lot, self.close(right.to_text()), at, cause))

    def expel(self, paddle: str, at: int, cause: int) -> Decision:
        """Let a seat no longer bid; what it has offered stands."""
        return self._take(store.expelled(self.lot, paddle, at, cause))

    def enter(
        self, paddle: str, delegate: bytes, until: int, proof: dict[str, Any], at: int
    ) -> Decision:
        """Take a delegated key for a seat; it replaces the one before."""
        if self.book.mode != "quota":  # the certified key that signed it would name the bidder
            proof = self.close(canonical(proof).decode())
        return self._take(store.entered(self.lot, paddle, delegate, until, proof, at))

    def unheard(self, paddle: str, code: str, digest: str, at: int) -> Decision:
        """Record what was refused before the engine."""
        return self._take(store.unheard(self.lot, paddle, code, digest, at))

    def close(self, value: str) -> dict[str, str]:
        """Seal a value until the rule opens it."""
        return seal(value, self._key, token(56))

    def holder(self, seat: Seat) -> str:
        """Say who sits behind a paddle; only for that bidder itself and for the record."""
        return read_identity(self._open(seat.closed).value)[0] if seat.closed else seat.holder

    def right(self, seat: Seat) -> str:
        """Say on what basis a seat holds 优先购买权, "" where it does not; only for that bidder itself."""
        closed = self.book.rights.get(seat.paddle)
        return Right.from_text(self._open(closed).value).basis if closed else ""

    def opened(self, row: Row) -> dict[str, str] | None:
        """Open what a row closes; only for the bidder whose own it is."""
        closed = row.body.get("closed")
        return self._open(closed).to_json() if closed else None

    def durably(self, row: Row) -> None:
        """Note a row of this lot that has become durable."""
        self.heads.note(row)
        self.book.seq, self.book.chain, self.book.last_at = row.seq, row.chain, row.at

    def _take(self, draft: Draft) -> Decision:
        self.before()
        draft = draft._replace(at=self._stamp(draft.at))
        take(self.book, draft, self._open)
        return self._write(draft)

    def _write(self, draft: Draft) -> Decision:
        """Queue a decision with what it makes due: disclosures, and the result."""
        drafts, book, at = [draft], self.book, draft.at
        final = book.live.outcome if book.outcome is None else None
        due = [self._open(item.closed) for item in ripe(book)] if self._may_ripen(draft) else []
        if final is not None:
            due += [self._open(seat.closed) for seat in book.seats.values() if seat.closed]
            due += map(self._open, book.rights.values())
        if due:
            drafts.append(store.disclosed(self.lot, due, at))
            take(book, drafts[-1], self._open)
        if final is not None:
            back = losers(book, (winner.bidder for winner in final.winners))
            said = outcome_json(book.live.rules, final)
            drafts.append(store.result(self.lot, EVENTS[final.status], said, back, at))
            take(book, drafts[-1], self._open)
            if back:
                drafts.append(store.deposits_released(self.lot, back, at))
        try:
            decision = self._journal.append_nowait(drafts)
        except StorageFailed:
            self.stopped = True  # the book in memory is ahead of what is durable
            raise
        after, self.latest = book.live, decision
        self.in_flight.append(at)
        decision.add_done_callback(lambda done: self._settle(done, after))
        self.fresh += 1
        if self.remember and self.fresh >= max(REMEMBER_EVERY, book.seq // 16):
            self._remember(decision)
        self._moved(self)
        return decision

    def _remember(self, decision: Decision) -> None:
        """Copy the book as it is with this decision, and hand the copy on when that is durable."""
        self.fresh = 0
        book, remember = copied(self.book), self.remember

        def durable(done: Decision) -> None:
            if remember and not done.cancelled() and done.exception() is None:
                last = [row for row in done.result() if row.stream == STREAM + book.lot][-1]
                book.seq, book.chain, book.last_at = last.seq, last.chain, last.at
                remember(book)

        decision.add_done_callback(durable)

    def _may_ripen(self, draft: Draft) -> bool:
        """Only a new phase, or something newly closed, can make a disclosure due."""
        before, self._phase = self._phase, self.book.live.phase
        return before is not self._phase or not draft.body.keys().isdisjoint(_CLOSES_SOMETHING)

    def _settle(self, done: Decision, after: State) -> None:
        self.in_flight.popleft()
        if done.cancelled() or done.exception() is not None:
            self.stopped = True
            return
        self.durable = after
        self._shown(self, done.result())

    def _stamp(self, at: int) -> int:
        """Keep stamps from going back (spec §1); refuse when the journal has stopped."""
        if self.stopped:
            raise StorageFailed
        self._last = max(self._last, at)
        return self._last
