"""Receipts 回执: made once for an act, as soon as its slot stands in the ledger; kept, and given again byte for byte."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bidding.model import Receipt
from bidding.rules.versions import newest
from bidding.service.trees import Grown
from crypto.section_tree import slot_salt
from crypto.tlog import checkpoint, note

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book


class Receipts:
    """The receipts of one centre's acts.

    Attributes:
        paths: act → its path in its own slot's tree; given once, in its receipt (ledger-v1 §4.6).
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.paths: dict[str, list[bytes]] = {}
        self._made: dict[str, asyncio.Task[dict[str, Any]]] = {}

    def begin(self, book: Book, act: str) -> None:
        """Make a receipt beside the caller, unless it is there or on its way."""
        if act not in book.receipts and act not in self._made:
            task = asyncio.get_running_loop().create_task(self._make(book, act))
            self._made[act] = task
            task.add_done_callback(lambda _: self._made.pop(act, None))

    async def of(self, book: Book, act: str) -> dict[str, Any]:
        """Return an act's first receipt, once it is there."""
        if act in book.receipts:
            return book.receipts[act]
        self.begin(book, act)
        # A client that goes away does not take the receipt with it.
        return await asyncio.shield(self._made[act])

    async def _make(self, book: Book, act: str) -> dict[str, Any]:
        kept = book.kept[act]
        slot = kept.entry.slot
        index = await self._room.slots.wait(slot)
        if act not in self.paths:  # the slot was committed before a restart
            for other, path in Grown(self._room.seeds[book.section]).grow(book, slot):
                self.paths[other.act.id] = path
        path = self.paths.pop(act)
        ledger = self._room.ledger
        signed_head = ledger.checkpoint()
        size = checkpoint.parse(note.Note.parse(signed_head).text).size
        bid = kept if kept.act.sha256 else book.kept[kept.act.replaces]  # what a withdrawal ends
        receipt = Receipt(
            tender=kept.signed["statement"]["tender"],
            section=book.section,
            bidder=kept.act.bidder,
            sha256=bid.act.sha256,
            size=kept.act.size,
            version=bid.signed["statement"]["version"],
            newest=newest(book.editions.values(), kept.act.arrival),
            entry=kept.entry,
            index=kept.index,
            path=tuple(node.hex() for node in path),
            salt=slot_salt(self._room.seeds[book.section], slot).hex(),
            leaf=ledger.leaf(index).decode(),
            leaf_index=index,
            inclusion=tuple(node.hex() for node in ledger.inclusion(index, size)),
            checkpoint=signed_head.decode(),
            issued=self._room.clock.now(),
        )
        signed = self._room.sign(Receipt.PURPOSE, receipt.to_body())
        if act not in book.receipts:
            body = {"id": act, "receipt": signed}
            await self._room.append(book.section, ("receipt", body), at=receipt.issued)
        return book.receipts[act]
