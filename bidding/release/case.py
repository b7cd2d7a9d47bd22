"""One release request laid out for judging: leaves parsed, roots folded, each only once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from bidding.model import (
    Announced,
    BiddingError,
    CloseList,
    ControlPrice,
    FloatCommit,
    FloatResult,
    KeyAssign,
    MalformedError,
    PublishedBidders,
)
from bidding.model.leaf import Leaf
from bidding.release.run import Fold
from bidding.rules.outside import read_act
from crypto.canonical import canonical, parse
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError
from crypto.tlog import cosignature
from crypto.tlog.checkpoint import open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bidding.release.request import CustodianView, ReleaseRequest
    from bidding.rules.bids import Act

L = TypeVar("L", bound=Leaf)

_KINDS: Final[dict[str, type[Leaf]]] = {
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


class RefusedError(BiddingError):
    """A check does not hold; the text becomes its detail."""

    def __init__(self, detail: str) -> None:
        super().__init__("release-refused", "托管人拒绝释放", detail)


@dataclass(frozen=True, slots=True)
class Placed(Generic[L]):
    """A leaf about this section, its place in the ledger and the SHA-256 of its bytes."""

    index: int
    leaf: L
    digest: str


@dataclass(frozen=True, slots=True)
class Slot:
    """The section's commitment in one slot leaf."""

    index: int
    slot: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Noted:
    """A checkpoint whose log signature holds, and who cosigned it when (ms UTC)."""

    size: int
    root: bytes
    cosigners: tuple[tuple[str, int], ...]


class Case:
    """What the checks look at.

    Args:
        view: what the custodian knows.
        request: what the centre asks.
        leaves: the run of ledger leaves from `request.start` to the head, as served.
    """

    def __init__(
        self, view: CustodianView, request: ReleaseRequest, leaves: Sequence[bytes]
    ) -> None:
        self.view = view
        self.request = request
        self.leaves = leaves

    @cached_property
    def head(self) -> Noted:
        """The head.

        Raises:
            CryptoError: its log signature does not hold.
        """
        point = open_checkpoint(self.request.head.encode(), self.view.log)
        return Noted(point.size, point.root, ())

    @cached_property
    def cosigned(self) -> list[Noted]:
        """The cosigned checkpoints that hold; a foreign or broken note counts for nothing."""
        held = []
        for text in self.request.cosigned:
            try:
                held.append(self._noted(text))
            except CryptoError:
                continue  # what holds is counted, so what does not is simply not counted
        return held

    def _noted(self, text: str) -> Noted:
        data = text.encode()
        point = open_checkpoint(data, self.view.log)
        found = cosignature.verify(data, self.view.witnesses)
        return Noted(
            point.size, point.root, tuple((str(one.key), one.timestamp * 1000) for one in found)
        )

    @cached_property
    def roots(self) -> dict[int, bytes]:
        """Roots of the run at the sizes that matter, folded once."""
        request = self.request
        wanted = {note.size for note in self.cosigned}
        wanted.update(placed.leaf.closing_size for placed in self.of(CloseList))
        if self.view.last is not None:
            wanted.add(self.view.last[0])
        fold = Fold(request.start, [bytes.fromhex(node) for node in request.frontier])
        roots = {fold.size: fold.root()}
        for leaf in self.leaves:
            fold.add(leaf)
            if fold.size in wanted:
                roots[fold.size] = fold.root()
        roots[fold.size] = fold.root()
        return roots

    def of(self, kind: type[L]) -> list[Placed[L]]:
        """Return the section's leaves of one kind, in order."""
        return [
            Placed(placed.index, placed.leaf, placed.digest)
            for placed in self._sorted[0]
            if isinstance(placed.leaf, kind)
        ]

    def one(self, kind: type[L]) -> Placed[L]:
        """Return the section's only leaf of one kind.

        Raises:
            RefusedError: none, or several.
        """
        found = self.of(kind)
        if len(found) != 1:
            raise RefusedError(f"The run holds {len(found)} {kind.PURPOSE} leaves, not one.")
        return found[0]

    @property
    def slots(self) -> list[Slot]:
        """The section's slot leaves, in order."""
        return self._sorted[1]

    @cached_property
    def acts(self) -> dict[str, Act]:
        """The section's acts as their signed statements say; signatures checked.

        Raises:
            BiddingError, CryptoError: an entry or statement does not hold, or an id stands twice.
        """
        acts: dict[str, Act] = {}
        for sealed in self.request.entries:
            act = read_act(sealed.entry, sealed.signed, self.view.centre)
            if act.id in acts:
                raise MalformedError("acts-inconsistent", "投标记录不一致", "An id stands twice.")
            acts[act.id] = act
        return acts

    @cached_property
    def _sorted(self) -> tuple[list[Placed[Leaf]], list[Slot]]:
        placed: list[Placed[Leaf]] = []
        slots: list[Slot] = []
        section = self.request.section
        needle = canonical(section)  # an id needs no escapes: a leaf about it holds these bytes
        for index, data in enumerate(self.leaves, self.request.start):
            if needle not in data:
                continue
            leaf: dict[str, Any] = json.loads(data)
            if leaf.get("kind") == "slot":
                commitment = leaf.get("sections", {}).get(section)
                if isinstance(commitment, str):
                    slots.append(Slot(index, leaf["slot"], bytes.fromhex(commitment)))
                continue
            kind = _KINDS.get(leaf.get("kind", ""))
            if kind is not None and leaf.get("section") == section:
                known = kind.from_leaf(parse(data), self.view.centre)
                placed.append(Placed(index, known, sha256_hex(data)))
        return placed, slots
