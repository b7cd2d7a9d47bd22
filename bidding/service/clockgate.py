"""No opening goes on by a clock that is known to be wrong (design.md §3: 100 ms, or a step of the wall clock).

Nor by one of which nothing is known, where the settings ask for a known clock, as a live centre's do.

T closes by the rule, whatever is known about the clock: bids were judged by the journal's own stamps, and a
closing that waits would be worth more to a cheat than to a bidder. What waits is all that follows: control price,
draw, publication, unlocking. The rule itself suspends the section right after the close, and says so in the
centre's business and in the ledger; two people resume it once the time source is mended (`trading.service.holds`
asks the clock again). `auction.service.clockgate` is the same for auctions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trading.ground.chain import Draft
from trading.ground.clock import fit_to_open
from trading.model import STREAM as BUSINESS

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book

BY_RULE: Final = "clock-unfit"
REASONS: Final = {
    "unfit": "服务器时钟误差超限，按规则暂停开标",
    "unknown": "服务器时钟未同步，误差不明，按规则暂停开标",
}


async def hold_back(room: Room, book: Book, now: int) -> bool:
    """Suspend a section whose opening is about to go on by an unfit clock.

    Args:
        room: of the service; its clock is asked.
        book: a section that has just closed.
        now: ms UTC.

    Returns:
        Whether it is suspended; then the opening is paused as by any suspension.

    Raises:
        StorageFailed: the journal has stopped.
    """
    if room.trading.section(book.section).suspended:
        return True
    health = room.clock.health()
    if fit_to_open(health):
        return False
    await suspend(room, book.section, REASONS[health.standing], BY_RULE, now)
    return True


async def suspend(room: Room, section: str, reason: str, rule: str, now: int) -> None:
    """Suspend a section by a rule, in the centre's business and in the ledger; two people resume it."""
    fact = {"target": section, "reason": reason, "by": "rule"}
    row = Draft(BUSINESS, "target.suspended", {**fact, "by_rule": rule}, now)
    await room.journal.append(row, room.ledger.draft("suspended", fact, now))
