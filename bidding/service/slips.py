"""Receipts on paper: drawn when their owner asks, from the signed receipt; never on a submission's way.

No record is issued and no leaf is written, for leaves can be counted before the opening: the paper's truth is the
receipt inside it. Asked again, it comes from memory while there is room, else it is drawn again and says the same.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any, Final

from bidding.model import ConflictError, Receipt
from crypto.canonical import canonical
from crypto.tlog import checkpoint, note
from documents.model import Heading, Party, ReceiptFacts
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.service.intake import Intake
    from bidding.service.room import Room
    from bidding.store import Book
    from trading.model import Actor

KEPT: Final = 64  # papers of some 200 KB in memory


class Slips:
    """Draws the receipts of one centre's bidders."""

    def __init__(self, room: Room, intake: Intake) -> None:
        self._room = room
        self._intake = intake
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def paper(self, who: Actor, section: str, act: str) -> bytes:
        """Return the signed PDF of one's own receipt; one drawing at a time for a bidder.

        Raises:
            ConflictError: `bid-unknown`, none of one's own; `no-paper`, this centre draws none.
            DocumentError: it cannot be drawn.
        """
        signed = await self._intake.receipt(who, section, act)
        if self._room.documents is None:
            raise ConflictError("no-paper", "本中心不出具纸质回执", "Take the receipt's JSON.")
        async with self._turns[who.organisation]:
            if act not in self._drawn:
                facts = self._facts(self._room.keyed(section), signed)
                at = self._room.clock.now()
                self._drawn[act] = await self._room.documents.drawn(facts, at=at)
            self._drawn.move_to_end(act)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
            return self._drawn[act]

    def _facts(self, book: Book, signed: dict[str, Any]) -> ReceiptFacts:
        head = ("v", "suite", "purpose", "centre")
        said = Receipt.from_body({k: v for k, v in signed["statement"].items() if k not in head})
        assert book.keyed is not None
        tender, trading = book.keyed.tender, self._room.trading
        seen = checkpoint.parse(note.Note.parse(said.checkpoint.encode()).text)
        owner = trading.state.organisations[said.bidder]
        day = beijing(said.issued)[:10].replace("-", "")
        heading = Heading(
            centre=self._room.centre,
            centre_name=self._room.settings.centre_name,
            ruleset=trading.tender(said.tender).ruleset[0] or self._room.settings.ruleset,
            number=f"HZ{day}-{said.entry.id[-8:].upper()}",
            issued_at=said.issued,
            ledger_origin=seen.origin,
            ledger_size=seen.size,
            ledger_root=seen.root.hex(),
        )
        return ReceiptFacts(
            heading=heading,
            tender=said.tender,
            tender_name=tender.name,
            section=said.section,
            section_name=tender.section_name,
            deadline=book.deadline,
            bidder=Party(name=owner.name, credit_code=owner.credit_code),
            act=said.entry.kind,
            id=said.entry.id,
            arrival=said.entry.arrival,
            slot=said.entry.slot,
            sha256=said.sha256,
            size=said.size,
            replaces=said.entry.replaces,
            receipt=canonical(signed).decode(),
        )
