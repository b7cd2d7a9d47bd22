"""Opens one sealed bid to disk, out of everybody's sight until the import.

What is kept is the package itself, `opened/<submission>/package.tar`, byte for byte as the bidder
packed it: nothing is stored under a name that a bidder chose. A listing beside it says what is in it.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Final

from bidding.model import PackageError
from bidding.opening import Outcome
from bidding.package import Expected, unseal, unseal_disclosed
from crypto.age.stanzas import parse_recipient
from crypto.threshold import dh_x
from trading.ground.blobs import CorruptBlob
from trading.ground.problems import StorageFailed

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from bidding.service.room import Room
    from bidding.store import Book, Kept
    from crypto.p256 import Point

PACKAGE: Final = "package.tar"
LISTING: Final = "files.json"


class Opener:
    """Opens bids of one home; every call blocks and belongs in a thread."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def package(self, submission: str) -> Path | None:
        """Return the opened package of a bid, or None if it has not opened."""
        path = self._room.home / "opened" / submission / PACKAGE
        return path if path.exists() else None

    def open(self, book: Book, kept: Kept, key: Point | bytes) -> Outcome:
        """Open one bid; a failure is an outcome with its code, never an exception of the bid.

        A stored copy that differs from its hash is replaced from another copy first; only when
        all are bad is the bid lost, and that is the centre's fault.

        Args:
            book: of the section.
            kept: the bid.
            key: the custodians' combined point, or the file key that its bidder handed over.

        Raises:
            StorageFailed: our disk refused; the opening is tried again.
        """
        assert kept.blob is not None
        target = self._room.home / "opened" / kept.act.id
        work = target.with_suffix(".opening")
        for left in (target, work):
            shutil.rmtree(left, ignore_errors=True)
        try:
            work.mkdir(mode=0o700, parents=True)
            outcome, listing = self._unseal(book, kept, key, work)
            if outcome.code == "opened":
                (work / LISTING).write_text(listing, "utf-8")
                work.rename(target)
            else:
                shutil.rmtree(work)
        except OSError as error:
            raise StorageFailed("A bid could not be written when it was opened.") from error
        return outcome

    def _unseal(
        self, book: Book, kept: Kept, key: Point | bytes, work: Path
    ) -> tuple[Outcome, str]:
        assert book.keyed is not None
        assert kept.blob is not None
        tender = book.keyed.tender
        expected = Expected(
            centre=self._room.centre,
            tender=tender.tender,
            section=tender.section,
            bidder=kept.act.bidder,
            parties=kept.act.parties,
            key=kept.act.key,
            fields=tender.summary_fields,
            limits=tender.limits,
        )
        recipient = parse_recipient(tender.recipient)
        try:
            path = self._room.blobs.verified(kept.blob)
            with path.open("rb") as sealed, (work / PACKAGE).open("xb", buffering=0) as package:
                copy, sink = _Whole(package).write, _Elsewhere()
                if isinstance(key, bytes):
                    found = unseal_disclosed(sealed, key, expected, sink, threads=2, copy=copy)
                else:
                    found = unseal(
                        sealed, recipient, dh_x(key), expected, sink, threads=2, copy=copy
                    )
                os.fsync(package.fileno())
        except CorruptBlob:
            return Outcome(kept.act.id, "stored-copy-corrupt"), ""
        except PackageError as error:
            return Outcome(kept.act.id, error.code), ""
        listing = [file.to_body() for file in found.manifest.files]
        outcome = Outcome(kept.act.id, "opened", found.summary, found.manifest_sha256)
        return outcome, json.dumps(listing, ensure_ascii=False)


class _Whole:
    """A file whose write takes all it is given."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def write(self, data: memoryview) -> None:
        view = data
        while len(view):
            view = view[self._file.write(view) or 0 :]


class _Elsewhere:
    """A sink for files that are kept inside the package."""

    def begin(self, name: str, size: int) -> None:
        """Nothing to prepare."""

    def write(self, data: memoryview) -> None:
        """The package already has it."""

    def end(self) -> None:
        """Nothing to close."""
