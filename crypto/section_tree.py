"""The hidden-number tree: what was handed in for a section, without telling how much.

A section's acts (submissions, withdrawals) stand at pseudorandom places of a tree of fixed depth
whose empty places hold pseudorandom values. Each second the ledger gets one commitment to its
root; a bidder's receipt opens one path. Fillers, salts and blinds come from one seed, which is
opened with the acts at the close, so that an act left out shows.

A receipt's path must not even tell its own bidder, who may hold several receipts, what happened
between two of them: neighbours would change exactly where others handed in. Hence the subtrees
beside a path enter it blinded, afresh for each slot. ::

                 root of slot S                 ─ path opened in S: H(left, right)
                ╱              ╲
          H(·, ·)               H(blind(S) ‖ static subtree)
         ╱       ╲
    leaf i    H(blind(S) ‖ static leaf j)

Source: design, "Hidden number"; hashing as RFC 6962 §2.1 with domains of our own.
"""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from crypto.errors import FormatError, ProofError

DEPTH: Final = 12
PLACES: Final = 1 << DEPTH
"""4,096 acts of one section; the 1,000 bids of the largest one with room for replacements."""
ENTRY: Final = b"kaibiao/section-entry/v1\n"
BLIND: Final = b"kaibiao/section-blind/v1\n"


class SectionTree:
    """A section's tree as its centre, and at the close every checker, computes it.

    Acts are put in the order of their slots and never replaced: a withdrawal is an act of its
    own. `root` and `path` speak of the slot of the last act.

    Args:
        seed: 32 secret random bytes, one per section.

    Raises:
        FormatError: another length.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise FormatError("a section's seed has 32 bytes")
        self._seed = seed
        self._used: set[int] = set()
        self._slot = 0
        self._opened: set[tuple[int, int]] = set()
        self._shown: dict[tuple[int, int], bytes] = {}
        # levels[0] are the leaves, levels[DEPTH] the static root.
        leaves = [_keyed(seed, b"filler", index, size=2) for index in range(PLACES)]
        self._levels = [leaves]
        while len(leaves) > 1:
            leaves = [_node(*leaves[i : i + 2]) for i in range(0, len(leaves), 2)]
            self._levels.append(leaves)

    def place(self, name: bytes) -> int:
        """Return a free place for an act, pseudorandom in its name.

        Args:
            name: any bytes that tell the act, e.g. its id.

        Raises:
            FormatError: all places are taken.
        """
        if len(self._used) == PLACES:
            raise FormatError("this section has no place for another act")
        start = int.from_bytes(hmac.digest(self._seed, b"place" + name, "sha256")[:4])
        return next(i for k in range(PLACES) if (i := (start + k) % PLACES) not in self._used)

    def put(self, index: int, entry: bytes, slot: int) -> None:
        """Put an act in its place; twelve hashes.

        Args:
            index: 0 to 4095, free so far.
            entry: canonical bytes of the act. They must hold something that nobody else can
                guess (ids and signatures do), for their hash stands in neighbours' receipts.
            slot: the slot that first commits to it; never before that of an earlier act.

        Raises:
            FormatError: no such place, taken already, or a slot in the past.
        """
        if not 0 <= index < PLACES or index in self._used:
            raise FormatError(f"place {index} of the section's tree is not free")
        if slot < self._slot:
            raise FormatError(f"slot {slot} is already committed to")
        if slot != self._slot:
            self._slot = slot
            self._opened.clear()
        self._shown.clear()
        self._used.add(index)
        digest = entry_hash(index, entry)
        position = index
        for level in range(DEPTH):
            self._levels[level][position] = digest
            self._opened.add((level, position))
            pair = position & ~1
            digest = _node(self._levels[level][pair], self._levels[level][pair + 1])
            position >>= 1
        self._levels[DEPTH][0] = digest
        self._opened.add((DEPTH, 0))

    def root(self) -> bytes:
        """Return the root of the last act's slot; it stays until the next act."""
        return self._show(DEPTH, 0)

    def path(self, index: int) -> list[bytes]:
        """Return the path of an act of the last slot, for its receipt: twelve hashes, leaf up.

        Raises:
            FormatError: no act of that slot stands there. Receipts are made in their slot and
                kept, for a path of another slot would show what changed.
        """
        if (0, index) not in self._opened:
            raise FormatError(f"no act of slot {self._slot} stands at {index}")
        return [self._show(level, index >> level ^ 1) for level in range(DEPTH)]

    def _show(self, level: int, position: int) -> bytes:
        """Return what a node looks like in this slot: open along its paths, else blinded."""
        known = self._shown.get((level, position))
        if known is not None:
            return known
        static = self._levels[level][position]
        if (level, position) not in self._opened:
            place = self._slot.to_bytes(8) + bytes([level]) + position.to_bytes(2)
            blind = hmac.digest(self._seed, b"blind" + place, "sha256")
            shown = sha256(BLIND + blind + static).digest()
        elif level == 0:
            shown = static
        else:
            below = 2 * position
            shown = _node(self._show(level - 1, below), self._show(level - 1, below + 1))
        self._shown[level, position] = shown
        return shown


def entry_hash(index: int, entry: bytes) -> bytes:
    """Return the leaf of an act: SHA-256(00 ‖ domain ‖ place ‖ entry), 32 bytes."""
    return sha256(b"\x00" + ENTRY + index.to_bytes(2) + entry).digest()


def verify_path(root: bytes, index: int, entry: bytes, path: Sequence[bytes]) -> None:
    """Check a receipt's path; returning means the act stands in the tree of that root.

    Args:
        root: the root that the slot's commitment opens to (`slot_commitment`).
        index: the act's place.
        entry: its canonical bytes.
        path: twelve hashes from the leaf's sibling up.

    Raises:
        ProofError: it does not.
    """
    if len(path) != DEPTH or not 0 <= index < PLACES or any(len(each) != 32 for each in path):
        raise ProofError(f"a section path is {DEPTH} hashes for a place below {PLACES}")
    digest = entry_hash(index, entry)
    for level, sibling in enumerate(path):
        right = index >> level & 1
        digest = _node(sibling, digest) if right else _node(digest, sibling)
    if digest != root:
        raise ProofError("the act is not in the section's tree under this root")


def audit(seed: bytes, entries: Mapping[int, tuple[int, bytes]], root: bytes) -> None:
    """Check, after the close, that a root holds exactly these acts and nothing else.

    Args:
        seed: the section's seed, opened.
        entries: place → (slot, canonical bytes) of every act, withdrawals included.
        root: root of the last act's slot.

    Raises:
        ProofError: an act was left out, added, moved or altered, or the seed is another.
        FormatError: a place or slot is impossible.
    """
    tree = SectionTree(seed)
    for index, (slot, entry) in sorted(entries.items(), key=lambda item: (item[1][0], item[0])):
        tree.put(index, entry, slot)
    if tree.root() != root:
        raise ProofError("the section's tree does not hold exactly these acts")


def slot_salt(seed: bytes, slot: int) -> bytes:
    """Return the 32-byte salt of a slot's commitment.

    Args:
        seed: the section's seed.
        slot: number of the slot, 0 ≤ slot < 2⁶⁴.
    """
    return _keyed(seed, b"salt", slot, size=8)


def slot_commitment(salt: bytes, root: bytes) -> bytes:
    """Return what a slot's leaf holds for a section: SHA-256(salt ‖ root), 32 bytes each."""
    return sha256(salt + root).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _keyed(seed: bytes, label: bytes, number: int, size: int) -> bytes:
    return hmac.digest(seed, label + number.to_bytes(size), "sha256")
