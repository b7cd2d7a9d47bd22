"""How the auctions come back at a start: from their snapshots and their rows.

Every chain has been verified when this runs. An auction with a snapshot that fits its chain is
folded from there on, any other from its announcement.
"""

import asyncio
from dataclasses import dataclass

from auction import store
from auction.replay.book import STREAM, Book, copied
from auction.replay.closed import Opener, by_key
from auction.writer import Heads, LotWriter
from auction.writer.heard import Heard
from auction.writer.memory import Memory, Remembered
from crypto.encoding import unb64
from trading.ground.journal import Journal, Row
from trading.ground.private import Private

RECALLED = 200
"""Rows of each auction that a hall recalls after a restart, for its feed and its ladder."""

WORTH_KEEPING = 500
"""Rows since the last snapshot for which an orderly stop takes another."""

WORTH_HASTE = 10_000
"""Rows folded at a start for which a snapshot is taken at once."""


@dataclass(slots=True)
class Folded:
    """One auction as it came back.

    Attributes:
        key: its closing key.
        newest: its newest rows, for the hall.
        fresh: rows that were folded, for want of a newer snapshot.
    """

    book: Book
    heads: Heads
    heard: Heard
    key: bytes
    newest: list[Row]
    fresh: int = 0


def load(
    journal: Journal, private: Private, memory: Memory
) -> tuple[dict[str, Folded], store.Loaded]:
    """Bring every auction back.

    Raises:
        JournalError: a row does not follow from those before it.
        StorageFailed: the journal cannot be read.
    """
    folded: dict[str, Folded] = {}
    opens: dict[str, Opener] = {}

    def opener(row: Row) -> Opener:
        lot = row.stream.removeprefix(STREAM)
        kept = private.get(row.body["closing_ref"])
        key = unb64(kept) if kept else bytes(32)
        folded[lot] = Folded(Book(), Heads(), Heard(), key, [])
        opens[lot] = by_key(key)
        return opens[lot]

    def recall(lot: str) -> Book | None:
        one = folded[lot]
        found = memory.recall(lot, one.key, opens[lot])
        if found is None or not fits(journal, found.book):
            return None
        one.heads, one.heard = found.heads, found.heard
        return found.book

    def fold(row: Row) -> None:
        lot = row.stream.removeprefix(STREAM)
        folded[lot].heard.fold(row, opens[lot])
        folded[lot].heads.note(row)
        folded[lot].fresh += 1

    loaded = store.load(journal, opener, fold, recall)
    for lot, book in loaded.books.items():
        first = max(0, book.seq - RECALLED)
        folded[lot].book = book
        folded[lot].newest = list(journal.rows(STREAM + lot, after_seq=first))
    return folded, loaded


def fits(journal: Journal, book: Book) -> bool:
    """Say whether the journal holds the row after which a book was remembered."""
    if book.seq < 1:
        return False
    row = next(iter(journal.rows(STREAM + book.lot, after_seq=book.seq - 1)), None)
    return row is not None and (row.seq, row.chain) == (book.seq, book.chain)


class Remembering:
    """Keeps snapshots of auctions, beside the event loop.

    Args:
        memory: where they are kept.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._followed: dict[str, tuple[LotWriter, Heard, bytes]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, writer: LotWriter, heard: Heard, key: bytes) -> None:
        """Keep a snapshot whenever the writer says that one is due, and at an orderly stop."""
        self._followed[writer.lot] = (writer, heard, key)

        def due(book: Book) -> None:
            # Soon: the offers of the same commit are noted as heard by then.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._keep, Remembered(book, writer.heads, heard), key)

        writer.remember = due if self._memory.keeps else None
        self._keep_rest(WORTH_HASTE, writer)

    async def stop(self) -> None:
        """Keep what an orderly stop leaves behind, and wait for what is being kept."""
        for writer, _, _ in self._followed.values():
            self._keep_rest(WORTH_KEEPING, writer)
        self._followed.clear()
        if self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _keep_rest(self, rows: int, writer: LotWriter) -> None:
        """Keep an auction at rest that has so many rows behind its snapshot."""
        if writer.fresh >= rows and not writer.stopped and not writer.in_flight:
            _, heard, key = self._followed[writer.lot]
            writer.fresh = 0
            self._keep(Remembered(copied(writer.book), writer.heads, heard), key)

    def _keep(self, remembered: Remembered, key: bytes) -> None:
        lot = remembered.book.lot
        if lot in self._tasks or not self._memory.keeps:
            return  # the one before is still on its way; another will be due
        data = remembered.to_bytes()
        task = self._tasks[lot] = asyncio.get_running_loop().create_task(
            asyncio.to_thread(self._memory.keep, lot, key, data), name="auction-memory"
        )
        task.add_done_callback(lambda _: self._tasks.pop(lot, None))
