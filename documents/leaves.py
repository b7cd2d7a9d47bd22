"""The ledger leaves of a dossier (`leaves.jsonl`), checked line by line in constant memory.

A leaf with a path is proved by it. Those without are the run that ends at the checkpoint: folded on top of the last
leaf with a path they must give the checkpoint's root (docs/spec/dossier-v1.md §2).
"""

from __future__ import annotations

from typing import Any

from crypto.canonical import canonical, parse
from crypto.encoding import unb64
from crypto.tlog.fold import Fold, frontier
from crypto.tlog.merkle import leaf_hash, verify_inclusion
from documents.model import DocumentError


class Leaves:
    """Checks leaves under one checkpoint.

    Args:
        size, root: what the checkpoint says.
    """

    def __init__(self, size: int, root: bytes) -> None:
        self._size, self._root = size, root
        self._count, self._last = 0, -1
        self._proved: tuple[bytes, list[bytes]] | None = None
        self._fold: Fold | None = None

    def add(self, line: bytes) -> None:
        """Take one line, line end included.

        Raises:
            DocumentError: it is not in its form, or out of order.
            CryptoError: its path does not lead to the root.
        """
        value = parse(line.removesuffix(b"\n"))
        if not self._in_form(value, line):
            raise DocumentError(
                f"line {self._count + 1} of leaves.jsonl is not in its form or order"
            )
        index, leaf = value["index"], canonical(value["leaf"])
        if "path" in value:
            path = [unb64(one) for one in value["path"]]
            verify_inclusion(index, self._size, leaf_hash(leaf), path, self._root)
            self._proved = leaf, path
        else:
            self._folding().add(leaf)
        self._count, self._last = self._count + 1, index

    def end(self) -> int:
        """Return the number of leaves after the last one.

        Raises:
            DocumentError: the leaves without a path do not give the checkpoint's root.
        """
        fold = self._fold
        if fold is not None and (fold.size, fold.root()) != (self._size, self._root):
            raise DocumentError(
                f"the leaves up to {self._last} do not fold to the checkpoint of {self._size}"
            )
        return self._count

    def _in_form(self, value: Any, line: bytes) -> bool:
        if not isinstance(value, dict) or canonical(value) + b"\n" != line:
            return False
        index = value.get("index")
        if type(index) is not int or not self._last < index < self._size:
            return False
        if value.keys() == {"index", "leaf", "path"}:
            return self._fold is None
        follows = self._proved is not None and index == self._last + 1
        return value.keys() == {"index", "leaf"} and follows

    def _folding(self) -> Fold:
        """Return the fold; begun at the last leaf that has a path."""
        if self._fold is None:
            assert self._proved is not None
            leaf, path = self._proved
            self._fold = Fold(self._last, frontier(self._last, self._size, path))
            self._fold.add(leaf)
        return self._fold
