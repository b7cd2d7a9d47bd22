"""What everybody may see of an auction: the public state, drawn from a durable state of the engine.

Identities are those that rows have made public; quotes and draws show that they were made and not what they say.
"""

from typing import Any

from auction.engine import next_offer, payable, ranking, running_end
from auction.model import Offer, OneShot, Phase, Rules, SecondItem, State, Winner
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
    Phase.MATCHING: ("行使优先购买权", "Right of first refusal"),
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
    rules, least = state.rules, _least(state)
    second, lead = _second(state), _lead(state)
    rungs = second.ladder if second else rules.price
    scale = rungs.scale
    return {
        "lot": book.lot,
        "title": book.title,
        "mode": book.mode,
        "phase": state.phase.value,
        "phases": steps(rules, state, preemption=bool(book.rules.get("preemption"))),
        "ends_at": running_end(state),
        "best": None if lead is None else format_amount(lead.amount, scale),
        "leader": None if lead is None else lead.bidder,
        "next": None if least is None else format_amount(max(least, 0), scale),
        "increment": format_amount(rungs.increment, scale),
        "cap": None if rungs.limit is None else format_amount(rungs.limit, scale),
        "unit": second.unit if second else rules.unit,
        "direction": rungs.direction.value,
        "price_direction": rules.price.direction.value,
        "second_item": second.name if second else None,
        "price": _price(rules, state) if second else None,
        "reserve": book.reserve is not None,
        "preemption": _preemption(book, state),
        "rule": "append" if rules.timed.append else "reset",
        "extend_s": (second.extend if second else rules.timed.extend) // 1000,
        "slots": rules.quota.slots if rules.quota else None,
        "raise_base": rules.quota.raise_base.value if rules.quota else None,
        "total": _total(state),
        "accepted": state.seq,
        "joined": sorted(state.joined),
        "quoted": sorted(state.quotes),
        "standing": standing(book, state),
        "outcome": None if state.outcome is None else outcome_json(rules, state.outcome),
    }


def _chosen(state: State) -> Winner | None:
    """Who wins alone, or would unless a right of first refusal is used; None under quota and before."""
    if state.rules.quota is not None:
        return None
    winners = state.outcome.winners if state.outcome else ()
    return winners[0] if winners else None if state.outcome else state.matching


def _second(state: State) -> SecondItem | None:
    """The second item while it is what is bid, or what was won beside the price."""
    on_cap, chosen = state.rules.on_cap, _chosen(state)
    if not isinstance(on_cap, SecondItem) or state.capped_in is None:
        return None
    return None if chosen is not None and chosen.second is None else on_cap


def _lead(state: State) -> Offer | None:
    """Who leads on the ladder that is shown, and once that is settled who wins."""
    second, chosen = _second(state), _chosen(state)
    if chosen is not None:
        amount = chosen.amount if chosen.second is None else chosen.second
        return Offer(chosen.bidder, amount, state.seq)
    return state.second if second else state.leader


def _preemption(book: Book, state: State) -> dict[str, Any] | None:
    """What the rules say of 优先购买权, and with the result who held it; a paddle before would name its holder."""
    said = book.rules.get("preemption")
    if not said:
        return None
    names = [holder["name"] for holder in said["holders"]]
    held = None if state.outcome is None else sorted(book.rights)
    return {**said, "holders": names, "held": held}


def _least(state: State) -> int | None:
    """The least amount that would be taken now: by anybody, or under quota by all who have offered."""
    if state.rules.quota is None or state.leader is None:
        return next_offer(state, "")
    return next_offer(state, state.leader.bidder)  # nobody has to offer more than who leads


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
        lead, second = _lead(state), _second(state)
        if lead is None:
            return []
        known = state.outcome is not None and lead.bidder in book.seats
        holder = book.seats[lead.bidder].name if known else ""
        amount = format_amount(lead.amount, (second.ladder if second else rules.price).scale)
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


def steps(rules: Rules, state: State, *, preemption: bool = False) -> list[dict[str, str]]:
    """The bar of phases that these rules lead through, with the place of now.

    Args:
        rules: of the auction.
        state: a durable state.
        preemption: whether the rules know of 优先购买权; that a holder takes part must not show.
    """
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
    line += [Phase.MATCHING] if preemption else []
    line.append(state.outcome.status if state.outcome else Phase.SOLD)
    here = state.left if state.phase is Phase.SUSPENDED and state.left else state.phase
    bar = []
    for phase in line:
        zh, en = NAMES[phase]
        past = phase.place < here.place or (phase is here and here.is_final)
        place = "done" if past else "now" if phase is here else "todo"
        bar.append({"id": phase.value, "state": place, "zh": zh, "en": en})
    return bar
