"""A gapless run of ledger leaves: proved to be in the tree, and nothing left out of it.

`frontier` names the subtrees of the tree before the run; folding the leaves on top gives the root
of every later size. One root that a witness has signed therefore proves each leaf of the run and
the absence of any other, so a postponement or a second assignment cannot be left out.

Source: RFC 6962 §2.1 (Merkle tree hash), §2.1.4 (what a frontier is: the nodes of a consistency
proof from `start`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import MalformedError
from crypto.tlog.merkle import EMPTY_ROOT, leaf_hash, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Fold:
    """The right edge of a Merkle tree, growing leaf by leaf.

    Args:
        size: number of leaves so far.
        frontier: roots of its full subtrees, largest first: one for each 1 bit of `size`.

    Raises:
        MalformedError: another number of roots.
    """

    def __init__(self, size: int = 0, frontier: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(frontier):
            raise MalformedError(
                "frontier-malformed",
                "日志前沿不符",
                "A frontier has one root for each bit of its size.",
            )
        self.size = size
        self._edge = list(frontier)

    def add(self, leaf: bytes) -> None:
        """Append one leaf, its bytes as the ledger holds them."""
        digest = leaf_hash(leaf)
        size = self.size
        while size & 1:  # two full trees of one height become one
            digest = node_hash(self._edge.pop(), digest)
            size >>= 1
        self._edge.append(digest)
        self.size += 1

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves; of no leaves, SHA-256 of nothing."""
        if not self._edge:
            return EMPTY_ROOT
        digest = self._edge[-1]
        for other in reversed(self._edge[:-1]):
            digest = node_hash(other, digest)
        return digest

    def frontier(self) -> tuple[bytes, ...]:
        """Return the roots of the full subtrees, largest first."""
        return tuple(self._edge)


def frontier_of(leaves: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the frontier of a whole tree, for those who hold all leaves."""
    fold = Fold()
    for leaf in leaves:
        fold.add(leaf)
    return fold.frontier()
