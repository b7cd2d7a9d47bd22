"""What the engine computes: the ladder in force, the least next offer, ranking, payable, the draw.

Source: spec/auction.md §§3, 4, 6.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, assert_never

from auction.model import Ladder, Offer, Parcel, Phase, RaiseBase, SecondItem, State

TAKES_BIDS = frozenset({Phase.LISTING, Phase.TIMED, Phase.SECOND_ITEM})


def ladder(state: State) -> Ladder:
    """Give the ladder that a bid is about: from the cap on, that of a second item (spec §4)."""
    on_cap = state.rules.on_cap
    if state.capped_in is not None and isinstance(on_cap, SecondItem):
        return on_cap.ladder
    return state.rules.price


def leading(state: State) -> Offer | None:
    """Give the offer that leads on the ladder of the running phase; a second ladder starts without."""
    return state.second if state.phase is Phase.SECOND_ITEM else state.leader


def next_offer(state: State, bidder: str) -> int | None:
    """Give the least (for `down`, the highest) amount that check 8 would take from a bidder now.

    Returns:
        An integer at the scale of the ladder in force; where the cap is nearer than the increment,
        the cap. None where the phase takes no bids.
    """
    if state.phase not in TAKES_BIDS:
        return None
    if state.rules.quota is not None:
        return quota_base(state, bidder) + state.rules.price.increment
    rungs, leader = ladder(state), leading(state)
    offer = rungs.next_offer(leader.amount if leader else None)
    beyond = rungs.limit is not None and rungs.direction.better(offer, rungs.limit)
    return rungs.limit if beyond else offer


def quota_base(state: State, holder: str) -> int:
    """Give what a holder's next surcharge must exceed by the increment: 0 for its first (spec §6)."""
    quota, leader, own = state.rules.quota, state.leader, state.standing.get(holder)
    if quota is None or leader is None or own is None:
        return 0
    match quota.raise_base:
        case RaiseBase.GLOBAL_HIGH:
            return leader.amount  # standing surcharges only rise: nobody's is above it
        case RaiseBase.OWN_HIGH:
            return own.amount
        case RaiseBase.CUTOFF:
            full = len(state.inside) == quota.slots
            return max(own.amount, state.inside[-1].amount if full else 0)
        case _:
            assert_never(quota.raise_base)


def ranking(state: State) -> list[Offer]:
    """Rank the standing surcharges: higher first, then the earlier accepted (spec §6)."""
    return sorted(state.standing.values(), key=_rank)


def placed(state: State, offer: Offer, slots: int) -> tuple[Offer, ...]:
    """Give the first `slots` of the ranking with an offer that takes the place of its bidder's own before it."""
    ranked, own = list(state.inside), state.standing.get(offer.bidder)
    if own is not None:
        place = bisect_left(ranked, _rank(own), key=_rank)
        del ranked[place : place + 1]  # nothing is there where it was not among them
    insort(ranked, offer, key=_rank)
    return tuple(ranked[:slots])


def _rank(offer: Offer) -> tuple[int, int]:
    return -offer.amount, offer.seq


def payable(parcel: Parcel, surcharge: int, scale: int) -> int:
    """Compute what a winner of a quota session pays (spec §6).

    Args:
        parcel: its parcel, areas and prices in millionths.
        surcharge: 元/㎡ in units of 10^-scale.
        scale: 0 to 6.

    Returns:
        `(start_floor_price + surcharge) x added_gfa` in 分, half up only where it does not come
        out even.
    """
    floor_price = parcel.start_floor_price + surcharge * int(10 ** (6 - scale))
    return (floor_price * parcel.added_gfa + 5 * 10**9) // 10**10  # 10^-12 元 to 10^-2 元


def commitment(nonce: Any) -> str:
    """Commit to a nonce: lower-case hex SHA-256 of its UTF-8 bytes (spec §4).

    What is no text in UTF-8 (no string, an unpaired surrogate) commits to nothing, the empty string.
    """
    try:
        return sha256(nonce.encode()).hexdigest() if isinstance(nonce, str) else ""
    except UnicodeEncodeError:
        return ""


def draw(lot: str, nonces: Mapping[str, str]) -> str:
    """Draw one bidder of a lottery 摇号 from the nonces of all who revealed (spec §4).

    Args:
        lot: id of the lot.
        nonces: by bidder, at least one.
    """
    names = sorted(nonces)
    text = "|".join([lot, *(f"{name}:{nonces[name]}" for name in names)])
    seed = sha256(text.encode()).digest()
    bound = 2**256 - 2**256 % len(names)  # beyond it the remainder would favour the first names
    turn = 0
    while (value := _roll(seed, turn)) >= bound:
        turn += 1
    return names[value % len(names)]


def _roll(seed: bytes, turn: int) -> int:
    return int.from_bytes(sha256(seed + turn.to_bytes(4, "big")).digest(), "big")
