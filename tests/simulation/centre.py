"""One process of the centre in a simulated world, from its start to its death."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from auction.hall import Halls
from auction.service import AuctionService
from auction.service.bidding import BidderDesk
from crypto.signature import SigningKey
from tests.auction.stage import CENTRE, Stage
from tests.simulation.storage import SimulatedJournal, SimulatedPrivate
from trading.ground.live import Hub
from trading.ground.problems import StorageFailed
from trading.ground.timers import Timers
from trading.model import State
from trading.model import evolve as evolve_business

if TYPE_CHECKING:
    from tests.simulation.world import World


LATEST_S = 1
"""Within so many seconds a process that has its journal back begins anew from what is durable."""


class Violation(AssertionError):
    """A promise was broken; the seed says how to see it again."""


def hold(promise: bool, words: str) -> None:
    """Check a promise."""
    if not promise:
        raise Violation(words)


class CheckedHub(Hub):
    """The hub of one process: whatever it publishes must be durable already."""

    def __init__(self, clock: Any, world: "World") -> None:
        super().__init__(clock, "log_a")
        self._world = world

    def publish(self, name: str, event: Any, t: int, set: Any = None, add: Any = None) -> int:  # noqa: A002
        """Publish, and compare."""
        shown = (set or {}).get("accepted", 0)
        hold(shown <= self._world.store.accepted, "the hall shows an offer that is not durable")
        return super().publish(name, event, t, set, add)


class LateTimers(Timers):
    """Timers of a busy process: each wakes late, by a drawn while. What is due is state; nothing may hang on them."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.clock)
        self._rnd = world.rnd

    def at(self, ms: int, callback: Any, key: str) -> None:
        """Wake at `ms` or later."""
        super().at(ms + self._rnd.choice([0, 0, 1, 40, 900, 5_000]), callback, key)


class Process(Stage):
    """One process of the centre, from its start to its death."""

    def __init__(self, world: "World") -> None:  # not Stage's: another database, another clock
        self.world, self.alive = world, True
        self.journal: Any = SimulatedJournal(world.store, CENTRE, world.loop, world.commit_fate)  # type: ignore[assignment]
        self.clock: Any = world.clock  # type: ignore[assignment]
        self.timers = LateTimers(world)
        self.hub = CheckedHub(world.clock, world)
        self.key = SigningKey.from_scalar(77)
        self.state = State()
        for row in self.journal.rows():
            evolve_business(self.state, row)
        self.journal.listen(lambda row: evolve_business(self.state, row) and None)
        self.register(world.count)
        private: Any = SimulatedPrivate(world.store)
        self.service = AuctionService(
            self.journal, self.clock, self.timers, private, self.key, lambda: self.state
        )
        self.halls = Halls(self.service, self.hub)
        self.desks: dict[int, BidderDesk] = {}
        self.journal.on_stop(lambda: world.loop.call_later(world.rnd.random() * 3, self._reload))
        # A busy process comes to it a little later; until then nobody may go on with what it remembers.
        late = LATEST_S
        self.journal.on_resume(
            lambda: world.loop.call_later(world.rnd.random() * late, self._recover)
        )
        self._tasks: set[asyncio.Future[Any]] = set()

    def _reload(self) -> None:
        if self.alive:
            self._task(self.journal.reload())

    def _recover(self) -> None:
        if self.alive:
            self._task(self.service.recover())

    def _task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if self.alive and not task.cancelled() and task.exception() is not None:
            error = task.exception()
            if not isinstance(error, StorageFailed):
                self.world.broken = error

    async def quiet(self) -> None:
        """Wait long enough for whatever is on its way."""
        await asyncio.sleep(0.3)

    def desk(self, number: int, lot: str, hear: Callable[[bytes], None]) -> BidderDesk | None:
        """The desk of a bidder in this process; None while it has no seat."""
        if number not in self.desks:
            bidder = self.bidders[number]
            if lot not in self.service.writers:
                return None
            seat = self.service.seat_of(lot, bidder.organisation)
            if seat is None:
                return None

            def closed(code: int, reason: str) -> None:
                raise Violation(f"a desk was closed: {code} {reason}")

            self.desks[number] = BidderDesk(
                self.service, lot, seat.paddle, bidder.actor, hear, closed, None
            )
        return self.desks[number]

    def die(self) -> None:
        """End without any farewell."""
        self.alive = False
        self.journal.power_off()
        self.timers._callbacks.clear()
        self.timers._heap.clear()
        self.halls.close()
        for task in (*self._tasks, self.service._answering, *self.timers._tasks):
            if task is not None:
                task.cancel()
