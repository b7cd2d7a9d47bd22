"""A whole auction in virtual time: one loop whose clock jumps, a journal that is slow and fails, clients that retry.

Everything that could differ between two runs comes from the seed, so the same seed gives the same bytes.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

from auction.hall import Halls
from auction.model import AuctionError, Do
from auction.record import audit
from auction.replay.book import STREAM, Book, evolve
from auction.replay.closed import by_key
from auction.service import AuctionService
from auction.service.bidding import BidderDesk
from auction.writer.receipts import row_json
from crypto.signature import SigningKey
from tests.auction.stage import CENTRE, NOON, TIMED, Bidder
from trading.ground.chain import ZERO, Draft, Row, encode, link
from trading.ground.clock import ClockHealth
from trading.ground.live import Hub
from trading.ground.problems import StorageFailed
from trading.ground.timers import Timers
from trading.model import STREAM as BUSINESS
from trading.model import (
    Deposit,
    DepositForm,
    Key,
    Lot,
    Organisation,
    Role,
    Session,
    State,
)
from trading.model import (
    evolve as follow,
)
from trading.model.codec import to_json


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: where it would sleep, its clock jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = 0.0
        wait = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            if timeout is not None and timeout > 0:
                self.virtual += timeout
            return wait(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.virtual


class VirtualClock:
    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def now(self) -> int:
        return NOON + round(self.loop.virtual * 1000)

    def health(self) -> ClockHealth:
        return ClockHealth(0)


class SlowJournal:
    """In memory; commits what waits after a random while, at times fails with or without having written."""

    def __init__(self, rnd: Random, loop: VirtualLoop, failing: bool) -> None:
        self.centre, self.rnd, self.loop, self.failing = CENTRE, rnd, loop, failing
        self.table: list[Row] = []
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.listeners: list[Callable[[Row], Any]] = []
        self.waiting: list[tuple[list[Draft], asyncio.Future[list[Row]]]] = []
        self.stopped = False
        self.stopping: list[Callable[[], None]] = []
        self.shown = 0
        self.failures = 0

    @property
    def last_at(self) -> int:
        return max((row.at for row in self.table), default=0)

    def listen(self, callback: Callable[[Row], Any]) -> None:
        self.listeners.append(callback)

    def on_stop(self, callback: Callable[[], None]) -> None:
        self.stopping.append(callback)

    @property
    def streams(self) -> list[str]:
        return list(dict.fromkeys(row.stream for row in self.table))

    def rows(
        self, stream: str | None = None, after_position: int = 0, after_seq: int = 0
    ) -> list[Row]:
        return [
            row
            for row in self.table
            if stream in (None, row.stream)
            and row.position > after_position
            and row.seq > after_seq
        ]

    async def append(self, *drafts: Draft) -> list[Row]:
        return await self.append_nowait(drafts)

    def append_nowait(self, drafts: Any) -> asyncio.Future[list[Row]]:
        if self.stopped:
            raise StorageFailed
        future: asyncio.Future[list[Row]] = self.loop.create_future()
        texts = [json.loads(encode(draft)) for draft in drafts]
        drafts = [draft._replace(body=text) for draft, text in zip(drafts, texts, strict=True)]
        if not self.waiting:
            self.loop.call_later(self.rnd.choice([0.0001, 0.002, 0.05, 0.4]), self.commit)
        self.waiting.append((drafts, future))
        return future

    def commit(self) -> None:
        batch, self.waiting = self.waiting, []
        fails = self.failing and self.rnd.random() < 0.04
        groups = []
        if not fails or self.rnd.random() < 0.5:
            groups = [[self.write(draft) for draft in drafts] for drafts, _ in batch]
        if fails:
            self.failures += 1
            self.stopped = True
            for _, future in batch:
                future.set_exception(StorageFailed())
            for callback in self.stopping:
                callback()
            return
        for rows, (_, future) in zip(groups, batch, strict=True):
            for row in rows:
                self.show(row)
            future.set_result(rows)

    def write(self, draft: Draft) -> Row:
        seq, previous = self.heads.get(draft.stream, (0, ZERO))
        chain = link(previous, CENTRE, draft.stream, seq + 1, draft.at, draft.kind, encode(draft))
        row = Row(
            len(self.table) + 1, draft.stream, seq + 1, draft.at, draft.kind, draft.body, chain
        )
        self.heads[draft.stream] = (seq + 1, chain)
        self.table.append(row)
        return row

    def show(self, row: Row) -> None:
        self.shown = row.position
        for listener in self.listeners:
            listener(row)

    async def reload(self) -> None:
        for row in self.table[self.shown :]:
            self.show(row)
        self.stopped = False


class Vault:
    """The private table, as far as an auction needs it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def put(self, subject: str, field: str, value: str) -> Any:
        ref = f"prv_{len(self.kept)}"
        self.kept[ref] = value
        return type("Kept", (), {"ref": ref})()

    def get(self, ref: str) -> str | None:
        return self.kept.get(ref)


class LateTimers(Timers):
    """Timers that wake late, by a random while."""

    def __init__(self, clock: VirtualClock, rnd: Random) -> None:
        super().__init__(clock)  # type: ignore[arg-type]
        self.rnd = rnd

    def at(self, ms: int, callback: Any, key: str) -> None:
        super().at(ms + self.rnd.choice([0, 0, 1, 40, 900, 5000]), callback, key)


class Client:
    """One bidder with a flaky line: sends, sends again, and remembers every answer."""

    def __init__(self, world: "World", bidder: Bidder, lot: str) -> None:
        self.world, self.bidder, self.lot = world, bidder, lot
        seat = world.service.seat_of(lot, bidder.organisation)
        assert seat is not None
        self.paddle = seat.paddle
        self.sent: dict[str, str] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.next = "20"
        self.inside = False
        self.desk: BidderDesk
        self.connect()

    def connect(self, *_: Any) -> None:
        """Open a socket; also where the one before was closed, after bad signatures."""
        self.desk = BidderDesk(
            self.world.service,
            self.lot,
            self.paddle,
            self.bidder.actor,
            self.hear,
            self.connect,
            None,
        )

    def hear(self, message: bytes) -> None:
        said = json.loads(message)
        self.inside = self.inside or said["type"] == "entered"
        if said["type"] == "answer":
            self.answers.setdefault(said["key"], []).append(said)
            self.next = said["next"] or self.next

    def say(self, text: str) -> None:
        try:
            self.desk.receive(text, self.world.clock.now())
        except StorageFailed:
            self.world.note("a refusal leaked as an exception")

    def enter(self) -> None:
        """Delegate, unless that has worked already."""
        if not self.inside:
            until = self.world.clock.now() + 3_600_000
            self.say(self.bidder.delegation(self.lot, self.paddle, until))

    async def live(self, until: int) -> None:
        rnd = self.world.rnd
        self.say(self.bidder.delegation(self.lot, self.paddle, self.world.clock.now() + 3_600_000))
        while self.world.clock.now() < until:
            await asyncio.sleep(rnd.choice([0.0, 0.001, 0.3, 1.0, 4.0, 9.99, 10.0, 10.001]))
            amount = rnd.choice([self.next, self.next, self.next, "20", "40", "60", "1000.005"])
            text = self.bidder.offer(self.lot, self.paddle, amount)
            self.sent[json.loads(json.loads(text)["offer"])["key"]] = text
            self.say(text)
            if rnd.random() < 0.3:
                self.say(text)
        for _ in range(60):
            lacking = [text for key, text in self.sent.items() if key not in self.answers]
            if not lacking:
                return
            self.enter()
            await asyncio.sleep(5)
            for text in lacking:
                self.say(text)
            await asyncio.sleep(5)


class World:
    """One seed."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.rnd, self.loop = Random(seed), loop
        self.clock = VirtualClock(loop)
        self.journal = SlowJournal(self.rnd, loop, failing=seed % 3 == 0)
        self.timers = LateTimers(self.clock, self.rnd)
        self.state = State()
        self.journal.listen(lambda row: follow(self.state, row))
        self.hub = Hub(self.clock, "log_sim")  # type: ignore[arg-type]
        self.service = AuctionService(
            self.journal,
            self.clock,
            self.timers,
            Vault(),
            SigningKey.from_scalar(5),
            lambda: self.state,  # type: ignore[arg-type]
        )
        self.halls = Halls(self.service, self.hub)
        self.wrong: list[str] = []

    def note(self, complaint: str) -> None:
        self.wrong.append(complaint)

    async def run(self) -> str:
        """Play the auction, check everything; give a hash of the whole journal."""
        bidders = [Bidder(number) for number in range(3)]
        for bidder in bidders:
            who = bidder.actor
            self.state.keys[who.public] = Key(
                who.key_id, who.public, who.person, who.organisation, Role.BIDDER, "", 0
            )
            self.state.organisations[who.organisation] = Organisation(
                who.organisation, bidder.name, who.key_id, True
            )
        await self.service.start()
        lot = await self.announce(bidders)
        keeper = self.loop.create_task(self.keep())
        await asyncio.sleep(10.5)
        clients = [Client(self, bidder, lot) for bidder in bidders]
        await asyncio.gather(*(client.live(NOON + 40_000) for client in clients))
        for _ in range(900):
            if self.service.writer(lot).durable.outcome is not None:
                break
            await asyncio.sleep(1)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        if self.journal.stopped:
            await self.recover()
            await asyncio.sleep(60)
        self.check(lot, clients)
        await self.service.stop()
        self.halls.close()
        await self.timers.close()
        await self.hub.close()
        told = repr([tuple(row) for row in self.journal.table]).encode()
        return hashlib.sha256(told).hexdigest()

    async def announce(self, bidders: list[Bidder]) -> str:
        rules = {
            "increment": "20", "timed": {**TIMED, "extend_s": 10, "extension_rule": self.rnd.choice(["reset", "append"])},
            "quota": {"slots": 2, "raise_base": self.rnd.choice(["global_high", "own_high", "cutoff"])}, "outage_min_s": self.rnd.choice([0, 2]),
        }  # fmt: skip
        facts = {"added_gfa": "1000", "start_floor_price": "1200"}
        lots = [
            Lot(f"lot_{b.number}", "ses_1", f"L{b.number}", b.organisation, 1, facts)
            for b in bidders
        ]
        session = Session("ses_1", "竞价", tuple(lot.id for lot in lots), 0, 0, rules, 0)
        rows = [
            ("session.created", {"session": to_json(session), "lots": to_json(lots)}),
            ("session.published", {"session": "ses_1", "ruleset": ["", ""]}),
        ]
        deposits = [
            Deposit(
                f"dep_{b.number}", f"lot_{b.number}", b.organisation, DepositForm.PAID, 1, "", 0
            )
            for b in bidders
        ]
        rows += [
            ("deposit.recorded", {"deposit": to_json(deposit), "statements": []})
            for deposit in deposits
        ]
        failing, self.journal.failing = self.journal.failing, False
        for kind, body in rows:
            await self.journal.append(Draft(BUSINESS, kind, body, self.clock.now()))
            await asyncio.sleep(1)
        self.journal.failing = failing
        return "ses_1"

    async def keep(self) -> None:
        """The watchman: after a storage error reload and recover; at times suspend and resume."""
        while True:
            await asyncio.sleep(0.5)
            if self.journal.stopped:
                await self.recover()

    async def recover(self) -> None:
        failing, self.journal.failing = self.journal.failing, False
        await self.journal.reload()
        await self.service.recover()
        self.journal.failing = failing

    def check(self, lot: str, clients: list[Client]) -> None:
        rows = self.journal.rows(STREAM + lot)
        stands = {row.body["key"]: row for row in rows if "key" in row.body}
        if len(stands) != sum("key" in row.body for row in rows):
            self.note("an offer stands twice")
        for client in clients:
            for key in client.sent.keys() - client.answers.keys():
                self.note(f"{key} was never answered")
            for key, answers in client.answers.items():
                row = stands.get(key)
                for answer in answers:
                    if row is None or answer["receipt"]["row"] != row_json(row):
                        self.note(f"{key} was acknowledged and stands otherwise")
        try:
            found = audit(rows, CENTRE)
        except AuctionError as error:
            self.note(f"an auditor refuses the rows: {error}")
            return
        book = Book()
        for row in rows:
            evolve(book, row, by_key(self.service._keys[lot]))
        if book != self.service.writer(lot).book:
            self.note("the live book is not the fold of its rows")
        if found.book.outcome is None:
            self.note("the auction never ended")
        accepted = [
            row for row in rows if row.body.get("do") == Do.BID and row.body["verdict"]["ok"]
        ]
        if found.book.outcome and accepted:
            best = max(
                accepted,
                key=lambda row: (int(row.body["content"]["amount"].partition(".")[0]), -row.seq),
            )
            if found.book.outcome["outcome"]["winners"][0]["bidder"] != best.body["by"]:
                self.note("the best accepted offer does not win")


def simulate(seed: int, patch: Callable[[str, Any], None]) -> tuple[str, list[str]]:
    """Run one seed.

    Args:
        seed: of everything.
        patch: sets a module's attribute for the time of a test.

    Returns:
        A hash of the whole journal, and what was found wrong.
    """
    source = Random(f"token {seed}")
    for module in ("auction.writer.lot", "auction.service", "auction.service.business"):
        patch(f"{module}.token", source.randbytes)
    loop = VirtualLoop()
    try:
        world = World(seed, loop)
        digest = loop.run_until_complete(world.run())
        return digest, world.wrong
    finally:
        loop.close()
