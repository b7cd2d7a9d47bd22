"""A whole auction from a seed: bidders, a network that delays and loses, a disk that fails, a centre that dies.

Everything of ours is the real thing but the thread and the SQL under the journal (`storage.py`); timers wake late. Crypto
randomness is drawn from the seed; signatures are deterministic anyway (RFC 6979). `play(seed)` gives what happened as
bytes, or raises `Violation`. What the rules are and what bidders do is drawn in `sessions.py`.
"""

import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any

import crypto.random
from auction.model import AuctionError, State
from auction.record import audit
from auction.replay.book import STREAM, Book, evolve
from auction.replay.closed import by_key
from crypto.encoding import unb64
from tests.auction.stage import CENTRE, Bidder
from tests.simulation.centre import Process, Violation, hold
from tests.simulation.loop import ORIGIN, VirtualClock, virtual_loop
from tests.simulation.sessions import AFTER_CAP, Mind, rules
from tests.simulation.storage import SimulatedJournal, Store
from trading.ground.chain import Draft
from trading.ground.problems import StorageFailed
from trading.model import STREAM as BUSINESS

LONGEST_S = 3_600
"""No auction of these rules lasts longer, whatever fails; one that does will never end."""


FAILING = 0.03
"""Share of commits that end badly, while a story has faults left."""


FAULTS = (0, 1, 1, 2, 3)
"""How many faults befall a story: commits that end badly, and deaths."""


ENDINGS = ("refused", "kept, said to have failed", "kept")
"""How a bad commit ends; the last is a long stall."""

PATIENCE = (2, 7)
"""How often at least and at most a bidder acts in the contest of the price."""

THINKING = (0, 0.001, 0.01, 0.3, 1, 1.9, 2, 2.999, 3, 5)
"""Seconds that a bidder thinks before it acts."""


@dataclass
class Story:
    """What became of a seed.

    Attributes:
        digest: SHA-256 over every durable row and every message that a bidder heard, in order.
        counts: what happened how often.
    """

    digest: str = ""
    counts: Counter[str] = field(default_factory=Counter)


class World:
    """One seed."""

    def __init__(self, seed: int) -> None:
        self.rnd = Random(seed)
        self.loop = virtual_loop()
        self.clock = VirtualClock(self.loop)
        self.store = Store()
        self.story = Story()
        self.count = self.rnd.randint(2, 5)
        self.quota = self.rnd.random() < 0.3
        self.lot = "ses_1" if self.quota else "lot_0"
        self.calm = True  # while it is being set up, nothing fails
        self.faults = self.rnd.choice(FAULTS)
        self.broken: BaseException | None = None
        self.met: set[str] = set()  # phases in which somebody looked
        self.sent: dict[str, tuple[int, str, int]] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.process: Process
        self._heard = hashlib.sha256()

    # --- What is drawn. ---

    def commit_fate(self) -> tuple[int, str]:
        """How long a commit takes, and how it ends."""
        rnd = self.rnd
        if self.calm:
            return 1, "kept"
        wait = rnd.choice([0, 1, 1, 2, 5, 20, 120])
        if self.faults and rnd.random() < FAILING:
            self.faults -= 1
            ending = rnd.choice(ENDINGS)
            self.story.counts[ending] += ending != "kept"
            return wait if ending != "kept" else 4_000, ending  # else a stall
        return wait, "kept"

    # --- The bidders. ---

    async def bidder(self, number: int) -> None:
        """Think, look at the hall, act, and insist until each act is answered."""
        rnd, mind = self.rnd, Mind(self.rnd, number)
        patience = rnd.randint(*PATIENCE)
        while patience:
            await asyncio.sleep(rnd.choice(THINKING))
            hall = self.look()
            if hall is None:
                continue
            if hall["outcome"] is not None:
                return
            patience -= hall["phase"] not in AFTER_CAP
            for act in mind.acts(hall):
                await self.insist(number, act)

    def look(self) -> dict[str, Any] | None:
        """The hall as it is published, while there is one."""
        if not self.process.alive or self.lot not in self.process.service.writers:
            return None
        hall = self.process.halls[self.lot].state
        self.met.add(hall["phase"])
        return hall

    async def insist(self, number: int, act: dict[str, Any]) -> None:
        """Send a command, and the same again until it is answered."""
        rnd, bidder = self.rnd, self.bidders[number]
        seat = self.process.service.seat_of(self.lot, bidder.organisation) if self.look() else None
        if seat is None:
            return
        key = f"offer-{number}-{len(self.sent):010}"
        frame = bidder.offer(self.lot, seat.paddle, key=key, **act)
        self.sent[key] = (number, frame, self.clock.now())
        tries = 0
        while key not in self.told:
            copies = 2 if rnd.random() < 0.1 else 1
            for _ in range(copies):
                if tries > 3 or rnd.random() > 0.05:  # else lost on the way
                    self.loop.call_later(
                        rnd.choice([0, 0, 1, 5, 40]) / 1000, self.arrive, number, frame
                    )
            tries += 1
            self.story.counts["sent again"] += tries == 2
            await asyncio.sleep(rnd.choice([0.05, 0.2, 1]))
            hold(tries < 10_000, f"{key} is never answered")

    def arrive(self, number: int, frame: str) -> None:
        """A frame at the centre's door."""
        process = self.process
        if not process.alive:
            return
        desk = process.desk(number, self.lot, lambda message: self.send(process, message))
        if desk is not None:
            desk.receive(frame, self.clock.now())

    def send(self, process: Process, message: bytes) -> None:
        """An answer on its way to a bidder; the network may lose it, or the process its connection."""
        hold(process.alive, "a dead process speaks")
        said = json.loads(message)
        if said["type"] == "answer":
            hold(
                said["seq"] <= self.store.accepted if said["ok"] else True,
                "an answer came before its row was durable",
            )
        if self.calm or self.rnd.random() > 0.05:
            delay = self.rnd.choice([0, 1, 10, 60]) / 1000
            self.loop.call_later(delay, self.hear, said, message)

    def hear(self, said: dict[str, Any], message: bytes) -> None:
        """A bidder hears."""
        self._heard.update(b"%d %s\n" % (self.clock.now(), message))
        if said["type"] == "problem":
            hold(said["code"] == "storage-failed", f"a sound offer is met with {said['code']}")
        elif said["type"] == "answer":
            key, row = said["key"], said["receipt"]["row"]
            told = {name: said.get(name) for name in ("ok", "seq", "code", "arrival", "ends_at")}
            told["chain"] = row["chain"]
            hold(self.told.setdefault(key, told) == told, f"{key} was told two things")
            hold(said["arrival"] >= self.sent[key][2], f"{key} arrived before it was sent")

    # --- What befalls the centre. ---

    async def fate(self) -> None:
        """Deaths, suspensions, at drawn instants."""
        rnd = self.rnd
        while True:
            await asyncio.sleep(rnd.choice([0.5, 1, 2, 4]) + rnd.random())
            turn = rnd.random()
            if turn < 0.35 and self.faults:
                self.faults -= 1
                self.story.counts["killed"] += 1
                self.process.die()
                await asyncio.sleep(rnd.choice([0.01, 0.5, 2, 30]))
                self.process = Process(self)
                await self.process.service.start()
            elif turn < 0.45 and self.process.alive and not self.process.journal.stopped:
                self.story.counts["suspended"] += 1
                await self.act("target.suspended", target=self.lot, reason="网络故障")
                await asyncio.sleep(rnd.choice([0.1, 3, 20]))
                await self.act("target.resumed", target=self.lot)

    async def act(self, kind: str, **body: Any) -> None:
        """An act of the centre, said again until it is in the journal."""
        while True:
            process = self.process
            try:
                if process.alive and not process.journal.stopped:
                    draft = Draft(BUSINESS, kind, body, self.clock.now())
                    await asyncio.wait_for(process.journal.append(draft), 20)
                    return
            except (StorageFailed, TimeoutError):
                self.story.counts["act said again"] += 1
            await asyncio.sleep(0.5)

    # --- The whole. ---

    async def run(self) -> Story:
        """Set up, let it happen, judge."""
        self.loop.set_exception_handler(self.failed)
        self.process = Process(self)
        await self.process.service.start()
        process = self.process
        self.bidders: list[Bidder] = process.bidders
        lots = await process.publish(
            rules(self.rnd, self.quota), holders=self.count if self.quota else 0
        )
        for number, bidder in enumerate(self.bidders):
            await process.deposit(lots[number if self.quota else 0], bidder)
        for number, bidder in enumerate(self.bidders):
            seat = process.service.seat_of(self.lot, bidder.organisation)
            hold(seat is not None, "a deposit gives no seat")
            assert seat is not None
            until = self.clock.now() + 20 * 3_600_000
            self.arrive(number, bidder.delegation(self.lot, seat.paddle, until))
        await process.quiet()
        await asyncio.sleep((ORIGIN + 10_000 - self.clock.now()) / 1000)
        self.calm = False
        fate = asyncio.ensure_future(self.fate())
        bidding = [asyncio.ensure_future(self.bidder(n)) for n in range(self.count)]
        # One that died with the result on its way comes back before it is judged.
        while not (self.ended() and self.process.alive and all(one.done() for one in bidding)):
            await asyncio.sleep(1)
            if self.broken is not None:
                raise Violation(f"a task of the centre failed: {self.broken}") from self.broken
            for task in (fate, *bidding):
                if task.done() and (error := task.exception()) is not None:
                    raise error
            hold(self.loop.time() < LONGEST_S, "it does not end")
        fate.cancel()
        await asyncio.sleep(5)
        self.judge()
        self.process.die()
        return self.story

    def failed(self, _loop: Any, context: dict[str, Any]) -> None:
        """Take what a callback raised: the loop would only log it, a broken promise too."""
        error = context.get("exception")
        if error is not None and not isinstance(error, StorageFailed):
            self.broken = error

    def end(self) -> None:
        """Clear away what is left, also of a story that broke off."""
        if hasattr(self, "process"):
            self.process.die()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.begin_anew()
        try:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    def ended(self) -> bool:
        """Whether the result is durable."""
        return any(row[4] == "auction.result" for row in self.store.rows[-60:])

    def judge(self) -> None:
        """The promises, from the durable rows alone."""
        rows = list(SimulatedJournal(self.store, CENTRE, self.loop, self.commit_fate).rows())
        kinds = Counter(row.kind for row in rows)
        hold(kinds["auction.result"] == 1, "not one result")
        hold(kinds["deposit.released"] <= 1, "deposits were given back twice")
        mine = [row for row in rows if row.stream == STREAM + self.lot]
        hold(all(a.at <= b.at for a, b in pairwise(mine)), "stamps went back")
        decided: dict[str, Any] = {}
        for row in mine:
            key = row.body.get("key")
            if key is not None:
                hold(key not in decided, f"{key} was decided twice")
                decided[key] = row
        for key, told in self.told.items():
            hold(key in decided, f"{key} was acknowledged and is lost")
            row, verdict = decided[key], decided[key].body["verdict"]
            kept = {name: verdict.get(name) for name in ("ok", "seq", "code", "ends_at")}
            kept |= {"arrival": row.at, "chain": row.chain.hex()}
            hold(kept == told, f"{key} was told {told}, the journal says {kept}")
        hold(self.sent.keys() == self.told.keys(), "a doubt remains")
        book = Book()
        opener = by_key(unb64(self.store.private[mine[0].body["closing_ref"]]))
        for row in mine:
            evolve(book, row, opener)  # decides all of it again
        live = self.process.service.writer(self.lot).book
        hold(book == live, "the live book is not the fold of its rows")
        try:
            audit(mine, CENTRE)
        except AuctionError as error:
            raise Violation("an auditor refuses the rows") from error
        self.judge_price(book.live)
        for row in rows:
            self._heard.update(row.chain)
        self.story.digest = self._heard.hexdigest()
        self.story.counts["offers"] = len(self.told)
        self.story.counts[f"ended {book.live.phase.value}"] += 1
        self.story.counts.update(f"met {phase}" for phase in self.met)

    def judge_price(self, state: State) -> None:
        """Who offered best in the contest of the price wins it, where nothing followed the cap."""
        outcome = state.outcome
        if outcome is None or not outcome.winners or state.rules.quota or state.capped_in:
            return
        best = state.leader
        hold(best is not None and outcome.winners[0].bidder == best.bidder, "the best does not win")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the crypto floor's randomness from a seed: it has one source, made to be replaced here."""
    real, rnd = crypto.random.os, Random(f"crypto {seed}")
    crypto.random.os = SimpleNamespace(urandom=rnd.randbytes)  # type: ignore[assignment]
    try:
        yield
    finally:
        crypto.random.os = real


def play(seed: int) -> Story:
    """Play one seed.

    Raises:
        Violation: a promise was broken.
    """
    with seeded(seed):
        world = World(seed)
        try:
            asyncio.set_event_loop(world.loop)
            return world.loop.run_until_complete(world.run())
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        finally:
            world.end()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, play(int(name)).digest)
