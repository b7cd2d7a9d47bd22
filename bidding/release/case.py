"""One release request laid out for judging: leaves parsed, roots folded, each only once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from bidding.model import CloseList, FloatCommit, MalformedError
from bidding.model.leaf import Leaf
from bidding.release.refused import RefusedError
from bidding.release.walk import Run
from bidding.rules.draw import Bound, bound
from bidding.rules.outside import read_act
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError
from crypto.tlog import cosignature
from crypto.tlog.checkpoint import open_checkpoint
from crypto.tlog.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bidding.release.request import CustodianView, ReleaseRequest
    from bidding.rules.bids import Act

L = TypeVar("L", bound=Leaf)


@dataclass(frozen=True, slots=True)
class Placed(Generic[L]):
    """A leaf about this section, its place in the ledger and the SHA-256 of its bytes."""

    index: int
    leaf: L
    digest: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A checkpoint whose log signature holds, and who cosigned it when (ms UTC)."""

    size: int
    root: bytes
    cosigners: tuple[tuple[str, int], ...]
    origin: str = ""


class Case:
    """What the checks look at.

    Args:
        view: what the custodian knows.
        request: what the centre asks.
        leaves: the run of ledger leaves from `request.start` to the head, as served; read
            once, when first needed, and not kept.
        over: judged years later: that release was ended since then is no fault of it.
    """

    def __init__(
        self,
        view: CustodianView,
        request: ReleaseRequest,
        leaves: Iterable[bytes],
        *,
        over: bool = False,
    ) -> None:
        self.over = over
        self.view = view
        self.request = request
        self._leaves = leaves

    @cached_property
    def head(self) -> Noted:
        """The head.

        Raises:
            CryptoError: its log signature does not hold.
        """
        point = open_checkpoint(self.request.head.encode(), self.view.log)
        return Noted(point.size, point.root, (), point.origin)

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
    def run(self) -> Run:
        """The run of leaves, gone through once."""
        wanted = {note.size for note in self.cosigned}
        if self.view.last is not None:
            wanted.add(self.view.last[0])
        return Run(self.request, self._leaves, wanted, self.view.centre)

    @cached_property
    def accused(self) -> dict[str, Evidence]:
        """Digest → evidence that a key of this log has signed two histories; what proves nothing is not here."""
        held: dict[str, Evidence] = {}
        known = {self.view.log, *self.view.witnesses}
        for value in (*self.run.evidence, *self.view.evidence):
            try:
                one = Evidence.from_json(value)
                first, _ = one.verify()
            except CryptoError:
                continue  # it accuses nobody
            if one.key in known and first.origin == self.head.origin:
                held[one.digest] = one
        return held

    @property
    def roots(self) -> dict[int, bytes]:
        """Roots of the run at the sizes that matter."""
        return self.run.roots

    def of(self, kind: type[L]) -> list[Placed[L]]:
        """Return the section's leaves of one kind, in order.

        Raises:
            BiddingError, CryptoError, ValueError: a leaf about the section is malformed.
        """
        if self.run.fault is not None:
            raise self.run.fault
        return [
            Placed(index, leaf, sha256_hex(data))
            for index, leaf, data in self.run.placed
            if isinstance(leaf, kind)
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

    @cached_property
    def commits(self) -> list[Placed[FloatCommit]]:
        """The commitments to the float draw that count: those before the closing checkpoint, in order."""
        closing = self.one(CloseList).leaf.closing_size
        return [placed for placed in self.of(FloatCommit) if placed.index < closing]

    @cached_property
    def bound(self) -> dict[str, Bound]:
        """The same by party, signatures checked.

        Raises:
            BiddingError: they do not fit each other, or this section and key.
        """
        signed = [placed.leaf.signed for placed in self.commits]
        return bound(signed, self.request.section, self.request.ceremony, self.view.centre)

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
