"""The auction engine: one pure function over rules as data.

`advance(state, now)` applies every boundary up to `now` in time order; `apply(state, command, now)`
advances and then decides the command. So a result never depends on when, or whether, a timer fired.
Nothing here asks a clock, draws a random number or waits: the same commands at the same instants
give the same state, on any machine, in any year.

    checks.py   which commands are acceptable, in the order of spec §3
    step.py     what boundaries and accepted commands do (§§2, 4, 5, 7)
    gathered.py what bidders gather, cheap to add to
    sums.py     ladder in force, ranking, payable, draw (§§3, 4, 6)

Source: spec/auction.md; the section stands beside each step.
"""

from auction.engine.checks import refusal
from auction.engine.step import Step
from auction.engine.sums import commitment, draw, ladder, leading, next_offer, payable, ranking
from auction.model import (
    Accepted,
    BrokenInvariantError,
    Command,
    Do,
    Entered,
    Phase,
    Refused,
    Rules,
    State,
    amount_or_none,
)

__all__ = [
    "Event",
    "advance",
    "apply",
    "begin",
    "commitment",
    "draw",
    "ladder",
    "leading",
    "next_offer",
    "payable",
    "ranking",
    "running_end",
]

Event = Entered | Accepted | Refused


def begin(rules: Rules) -> State:
    """Announce a lot: the state before anything was seen."""
    opens = rules.timed.starts_at if rules.listing is None else rules.listing.opens_at
    return State(rules=rules, ends=opens)


def advance(state: State, now: int) -> tuple[State, tuple[Entered, ...]]:
    """Apply every boundary `t <= now`, in time order (spec §1).

    Args:
        state: where the auction stands.
        now: milliseconds UTC; earlier than the last time seen counts as that time.

    Returns:
        The new state, and the phases entered, each with its exact instant.
    """
    step = Step(state)
    step.advance(now)
    return step.state, tuple(step.entered)


def apply(state: State, command: Command, now: int) -> tuple[State, tuple[Event, ...]]:
    """Advance to `now`, then decide one command.

    Args:
        state: where the auction stands.
        command: what arrived; its amount, commit and nonce are any JSON value.
        now: arrival stamp of the command, milliseconds UTC.

    Returns:
        The new state, and what happened: phases entered, and last the verdict, `Accepted` or
        `Refused`. A refused command leaves the state that `advance` alone would give.

    Raises:
        BrokenInvariantError: the engine contradicts spec §8; never expected.
    """
    step = Step(state)
    step.advance(now)
    before = step.state
    amount = None
    if command.do is Do.BID:
        amount = amount_or_none(command.amount, ladder(before).scale)
    elif command.do is Do.QUOTE:
        amount = amount_or_none(command.amount, before.rules.price.scale)
    code = refusal(before, command, amount)
    if code is not None:
        return before, (*step.entered, Refused(code))
    step.accept(command, amount or 0)
    _assert_promises(before, step.state)
    return step.state, (*step.entered, Accepted(step.state.seq, running_end(step.state)))


def running_end(state: State) -> int | None:
    """Give the end of the phase that runs, ms UTC; None while suspended and when final."""
    return None if state.phase is Phase.SUSPENDED else state.ends


def _assert_promises(before: State, after: State) -> None:
    """Hold the invariants of spec §8 that one step can see, in production too."""
    broken = ""
    if after.seq != before.seq + 1:
        broken = "accepted commands are numbered without a gap"
    if before.phase is not Phase.SUSPENDED and (before.now or 0) >= (before.ends or 0):
        broken = "no command is accepted at or after the end of its phase"
    if before.phase is after.phase is Phase.TIMED and (after.ends or 0) < (before.ends or 0):
        broken = "the end of TIMED never decreases"
    old, new = before.leader, after.leader
    if new is not old and old is not None:
        better = before.rules.price.direction.better
        if new is None or not better(new.amount, old.amount):
            broken = "a leader is only outbid"
    if broken:
        raise BrokenInvariantError(f"spec §8 is broken: {broken}")
