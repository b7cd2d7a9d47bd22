"""What it means that a bidder did not answer: by regime (law.md §8), and as the record says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.opening.state import Phase
from trading.model import Regime

if TYPE_CHECKING:
    from bidding.opening.state import Bid, State

NOT_CONFIRMED = "none"
DEEMED_ACCEPTED = "deemed_accepted_absent"


def answer(state: State, bid: Bid) -> str:
    """Return confirmed, objected, none or, once the record is sealed, deemed_accepted_absent.

    Silence is never consent under 招标投标法. In government procurement a bidder who took no part is
    deemed to accept the opening (87号令 Art. 42): no sign-in, no message, no act of any kind in the hall.
    """
    if bid.answer:
        return bid.answer
    if state.terms.regime is not Regime.PROCUREMENT or state.phase is not Phase.SEALED:
        return NOT_CONFIRMED
    return NOT_CONFIRMED if took_part(state, bid) else DEEMED_ACCEPTED


def took_part(state: State, bid: Bid) -> bool:
    """Say whether a bidder came into the hall or did anything there."""
    bidder, submission = bid.line.bidder, bid.line.submission
    return (
        bidder in state.sign_ins
        or bidder in state.spoken
        or submission in state.pledges
        or submission in state.disclosed
        or bool(bid.answer)
    )
