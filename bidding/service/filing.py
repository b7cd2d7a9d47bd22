"""The dossier 归档包 of a section, written when its opening record has been issued.

Public: every event, the run of ledger leaves from the key's assignment on, the ceremony's certificate, the close list,
custodians' answers and refusals, and of every bid that was put up for opening its statement, receipt and result. Full:
also its sealed file and its opened package. A bid that was withdrawn or replaced was taken back by its bidder: its acts
stand among the events, its file is handed to nobody. So is that of an opening that failed: nothing of it was opened.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from bidding.model import CloseList, Disclosed, DisclosedBid, KeyAssign, Opened
from bidding.service.draws import commits
from bidding.service.paper import OPENING
from bidding.store import stream_of
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import unb64
from crypto.p256 import Point
from documents.dossier import Bid
from documents.filing import Case
from trading.ground.blobs import CorruptBlob

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bidding.model import OpenedBid
    from bidding.service.core import BiddingService
    from bidding.store import Book, Kept
    from documents.dossier import Source
    from documents.filing import Filer
    from trading.ground.chain import Row

LEAVES: Final = (
    "key_assign", "close_list", "control_price", "float_result", "published_bidders", "opened",
    "disclosed",
)  # fmt: skip

SPOKEN: Final = frozenset({"statement_kept", "delegation_kept", "delegation_ended"})
SIGNED_IN: Final = "signed_in_by"

_log = logging.getLogger(__name__)


class Filing:
    """Files sections.

    Args:
        service: started.
        filer: writes what is gathered here.
    """

    def __init__(self, service: BiddingService, filer: Filer) -> None:
        self._service = service
        self._filer = filer
        service.watchers.append(self._follow)

    async def start(self) -> None:
        """File what a crash left out; from now on every section when its record is issued."""
        for book in self._service.room.shelf.books.values():
            if OPENING in book.records:
                self._begin(book)

    async def stop(self) -> None:
        """End; a dossier that is being written is finished."""
        await self._filer.stop()

    def _follow(self, book: Book, row: Row) -> None:
        if row.kind == "record_issued" and row.body["kind"] == OPENING:
            self._begin(book)

    def _begin(self, book: Book) -> None:
        assert book.keyed is not None
        tender = book.keyed.tender
        wanted = max(0, len(tender.witnesses) - (tender.n - tender.t))  # design.md §2, Witnesses
        self._filer.begin(book.section, lambda: self.gather(book), wanted)

    def gather(self, book: Book) -> Case:
        """Return what is filed of a section; blocks, for a thread."""
        assert book.keyed is not None
        room, tender = self._service.room, book.keyed.tender
        assigned, closing = book.leaf(KeyAssign.PURPOSE), book.leaf(CloseList.PURPOSE)
        assert assigned is not None
        assert closing is not None
        custody: dict[str, Source] = {
            "tender.json": canonical(book.keyed.file),
            "certificate.json": canonical(dict(tender.certificate)),
            "seed.json": canonical(self._said(book, seed=room.seeds[book.section].hex())),
        }
        for kind in LEAVES:
            found = book.leaf(kind)
            if found is not None:
                custody[f"{kind}.json"] = canonical({"index": found[0], "leaf": found[1]})
        for index, one in enumerate(tender.custodians, 1):
            said = book.releases.get(one.custodian, [])
            answers = self._said(book, custodian=one.custodian, index=index, statements=said)
            custody[f"answers/{index}.json"] = canonical(answers)
        return Case(
            subject=book.section,
            stream=stream_of(book.section),
            start=assigned[0],
            witnessed=CloseList.from_leaf(closing[1], room.centre).closing_size,
            keys=self._keys(book),
            custody=custody,
            bids=self._bids(book),
        )

    def _keys(self, book: Book) -> frozenset[bytes]:
        """Keys whose issuance is shown: of every act, of every word kept of the hall, of every delegation and draw."""
        rows = self._service.room.journal.rows(stream_of(book.section))
        spoke = {
            unb64(row.body["key"])
            if row.kind == SIGNED_IN
            else statement.signer(row.body["signed"])
            for row in rows
            if row.kind in SPOKEN or row.kind == SIGNED_IN
        }
        drew = {one.key for one in commits(self._service.room, book).values()}
        return frozenset(kept.act.key for kept in book.kept.values()) | spoke | drew

    def _said(self, book: Book, **more: Any) -> dict[str, Any]:
        return {"v": 1, "centre": book.centre, "section": book.section, **more}

    def _bids(self, book: Book) -> Mapping[str, Bid]:
        bids: tuple[OpenedBid | DisclosedBid, ...] = ()
        for kind in (Opened, Disclosed):
            found = book.leaf(kind.PURPOSE)
            if found is not None:
                bids = kind.from_leaf(found[1], book.centre).bids
        return {bid.submission: self._bid(book, book.kept[bid.submission], bid) for bid in bids}

    def _bid(self, book: Book, kept: Kept, opened: OpenedBid | DisclosedBid) -> Bid:
        evidence = self._said(
            book,
            purpose="bid-evidence",
            submission=kept.act.id,
            bidder=kept.act.bidder,
            sha256=kept.act.sha256,
            size=kept.act.size,
            encapsulation=kept.act.encapsulation,
            index=kept.index,
            entry=kept.entry.to_body(),
            possession=kept.possession,
            opened=opened.to_body(),
        )
        proofs: dict[str, Source] = {"submission.json": canonical(kept.signed)}
        if kept.act.id in book.receipts:
            proofs["receipt.json"] = canonical(book.receipts[kept.act.id])
        return Bid(
            evidence,
            sealed=self._sealed(book, kept),
            plain=self._plain(book, kept, opened),
            proofs=proofs,
        )

    def _sealed(self, book: Book, kept: Kept) -> Path | None:
        try:
            return self._service.sealed_file(book.section, kept.act.id)
        except CorruptBlob:
            # The full dossier will say so itself: its check of the rendition fails, and rightly.
            _log.critical("no whole copy of the sealed file of %s is left", kept.act.id)
            return None

    def _plain(self, book: Book, kept: Kept, opened: OpenedBid | DisclosedBid) -> Path | None:
        known = book.opening.bids[kept.act.id] if book.opening else None
        if known is None or known.result not in {"opened", "remedied"}:
            return None
        found = self._service.opened_package(kept.act.id)
        if (
            found is None
        ):  # a restored home has sealed files only; the published value opens them again
            key = (
                unb64(opened.file_key)
                if isinstance(opened, DisclosedBid)
                else Point.parse(unb64(opened.dh))
            )
            self._service.run.opener.open(book, kept, key)
            found = self._service.opened_package(kept.act.id)
        return found
