"""The board: which custodians are awake, and red from a day before T for who is not.

A custodian is seen by its cosignatures on the ledger: only its open home can make one, so that a locked
one shows as missing. Its requests prove nothing, for anybody can make them. All of it follows from what the
ledger shows to everybody, so the board is everybody's; of a tender that is not announced it says nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bidding.opening.state import ENDED

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book

STALE_MS: Final = 60_000  # six refreshes of a custodian's witness
WARN_MS: Final = 86_400_000  # a day before T there is time to wake somebody
_REPLIES: Final = {
    "answered": "answered",
    "late": "answered",
    "wrong": "wrong",
    "refused": "refused",
}


class Board:
    """What everybody sees of the custodians of announced sections."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def show(self, now: int) -> dict[str, Any]:
        """Return each running section with its custodians' states, nearest T first.

        A state is `awake`, `stale` (not seen for a minute, more than a day before T) or `red` (the
        same, from a day before T on); from its first answer on `answered`, `wrong` or `refused`.
        `opens`: those awake or answered are enough. `evidence`: how many keys are shown to have
        signed two histories.
        """
        seen = await asyncio.to_thread(self._room.ledger.last_cosigned)
        sections = [
            self._section(book, seen, now)
            for book in self._room.shelf.books.values()
            if book.opening is not None
            and book.opening.phase not in ENDED
            and self._announced(book)
        ]
        return {
            "server_time": now,
            "evidence": len(self._room.ledger.evidence()),
            "sections": sorted(sections, key=lambda one: one["deadline"]),
        }

    def _announced(self, book: Book) -> bool:
        assert book.keyed is not None
        return self._room.trading.tender(book.keyed.tender.tender).published_at is not None

    def _section(self, book: Book, seen: dict[str, int], now: int) -> dict[str, Any]:
        assert book.keyed is not None
        assert book.opening is not None
        tender, near = book.keyed.tender, now >= book.deadline - WARN_MS
        custodians = []
        for index, one in enumerate(tender.custodians, 1):
            at = seen.get(one.witness)
            awake = at is not None and abs(now - at) <= STALE_MS  # a clock far off is none
            reply = book.opening.replies.get(one.custodian)
            state = "awake" if awake else "red" if near else "stale"
            custodians.append(
                {
                    "index": index,
                    "id": one.custodian,
                    "organisation": one.organisation,
                    "seen_at": at,
                    "state": _REPLIES.get(reply.status, state) if reply else state,
                }
            )
        count = sum(one["state"] in {"awake", "answered"} for one in custodians)
        return {
            "section": book.section,
            "name": f"{tender.name} · {tender.section_name}",
            "deadline": book.deadline,
            "t": tender.t,
            "n": tender.n,
            "custodians": custodians,
            "opens": count >= tender.t,
        }
