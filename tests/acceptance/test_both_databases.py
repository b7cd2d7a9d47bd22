"""One opening and one auction of the composed centre, with restarts, on SQLite and on PostgreSQL."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auction.service.bidding import BidderDesk
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.signature import SigningKey, key_id
from crypto.statement import PREFIX, make, sign
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.trading.world import CENTRE, Someone
from trading.ground.database import open_database
from trading.ground.journal import Journal
from trading.model import Actor, Role

pytestmark = pytest.mark.both_databases


@pytest.fixture
def whole(tmp_path: Path, stored: str) -> Iterator[Whole]:
    """A composed centre with its first people, on the database that `stored` has chosen."""
    with Whole(tmp_path / "home") as made:
        assert made.ground.database.sqlite == (stored == "sqlite")
        made.first_people()
        yield made


def rows(whole: Whole) -> list[tuple[Any, ...]]:
    """The stored journal, every chain verified by opening it; the centre must be closed."""
    database = open_database(whole.settings.database_url, whole.settings.home)
    try:
        return [tuple(row) for row in Journal(database, CENTRE).rows()]
    finally:
        database.close()


class Hand:
    """A bidder in the hall: a desk whose socket is a list."""

    def __init__(self, whole: Whole, lot: str, who: Someone) -> None:
        self.whole, self.lot, self.who = whole, lot, who
        self.delegate = SigningKey.generate()
        self.frames: list[str] = []
        self.enter()

    def enter(self) -> None:
        """Open a socket, of whatever process serves now."""
        whole, lot, who = self.whole, self.lot, self.who
        seat = whole.auctions.seat_of(lot, who.organisation)
        assert seat is not None
        self.paddle = seat.paddle
        self._got: list[dict[str, Any]] = []
        public = who.key.public
        actor = Actor(who.person, who.organisation, Role.BIDDER, key_id(public), public)
        self._desk = BidderDesk(
            whole.auctions, lot, seat.paddle, actor,
            lambda message: self._got.append(json.loads(message)), self._closed, None,
        )  # fmt: skip
        whole.auctions.desks.add(self._desk)
        until = whole.clock.now() + 3_600_000
        said = {"lot": lot, "paddle": seat.paddle, "delegate": b64(self.delegate.public)}
        signed = sign(who.key, "delegation", CENTRE, said | {"expires_at": until})
        assert self.say(json.dumps({"delegation": signed}))["type"] == "entered"

    def bid(self, amount: str) -> dict[str, Any]:
        """Offer an amount; returns the answer."""
        key = f"{self.paddle}-key-{len(self.frames):08}"
        body = {"lot": self.lot, "paddle": self.paddle, "do": "bid", "key": key, "amount": amount}
        text = canonical(make("offer", CENTRE, body))
        signature = b64(self.delegate.sign(PREFIX + text))
        self.frames.append(json.dumps({"offer": text.decode(), "signature": signature}))
        return self.say(self.frames[-1])

    def say(self, frame: str) -> dict[str, Any]:
        """Send a frame; returns what is answered."""
        before = len(self._got)

        async def sent() -> None:
            self._desk.receive(frame, self.whole.clock.now())
            await self.whole.settle()

        self.whole.runner.run(sent())
        assert len(self._got) > before
        return self._got[-1]

    @staticmethod
    def _closed(code: int, reason: str) -> None:
        raise AssertionError(f"the desk was closed: {code} {reason}")


async def woken(whole: Whole) -> None:
    """Let due timers fire and what they begin arrive."""
    whole.ground.timers.fire()
    await whole.settle()


def test_an_opening_from_upload_to_reading_out(whole: Whole) -> None:
    whole.set_up(minimum=3, deadline=whole.clock.now() // 1000 * 1000 + 60_000)
    first = whole.seal(whole.bidder(1), "46382715.40")
    data = first.file.read_bytes()
    length = {"Upload-Length": str(len(data))}
    made = whole.raw("POST", "/uploads", first.who, **length)
    first.upload = made.headers["location"].rsplit("/", 1)[1]
    assert whole.patch(first, 0, data[:1000]).status_code == 204
    whole.again()
    told = whole.raw("HEAD", f"/uploads/{first.upload}", first.who)
    assert told.headers["upload-offset"] == "1000"
    assert whole.patch(first, 0, data).status_code == 409
    assert whole.patch(first, 1000, data[1000:]).status_code == 204
    body = {**first.submission, "upload": first.upload}
    keyed = {"authorization": f"Bearer {first.who.token}", "idempotency-key": "submit-0001"}
    path = f"/api/v1/sections/{whole.section}/submissions"
    answers = [
        whole.live(whole.client.request("POST", path, json=body, headers=keyed)) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"
    whole.hand_in(2, "47105600.00")
    whole.hand_in(3, "45998800.88")
    whole.again()
    whole.until(whole.deadline)
    whole.cosign()
    assert whole.release("custodian-1").json()["status"] == "answered"
    whole.again()
    assert whole.release("custodian-3").json()["status"] == "answered"
    assert whole.pace("read_all").status_code == 200
    prices = ["46382715.40", "47105600.00", "45998800.88"]
    assert sorted(row["price"] for row in whole.hall()["rows"]) == sorted(prices)
    seen = whole.hall()
    whole.again()
    assert {**whole.hall(), "feed": 0} == {**seen, "feed": 0}
    counted = Counter(kind for kind, _, _ in whole.bidding.room.book(whole.section).events)
    for once in ("closed", "price_stated", "float_drawn", "published", "unlock_begun", "imported"):
        assert counted[once] == 1
    before = [tuple(row) for row in whole.ground.journal.rows()]
    whole.close()
    assert rows(whole) == before
    whole.open()


def test_an_auction_from_deposits_to_the_hammer(whole: Whole) -> None:
    _, (lot,) = whole.session(LISTING)
    people = [whole.bidder(number).who for number in (1, 2)]
    for who in people:
        assert whole.deposit(who, lot, "100.00").status_code == 201
    whole.clock.advance(20_000)
    whole.runner.run(woken(whole))
    desks = [Hand(whole, lot, who) for who in people]
    assert [desk.bid("100.00")["ok"] for desk in desks] == [True, False]
    assert desks[1].bid("110.00")["ok"]
    whole.again()
    for desk in desks:
        desk.enter()
    assert desks[1].say(desks[1].frames[-1])["seq"] == 2  # its first answer, not a second decision
    assert desks[0].bid("200.00")["seq"] == 5  # after the outage, which is two events
    writer = whole.auctions.writer(lot)
    assert writer.durable.outcome is None
    whole.clock.set(writer.book.live.ends)
    whole.runner.run(woken(whole))
    assert writer.durable.outcome is not None
    whole.runner.run(whole.ground.timers.settle())
    whole.close()
    kinds = Counter(row[4] for row in rows(whole))
    assert (kinds["auction.result"], kinds["deposit.released"]) == (1, 1)
    whole.open()
