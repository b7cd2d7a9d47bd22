"""The run of ledger leaves that a dossier holds: from the key's assignment to the checkpoint, without a gap.

That nothing was left out is proved by folding (`crypto.tlog.fold`): the path of the first leaf holds the roots of all
full subtrees before it, and the leaves on top of those give the root of the checkpoint only if none is missing, added
or moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clients.auditor.checklist import AuditError, must
from crypto.canonical import parse
from crypto.tlog import cosignature
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.checkpoint import parse as parse_checkpoint
from crypto.tlog.fold import Fold, frontier
from crypto.tlog.note import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clients.auditor.evidence import Evidence
    from clients.auditor.keys import Keys


@dataclass(frozen=True)
class LeafRun:
    """Leaves [start, start + len(leaves)) and the frontier of the tree before them."""

    start: int
    frontier: tuple[bytes, ...]
    leaves: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """Size of the tree after the run."""
        return self.start + len(self.leaves)

    def roots(self, sizes: Iterable[int]) -> dict[int, bytes]:
        """Return the roots of the tree at those of the sizes that the run reaches."""
        wanted = set(sizes)
        fold = Fold(self.start, self.frontier)
        found = {fold.size: fold.root()} if fold.size in wanted else {}
        for leaf in self.leaves:
            fold.add(leaf)
            if fold.size in wanted:
                found[fold.size] = fold.root()
        return found


def head_of(note: bytes) -> Checkpoint:
    """Return what a checkpoint note says; its signatures are not looked at."""
    return parse_checkpoint(Note.parse(note).text)


def gather(evidence: Evidence, start: int) -> LeafRun:
    """Take the run from leaf `start` to the checkpoint.

    Raises:
        AuditError: a leaf is missing, or they do not fold to the checkpoint.
    """
    size = head_of(evidence.checkpoint).size
    taken = [leaf for leaf in evidence.leaves if leaf[0] >= start]
    for wanted, (index, _, _) in enumerate(taken, start):
        must(index == wanted, f"leaf {wanted} of the ledger is missing, {index} follows")
    must(
        bool(taken) and taken[-1][0] + 1 == size,
        f"the leaves end at {taken[-1][0] if taken else start}, the checkpoint has {size}",
    )
    run = LeafRun(start, frontier(start, size, taken[0][2]), tuple(leaf for _, leaf, _ in taken))
    if run.roots([size])[size] != head_of(evidence.checkpoint).root:
        raise AuditError("the leaves do not fold to the checkpoint's root")
    return run


def named(run: LeafRun, section: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return the first leaf of each kind that is about a section: kind → (index, JSON)."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    needle = section.encode()
    for index, data in enumerate(run.leaves, run.start):
        if needle in data and b'"kind":"slot"' not in data:
            leaf = parse(data)
            if leaf.get("section") == section:
                found.setdefault(leaf.get("kind", ""), (index, leaf))
    return found


def about(run: LeafRun, section: str, kind: str) -> list[dict[str, Any]]:
    """Return every leaf of a kind that is about a section, as JSON."""
    needle, marked = section.encode(), f'"kind":"{kind}"'.encode()
    found = [parse(data) for data in run.leaves if marked in data and needle in data]
    return [leaf for leaf in found if (leaf["kind"], leaf.get("section")) == (kind, section)]


@dataclass(frozen=True, slots=True)
class Noted:
    """A checkpoint of this log, and which pinned witnesses cosigned it when (ms UTC)."""

    size: int
    root: bytes
    cosigners: tuple[tuple[str, int], ...]


def noted(evidence: Evidence, keys: Keys) -> list[Noted]:
    """Return every note of the dossier about its log, with the cosignatures of pinned witnesses.

    Raises:
        NotChecked: nothing is pinned.
        SignatureError: a known witness's line does not hold.
    """
    log = keys.log_of(evidence.checkpoint)
    known, found = keys.witnesses(log), []
    for text in evidence.notes:
        head = head_of(text.encode())
        if head.origin == log.name:
            lines = cosignature.verify(text.encode(), known)
            names = tuple((one.key.name, one.timestamp * 1000) for one in lines)
            found.append(Noted(head.size, head.root, names))
    return found
