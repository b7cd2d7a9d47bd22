"""The head of a hall's chain enters the ledger, so that nobody writes its history anew afterwards.

From the publication of the bidders on: when something has happened in a slot, its end writes a leaf with the newest
head; and where a row comes in a later slot, before that leaf could be written (after a crash, or a slow second), the
head before it goes into the ledger with it. Before the publication there is none, for its number tells how many bid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.model.hall import HallHead
from bidding.store.book import PREFIX, stream_of
from trading.ground.slots import slot_end, slot_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bidding.store import Book
    from trading.ground.chain import Draft, Row
    from trading.ground.clock import Clock
    from trading.ground.journal import Journal
    from trading.ground.ledger import Ledger
    from trading.ground.timers import Timers

PUBLISHED: Final = "published"


class HallHeads:
    """Heads of one centre's halls.

    Args:
        journal: is followed.
        ledger: takes the leaves.
        clock: says which slots are over.
        timers: wake at their ends.
        books: what the journal holds so far.
    """

    def __init__(
        self,
        journal: Journal,
        ledger: Ledger,
        clock: Clock,
        timers: Timers,
        books: Iterable[tuple[str, Book]],
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._timers = timers
        self._live: dict[str, int] = {}  # section → instant of its last row
        self._told: dict[str, int] = {}  # section → number of the row in its last leaf
        for section, book in books:
            if any(kind == PUBLISHED for kind, _, _ in book.events):
                self._live[section] = book.events[-1][2]
        for row in journal.rows("ledger", kind=HallHead.PURPOSE) if self._live else ():
            self._told[row.body["section"]] = row.body["seq"]
        journal.listen(self._follow)
        journal.on_resume(self._again)

    def start(self) -> None:
        """Write what a crash left out."""
        for section in self._live:
            self._arm(section)

    def head(self, section: str) -> tuple[int, str] | None:
        """Return number and chain hash, hex, of a hall's last row; None before its bidders are published."""
        if section not in self._live:
            return None
        seq, chain = self._journal.head(stream_of(section))
        return seq, chain.hex()

    def before(self, section: str, at: int) -> list[Draft]:
        """Return the leaf that must go in before a row of a later slot; mostly there is none.

        Args:
            section: its id.
            at: of the row to come, ms UTC.
        """
        since = self._live.get(section)
        return [] if since is None or slot_of(since) >= slot_of(at) else self._due(section, at)

    async def write(self, section: str) -> None:
        """Put the newest head into the ledger, unless it is there."""
        drafts = self._due(section, self._clock.now())
        if drafts:
            await self._journal.append(*drafts)

    def _due(self, section: str, at: int) -> list[Draft]:
        found = self.head(section)
        if found is None or found[0] <= self._told.get(section, 0):
            return []
        self._told[section] = found[0]
        leaf = HallHead(section=section, seq=found[0], chain=found[1])
        return [self._ledger.draft(leaf.PURPOSE, leaf.to_body(), at)]

    def _follow(self, row: Row) -> None:
        if not row.stream.startswith(PREFIX):
            return
        section = row.stream.removeprefix(PREFIX)
        if row.kind == PUBLISHED or section in self._live:
            self._live[section] = row.at
            self._arm(section)

    def _arm(self, section: str) -> None:
        key = f"hall-head:{section}"
        if key not in self._timers.pending():

            async def wake() -> None:
                await self.write(section)

            self._timers.at(slot_end(slot_of(self._clock.now())), wake, key)

    def _again(self) -> None:
        """After a storage error: whether a leaf went in is what the journal says."""
        self._told = {
            row.body["section"]: row.body["seq"]
            for row in self._journal.rows("ledger", kind=HallHead.PURPOSE)
        }
        self.start()
