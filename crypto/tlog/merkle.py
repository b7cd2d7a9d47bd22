"""RFC 6962 Merkle trees: append in O(log n), any root and any proof from stored hashes.

Source: RFC 6962 §2.1; verification as RFC 9162 §2.1.3.2 and §2.1.4.2 write it out.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Self

from crypto.errors import FormatError, ProofError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of a tree without leaves."""
MAX_SIZE: Final = 2**63 - 1


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf's bytes: SHA-256(00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbouring subtrees: SHA-256(01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only tree that keeps the hash of every full subtree, 64 bytes per leaf in all.

    ``levels[h]`` holds, one after the other, the hashes of the full subtrees of 2^h leaves.
    """

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @classmethod
    def of(cls, leaf_hashes: Iterable[bytes]) -> Self:
        """Return the tree of these leaf hashes."""
        tree = cls()
        for digest in leaf_hashes:
            tree.append(digest)
        return tree

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_SIZE

    def add(self, data: bytes) -> int:
        """Append a leaf by its bytes and return its index."""
        return self.append(leaf_hash(data))

    def append(self, digest: bytes) -> int:
        """Append a leaf by its hash and return its index.

        Raises:
            FormatError: not 32 bytes.
        """
        if len(digest) != HASH_SIZE:
            raise FormatError("a leaf hash has 32 bytes")
        index = position = self.size
        level = 0
        self._levels[0] += digest
        while position & 1:  # a right sibling completes its parent
            left = self.hash_at(level, position - 1)
            digest = node_hash(left, digest)
            level += 1
            position >>= 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += digest
        return index

    def hash_at(self, level: int, position: int) -> bytes:
        """Return the hash of the full subtree over leaves [position·2^level, (position+1)·2^level).

        Raises:
            FormatError: that subtree is not full, or does not exist.
        """
        if 0 <= level < len(self._levels) and position >= 0:
            start = position * HASH_SIZE
            digest = bytes(self._levels[level][start : start + HASH_SIZE])
            if digest:
                return digest
        raise FormatError(f"the tree has no full subtree {position} at level {level}")

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves, by default all of them.

        Raises:
            FormatError: the tree is smaller.
        """
        size = self._bounded(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of a leaf in the tree of the first ``size`` leaves (§2.1.1).

        Raises:
            FormatError: there is no such leaf in a tree of that size.
        """
        size = self._bounded(size)
        if not 0 <= index < size:
            raise FormatError(f"there is no leaf {index} in a tree of {size}")
        path = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin = middle
        return path[::-1]

    def consistency_proof(self, old: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the first ``old`` leaves begin the tree of ``size`` (§2.1.2).

        Args:
            old: earlier size; for 0 and for ``size`` itself the proof is empty.
            size: later size, by default all leaves.

        Raises:
            FormatError: the sizes are out of order or out of range.
        """
        size = self._bounded(size)
        if not 0 <= old <= size:
            raise FormatError(f"a tree of {old} leaves is no beginning of one of {size}")
        if old in {0, size}:
            return []
        path = []
        begin, end = 0, size
        whole = True  # whether [begin, old) is a full subtree of the old tree known to everyone
        while end != old:
            middle = begin + _split(end - begin)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin, whole = middle, False
        if not whole:
            path.append(self._range(begin, end))
        return path[::-1]

    def _bounded(self, size: int | None) -> int:
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise FormatError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _range(self, begin: int, end: int) -> bytes:
        """Return MTH(D[begin:end]) for a range that starts a subtree of the RFC's recursion."""
        count = end - begin
        if count & (count - 1) == 0:
            return self.hash_at(count.bit_length() - 1, begin // count)
        middle = begin + _split(count)
        return node_hash(self._range(begin, middle), self._range(middle, end))


def all_proofs(leaf_hashes: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Return root and audit paths of all leaves at once, cheaper than one by one (§2.1, §2.1.1).

    A last node without a neighbour moves up as it is: the tree of the RFC's recursion.
    """
    if not leaf_hashes:
        return EMPTY_ROOT, []
    levels = []
    level = list(leaf_hashes)
    while len(level) > 1:
        levels.append(level)
        odd = level[-1:] if len(level) & 1 else []
        level = [node_hash(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)] + odd
    paths = []
    for index in range(len(leaf_hashes)):
        places = ((nodes, (index >> height) ^ 1) for height, nodes in enumerate(levels))
        paths.append([nodes[place] for nodes, place in places if place < len(nodes)])
    return level[0], paths


def verify_inclusion(
    index: int, size: int, digest: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash stands at an index of a tree; returning means it does.

    Args:
        index: zero-based.
        size: number of leaves.
        digest: the leaf's hash.
        proof: its audit path, from its sibling up.
        root: the tree's root.

    Raises:
        ProofError: it does not. Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    position, last = index, size - 1
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_SIZE:
            raise ProofError("the inclusion proof is too long or malformed")
        if position & 1 or position == last:
            digest = node_hash(sibling, digest)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            digest = node_hash(digest, sibling)
        position >>= 1
        last >>= 1
    if last or digest != root:
        raise ProofError(f"the proof does not place this leaf at {index} of {size} under the root")


def verify_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Check that one tree begins with another; returning means it does.

    Args:
        old: earlier size, at least 1: the empty tree begins every tree and proves nothing, so
            whoever starts from it says so himself.
        size: later size, ≥ old.
        proof: hashes as `Tree.consistency_proof` gives them.
        old_root: root of the earlier tree.
        root: root of the later.

    Raises:
        ProofError: it does not. Source: RFC 9162 §2.1.4.2.
    """
    if not 1 <= old <= size <= MAX_SIZE:
        raise ProofError(f"there is no consistency to prove from {old} to {size} leaves")
    if old == size:
        if proof or old_root != root:
            raise ProofError(f"two trees of {size} leaves differ")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)  # the old tree is itself a full subtree
    if not path or any(len(digest) != HASH_SIZE for digest in path):
        raise ProofError("the consistency proof is empty or malformed")
    position, last = old - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    earlier = later = path[0]
    for digest in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if position & 1 or position == last:
            earlier, later = node_hash(digest, earlier), node_hash(digest, later)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            later = node_hash(later, digest)
        position >>= 1
        last >>= 1
    if last or earlier != old_root or later != root:
        raise ProofError(f"the tree of {size} leaves does not begin with the one of {old}")


def _split(count: int) -> int:
    """Return the largest power of two smaller than count (§2.1)."""
    return 1 << (count - 1).bit_length() - 1
