"""What everybody may see of an auction: the public state, drawn from a durable state of the engine.

Identities are those that rows have made public; quotes and draws show that they were made and not what they say.
"""

from typing import Any

from auction.engine import ladder, leading, next_offer, payable, ranking, running_end
from auction.engine.sums import TAKES_BIDS
from auction.model import OneShot, Phase, Rules, SecondItem, State
from auction.replay import outcome_json
from auction.replay.book import Book
from trading.ground.money import FEN, format_amount

NAMES = {
    Phase.ANNOUNCED: ("公告", "Announced"),
    Phase.LISTING: ("自由报价", "Listing"),
    Phase.FROZEN: ("报价冻结", "Frozen"),
    Phase.CONFIRMING: ("询问", "Confirming"),
    Phase.TIMED: ("限时竞价", "Timed"),
    Phase.WAITING: ("熔断等待", "Waiting"),
    Phase.ASKING: ("征询", "Asking"),
    Phase.QUOTING: ("一次报价", "One quote"),
    Phase.REVEALING: ("摇号", "Draw"),
    Phase.SECOND_ITEM: ("第二竞价", "Second item"),
    Phase.MATCHING: ("优先购买", "Matching"),
    Phase.SUSPENDED: ("中止", "Suspended"),
    Phase.SOLD: ("成交", "Sold"),
    Phase.UNSOLD: ("未成交", "No deal"),
    Phase.TERMINATED: ("终止", "Terminated"),
}


def view(book: Book, state: State) -> dict[str, Any]:
    """Draw the public state of an auction.

    Args:
        book: who sits where, as far as it is public.
        state: a durable state of the engine.
    """
    rules, rungs, lead = state.rules, ladder(state), leading(state)
    scale = rungs.scale
    least = _least(state)
    on_cap = rules.on_cap
    second = on_cap if isinstance(on_cap, SecondItem) and rungs is on_cap.ladder else None
    return {
        "lot": book.lot,
        "title": book.title,
        "mode": book.mode,
        "phase": state.phase.value,
        "phases": steps(rules, state),
        "ends_at": running_end(state),
        "best": None if lead is None else format_amount(lead.amount, scale),
        "leader": None if lead is None else lead.bidder,
        "next": None if least is None else format_amount(max(least, 0), scale),
        "increment": format_amount(rungs.increment, scale),
        "cap": None if rungs.limit is None else format_amount(rungs.limit, scale),
        "unit": second.unit if second else rules.unit,
        "direction": rungs.direction.value,
        "second_item": second.name if second else None,
        "price": _price(rules, state) if second else None,
        "reserve": book.reserve is not None,
        "rule": "append" if rules.timed.append else "reset",
        "extend_s": (second.extend if second else rules.timed.extend) // 1000,
        "slots": rules.quota.slots if rules.quota else None,
        "raise_base": rules.quota.raise_base.value if rules.quota else None,
        "total": _total(state),
        "accepted": state.seq,
        "joined": sorted(state.joined),
        "quoted": sorted(quote.bidder for quote in state.quotes),
        "standing": standing(book, state),
        "outcome": None if state.outcome is None else outcome_json(rules, state.outcome),
    }


def _least(state: State) -> int | None:
    """The least amount that would be taken now: by anybody, or under quota by all who have offered."""
    if state.rules.quota is None or not state.standing or state.phase not in TAKES_BIDS:
        return next_offer(state, "")
    return max(next_offer(state, offer.bidder) or 0 for offer in state.standing.values())


def _price(rules: Rules, state: State) -> str | None:
    """The price at its cap, while a second item is bid."""
    if state.leader is None:
        return None
    return f"{format_amount(state.leader.amount, rules.price.scale)} {rules.unit}"


def _total(state: State) -> str | None:
    """What all winners of a quota session pay together, 元; None before the result."""
    if state.outcome is None or state.rules.quota is None:
        return None
    return format_amount(sum(winner.payable or 0 for winner in state.outcome.winners), FEN)


def standing(book: Book, state: State) -> list[dict[str, Any]]:
    """Rank who leads: every holder of a quota session, else the leader alone."""
    rules = state.rules
    if rules.quota is None:
        lead = leading(state)
        if lead is None:
            return []
        known = state.outcome is not None and lead.bidder in book.seats
        holder = book.seats[lead.bidder].name if known else ""
        amount = format_amount(lead.amount, ladder(state).scale)
        alone = {"rank": 1, "paddle": lead.bidder, "parcel": "", "holder": holder}
        return [alone | {"amount": amount, "payable": None, "inside": True}]
    holders = {facts["id"]: facts["holder"] for facts in book.parcels}
    rows = []
    for rank, offer in enumerate(ranking(state), 1):
        parcel = rules.quota.parcels[offer.bidder]
        due = payable(parcel, offer.amount, rules.price.scale)
        rows.append(
            {
                "rank": rank,
                "paddle": offer.bidder,
                "parcel": parcel.id,
                "holder": holders.get(parcel.id, ""),
                "amount": format_amount(offer.amount, rules.price.scale),
                "payable": format_amount(due, FEN),
                "inside": rank <= rules.quota.slots,
            }
        )
    return rows


def steps(rules: Rules, state: State) -> list[dict[str, str]]:
    """The bar of phases that these rules lead through, with the place of now."""
    line = [Phase.ANNOUNCED]
    if rules.listing is not None:
        line += [Phase.LISTING, *([Phase.FROZEN] if rules.listing.freeze else [])]
        line += [Phase.CONFIRMING] if rules.listing.closes_at < rules.timed.starts_at else []
    line.append(Phase.TIMED)
    if state.capped_in is not None:
        if isinstance(rules.on_cap, SecondItem):
            line.append(Phase.SECOND_ITEM)
        elif rules.on_cap is not None:
            line.append(Phase.ASKING)
            line.append(Phase.QUOTING if isinstance(rules.on_cap, OneShot) else Phase.REVEALING)
    line += [Phase.MATCHING] if rules.preemption is not None else []
    line.append(state.outcome.status if state.outcome else Phase.SOLD)
    here = state.left if state.phase is Phase.SUSPENDED and state.left else state.phase
    bar = []
    for phase in line:
        zh, en = NAMES[phase]
        past = phase.place < here.place or (phase is here and here.is_final)
        place = "done" if past else "now" if phase is here else "todo"
        bar.append({"id": phase.value, "state": place, "zh": zh, "en": en})
    return bar
