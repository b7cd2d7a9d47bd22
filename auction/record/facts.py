"""Facts for paper: the transcript 竞价过程记录 and the deal confirmations 成交确认书.

Computed from the rows of the auction up to its result, and from nothing else; the heading (number,
ledger checkpoint) is the issuer's. The same rows give the same facts, hence the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auction.engine import ranking
from auction.model import Direction, Do, Outcome, Phase, RaiseBase, Rules, SecondItem, Winner
from auction.record.audit import audit
from auction.record.right import paper_lines, sentence
from auction.replay.book import LAG_MS, Book, JournalError
from auction.rules import MICRO
from auction.rules.form import instant
from documents.model import (
    ConfirmationFacts,
    Heading,
    Official,
    Outage,
    Parcel,
    Rank,
    RuleLine,
    TranscriptFacts,
)
from documents.model import Offer as OfferLine
from documents.model import Phase as PhaseLine
from documents.model import Winner as WinnerLine
from documents.model.auction import Lag
from trading.ground.chain import Row
from trading.ground.money import FEN, capital, format_amount, parse_amount

BASES = {
    RaiseBase.GLOBAL_HIGH: "全场最高加价",
    RaiseBase.OWN_HIGH: "本宗地最高加价",
    RaiseBase.CUTOFF: "入围线与本宗地最高加价之大者",
}
WINS = frozenset({Do.BID, Do.QUOTE, Do.JOIN, Do.REVEAL, Do.MATCH})
"""Commands by which one may win."""

WAN = 10_000
"""元 in a 万元."""


class _Story:
    """Gathers lines while the rows are audited."""

    def __init__(self) -> None:
        self.offers: list[OfferLine] = []
        self.phases: list[tuple[str, int]] = []
        self.breaks: list[list[Any]] = []
        self.lags: list[Lag] = []
        self.best: dict[str, tuple[int, int, int]] = {}  # paddle → amount, seq, arrival
        self.spoke: dict[str, int] = {}  # paddle → seq of its last accepted command
        self.rights: list[tuple[str, Do, int]] = []  # accepted matches and declines

    def watch(self, book: Book, row: Row) -> None:
        """Take a row after it was folded."""
        body = row.body
        for item in body.get("entered", ()):
            self.phases.append((item["phase"], instant(item["at"], "phase")))
            self._late(item["phase"], self.phases[-1][1], row.at - self.phases[-1][1])
        self._late("OFFER", row.at, body.get("lag_ms", 0))
        if row.kind == "auction.unheard":
            self._line(book, row, "", body["code"], None, None)
        elif row.kind == "auction.decided":
            self._decided(book, row)

    def _late(self, what: str, due: int, late_ms: int) -> None:
        if late_ms >= LAG_MS:
            self.lags.append(Lag(what=what, due=due, late_ms=late_ms))

    def _decided(self, book: Book, row: Row) -> None:
        body, do = row.body, Do(row.body["do"])
        verdict = body["verdict"]
        if verdict["ok"] and do in WINS:
            self.spoke[body["by"]] = verdict["seq"]
        if do in (Do.MATCH, Do.DECLINE) and verdict["ok"]:
            self.rights.append((body["by"], do, row.at))
        if do is Do.SUSPEND and verdict["ok"]:
            self.breaks.append([row.at, None, body.get("reason", "中心中止")])
        elif do is Do.RESUME and verdict["ok"]:
            self.breaks[-1][1] = row.at
        elif do in (Do.BID, Do.QUOTE):
            amount = body.get("content", {}).get("amount", "")
            ends = verdict.get("ends_at")
            timed = book.live.phase in (Phase.TIMED, Phase.SECOND_ITEM)
            end = instant(ends, "ends_at") if ends and timed else None
            result = "ACCEPTED" if verdict["ok"] else verdict["code"]
            self._line(book, row, amount, result, verdict.get("seq"), end)
            if verdict["ok"] and do is Do.BID and book.live.second is None:
                scale = book.live.rules.price.scale
                self.best[body["by"]] = (parse_amount(amount, scale), verdict["seq"], row.at)

    def _line(
        self, book: Book, row: Row, amount: str, result: str, seq: int | None, end: int | None
    ) -> None:
        seat = book.seats.get(row.body["by"])
        self.offers.append(
            OfferLine(
                no=len(self.offers) + 1,
                seq=seq,
                arrival=row.at,
                paddle=row.body["by"],
                holder=seat.name if seat else "",
                parcel=seat.parcel if seat else "",
                amount=amount,
                result=result,
                ends_at=end,
            )
        )


def transcript_facts(
    rows: Sequence[Row], heading: Heading, officials: Sequence[Official] = ()
) -> TranscriptFacts:
    """Compute the transcript.

    Args:
        rows: all rows of the auction; those after the result are left out.
        heading: the issuer's.
        officials: who was on duty.

    Raises:
        JournalError: the rows do not prove a result.
    """
    book, story, upto = _told(rows, heading.centre)
    outcome = _outcome(book)
    rules = book.live.rules
    names = {paddle: seat.name for paddle, seat in book.seats.items()}
    won = [_winner_line(book, winner) for winner in outcome.winners]
    return TranscriptFacts(
        heading=heading,
        session=book.lot,
        session_name=book.title,
        mode=book.mode,
        rules=_rule_lines(book, paper_lines(book, outcome, story.rights)),
        slots=rules.quota.slots if rules.quota else 1,
        parcels=tuple(_parcel_line(facts) for facts in book.parcels),
        phases=tuple(_phase_lines(story.phases)),
        offers=tuple(_named(line, names) for line in story.offers),
        outages=tuple(
            Outage(suspended_at=since, resumed_at=until, cause=cause)
            for since, until, cause in story.breaks
        ),
        lags=tuple(story.lags),
        ranking=tuple(_rank_lines(book, story, outcome)),
        winners=tuple(won),
        total_payable=format_amount(sum(parse_amount(w.payable, FEN) for w in won), FEN),
        outcome=outcome.status.value,
        closed_at=outcome.closed_at,
        officials=tuple(officials),
        chain_head=upto.chain.hex(),
        last_seq=upto.seq,
    )


def confirmation_facts(
    rows: Sequence[Row],
    heading: Callable[[int], Heading],
    *,
    transcript_number: str,
    conditions: Sequence[str],
) -> list[ConfirmationFacts]:
    """Compute one confirmation for each winner, in ranking order.

    Args:
        rows: all rows of the auction.
        heading: gives the heading of the n-th confirmation, from 1.
        transcript_number: printed number of the transcript.
        conditions: numbered sentences of the notice; where the winner has matched, that is said behind
            them, once.

    Raises:
        JournalError: the rows do not prove a result.
    """
    book, story, upto = _told(rows, heading(1).centre)
    outcome = _outcome(book)
    made = []
    for number, winner in enumerate(outcome.winners, 1):
        facts, said = _facts_of(book, winner), sentence(book, winner, story.rights)
        others = tuple(one for one in conditions if one != said)
        seat, line = book.seats[winner.bidder], _winner_line(book, winner)
        made.append(
            ConfirmationFacts(
                heading=heading(number),
                session=book.lot,
                session_name=book.title,
                mode=book.mode,
                holder=seat.name,
                credit_code=seat.credit_code,
                paddle=winner.bidder,
                parcel=line.parcel,
                site_area=str(facts.get("site_area", "")),
                base_far=str(facts.get("base_far", "")),
                added_far=str(facts.get("added_far", "")),
                added_gfa=line.added_gfa,
                start_floor_price=str(facts.get("start_floor_price", "")),
                surcharge=line.surcharge,
                floor_price=line.floor_price,
                payable=line.payable,
                payable_capital=capital(parse_amount(line.payable, FEN)),
                deposit=format_amount(facts.get("deposit", 0), FEN),
                deal_at=outcome.closed_at,
                winning_seq=story.spoke.get(winner.bidder, 0),
                second=line.second,
                conditions=(*others, said) if said else others,
                transcript_number=transcript_number,
                chain_head=upto.chain.hex(),
            )
        )
    return made


def _told(rows: Sequence[Row], centre: str) -> tuple[Book, _Story, Row]:
    """Audit the rows up to the result, and what was said meanwhile."""
    upto = next((row for row in rows if row.kind == "auction.result"), None)
    if upto is None:
        raise JournalError(len(rows), "there is no result yet")
    story = _Story()
    found = audit([row for row in rows if row.seq <= upto.seq], centre, story.watch)
    return found.book, story, upto


def _outcome(book: Book) -> Outcome:
    outcome = book.live.outcome
    if outcome is None:
        raise JournalError(book.seq, "there is no result yet")
    return outcome


def _named(line: OfferLine, names: Mapping[str, str]) -> OfferLine:
    """Put the name in that the result has disclosed."""
    members = {name: getattr(line, name) for name in OfferLine.__dataclass_fields__}
    return OfferLine(**{**members, "holder": names.get(line.paddle, "")})


def _rule_lines(book: Book, more: Mapping[str, str]) -> tuple[RuleLine, ...]:
    rules = book.live.rules
    price, timed = rules.price, rules.timed
    unit, up = rules.unit, price.direction is Direction.UP
    lines = {
        "竞价方向": "价高者得" if up else "价低者得",
        "起始价": "" if rules.quota else f"{format_amount(price.start, price.scale)} {unit}",
        "增价幅度" if up else "降价幅度": f"{format_amount(price.increment, price.scale)} {unit}",
        "最高限价" if up else "最低限价": ""
        if price.limit is None
        else f"{format_amount(price.limit, price.scale)} {unit}",
        "保留价": "设有保留价" if book.reserve is not None else "",
        "延时规则": f"{'每次报价延长' if timed.append else '有新报价即重新计时'} {timed.extend // 1000} 秒",
        "成交名额": str(rules.quota.slots) if rules.quota else "",
        "加价基准": BASES[rules.quota.raise_base] if rules.quota else "",
        "限价后": _item_line(rules.on_cap) if isinstance(rules.on_cap, SecondItem) else "",
        **more,
        "故障中止": f"至少 {book.outage_min_s} 秒",
    }
    return tuple(RuleLine(name=name, value=value) for name, value in lines.items() if value)


def _item_line(item: SecondItem) -> str:
    """Say how a second item is bid: which way, from where, by what steps, how far."""
    rungs, unit = item.ladder, item.unit
    up = rungs.direction is Direction.UP

    def told(amount: int) -> str:
        return f"{format_amount(amount, rungs.scale)} {unit}".strip()

    way = f"自 {told(rungs.start)} 起逐次{'升高' if up else '降低'}，{'增幅' if up else '降幅'} {told(rungs.increment)}"
    ends = "" if rungs.limit is None else f"，{'上限' if up else '下限'} {told(rungs.limit)}"
    return f"{item.name}：{way}{ends}"


def _parcel_line(facts: Mapping[str, Any]) -> Parcel:
    def told(name: str) -> str:
        return str(facts.get(name, ""))

    return Parcel(
        parcel=told("id"),
        holder=told("holder"),
        credit_code=told("credit_code"),
        site_area=told("site_area"),
        base_far=told("base_far"),
        added_far=told("added_far"),
        added_gfa=told("added_gfa"),
        start_floor_price=told("start_floor_price"),
        start_total=told("start_total"),
        deposit=format_amount(facts.get("deposit", 0), FEN),
    )


def _phase_lines(entered: Sequence[tuple[str, int]]) -> list[PhaseLine]:
    ends: list[int | None] = [at for _, at in entered[1:]] + [None]
    return [
        PhaseLine(phase=phase, since=since, until=until)
        for (phase, since), until in zip(entered, ends, strict=True)
    ]


def _rank_lines(book: Book, story: _Story, outcome: Outcome) -> list[Rank]:
    """Rank the last offer of each bidder; who won may stand elsewhere after a draw or a match."""
    rules, won = book.live.rules, {winner.bidder for winner in outcome.winners}
    if rules.quota is not None:
        order = [offer.bidder for offer in ranking(book.live)]
    else:
        sign = -1 if rules.price.direction is Direction.UP else 1
        order = sorted(story.best, key=lambda who: (sign * story.best[who][0], story.best[who][1]))
    lines = []
    for place, paddle in enumerate(order, 1):
        amount, _, at = story.best[paddle]
        seat = book.seats[paddle]
        lines.append(
            Rank(
                place=place,
                parcel=seat.parcel,
                holder=seat.name,
                paddle=paddle,
                amount=format_amount(amount, rules.price.scale),
                at=at,
                status="won" if paddle in won else "lost",
            )
        )
    return lines


def _facts_of(book: Book, winner: Winner) -> Mapping[str, Any]:
    if winner.parcel is None:
        return book.parcels[0] if book.parcels else {}
    return next(facts for facts in book.parcels if facts["id"] == winner.parcel)


def _winner_line(book: Book, winner: Winner) -> WinnerLine:
    rules, facts = book.live.rules, _facts_of(book, winner)
    price = format_amount(winner.amount, rules.price.scale)
    floor_price = ""
    if winner.payable is not None and rules.quota is not None:
        parcel = rules.quota.parcels[winner.bidder]
        floor = parcel.start_floor_price + winner.amount * int(10 ** (MICRO - rules.price.scale))
        floor_price = format_amount(floor, MICRO).rstrip("0").rstrip(".")
        due = winner.payable
    else:
        due = winner.amount * 100 * (WAN if rules.unit.startswith("万元") else 1)
        due //= int(10**rules.price.scale)
    return WinnerLine(
        parcel=str(facts.get("id", "")),
        holder=book.seats[winner.bidder].name,
        paddle=winner.bidder,
        surcharge=price,
        floor_price=floor_price,
        added_gfa=str(facts.get("added_gfa", "")),
        payable=format_amount(due, FEN),
        second=_second(rules, winner),
    )


def _second(rules: Rules, winner: Winner) -> str:
    """Say what was won beside the price: name, value and unit of a second item."""
    if winner.second is None or not isinstance(rules.on_cap, SecondItem):
        return ""
    item = rules.on_cap
    return f"{item.name} {format_amount(winner.second, item.ladder.scale)} {item.unit}".strip()
