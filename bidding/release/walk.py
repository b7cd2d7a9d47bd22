"""One pass over the run of leaves, at constant memory: fold, sort, walk the slots.

Twenty days are 1.7 million leaves, one a second. So each is looked at once as it comes in and then
forgotten: the tree's right edge grows by it; a slot's commitment is compared with what seed and
entries give; what is about the section is kept; everything else is passed over unread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bidding.model import (
    Announced,
    CloseList,
    ControlPrice,
    FloatCommit,
    FloatResult,
    KeyAssign,
    PublishedBidders,
)
from bidding.release.refused import RefusedError
from bidding.release.run import Fold
from crypto.canonical import canonical, parse
from crypto.errors import CryptoError
from crypto.section_tree import SectionTree, slot_commitment, slot_salt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bidding.model.leaf import Leaf
    from bidding.release.request import ReleaseRequest, SealedEntry

KINDS: Final[dict[str, type[Leaf]]] = {
    kind.PURPOSE: kind
    for kind in (
        KeyAssign,
        Announced,
        CloseList,
        ControlPrice,
        FloatCommit,
        FloatResult,
        PublishedBidders,
    )
}


_EVIDENCE: Final = "evidence"
_REVOKED: Final = "key_revoked"
_MARKS: Final = (b'"kind":"evidence"', b'"kind":"key_revoked"')  # about no section, and about all


class _Glance(msgspec.Struct):
    """What is read of a leaf to tell what it is."""

    kind: str = ""
    section: str = ""
    slot: int = -1
    key: Any = None  # of the leaf that revokes it
    evidence: Any = None  # that one key has signed two histories
    sections: Any = None  # of a slot an object; the leaf of a tender's publication has a list


class Run:
    """What the run holds, in one pass.

    Args:
        request: names the section, where the run begins and the frontier there.
        leaves: canonical bytes as served; consumed.
        wanted: sizes whose roots are asked for. Those at which the section's slots end are kept too.
        centre: its id.

    Attributes:
        size: of the tree after the last leaf; `roots`: size → root.
        placed: (index, leaf, its bytes) of the leaves about the section, in order.
        ends: slot number → indexes of its leaf, of slots that no slot of the section follows at once.
        slots: slot number → index of its leaf, of slots in which an act was committed to.
        evidence: what leaves of the run publish about keys that have signed two histories, JSON.
        revoked: key, base64 → index of the first leaf that revokes it.
        walk: the section's slots compared.
        inexact: index of the first leaf that is not canonical JSON.
        fault: why a leaf could not be read, None if all could; folding went on.
    """

    def __init__(
        self, request: ReleaseRequest, leaves: Iterable[bytes], wanted: set[int], centre: str
    ) -> None:
        fold = Fold(request.start, [bytes.fromhex(node) for node in request.frontier])
        self.placed: list[tuple[int, Leaf, bytes]] = []
        self.ends: dict[int, list[int]] = {}
        self.roots = {fold.size: fold.root()}
        self.fault: Exception | None = None
        self.inexact: int | None = None
        self.slots: dict[int, int] = {}
        self.evidence: list[Any] = []
        self.revoked: dict[str, int] = {}
        self._acting = {sealed.entry.slot for sealed in request.entries}
        self.walk = Walk(bytes.fromhex(request.seed), request.entries, centre)
        self._section, self._centre = request.section, centre
        self._pass(fold, leaves, wanted)
        self.size = fold.size
        self.roots[fold.size] = fold.root()

    def _pass(self, fold: Fold, leaves: Iterable[bytes], wanted: set[int]) -> None:
        section, step = self._section, self.walk.step
        glance = msgspec.json.Decoder(_Glance).decode
        needle = canonical(section)  # an id needs no escapes: a leaf about it holds these bytes
        last = -1  # the section's slot in the leaf before this one
        for leaf in leaves:
            slot = -1
            if needle in leaf or any(mark in leaf for mark in _MARKS):
                try:
                    seen = glance(leaf)
                    if seen.kind == "slot":
                        sections = seen.sections if isinstance(seen.sections, dict) else {}
                        commitment = sections.get(section)
                        if type(commitment) is str:
                            slot = seen.slot
                            if slot in self._acting:
                                self.slots.setdefault(slot, fold.size)
                            step(slot, commitment)
                    elif seen.kind == _EVIDENCE:
                        self.evidence.append(seen.evidence)
                    elif seen.kind == _REVOKED:
                        self.revoked.setdefault(str(seen.key), fold.size)
                    elif seen.section == section and seen.kind in KINDS:
                        self._keep(fold.size, leaf, seen.kind)
                except (ValueError, TypeError, CryptoError, RefusedError) as fault:
                    self.fault = self.fault or fault
            if slot < 0:
                self._exact(fold.size, leaf)
            if last >= 0 and slot < 0:
                self._end(fold, last)
            last = slot
            fold.add(leaf)
            if fold.size in wanted:
                self.roots[fold.size] = fold.root()
        if last >= 0:
            self._end(fold, last)

    def _exact(self, index: int, leaf: bytes) -> None:
        """Note a leaf that is not canonical JSON: an escape would hide the section from this reader alone."""
        try:
            exact = canonical(parse(leaf)) == leaf
        except CryptoError:
            exact = False
        if not exact and self.inexact is None:
            self.inexact = index

    def _end(self, fold: Fold, slot: int) -> None:
        self.ends.setdefault(slot, []).append(fold.size - 1)
        self.roots[fold.size] = fold.root()

    def _keep(self, index: int, leaf: bytes, kind: str) -> None:
        known = KINDS[kind].from_leaf(parse(leaf), self._centre)
        self.placed.append((index, known, leaf))


class Walk:
    """The section's slots, each compared with what seed and entries give; the first fault stands.

    A receipt proves that an act stood in some slot; an act left out of the entries makes that
    slot's commitment come out differently, so an omitted bid shows.

    Args:
        seed: the section's, 32 bytes.
        entries: all acts, in any order.
        centre: id of the centre; it stands in what is hashed.
    """

    def __init__(self, seed: bytes, entries: Sequence[SealedEntry], centre: str) -> None:
        self._seed = seed
        self._centre = centre
        self._waiting = sorted(entries, key=lambda sealed: sealed.entry.slot, reverse=True)
        self._next = self._waiting[-1].entry.slot if self._waiting else None
        self._tree = SectionTree(seed)
        self._root = self._tree.root()
        self._last: int | None = None
        self._fault: RefusedError | CryptoError | None = None
        self.count = 0

    def step(self, slot: int, commitment: str) -> None:
        """Take the next slot and its commitment, hex."""
        if self._fault is not None:
            return
        if self._last is not None and slot != self._last + 1:
            self._fault = RefusedError(f"Slot {self._last + 1} is missing or out of order.")
            return
        self._last = slot
        self.count += 1
        if self._next is not None and self._next <= slot:
            try:
                self._put(slot)
            except (RefusedError, CryptoError) as fault:
                self._fault = fault
                return
        if slot_commitment(slot_salt(self._seed, slot), self._root).hex() != commitment:
            self._fault = RefusedError(f"Slot {slot} holds something else than these entries.")

    def _put(self, slot: int) -> None:
        while self._waiting and self._waiting[-1].entry.slot <= slot:
            sealed = self._waiting.pop()
            if sealed.entry.slot != slot:
                raise RefusedError(f"Entry {sealed.entry.id} is older than the first slot.")
            self._tree.put(sealed.index, sealed.entry.to_bytes(self._centre), slot)
        self._next = self._waiting[-1].entry.slot if self._waiting else None
        self._root = self._tree.root()

    def check(self, closing: int) -> str:
        """Say how many slots were walked to the closing one.

        Raises:
            RefusedError, CryptoError: the first thing that did not fit.
        """
        if self._fault is not None:
            raise self._fault
        if self._last != closing or self._waiting:
            raise RefusedError(f"The walk ends at slot {self._last}, not at {closing}.")
        return f"{self.count} slots"
