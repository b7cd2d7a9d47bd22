"""No auction begins by a clock that is known to be wrong (design.md §3: 100 ms, or a step of the wall clock).

Nor by one of which nothing is known, where the settings ask for a known clock, as a live centre's do.

What begins is LISTING or TIMED. At the boundary the rule itself suspends the auction, before anything is decided in the
new phase, and says so in the lot's rows, in the centre's business and in the ledger. Two people resume it, as after any
suspension, once the time source is mended (`trading.service.holds` asks the clock again).

What has begun is never stopped by this: an end is decided by the rule and the journal's own stamps, which do not go
back, and a closing that waits for a clock would be worth more to a cheat than to a bidder. So it is for sealed bids too:
T closes by the rule, whatever is known about the clock, and the opening waits (`bidding.service.clockgate`).
"""

from typing import Final

from auction import engine, store
from auction.model import CENTRE, Do, Phase
from auction.writer import LotWriter
from trading.ground.clock import Clock, fit_to_open
from trading.ground.journal import Draft, Journal, Row
from trading.model import LEDGER
from trading.model import STREAM as BUSINESS

BY_RULE: Final = "clock-unfit"
REASONS: Final = {
    "unfit": "服务器时钟误差超限，按规则暂停开拍",
    "unknown": "服务器时钟未同步，误差不明，按规则暂停开拍",
}
BEGINNINGS: Final = frozenset({Phase.LISTING, Phase.TIMED})


def hold_back(writer: LotWriter, journal: Journal, now: int, clock: Clock) -> bool:
    """Suspend an auction that is about to begin by an unfit clock.

    Args:
        writer: the auction's actor.
        journal: takes the rows of the centre's business and of the ledger.
        now: ms UTC, the instant that would be decided next.
        clock: asked for its health, only at a beginning.

    Returns:
        Whether it was suspended.

    Raises:
        StorageFailed: the journal has stopped.
    """
    state = writer.book.live
    if state.ends is None or now < state.ends or state.phase.place >= Phase.TIMED.place:
        return False  # the way of nearly every offer
    health = clock.health()
    if fit_to_open(health):
        return False
    after, entered = engine.advance(state, now)
    if after.outcome is not None or not any(one.phase in BEGINNINGS for one in entered):
        return False
    fact = {"target": writer.lot, "reason": REASONS[health.standing], "by": "rule"}
    leaf = {"v": 1, "centre": journal.centre, "kind": "suspended", **fact}
    rows = [
        Draft(BUSINESS, "target.suspended", {**fact, "by_rule": BY_RULE}, now),
        Draft(LEDGER, "suspended", leaf, now),
    ]
    journal.append_nowait(rows)
    writer.decide(store.Order(CENTRE, Do.SUSPEND, now, more={"reason": BY_RULE}))
    return True


def held_already(writer: LotWriter, row: Row) -> bool:
    """Say whether a suspension by this rule has reached its auction already."""
    return "by_rule" in row.body and writer.book.live.phase is Phase.SUSPENDED
