"""A centre small enough to live in a test: journal, clock, timers, hub, and the business of a session.

Organisations and deposits are rows of stream `trading`, as the trading floor writes them; the fold is its own.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from auction.hall import Halls
from auction.service import AuctionService
from auction.service.bidding import BidderDesk, Bucket
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import PREFIX, make, sign
from trading.ground.clock import FrozenClock
from trading.ground.database import open_database
from trading.ground.journal import Draft, Journal
from trading.ground.live import Hub
from trading.ground.private import Private
from trading.ground.settings import Settings
from trading.ground.timers import Timers
from trading.model import (
    STREAM,
    Actor,
    Deposit,
    DepositForm,
    Key,
    Lot,
    Organisation,
    Role,
    Session,
    State,
    evolve,
)
from trading.model.codec import to_json

CENTRE = "zs-test"
NOON = 1_795_492_800_000  # 2026-11-24T04:00:00Z, 北京时间 12:00
PATIENCE_S = 60
"""How long a loaded machine may take for what is on its way."""
NAMES = ["石岐实业", "东𬍛制衣", "小榄五金", "翠亨置业", "横栏照明", "火炬科创"]
TIMED: dict[str, Any] = {
    "starts_at": "2026-11-24T04:00:10Z",
    "extend_s": 60,
    "entry_rule": "always",
}
LISTING_RULES: dict[str, Any] = {"start_price": "100", "increment": "10", "timed": TIMED}
QUOTA_RULES: dict[str, Any] = {
    "increment": "20", "unit": "元/㎡", "timed": TIMED, "quota": {"slots": 2}, "outage_min_s": 0,
}  # fmt: skip


class Bidder:
    """An organisation with a certified key, and the delegated key of one hall."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = NAMES[number % len(NAMES)]
        self.organisation = f"org_{number}"
        self.key = SigningKey.from_scalar(1000 + number)
        self.delegate = SigningKey.from_scalar(9000 + number)
        self.actor = Actor(
            f"per_{number}", self.organisation, Role.BIDDER, f"k{number}", self.key.public
        )
        self.sent = 0

    def delegation(self, lot: str, paddle: str, until: int, key: SigningKey | None = None) -> str:
        body = {
            "lot": lot,
            "paddle": paddle,
            "delegate": b64(self.delegate.public),
            "expires_at": until,
        }
        return json.dumps({"delegation": sign(key or self.key, "delegation", CENTRE, body)})

    def offer(self, lot: str, paddle: str, amount: Any = None, do: str = "bid", **more: Any) -> str:
        self.sent += 1
        key = more.pop("key", f"client-key-{self.number}-{self.sent:08}")
        body = {"lot": lot, "paddle": paddle, "do": do, "key": key, **more}
        if amount is not None:
            body["amount"] = amount
        text = canonical(make("offer", CENTRE, body))
        return frame(text.decode(), self.delegate.sign(PREFIX + text))


def frame(text: str, signature: bytes) -> str:
    return json.dumps({"offer": text, "signature": b64(signature)})


class Desk:
    """A bidder's desk whose socket is a list."""

    def __init__(
        self, stage: "Stage", lot: str, bidder: Bidder, bucket: Bucket | None = None
    ) -> None:
        seat = stage.service.seat_of(lot, bidder.organisation)
        assert seat is not None
        self.stage, self.lot, self.bidder, self.paddle = stage, lot, bidder, seat.paddle
        self.got: list[dict[str, Any]] = []
        self.closed: list[tuple[int, str]] = []
        self.desk = BidderDesk(
            stage.service, lot, seat.paddle, bidder.actor, lambda m: self.got.append(json.loads(m)),
            lambda code, reason: self.closed.append((code, reason)), bucket,
        )  # fmt: skip
        stage.service.desks.add(self.desk)

    def say(self, text: str) -> None:
        self.desk.receive(text, self.stage.clock.now())

    async def answer(self, text: str) -> dict[str, Any]:
        before = len(self.got)
        self.say(text)
        await self.stage.quiet()
        async with asyncio.timeout(PATIENCE_S):
            while len(self.got) == before:  # noqa: ASYNC110 (a list has no event)
                await asyncio.sleep(0.001)
        return self.got[-1]

    async def enter(self) -> "Desk":
        until = self.stage.clock.now() + 3_600_000
        assert (await self.answer(self.bidder.delegation(self.lot, self.paddle, until)))[
            "type"
        ] == "entered"
        return self

    async def bid(self, amount: Any, **more: Any) -> dict[str, Any]:
        return await self.answer(self.bidder.offer(self.lot, self.paddle, amount, **more))


class Stage:
    """One process of a centre on a home."""

    def __init__(self, home: Path, now: int = NOON) -> None:
        self.database = open_database(Settings(home=home).database_url, home)
        self.journal = Journal(self.database, CENTRE)
        self.clock = FrozenClock(now)
        self.timers = Timers(self.clock)
        self.hub = Hub(self.clock, "log_a")
        self.key = SigningKey.from_scalar(77)
        self.state = State()
        for row in self.journal.rows():
            evolve(self.state, row)
        self.journal.listen(lambda row: evolve(self.state, row) and None)
        self.register(6)
        self.service = AuctionService(
            self.journal,
            self.clock,
            self.timers,
            Private(self.database),
            self.key,
            lambda: self.state,
        )

        self.halls = Halls(self.service, self.hub)

    def register(self, count: int) -> None:
        """Organisations and keys are not what is tested: they stand in the state from the start."""
        self.bidders = [Bidder(number) for number in range(count)]
        for bidder in self.bidders:
            who = bidder.actor
            key = Key(who.key_id, who.public, who.person, who.organisation, Role.BIDDER, "", 0)
            self.state.keys[who.public] = key
            self.state.organisations[who.organisation] = Organisation(
                who.organisation, bidder.name, f"CODE{who.key_id}", True
            )

    async def start(self) -> "Stage":
        await self.service.start()
        await self.quiet()
        return self

    async def business(self, kind: str, body: dict[str, Any]) -> None:
        await self.journal.append(Draft(STREAM, kind, body, self.clock.now()))
        await self.quiet()

    async def publish(
        self, rules: dict[str, Any], holders: int = 0, session: str = "ses_1"
    ) -> list[str]:
        """Publish a session: a quota session of so many parcels, or one listed lot. Gives the lots' ids."""
        lots = [
            Lot(f"lot_{n}", session, f"L{n + 1}", self.bidders[n].organisation if holders else "", 100_00,
                {"id": f"L{n + 1}", "added_gfa": "1000", "start_floor_price": "1200", "base_far": "1.5"} if holders else {})
            for n in range(holders or 1)
        ]  # fmt: skip
        ids = tuple(lot.id for lot in lots)
        made = Session(
            session, "容积率竞价", ids, self.clock.now() + 10_000, 0, rules, self.clock.now()
        )
        await self.business("session.created", {"session": to_json(made), "lots": to_json(lots)})
        await self.business("session.published", {"session": session, "ruleset": ["演示", "1"]})
        return list(ids)

    async def deposit(self, lot: str, bidder: Bidder, amount: int = 100_00) -> str:
        name = f"dep_{lot}_{bidder.number}"
        made = Deposit(
            name, lot, bidder.organisation, DepositForm.PAID, amount, "", self.clock.now()
        )
        await self.business("deposit.recorded", {"deposit": to_json(made), "statements": []})
        return name

    async def quiet(self) -> None:
        """Let everything that is on its way arrive: commits, acts, timers that are due."""
        for _ in range(4):
            await self.journal.append(Draft("test", "test.tick", {}, self.clock.now()))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        still = 0
        async with asyncio.timeout(PATIENCE_S):
            while still < 3:  # what arrives may send something on
                await asyncio.sleep(0 if still else 0.001)
                still = 0 if self.busy else still + 1

    @property
    def busy(self) -> bool:
        """Whether something is on its way: an offer, a row, an act of the centre, a timer's callback."""
        service = self.service
        answering = service._answering is not None and not service._answering.done()
        return bool(
            service.turn._waiting
            or self.timers._tasks
            or (not self.journal._stopped and self.journal.busy)
            or any(writer.in_flight for writer in service.writers.values())
            or (answering and not service._acts._getters)
        )

    async def at(self, ms: int) -> None:
        """Let the clock come to an instant after NOON, and the timers wake."""
        self.clock.set(NOON + ms)
        self.timers.fire()
        await self.timers.settle()
        await self.quiet()

    async def listed(self, rules: dict[str, Any], count: int = 3) -> tuple[str, list[Desk]]:
        """A listed lot with bidders at their desks, TIMED running."""
        (lot,) = await self.publish(rules)
        for bidder in self.bidders[:count]:
            await self.deposit(lot, bidder)
        await self.at(10_000)
        return lot, [await Desk(self, lot, bidder).enter() for bidder in self.bidders[:count]]

    async def quota(
        self, rules: dict[str, Any] = QUOTA_RULES, count: int = 3
    ) -> tuple[str, list[Desk]]:
        """A quota session with all holders at their desks, TIMED running."""
        lots = await self.publish(rules, holders=count)
        for lot, bidder in zip(lots, self.bidders, strict=False):
            await self.deposit(lot, bidder)
        await self.at(10_000)
        return "ses_1", [
            await Desk(self, "ses_1", bidder).enter() for bidder in self.bidders[:count]
        ]

    def hall(self, lot: str) -> dict[str, Any]:
        """The hall's public state with what waits for its turn."""
        self.halls[lot].flush()
        return self.halls[lot].state

    async def stop(self) -> None:
        await self.service.stop()
        self.halls.close()
        await self.timers.close()
        await self.hub.close()
        self.close()

    def close(self) -> None:
        self.journal.close()
        self.database.close()
