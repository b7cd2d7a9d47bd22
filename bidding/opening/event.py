"""What a step gives back, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from bidding.model import ConflictError, LateError, UnknownError
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.opening.state import Bid, Phase, State


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a journal kind and a JSON body. `at` is kept beside it by the journal."""

    kind: str
    body: dict[str, Any]


def enter(state: State, phase: Phase, at: int) -> State:
    """Return the state with its next phase begun."""
    return replace(state, phase=phase, phases=(*state.phases, (phase, at)))


def require(state: State, phase: Phase) -> None:
    """Refuse a command in any other phase.

    Raises:
        ConflictError: `opening-phase`.
    """
    if state.phase is not phase:
        wrong_phase(state, phase)


def wrong_phase(state: State, wanted: Phase) -> NoReturn:
    """Refuse: it belongs to another phase."""
    conflict(
        "opening-phase", "开标阶段不符", f"This belongs to phase {wanted}; it is {state.phase} now."
    )


def late(end: int) -> LateError:
    """Return the error for what comes at the end of its window or after it."""
    return LateError("opening-window-over", "时限已过", f"It ended at {beijing(end)} 北京时间.")


def conflict(code: str, title: str, detail: str) -> NoReturn:
    """Refuse with a stable code."""
    raise ConflictError(code, title, detail)


def bid_of(state: State, bidder: str) -> Bid:
    """Return the listed bid of a bidder.

    Raises:
        UnknownError: `not-listed`.
    """
    bid = state.of_bidder(bidder)
    if bid is None:
        raise UnknownError("not-listed", "不在投标人名单上", "This bidder has no bid on the list.")
    return bid
