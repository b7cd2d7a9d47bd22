"""What an auction writes into the journal and reads back: every row body is built here.

Pure apart from `load`, which reads the journal once at start. The forms are those that
`replay/book.py` folds; a test holds the live book against the fold of its own rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from auction.engine import Event
from auction.model import Accepted, Do, Refused
from auction.replay import verdict_json
from auction.replay.book import STREAM, Book, Seat, entered_json, evolve
from auction.replay.closed import Closed, Disclosure, Opener
from crypto.canonical import canonical
from trading.ground.chain import Draft, Row
from trading.model import STREAM as BUSINESS

Heard = Callable[[Row], None]
"""Told of every row of an auction while it is folded."""


class Rows(Protocol):
    """Where rows are read from: the journal."""

    @property
    def streams(self) -> Iterable[str]:
        """All streams, in the order of their first rows."""
        ...

    @property
    def last_at(self) -> int:
        """The newest stamp of any row."""
        ...

    def rows(self, stream: str, *, after_seq: int = 0) -> Iterable[Row]:
        """Rows of a stream, in their order."""
        ...


@dataclass(slots=True)
class Loaded:
    """What the journal says at start.

    Attributes:
        books: by lot.
        business: rows of the centre's own business, in order.
        last_at: newest stamp of any durable row: until then the centre was alive.
    """

    books: dict[str, Book] = field(default_factory=dict)
    business: list[Row] = field(default_factory=list)
    last_at: int = 0


def load(
    journal: Rows,
    opener: Callable[[Row], Opener],
    heard: Heard,
    recall: Callable[[str], Book | None] = lambda _: None,
) -> Loaded:
    """Fold every auction of the journal.

    Args:
        journal: its chains are verified.
        opener: gives, for an announcement, the opener of that auction's closed values.
        heard: called for every row of an auction, after it was folded.
        recall: gives a lot's book as of a durable row, after its opener was asked for; only later
            rows are folded. None: there is none, and all are.

    Raises:
        JournalError: a row does not follow from those before it.
    """
    loaded = Loaded(business=list(journal.rows(BUSINESS)), last_at=journal.last_at)
    for stream in journal.streams:
        if not stream.startswith(STREAM):
            continue
        lot = stream.removeprefix(STREAM)
        opens = opener(next(iter(journal.rows(stream))))
        book = loaded.books[lot] = recall(lot) or Book()
        for row in journal.rows(stream, after_seq=book.seq):
            evolve(book, row, opens)
            heard(row)
    return loaded


class Order(msgspec.Struct, frozen=True):
    """A command on its way to the engine; a struct, as every offer makes one.

    Attributes:
        by: paddle, or CENTRE.
        at: arrival stamp, ms UTC.
        content: its amount, commit and nonce, where they are text.
        proof: the signed offer as received, `{"offer", "signature"}`; empty for the centre's acts.
        key: the client's idempotency key; "" for none.
        more: further members of the row: cause, resume_at, reason.
    """

    by: str
    do: Do
    at: int
    content: Mapping[str, str] = msgspec.field(default_factory=dict)
    proof: Mapping[str, str] = msgspec.field(default_factory=dict)
    key: str = ""
    more: Mapping[str, Any] = msgspec.field(default_factory=dict)


def closed_text(order: Order) -> str:
    """What of a command stays closed: its content, and the signed offer that repeats it."""
    return canonical({"content": dict(order.content), **order.proof}).decode()


def decided(lot: str, order: Order, events: tuple[Event, ...], closed: Closed | None) -> Draft:
    """A command and its verdict; `closed` stands in place of content and proof."""
    verdict = events[-1]
    assert isinstance(verdict, Accepted | Refused)
    body: dict[str, Any] = {
        "by": order.by,
        "do": order.do.value,
        "verdict": verdict_json(verdict),
        "entered": entered_json(events),
        **order.more,
    }
    if order.key:
        body["key"] = order.key
    if closed is not None:
        body["closed"] = dict(closed)
    else:
        body |= {"content": dict(order.content)} if order.content else {}
        body |= order.proof
    return Draft(STREAM + lot, "auction.decided", body, order.at)


def announced(book: Book, at: int, closing_ref: str, cause: int) -> Draft:
    """The announcement; `closing_ref` names the closing key in the private table."""
    body = {
        "v": 1,
        "lot": book.lot,
        "title": book.title,
        "mode": book.mode,
        "session": book.session,
        "lots": list(book.lots),
        "rules": dict(book.rules),
        "parcels": [dict(parcel) for parcel in book.parcels],
        "seats": [
            {
                "paddle": seat.paddle,
                "holder": seat.holder,
                "parcel": seat.parcel,
                "name": seat.name,
                "credit_code": seat.credit_code,
            }
            for seat in book.seats.values()
        ],
        "outage_min_s": book.outage_min_s,
        "closing_ref": closing_ref,
        "cause": cause,
    }
    if book.application:
        body["application"] = "required"
    if book.reserve is not None:
        body["reserve"] = dict(book.reserve)
    return Draft(STREAM + book.lot, "auction.announced", body, at)


def admitted(lot: str, seat: Seat, at: int, cause: int) -> Draft:
    """A seat may bid from now on; who sits there stays closed unless the notice named it."""
    body: dict[str, Any] = {"paddle": seat.paddle, "deposit": seat.deposit, "cause": cause}
    if seat.closed is not None:
        body["closed"] = dict(seat.closed)
    return Draft(STREAM + lot, "auction.admitted", body, at)


def entitled(lot: str, closed: Closed, at: int, cause: int) -> Draft:
    """A seat holds 优先购买权; which one stays closed until the result."""
    return Draft(STREAM + lot, "auction.entitled", {"closed": dict(closed), "cause": cause}, at)


def expelled(lot: str, paddle: str, at: int, cause: int) -> Draft:
    """A seat may no longer bid."""
    return Draft(STREAM + lot, "auction.expelled", {"paddle": paddle, "cause": cause}, at)


def entered(
    lot: str, paddle: str, delegate: bytes, until: int, proof: Mapping[str, Any], at: int
) -> Draft:
    """A delegated key; `proof` is the signed delegation, or its closed form."""
    body = {
        "paddle": paddle,
        "delegate": delegate.hex(),
        "expires_at": until,
        "delegation": dict(proof),
    }
    return Draft(STREAM + lot, "auction.entered", body, at)


def unheard(lot: str, paddle: str, code: str, digest: str, at: int) -> Draft:
    """What was refused before the engine; `digest` is the SHA-256 of the message, hex."""
    body = {"by": paddle, "code": code, "sha256": digest}
    return Draft(STREAM + lot, "auction.unheard", body, at)


def advanced(lot: str, events: tuple[Event, ...], at: int) -> Draft:
    """Boundaries crossed with nobody asking."""
    return Draft(STREAM + lot, "auction.advanced", {"entered": entered_json(events)}, at)


def disclosed(lot: str, values: Iterable[Disclosure], at: int) -> Draft:
    """Closed values whose time has come."""
    body = {"values": [value.to_json() for value in values]}
    return Draft(STREAM + lot, "auction.disclosed", body, at)


def result(lot: str, event: str, outcome: Mapping[str, Any], released: list[str], at: int) -> Draft:
    """The result; `released` are the deposits that go back."""
    body = {"event": event, "outcome": dict(outcome), "deposits_released": released}
    return Draft(STREAM + lot, "auction.result", body, at)


def deposits_released(lot: str, deposits: list[str], at: int) -> Draft:
    """The same release in the centre's own business, in the same append: exactly once."""
    body = {"deposits": deposits, "by_rule": "auction.result", "lot": lot}
    return Draft(BUSINESS, "deposit.released", body, at)
