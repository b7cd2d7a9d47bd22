"""The float draw 浮动点 as the centre keeps it: who may commit, who is bound, what happens when one keeps silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.model import CloseList, FloatCommit
from bidding.rules.draw import CENTRE_PARTY, Bound, bound
from bidding.service.clockgate import suspend
from trading.model import Role

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book
    from trading.model import Section

BY_RULE: Final = "float-silent"
REASON: Final = "浮动点承诺方逾时未揭示，按规则暂停开标"


def commits(room: Room, book: Book) -> dict[str, Bound]:
    """Return who is bound: party → commitment; after the close those only that lie under the closing checkpoint."""
    assert book.keyed is not None
    closing = book.leaf(CloseList.PURPOSE)
    end = room.ledger.size if closing is None else closing[1]["closing_size"]
    placed = book.leaves.get(FloatCommit.PURPOSE, [])
    signed = [body["signed"] for index, body in placed if index < end]
    return bound(signed, book.section, book.keyed.tender.ceremony, book.centre)


def parties(room: Room, section: Section) -> tuple[str, ...]:
    """Return who may commit: the centre, the tenderer, its agent, and the supervisors known when the key is assigned."""
    state = room.trading.state
    project = state.projects[room.trading.tender(section.tender).project]
    watching = {key.organisation for key in state.keys.values() if key.role is Role.SUPERVISOR}
    return (CENTRE_PARTY, *sorted({project.tenderer, project.agent, *watching} - {""}))


async def wait(room: Room, book: Book, silent: list[str], now: int) -> None:
    """Suspend a section whose draw misses reveals, and say whose; two people resume it, or end it.

    Nothing else can be done with a nonce kept back: a draw without it would be the choice of whoever keeps it.
    """
    if not room.trading.section(book.section).suspended:
        reason = f"{REASON}：{'、'.join(room.name(party) for party in silent)}"
        await suspend(room, book.section, reason, BY_RULE, now)
