"""The centre's board: which custodians are awake, and red from a day before T for who is not.

A custodian is seen by its cosignatures on the ledger: only its open home can make one, so that a locked
one shows as missing. Its requests prove nothing, for anybody can make them.
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


class Board:
    """What staff and supervisor see of the custodians."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def show(self, now: int) -> dict[str, Any]:
        """Return each running section with its custodians' states.

        A state is `awake`, `stale` (not seen for a minute, more than a day before T) or `red` (the
        same, from a day before T on). `opens`: the awake ones are enough.
        """
        seen = await asyncio.to_thread(self._room.ledger.last_cosigned)
        sections = [
            self._section(book, seen, now)
            for book in self._room.shelf.books.values()
            if book.opening is not None and book.opening.phase not in ENDED
        ]
        return {"server_time": now, "sections": sorted(sections, key=lambda one: one["deadline"])}

    def _section(self, book: Book, seen: dict[str, int], now: int) -> dict[str, Any]:
        assert book.keyed is not None
        tender, near = book.keyed.tender, now >= book.deadline - WARN_MS
        custodians = []
        for index, one in enumerate(tender.custodians, 1):
            at = seen.get(one.witness)
            awake = at is not None and abs(now - at) <= STALE_MS  # a clock far off is none
            custodians.append(
                {
                    "index": index,
                    "id": one.custodian,
                    "organisation": one.organisation,
                    "seen_at": at,
                    "state": "awake" if awake else "red" if near else "stale",
                }
            )
        count = sum(one["state"] == "awake" for one in custodians)
        return {
            "section": book.section,
            "deadline": book.deadline,
            "t": tender.t,
            "n": tender.n,
            "custodians": custodians,
            "opens": count >= tender.t,
        }
