"""The book of one auction: everything that its journal rows say, as a pure fold.

`evolve(book, row)` is the only way in which a book changes. The centre folds its own rows at start,
an auditor folds the published ones: both come to the same state, and a row whose verdict the engine
does not give again is named.

Rows of stream `lot:<id>`:

    auction.announced   lot, title, mode, rules, parcels, seats, outage_min_s
    auction.admitted    a seat may bid: its deposit is confirmed (资格确认)
    auction.entitled    a seat holds 优先购买权; which one is closed until the result
    auction.expelled    a seat may no longer bid: its deposit was released
    auction.entered     a seat's delegated key, for offers inside the hall
    auction.decided     a command with its arrival (the row's `at`) and the engine's verdict; `lag_ms` where
                        the server came to it `LAG_MS` or more after its arrival
    auction.unheard     what was refused before the engine: BAD_SIGNATURE, REPLAY, MALFORMED
    auction.advanced    a boundary crossed with nobody asking (the hammer)
    auction.disclosed   closed values whose time has come, with their salts
    auction.result      DEAL_CONFIRMED, NO_DEAL or TERMINATED, with the deposits released

Source: spec/auction.md, design.md §2 rows Engine and What auctions keep closed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from auction import engine
from auction.model import (
    Accepted,
    AuctionError,
    BrokenInvariantError,
    Command,
    Do,
    Entered,
    Phase,
    Refused,
    Rules,
    State,
)
from auction.replay.closed import ClosedError, Disclosure, Opener, disclosure_from, read_identity
from auction.replay.rights import Right, open_to_rights, preemption_of
from auction.replay.scenario import verdict_json
from auction.rules import parse_rules
from auction.rules.form import rfc3339
from auction.rules.right import without
from trading.ground.chain import Draft, Row

STREAM = "lot:"
"""Prefix of an auction's journal stream."""

LAG_MS = 50
"""Server lag from which it is recorded; it is judged by the arrival all the same and extends nothing."""

CLOSES = {Do.QUOTE: Phase.QUOTING, Do.JOIN: Phase.ASKING, Do.REVEAL: Phase.REVEALING}
"""Commands whose content stays closed until the end of their phase."""


class JournalError(AuctionError):
    """The rows of an auction do not follow from its rules; which row, and how."""

    def __init__(self, seq: int, complaint: str) -> None:
        super().__init__("auction-journal-wrong", "竞价记录与规则不符", f"Row {seq}: {complaint}")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Seat:
    """A bidder's place in one auction: its paddle 竞买号牌 and, where known, who is behind it.

    Attributes:
        holder: organisation id; "" while it is closed, as are its name and credit code.
        parcel: the parcel it bids for, under quota.
        deposit: id of the deposit that admitted it; "" before.
        delegate: key that signs its offers now, 33 bytes; expires at `until`, ms UTC.
    """

    paddle: str
    holder: str = ""
    parcel: str = ""
    name: str = ""
    credit_code: str = ""
    closed: Mapping[str, str] | None = None
    deposit: str = ""
    admitted: bool = False
    delegate: bytes = b""
    until: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A closed content and the phase until whose end it stays closed."""

    phase: Phase
    closed: Mapping[str, str]


@dataclass(slots=True)
class Book:
    """What is known of one auction. Two folds of the same rows are equal.

    Attributes:
        mode: quota or listing.
        session: id of the trading session, and `lots` the ids of its lots that this auction sells.
        rules: the rule set's JSON as announced, without a reserve.
        seats: by paddle.
        waiting: contents still closed, by commitment.
        disclosed: closed values opened by rows, by commitment.
        rights: who holds 优先购买权, by paddle, as the rows close it.
        application: whether a seat takes an application 竞买申请 beside its deposit.
        reserve: commitment to the reserve, closed; None where there is none.
        extensions: how often an offer moved the running end.
        cause: position of the last row of the centre's business that this auction has answered.
        resume_at: while an outage suspends it, the instant from which it may go on.
        last_at: stamp of the last row; `seq` and `chain` are that row's.
        outcome: body of the result row.
    """

    lot: str = ""
    title: str = ""
    mode: str = ""
    session: str = ""
    lots: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    parcels: tuple[Mapping[str, Any], ...] = ()
    outage_min_s: int = 0
    announced_at: int = 0
    state: State | None = None
    seats: dict[str, Seat] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    disclosed: dict[str, Disclosure] = field(default_factory=dict)
    reserve: Mapping[str, str] | None = None
    rights: dict[str, Mapping[str, str]] = field(default_factory=dict)
    application: bool = False
    extensions: int = 0
    cause: int = 0
    resume_at: int | None = None
    last_at: int = 0
    seq: int = 0
    chain: bytes = bytes(32)
    outcome: Mapping[str, Any] | None = None

    @property
    def live(self) -> State:
        """The engine's state. Raises `JournalError` before the announcement."""
        if self.state is None:
            raise JournalError(self.seq, "nothing was announced yet")
        return self.state


def copied(book: Book) -> Book:
    """Copy a book; what it holds is never changed in place, only replaced."""
    return replace(
        book,
        seats=dict(book.seats),
        waiting=dict(book.waiting),
        disclosed=dict(book.disclosed),
        rights=dict(book.rights),
    )


def evolve(book: Book, row: Row, opener: Opener) -> None:
    """Fold one row into the book, in place.

    Args:
        book: of the row's stream.
        row: the next row of that stream.
        opener: opens closed values; without one that can, a reserve counts as none.

    Raises:
        JournalError: the row does not follow from those before it.
    """
    handler = _HANDLERS.get(row.kind)
    if handler is None:
        raise JournalError(row.seq, f"unknown kind {row.kind}")
    if book.state is None and row.kind != "auction.announced":
        raise JournalError(row.seq, "nothing was announced yet")
    handler(book, row, opener)
    book.cause = max(book.cause, row.body.get("cause", 0))
    book.last_at, book.seq, book.chain = row.at, row.seq, row.chain


def take(book: Book, draft: Draft, opener: Opener) -> None:
    """Fold a row of our own that is on its way to the journal, but for its place in the chain.

    Decided and advanced rows are not taken so: who wrote them has the state already (`took`).
    """
    row = Row(0, draft.stream, book.seq + 1, draft.at, draft.kind, draft.body, b"")
    _HANDLERS[draft.kind](book, row, opener)
    book.cause = max(book.cause, draft.body.get("cause", 0))


def took(book: Book, body: Mapping[str, Any], after: State) -> None:
    """Take over the state after a decided command, with what else its row says."""
    before = book.live
    lasts = before.phase is after.phase and after.phase in (Phase.TIMED, Phase.SECOND_ITEM)
    book.extensions += lasts and (after.ends or 0) > (before.ends or 0)
    book.state = after
    if "closed" in body:
        waiting = Waiting(CLOSES[Do(body["do"])], body["closed"])
        book.waiting[body["closed"]["commitment"]] = waiting
    if body["verdict"]["ok"] and body["do"] in (Do.SUSPEND, Do.RESUME):
        book.resume_at = body.get("resume_at")
    book.cause = max(book.cause, body.get("cause", 0))


def losers(book: Book, winners: Iterable[str]) -> list[str]:
    """Give the deposits that go back with the result: of every seat that may bid and has not won.

    One that was released before, by two people, is not given back a second time.
    """
    won = set(winners)
    return [
        seat.deposit
        for seat in book.seats.values()
        if seat.deposit and seat.admitted and seat.paddle not in won
    ]


def ripe(book: Book) -> list[Waiting]:
    """Give the closed contents whose phase is over."""
    state = book.live
    running = state.left if state.phase is Phase.SUSPENDED else state.phase
    if running is None:
        return []
    return [item for item in book.waiting.values() if running.place > item.phase.place]


def entered_json(events: tuple[engine.Event, ...]) -> list[dict[str, str]]:
    """Write the phases entered, as rows hold them."""
    return [
        {"phase": item.phase.value, "at": rfc3339(item.at)}
        for item in events
        if isinstance(item, Entered)
    ]


def command_of(body: Mapping[str, Any], opener: Opener) -> Command:
    """Read the command of a decided row; what is no text in it stands as None, and is refused alike.

    Raises:
        ClosedError: its content is closed and cannot be opened yet.
    """
    content = body.get("content", {})
    if "closed" in body:
        content = json.loads(opener(body["closed"]).value)["content"]
    return Command(
        body["by"],
        Do(body["do"]),
        content.get("amount"),
        content.get("commit"),
        content.get("nonce"),
    )


def _announced(book: Book, row: Row, opener: Opener) -> None:
    body = row.body
    if book.state is not None:
        raise JournalError(row.seq, "announced twice")
    book.lot, book.title, book.mode = body["lot"], body["title"], body["mode"]
    book.session, book.lots = body["session"], tuple(body["lots"])
    book.rules, book.parcels = body["rules"], tuple(body["parcels"])
    book.outage_min_s, book.announced_at = body["outage_min_s"], row.at
    book.reserve, book.application = body.get("reserve"), body.get("application") == "required"
    book.state = engine.begin(rules_of(book, opener, ()))
    for seat in body["seats"]:
        book.seats[seat["paddle"]] = Seat(**seat)


def rules_of(book: Book, opener: Opener, bidders: Iterable[str]) -> Rules:
    """Read an announced book's rules, with the qualified bidders of now.

    Raises:
        ScenarioError, BadRulesError: they have not the form, or contradict themselves.
    """
    rules, qualified = parse_rules(_with_reserve(book, opener), book.lot, ()), frozenset(bidders)
    held = preemption_of(book.rules, book.rights, qualified)
    return replace(rules, bidders=qualified, preemption=held)


def _with_reserve(book: Book, opener: Opener) -> dict[str, Any]:
    """The rules with the reserve where it can be opened; a public replay checks without it."""
    rules = without(book.rules)
    if book.reserve is not None:
        try:
            rules["reserve_price"] = opener(book.reserve).value
        except ClosedError:
            rules["reserve_price"] = None
    return rules


def _admitted(book: Book, row: Row, _opener: Opener) -> None:
    body, paddle = row.body, row.body["paddle"]
    seat = book.seats.get(paddle) or Seat(paddle, closed=body.get("closed"))
    book.seats[paddle] = replace(seat, deposit=body["deposit"], admitted=True)
    _qualify(book)


def _entitled(book: Book, row: Row, opener: Opener) -> None:
    right = Right.from_text(opener(row.body["closed"]).value)
    if not open_to_rights(engine.advance(book.live, row.at)[0]):
        raise JournalError(row.seq, "a right of first refusal after timed bidding began")
    if right.paddle not in book.seats or right.paddle in book.rights:
        raise JournalError(row.seq, "a right of first refusal of no seat, or a second one")
    book.rights[right.paddle] = row.body["closed"]
    _qualify(book)


def _expelled(book: Book, row: Row, _opener: Opener) -> None:
    paddle = row.body["paddle"]
    book.seats[paddle] = replace(book.seats[paddle], admitted=False)
    _qualify(book)


def _qualify(book: Book) -> None:
    """Give the engine the qualified bidders of now; it refuses the others with NO_DEPOSIT."""
    state = book.live
    bidders = frozenset(paddle for paddle, seat in book.seats.items() if seat.admitted)
    held = preemption_of(book.rules, book.rights, bidders)
    rules = replace(state.rules, bidders=bidders, preemption=held)
    book.state = msgspec.structs.replace(state, rules=rules)


def _entered_hall(book: Book, row: Row, _opener: Opener) -> None:
    body = row.body
    seat = book.seats[body["paddle"]]
    delegate = bytes.fromhex(body["delegate"])
    if "commitment" in body["delegation"]:  # it names the bidder: closed until the result
        closed = Waiting(Phase.MATCHING, body["delegation"])
        book.waiting[body["delegation"]["commitment"]] = closed
    book.seats[seat.paddle] = replace(seat, delegate=delegate, until=body["expires_at"])


def _decided(book: Book, row: Row, opener: Opener) -> None:
    body = row.body
    state, events = engine.apply(book.live, command_of(body, opener), row.at)
    _compare(row, events)
    took(book, body, state)


def _compare(row: Row, events: tuple[engine.Event, ...]) -> None:
    """Hold a row against what the engine says again."""
    *_, verdict = events
    if not isinstance(verdict, Accepted | Refused):
        raise BrokenInvariantError("a command without a verdict")
    if verdict_json(verdict) != row.body["verdict"]:
        said = row.body["verdict"]
        raise JournalError(row.seq, f"the engine says {verdict_json(verdict)}, the row says {said}")
    if entered_json(events) != row.body["entered"]:
        raise JournalError(row.seq, "the engine enters other phases")


def _unheard(_book: Book, _row: Row, _opener: Opener) -> None:
    """Recorded, and decides nothing."""


def _advanced(book: Book, row: Row, _opener: Opener) -> None:
    book.state, entered = engine.advance(book.live, row.at)
    if entered_json(entered) != row.body["entered"]:
        raise JournalError(row.seq, "the engine enters other phases")


def _disclosed(book: Book, row: Row, _opener: Opener) -> None:
    for value in row.body["values"]:
        opened = disclosure_from(value)
        book.disclosed[opened.commitment] = opened
        book.waiting.pop(opened.commitment, None)
    for paddle, seat in book.seats.items():
        if seat.closed is not None and (known := book.disclosed.get(seat.closed["commitment"])):
            who, name, code = read_identity(known.value)
            book.seats[paddle] = replace(seat, closed=None, holder=who, name=name, credit_code=code)


def _result(book: Book, row: Row, _opener: Opener) -> None:
    if book.outcome is not None:
        raise JournalError(row.seq, "a second result")
    if book.live.outcome is None:
        raise JournalError(row.seq, "a result of an auction that is not over")
    book.outcome = row.body


_HANDLERS: dict[str, Callable[[Book, Row, Opener], None]] = {
    "auction.announced": _announced,
    "auction.admitted": _admitted,
    "auction.entitled": _entitled,
    "auction.expelled": _expelled,
    "auction.entered": _entered_hall,
    "auction.decided": _decided,
    "auction.unheard": _unheard,
    "auction.advanced": _advanced,
    "auction.disclosed": _disclosed,
    "auction.result": _result,
}
