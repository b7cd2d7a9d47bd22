"""The dossier 归档包 of an auction, written when its transcript and every deal confirmation have been issued.

Its rows hold all there is: rules, seats, delegations, signed offers with their verdicts, disclosures, the result. The
ledger's leaves show that the chain's head was committed second by second while it ran, and which keys were certified.
An auction has no sealed files: its public and its full rendition hold the same.
"""

import asyncio
from typing import Final

from auction.replay.book import STREAM
from auction.service import AuctionService
from auction.service.paper import AuctionPaper
from crypto.canonical import parse
from documents.filing import WAIT_S, Case, Filer
from trading.ground.ground import Ground
from trading.ground.ledger import STREAM as LEDGER
from trading.ground.slots import slot_of

ABSENT: Final = 2
"""Witnesses that may be missing, as for sections with the default 3 of 5 (design.md §2, Witnesses)."""

POLL_S: Final = 0.1


class Filing:
    """Files auctions.

    Args:
        service: the auctions, started.
        paper: tells when an auction's records have been issued; its `start` comes after this one's.
        filer: writes what is gathered here.
        ground: journal, ledger and slots.
    """

    def __init__(
        self, service: AuctionService, paper: AuctionPaper, filer: Filer, ground: Ground
    ) -> None:
        self._service = service
        self._filer = filer
        self._ground = ground
        paper.watch(self._begin)

    async def start(self) -> None:
        """Nothing to take up: the paper tells of every auction that has its records, also at start."""

    async def stop(self) -> None:
        """End; a dossier that is being written is finished."""
        await self._filer.stop()

    def _begin(self, lot: str) -> None:
        wanted = max(0, len(self._ground.ledger.witnesses) - ABSENT)
        self._filer.begin(lot, lambda: self.gather(lot), wanted, lambda: self._settled(lot))

    async def _settled(self, lot: str) -> int:
        """Wait until the ledger holds the head with the result; return the size it then has, or 0."""
        heads, slot = await asyncio.to_thread(self._heads, lot)
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    last = self._ground.slots.last
                    while last is not None and slot <= last:
                        index = self._ground.slots.index(slot)
                        if index is not None and self._head(index, lot) in heads:
                            return index + 1
                        slot += 1
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return 0  # no slots are written; the dossier says what there is

    def _heads(self, lot: str) -> tuple[set[str], int]:
        """Return the chain heads from the result on, and the slot of the result; blocks."""
        rows = self._service.rows(lot)
        result = next(row for row in rows if row.kind == "auction.result")
        heads = {row.chain.hex() for row in rows if row.seq >= result.seq}
        return heads, slot_of(result.at)

    def _head(self, index: int, lot: str) -> str:
        head: str = parse(self._ground.ledger.leaf(index))["lots"].get(lot, "")
        return head

    def gather(self, lot: str) -> Case:
        """Return what is filed of an auction; blocks, for a thread."""
        state = self._service.business()
        holders = {seat.holder for seat in self._service.writer(lot).book.seats.values()}
        return Case(
            subject=lot,
            stream=STREAM + lot,
            start=self._start(lot),
            last=lambda size: self._last(lot, size),
            keys=frozenset(
                k.public for k in list(state.keys.values()) if k.organisation in holders
            ),
        )

    def _last(self, lot: str, size: int) -> int:
        """Return the number of the last row whose head the first `size` leaves hold; blocks.

        What comes after (an offer that is refused because all is over) nobody could tell from what
        somebody else has written there.
        """
        rows = self._service.rows(lot)
        needle = f'"{lot}":"'.encode()
        for index in range(size - 1, -1, -1):
            text = self._ground.ledger.leaf(index)
            if needle in text and b'"kind":"slot"' in text:
                head = parse(text)["lots"][lot]
                return next((row.seq for row in rows if row.chain.hex() == head), len(rows))
        return len(rows)

    def _start(self, lot: str) -> int:
        """Return the index of the first slot that commits to the auction; without one, the ledger's end."""
        needle = f'"{lot}":"'.encode()
        index = -1
        for index, text in enumerate(self._ground.journal.texts(LEDGER)):
            if needle in text and b'"kind":"slot"' in text:
                return index
        return index + 1
