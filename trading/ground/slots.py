"""Slots: one ledger leaf per second while anything live must be committed to, and no gap.

Slot S covers `[S × 1000, S × 1000 + 1000)` ms. Its leaf says, for each section that takes bids, a
salted commitment to the section's tree, and for each running lot its chain head:

    {"v":1,"centre":C,"kind":"slot","slot":S,"sections":{section: hex},"lots":{lot: hex}}

A leaf in every slot, with or without a bid, is what hides when bids come. It is written once the
slot is over and every source says that nothing with an arrival inside is still on its way.

**After downtime** the missing slots are written late, in order, one leaf each, before the first new
one: every source rebuilds its state from the journal and commits to what had arrived by the end of
each slot, which for slots of the outage is what stood when it began. A late leaf has the same body as
one in time; only its row's `at` tells. Slots in which no source has anything get no leaf.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from trading.ground.ledger import GENESIS, STREAM, index_of
from trading.ground.problems import Conflict, StorageFailed

if TYPE_CHECKING:
    from trading.ground.chain import Row
    from trading.ground.clock import Clock
    from trading.ground.journal import Journal
    from trading.ground.ledger import Ledger

SLOT_MS: Final = 1_000
POLL_SECONDS: Final = 0.002  # between two looks at a source that is not ready
PIPELINE: Final = 500  # late slots in flight at once; they share commits

_log = logging.getLogger(__name__)


def slot_of(ms: int) -> int:
    """Return the slot that an instant lies in."""
    return ms // SLOT_MS


def slot_end(slot: int) -> int:
    """Return the first instant after a slot, ms UTC."""
    return (slot + 1) * SLOT_MS


class Source(Protocol):
    """Whatever has something to commit to in every slot."""

    def commitments(self, slot: int) -> dict[str, str]:
        """Return `{section or lot: hex}` for everything live in the slot, as of its end.

        Asked once per slot, in order, also for slots of an outage; empty when nothing is live.
        """
        ...

    def ready(self, slot: int) -> bool:
        """Say whether nothing with an arrival inside the slot is still on its way."""
        ...


class _SlotLeaf(msgspec.Struct):
    kind: str
    slot: int = -1


class Slots:
    """Writes the slots of one ledger.

    Args:
        journal: shows every leaf as it is written.
        ledger: takes the leaves.
        clock: says which slots are over.
    """

    def __init__(self, journal: Journal, ledger: Ledger, clock: Clock) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._sources: list[tuple[Literal["sections", "lots"], Source]] = []
        self._slots = array("q")
        self._indexes = array("q")
        self._waiting: dict[int, list[asyncio.Future[int]]] = {}
        self._under_way: set[int] = set()  # its leaf is in the journal's queue, not yet durable
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        decode = msgspec.json.Decoder(_SlotLeaf).decode
        for index, text in enumerate(journal.texts(STREAM)):
            if b'"kind":"slot"' in text and (leaf := decode(text)).kind == "slot":
                self._note(leaf.slot, index)
        # A home killed before its very first slot leaf owes the slots since its log was born.
        self._born = next((slot_of(row.at) for row in journal.rows(GENESIS)), slot_of(clock.now()))
        self._next = self._first_missing()
        journal.listen(self._follow)

    @property
    def last(self) -> int | None:
        """The last slot that has a leaf; None before the first."""
        return self._slots[-1] if self._slots else None

    def register(self, source: Source, place: Literal["sections", "lots"]) -> None:
        """Add a source; all sources register, with their state rebuilt, before `start`."""
        self._sources.append((place, source))

    def start(self) -> None:
        """Fill missing slots and write every slot from now on, in a task."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="slots")

    async def close(self) -> None:
        """Stop writing; whoever waits for a slot is told that the centre stops."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._fail_waiting()

    def index(self, slot: int) -> int | None:
        """Return the ledger index of a slot's leaf, or None if it has none (yet)."""
        place = bisect_left(self._slots, slot)
        found = place < len(self._slots) and self._slots[place] == slot
        return self._indexes[place] if found else None

    async def wait(self, slot: int) -> int:
        """Wait until a slot has its leaf and return the leaf's index.

        Raises:
            Conflict: the slot is over and nothing was live in it.
            StorageFailed: the journal has stopped.
        """
        index = self.index(slot)
        if index is not None:
            return index
        if slot < self._next and slot not in self._under_way:
            raise _not_live()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(slot, []).append(future)
        return await future

    async def catch_up(self) -> None:
        """Write every slot that is over by the clock; tests with a frozen clock call it."""
        async with self._turn:
            self._next = max(self._next, self._first_missing())
            pending: list[asyncio.Future[list[Row]]] = []
            try:
                while self._next < slot_of(self._clock.now()):
                    slot = self._next
                    body = await self._commitments(slot)
                    if body is None:
                        self._next = max(slot + 1, self._next_live(slot))
                        self._skip(self._next)
                    else:
                        draft = self._ledger.draft("slot", body, self._clock.now())
                        self._under_way.add(slot)
                        pending.append(self._journal.append_nowait([draft]))
                        self._next = slot + 1
                    if len(pending) == PIPELINE:
                        await asyncio.gather(*pending)
                        pending.clear()
                    if slot % PIPELINE == 0:
                        await asyncio.sleep(0)
            finally:
                results = await asyncio.gather(*pending, return_exceptions=True)
                self._under_way.clear()
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    def _first_missing(self) -> int:
        return self._slots[-1] + 1 if self._slots else self._born

    async def _commitments(self, slot: int) -> dict[str, object] | None:
        body: dict[str, dict[str, str]] = {"sections": {}, "lots": {}}
        for place, source in self._sources:
            while not source.ready(slot):  # noqa: ASYNC110 (a source has many small reasons)
                await asyncio.sleep(POLL_SECONDS)
            body[place].update(source.commitments(slot))
        return {"slot": slot, **body} if any(body.values()) else None

    def _next_live(self, slot: int) -> int:
        """Leap over idle weeks when every source can say when it is live again."""
        asks = [getattr(source, "next_live", None) for _, source in self._sources]
        if not all(asks):
            return slot + 1
        answers = [ask(slot + 1) for ask in asks if ask is not None]
        return min(
            (answer for answer in answers if answer is not None), default=slot_of(self._clock.now())
        )

    async def _run(self) -> None:
        while True:
            try:
                await self.catch_up()
            except StorageFailed:
                # The owner reloads the journal; then the slots of the outage are written late.
                self._fail_waiting()
                self._next = self._first_missing()
            nap = slot_end(slot_of(self._clock.now())) - self._clock.now()
            await asyncio.sleep(nap / 1000)

    def _follow(self, row: Row) -> None:
        if row.stream == STREAM and row.kind == "slot":
            slot, index = row.body["slot"], index_of(row)
            self._note(slot, index)
            self._under_way.discard(slot)
            for future in self._waiting.pop(slot, ()):
                if not future.done():
                    future.set_result(index)

    def _note(self, slot: int, index: int) -> None:
        if self._slots and slot <= self._slots[-1]:
            msg = f"slot {slot} twice or out of order"
            raise ValueError(msg)
        self._slots.append(slot)
        self._indexes.append(index)

    def _skip(self, end: int) -> None:
        """Tell who waits for a slot that nothing was live in it; one whose leaf is under way comes yet."""
        for slot in [s for s in self._waiting if s < end and s not in self._under_way]:
            for future in self._waiting.pop(slot):
                if not future.done():
                    future.set_exception(_not_live())

    def _fail_waiting(self) -> None:
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(StorageFailed())
        self._waiting.clear()


def _not_live() -> Conflict:
    return Conflict("slot-idle", "该时段没有承诺", "Nothing was live in this slot.")
