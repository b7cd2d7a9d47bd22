"""What the slots commit to: acts on their way, and a section's tree as of the end of a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.section_tree import SectionTree

if TYPE_CHECKING:
    from collections import Counter

    from bidding.store import Book, Kept


class Flight:
    """An act on its way from its arrival stamp to the journal."""

    def __init__(self, flying: Counter[int], arrival: int) -> None:
        self.arrival = arrival
        self._flying = flying
        self._slot = arrival // 1000
        self._up = True
        flying[self._slot] += 1

    def land(self) -> None:
        """Let the slot's leaf be written; twice is fine."""
        if self._up:
            self._up = False
            self._flying[self._slot] -= 1
            if not self._flying[self._slot]:
                del self._flying[self._slot]


class Grown:
    """A section's tree as of the end of a slot; it only grows."""

    def __init__(self, seed: bytes) -> None:
        self._tree = SectionTree(seed)
        self._put: set[str] = set()
        self.slot = -1
        self.root = self._tree.root()

    def grow(self, book: Book, slot: int) -> list[tuple[Kept, list[bytes]]]:
        """Put every act of slots up to `slot`; return each with its path in its own slot."""
        fresh = sorted(
            (k for k in book.kept.values() if k.act.id not in self._put and k.entry.slot <= slot),
            key=lambda kept: kept.entry.slot,
        )
        found: list[tuple[Kept, list[bytes]]] = []
        while fresh:
            now = fresh[0].entry.slot
            together = [kept for kept in fresh if kept.entry.slot == now]
            fresh = fresh[len(together) :]
            for kept in together:
                self._tree.put(kept.index, kept.entry.to_bytes(book.centre), now)
                self._put.add(kept.act.id)
            found += [(kept, self._tree.path(kept.index)) for kept in together]
            self.root = self._tree.root()
        self.slot = max(self.slot, slot)
        return found
