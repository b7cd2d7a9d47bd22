"""A gapless run of leaves at the end of a tree: one path proves them all, and that none was left out.

The left siblings on the path of the first leaf are the full subtrees before it (its frontier); folding the leaves on
top gives the root of every later size. One signed root therefore proves each leaf of the run and the absence of any
other, at one hash per leaf.

Source: RFC 6962 §2.1 (Merkle tree hash), §2.1.1 (audit paths), §2.1.4 (a frontier is what a consistency proof names).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.errors import FormatError, ProofError
from crypto.tlog.merkle import EMPTY_ROOT, leaf_hash, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Fold:
    """The right edge of a Merkle tree, growing leaf by leaf.

    Args:
        size: number of leaves so far.
        frontier: roots of its full subtrees, largest first: one for each 1 bit of `size`.

    Raises:
        FormatError: another number of roots.
    """

    def __init__(self, size: int = 0, frontier: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(frontier):
            raise FormatError(f"a frontier of {size} leaves has {size.bit_count()} roots")
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


def frontier(index: int, size: int, path: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the roots of the full subtrees before a leaf, largest first, from its inclusion path.

    The left siblings on a leaf's path cover exactly the leaves before it, in subtrees of falling
    powers of two: one for each 1 bit of the index (the walk is that of RFC 9162 §2.1.3.2).

    Args:
        index: of the leaf.
        size: of the tree.
        path: its audit path, from the sibling up.

    Raises:
        FormatError: the path does not fit the index.
    """
    left = []
    position, last = index, size - 1
    for sibling in path:
        if position & 1 or position == last:
            left.append(sibling)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        position >>= 1
        last >>= 1
    if len(left) != index.bit_count():
        raise FormatError(f"the path of leaf {index} does not fit its place")
    return tuple(reversed(left))


def frontier_before(old: int, size: int, proof: Sequence[bytes], root: bytes) -> tuple[bytes, ...]:
    """Return the frontier of an earlier tree whose root is known, from a consistency proof.

    The hashes that a verifier folds into the earlier root are exactly its full subtrees (the walk is that of
    RFC 9162 §2.1.4.2). They are folded again here, so what is returned is that tree's frontier and no other.

    Args:
        old: its size, at least 1.
        size: of the later tree that the proof leads to, above `old`.
        proof: as `Tree.consistency_proof` gives it.
        root: of the earlier tree.

    Raises:
        ProofError: the proof does not lead back to that root.
    """
    if old & (old - 1) == 0:
        return (root,)
    position, last = old - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    left = list(proof[:1])
    for digest in proof[1:]:
        if position & 1 or position == last:
            left.append(digest)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        position >>= 1
        last >>= 1
    edge = tuple(reversed(left))
    if len(edge) != old.bit_count() or Fold(old, edge).root() != root:
        raise ProofError(f"the proof does not lead back to the tree of {old} leaves")
    return edge


def frontier_of(leaves: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the frontier of a whole tree, for those who hold all leaves."""
    fold = Fold()
    for leaf in leaves:
        fold.add(leaf)
    return fold.frontier()
