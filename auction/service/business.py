"""The centre's own acts, as auctions follow them: announcement, deposits, suspension, termination.

Each is a row of stream `trading`; the auction's answer carries that row's position as `cause`, so
that after a crash nothing is answered twice and nothing left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from auction.model import CENTRE, AuctionError, Do, ScenarioError
from auction.replay.book import Book, Seat
from auction.rules import parse_rules
from auction.rules.right import Terms, terms, without
from auction.store import Order
from crypto.random import token
from trading.ground.chain import Row
from trading.ground.problems import Kind
from trading.model import Deposit, Lot, Organisation, Session, State

ACTS = {
    "target.suspended": Do.SUSPEND,
    "target.resumed": Do.RESUME,
    "session.terminated": Do.TERMINATE,
}
YEAR_S = 366 * 86_400
LAST_START_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z
WITH_DEPOSIT = "with_deposit"
"""竞买申请: the signed declaration of the deposit is the application; else `required`: one of its own."""

DEFAULT_OUTAGE_S = 300  # 故障中止→恢复: five minutes unless the session's rules say otherwise


def plan(session: Session, lots: Iterable[Lot], state: State) -> list[Book]:
    """Lay out the auctions of a session: one for a quota session, else one for each lot.

    Args:
        session: its `rules` are a rule set of the contract; the parcels of a quota session come
            from the lots. `outage_min_s` and `application` may stand beside the rules' own members;
            `preemption` names organisations (`auction.rules.right`).
        lots: the session's lots.
        state: who the holders are.

    Returns:
        Books that hold what the announcement will say, and no state yet.

    Raises:
        ScenarioError, BadRulesError: the rules have not the form, or contradict themselves.
    """
    rules = dict(session.rules)
    minimum = rules.pop("outage_min_s", DEFAULT_OUTAGE_S)
    if type(minimum) is not int or minimum < 0:
        raise ScenarioError("outage_min_s: not a whole number of seconds")
    application = rules.pop("application", WITH_DEPOSIT)
    if application not in (WITH_DEPOSIT, "required"):
        raise ScenarioError(f"application: neither {WITH_DEPOSIT} nor required")
    if rules.get("reserve_price") is not None:
        raise ScenarioError("reserve_price: the public rules only commit to a reserve")
    right = None if rules.get("preemption") is None else terms(rules["preemption"])
    if right is not None and rules.get("quota") is not None:
        raise ScenarioError("preemption: not in a quota session")
    listed = list(lots)
    if rules.get("quota") is not None:
        books = [_quota_book(session, listed, rules, state)]
    else:
        books = [
            Book(lot=lot.id, title=lot.name, mode="listing", lots=(lot.id,), rules=rules,
                 parcels=(_facts(lot, state),))
            for lot in listed
        ]  # fmt: skip
        if right is not None:
            _name(books, right, state)
    for book in books:
        book.session, book.outage_min_s = session.id, minimum
        book.application = application == "required"
        parse_rules(without(book.rules), book.lot, ())
    return books


def _name(books: list[Book], right: Terms, state: State) -> None:
    """Say in each lot's rules who holds 优先购买权 there, in names; lots without a holder have none.

    Raises:
        ScenarioError: a lot or an organisation that is not there.
    """
    numbers = [book.parcels[0]["id"] for book in books]
    for named in right.holders:
        if numbers.count(named.lot) != 1:
            raise ScenarioError(f"preemption: no lot, or several, with the number {named.lot!a}")
        if named.organisation not in state.organisations:
            raise ScenarioError(f"preemption: unknown organisation {named.organisation!a}")
    for book, number in zip(books, numbers, strict=True):
        found = [state.organisations[n.organisation] for n in right.holders if n.lot == number]
        said = {
            "window_s": right.window // 1000,
            "holders": [{"name": one.name, "credit_code": one.credit_code} for one in found],
            "proved": right.proved,
        }
        book.rules = {**book.rules, "preemption": said if found or right.proved else None}


def judge(session: Session, lots: Iterable[Lot], state: State) -> None:
    """Judge a session before it is registered or announced: that it can be followed, and as announced.

    Args:
        session: as for `plan`.
        lots: as for `plan`.
        state: as for `plan`.

    Raises:
        ScenarioError, BadRulesError: as `plan`; or the rules begin before the hours that the notice
            names (whose lawful distance is checked), or have a window longer than a year.
    """
    _bounded(session.rules, "rules")
    for book in plan(session, lots, state):
        rules = parse_rules(without(book.rules), book.lot, ())
        if rules.timed.starts_at > LAST_START_MS:
            raise ScenarioError("timed.starts_at: later than any window could end")
        if rules.listing is not None:
            first, ends = rules.listing.opens_at, rules.listing.closes_at
        else:
            first = ends = rules.timed.starts_at
        if first < session.opens_at:
            raise ScenarioError("rules: bidding would begin before opens_at, as it is announced")
        if session.listing_ends_at is not None and ends < session.listing_ends_at:
            raise ScenarioError("rules: the listing would end before listing_ends_at")
        if rules.listing is not None and session.listing_ends_at is None:
            raise ScenarioError("rules: a listing, but no listing_ends_at is announced")


def _bounded(value: Any, place: str) -> None:
    """Refuse windows (members ending in `_s`) longer than a year: their ends must be dates."""
    for name, each in value.items() if isinstance(value, Mapping) else ():
        if name.endswith("_s") and type(each) is int and each > YEAR_S:
            raise ScenarioError(f"{place}: a window is longer than a year")
        _bounded(each, place)


def _quota_book(session: Session, lots: list[Lot], rules: dict[str, Any], state: State) -> Book:
    paddles = draw_paddles(len(lots), ())
    parcels = []
    book = Book(lot=session.id, title=session.name, mode="quota", lots=tuple(x.id for x in lots))
    for lot, paddle in zip(lots, paddles, strict=True):
        facts = _facts(lot, state)
        amounts = ("site_area", "added_far", "added_gfa", "start_floor_price")
        parcels.append(
            {"id": facts["id"], "holder": paddle}
            | {name: facts[name] for name in amounts if facts.get(name) is not None}
        )
        book.seats[paddle] = Seat(
            paddle, lot.holder, facts["id"], facts["holder"], facts["credit_code"]
        )
        book.parcels = (*book.parcels, facts)
    quota = rules["quota"]
    if not isinstance(quota, dict):
        raise ScenarioError("quota: not an object")
    book.rules = {**rules, "quota": {**quota, "parcels": parcels}}
    return book


def _facts(lot: Lot, state: State) -> dict[str, Any]:
    """What is public of a lot: its details, and in a quota session its holder."""
    holder: Organisation | None = state.organisations.get(lot.holder)
    return {
        **lot.details,
        "id": str(lot.details.get("id") or lot.name),
        "lot": lot.id,
        "deposit": lot.deposit,
        "holder": holder.name if holder else "",
        "credit_code": holder.credit_code if holder else "",
    }


def draw_paddles(count: int, taken: Iterable[str]) -> list[str]:
    """Draw random paddles 竞买号牌, unlike each other and those taken: three digits, or more."""
    used = set(taken)
    digits = max(3, len(str(2 * (count + len(used)))))
    drawn: list[str] = []
    while len(drawn) < count:
        paddle = str(10 ** (digits - 1) + int.from_bytes(token(8)) % (9 * 10 ** (digits - 1)))
        if paddle not in used:
            used.add(paddle)
            drawn.append(paddle)
    return drawn


def seat_for(book: Book, deposit: Deposit, wanted: int) -> Seat | None:
    """Find or make the seat that a deposit admits.

    Args:
        book: the auction.
        deposit: as recorded.
        wanted: what the lot asks for, 分.

    Returns:
        None where the deposit is too small, or its organisation holds no parcel of a quota session.
    """
    if deposit.amount < wanted:
        return None
    if book.mode != "quota":
        (paddle,) = draw_paddles(1, book.seats)
        return Seat(paddle, deposit.organisation, deposit=deposit.id)
    parcel = next((facts["id"] for facts in book.parcels if facts["lot"] == deposit.target), None)
    for seat in book.seats.values():
        if seat.parcel == parcel and seat.holder == deposit.organisation:
            return replace(seat, deposit=deposit.id)
    return None


def seat_with(book: Book, deposit: str) -> Seat | None:
    """Find the seat that a deposit admitted."""
    return next((s for s in book.seats.values() if s.deposit == deposit and s.admitted), None)


def order_of(row: Row) -> Order:
    """Turn an act of the centre into the engine's command, at the instant of the act."""
    reason = str(row.body.get("reason", ""))
    more: Mapping[str, Any] = {"cause": row.position} | ({"reason": reason} if reason else {})
    return Order(CENTRE, ACTS[row.kind], row.at, more=more)


def targets(row: Row) -> str:
    """The id that an act is about: a session or a lot."""
    return str(row.body.get("target") or row.body.get("session") or "")


class UnknownAuctionError(AuctionError):
    """There is no such auction."""

    def __init__(self) -> None:
        super().__init__(
            "auction-unknown", "没有这个竞价", "There is no such auction.", kind=Kind.NOT_FOUND
        )
