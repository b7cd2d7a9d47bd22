"""One lot and its bidders: a home where an auction is due, sessions, and offers signed beforehand.

The home is written as the centre itself would write it, but without the many requests of two people for
each bidder; everything after that, from login to receipt, goes over the wire.
"""

from __future__ import annotations

import asyncio
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clients.bench.centre import CENTRE, HOST
from clients.errors import UnfitError
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.signature import SigningKey, key_id
from crypto.statement import PREFIX, make, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from clients.bench.centre import Running
    from trading.ground.chain import Draft
    from trading.ground.clock import FrozenClock, SystemClock
    from trading.ground.settings import Settings

LOT: Final = "lot_bench"
SESSION: Final = "ses_bench"
INCREMENT: Final = 10
TOO_LOW_EVERY: Final = 20
"""Every so many offers one is below the least that is taken: the engine refuses it after its signature held."""

OPENS_MS: Final = 4_000
OPEN_POLLS: Final = 600
POLL_SECONDS: Final = 0.05
DELEGATION_MS: Final = 3_600_000
DEPOSIT: Final = 100_00
BATCH: Final = 10_000
_BODY: Final = "x" * 700


@dataclass(frozen=True, slots=True)
class Bidder:
    """An organisation's certified key, and the delegated key of its hall."""

    number: int
    key: SigningKey
    delegate: SigningKey

    @property
    def organisation(self) -> str:
        """Its id."""
        return f"org_{self.number}"


@dataclass(frozen=True, slots=True)
class Seated:
    """A bidder with its session and its paddle 竞买号牌."""

    bidder: Bidder
    token: str
    paddle: str


def bidders(count: int) -> list[Bidder]:
    """Makes bidders."""
    return [Bidder(n, SigningKey.generate(), SigningKey.generate()) for n in range(count)]


def prepare(home: Path, them: Sequence[Bidder], rows: int = 0) -> None:
    """Writes a home where one lot is announced and everybody's deposit is in.

    Args:
        home: does not exist yet.
        them: who will bid.
        rows: rows of other business, of an offer's size, that the journal holds besides.
    """
    from trading.ground.clock import SystemClock

    asyncio.run(write_home(home, them, rows, SystemClock()))


async def write_home(
    home: Path, them: Sequence[Bidder], rows: int, clock: SystemClock | FrozenClock
) -> None:
    """As `prepare`, at the instant of a clock."""
    from trading.ground.ground import open_ground
    from trading.ground.settings import Settings

    settings = Settings(home=home, centre=CENTRE)
    if rows:
        fill(settings, rows, clock.now())
    ground = await open_ground(settings, clock)
    try:
        at = clock.now()
        opens = at + OPENS_MS
        drafts: list[Draft] = []
        for one in them:
            drafts += (issued(one, at), ground.ledger.draft("key_issued", leaf(one), at))
        await ground.journal.append(*drafts, *_session(at, opens), *(_paid(x, at) for x in them))
    finally:
        await ground.close()


def fill(settings: Settings, rows: int, at: int) -> None:
    """Writes rows of another stream into a fresh home, chained as the journal chains them."""
    from sqlalchemy import insert

    from trading.ground.chain import ZERO, link
    from trading.ground.database import open_database
    from trading.ground.tables import JournalRow

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database_url, settings.home)
    table = JournalRow.__table__  # type: ignore[attr-defined]
    chain, text = ZERO, f'{{"text":"{_BODY}"}}'
    try:
        for first in range(1, rows + 1, BATCH):
            values = []
            for seq in range(first, min(first + BATCH, rows + 1)):
                chain = link(chain, CENTRE, "bench", seq, at, "bench.row", text.encode())
                values.append(
                    {"position": seq, "stream": "bench", "seq": seq, "at": at, "kind": "bench.row",
                     "body": text, "chain": chain}
                )  # fmt: skip
            with database.turn(), database.engine.execution_options(writes=True).begin() as begun:
                begun.execute(insert(table), values)
    finally:
        database.close()


def issued(one: Bidder, at: int) -> Draft:
    """The row that certifies a bidder's key."""
    from trading.ground.chain import Draft
    from trading.model import STREAM, Key, Organisation, Person, Role, code_for_tests
    from trading.model.codec import to_json

    code = code_for_tests(one.number)
    public = one.key.public
    person = f"per_{one.number}"
    body = {
        "enrolment": f"enr_{one.number}",
        "invitation": "",
        "organisation": to_json(Organisation(one.organisation, f"竞买人{one.number}", code, True)),
        "person": to_json(Person(person, one.organisation, "", "")),
        "key": to_json(Key(key_id(public), public, person, one.organisation, Role.BIDDER, "")),
    }
    return Draft(STREAM, "key.issued", body, at)


def leaf(one: Bidder) -> dict[str, Any]:
    """The leaf of the same."""
    return {"key": b64(one.key.public)}


def _session(at: int, opens: int) -> Iterator[Draft]:
    from trading.ground.chain import Draft
    from trading.ground.clock import rfc3339
    from trading.model import STREAM, Lot, Session
    from trading.model.codec import to_json

    rules = {
        "start_price": str(INCREMENT),
        "increment": str(INCREMENT),
        "timed": {"starts_at": rfc3339(opens), "extend_s": 3600, "entry_rule": "always"},
        "outage_min_s": 0,  # a start that takes longer than the announcement is no outage here
    }
    lot = Lot(LOT, SESSION, "L1", "", DEPOSIT, {})
    session = Session(SESSION, "bench", (LOT,), opens, None, rules, at)
    body = {"session": to_json(session), "lots": [to_json(lot)]}
    yield Draft(STREAM, "session.created", body, at)
    yield Draft(STREAM, "session.published", {"session": SESSION, "ruleset": ["演示", "1"]}, at)


def _paid(one: Bidder, at: int) -> Draft:
    from trading.ground.chain import Draft
    from trading.model import STREAM, Deposit, DepositForm
    from trading.model.codec import to_json

    deposit = Deposit(f"dep_{one.number}", LOT, one.organisation, DepositForm.PAID, DEPOSIT, "", at)
    return Draft(STREAM, "deposit.recorded", {"deposit": to_json(deposit), "statements": []}, at)


def seat(running: Running, them: Sequence[Bidder]) -> list[Seated]:
    """Logs everybody in and asks for the paddles, over HTTP."""
    from clients.sdk.session import login
    from clients.sdk.wire import Centre

    def one(bidder: Bidder) -> Seated:
        with closing(Centre.at(running.server)) as centre:
            token = login(centre, bidder.key, CENTRE)
            told = centre.call("GET", f"/lots/{LOT}/participation")
            return Seated(bidder, token, told["paddle"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, them))


def wait_open(running: Running) -> None:
    """Waits until the lot takes offers.

    Raises:
        UnfitError: it does not in time.
    """
    from clients.sdk.wire import Centre

    with closing(Centre.at(running.server)) as centre:
        for _ in range(OPEN_POLLS):
            if centre.call("GET", f"/lots/{LOT}")["state"]["phase"] == "TIMED":
                return
            time.sleep(POLL_SECONDS)
    raise UnfitError("the lot has not opened")


def offers(
    seats: Sequence[Seated], each: int, first: int = 1, too_low_every: int = TOO_LOW_EVERY
) -> list[list[bytes]]:
    """Signs offers for everybody: the amounts rise in the order of the bidders, round after round.

    Args:
        seats: who bids.
        each: how many each of them.
        first: number of the first round; a later call goes on where an earlier one ended.
        too_low_every: every so many offers one is below the least that is taken; 0 for none.

    Returns:
        For each seat its frames, ready to be sent.
    """
    made: list[list[bytes]] = [[] for _ in seats]
    for turn in range(first, first + each):
        for place, seated in enumerate(seats):
            number = (turn - 1) * len(seats) + place + 1
            low = too_low_every and number % too_low_every == 0
            amount = 1 if low else number * INCREMENT
            body = {"lot": LOT, "paddle": seated.paddle, "do": "bid", "amount": str(amount)}
            body["key"] = f"bench-{place:05}-{turn:010}"
            text = canonical(make("offer", CENTRE, body))
            signature = seated.bidder.delegate.sign(PREFIX + text)
            made[place].append(
                frame(canonical({"offer": text.decode(), "signature": b64(signature)}))
            )
    return made


def probes(count: int) -> list[bytes]:
    """Frames that only ask for the time: how long the server's loop is busy with others."""
    return [frame(b'{"type":"probe","t0":1}')] * count


def entry(seated: Seated, now: int) -> bytes:
    """The frame that delegates."""
    body = {
        "lot": LOT,
        "paddle": seated.paddle,
        "delegate": b64(seated.bidder.delegate.public),
        "expires_at": now + DELEGATION_MS,
    }
    return frame(canonical({"delegation": sign(seated.bidder.key, "delegation", CENTRE, body)}))


def handshake(seated: Seated, port: int) -> bytes:
    """The request that opens a bidder's socket."""
    return (
        f"GET /api/v1/lots/{LOT}/bid HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {seated.token}\r\n\r\n"
    ).encode()


def frame(message: bytes) -> bytes:
    """A client's text frame (RFC 6455 §5.2) whose mask is zero, so that its bytes stand as they are."""
    size = len(message)
    if size < 126:
        return bytes([0x81, 0x80 | size]) + bytes(4) + message
    return b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + message


def write_plan(
    path: Path, seats: Iterable[Seated], frames: Sequence[Sequence[bytes]], port: int, now: int
) -> Path:
    """Writes what ``load bid`` reads."""
    listed = list(seats)
    with path.open("wb") as file:
        file.write(struct.pack("<I", len(listed)))
        for seated, mine in zip(listed, frames, strict=True):
            for part in (handshake(seated, port), entry(seated, now)):
                file.write(struct.pack("<I", len(part)) + part)
            file.write(struct.pack("<I", len(mine)))
            for one in mine:
                file.write(struct.pack("<I", len(one)) + one)
    return path
