"""Opens one sealed bid to disk, under random names, out of everybody's sight until the import."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from bidding.model import PackageError
from bidding.opening import Outcome
from bidding.package import Expected, unseal
from crypto.age.stanzas import parse_recipient
from crypto.threshold import dh_x
from trading.ground.blobs import CorruptBlob

if TYPE_CHECKING:
    from pathlib import Path

    from bidding.service.room import Room
    from bidding.store import Book, Kept
    from crypto.p256 import Point


class Opener:
    """Opens bids of one home; every call blocks and belongs in a thread."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def folder(self, submission: str) -> Path:
        """Return where a bid's files lie once it has opened."""
        return self._room.home / "opened" / submission

    def open(self, book: Book, kept: Kept, dh: Point) -> Outcome:
        """Open one bid; a failure is an outcome with its code, never an exception of the bid.

        A stored copy that differs from its hash is replaced from another copy first; only when
        all are bad is the bid lost, and that is the centre's fault.
        """
        assert book.keyed is not None
        assert kept.blob is not None
        tender = book.keyed.tender
        target = self.folder(kept.act.id)
        work = target.with_suffix(".opening")
        for left in (target, work):
            shutil.rmtree(left, ignore_errors=True)
        work.mkdir(mode=0o700, parents=True)
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
        sink = _Folder(work)
        try:
            path = self._room.blobs.verified(kept.blob)
            with path.open("rb") as sealed:
                found = unseal(
                    sealed, parse_recipient(tender.recipient), dh_x(dh), expected, sink, threads=2
                )
        except CorruptBlob:
            shutil.rmtree(work)
            return Outcome(kept.act.id, "stored-copy-corrupt")
        except PackageError as error:
            shutil.rmtree(work)
            return Outcome(kept.act.id, error.code)
        finally:
            sink.close()
        listing = [{"file": str(n), "name": f.name, "size": f.size, "sha256": f.sha256}
                   for n, f in enumerate(found.manifest.files)]  # fmt: skip
        (work / "files.json").write_text(json.dumps(listing, ensure_ascii=False), "utf-8")
        work.rename(target)
        return Outcome(kept.act.id, "opened", found.summary, found.manifest_sha256)


class _Folder:
    """A sink that writes files under numbers; names are only in the listing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._file: Any = None

    def begin(self, _name: str, _size: int) -> None:
        self._file = (self._folder / str(self._number)).open("xb", buffering=0)
        self._number += 1

    def write(self, data: memoryview) -> None:
        view = data
        while len(view):
            view = view[self._file.write(view) :]

    def end(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
