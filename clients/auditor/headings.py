"""What every record says about itself, held against the dossier: whose it is, when, and by which state of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from clients.auditor.checklist import must
from clients.auditor.run import head_of

if TYPE_CHECKING:
    from clients.auditor.evidence import Evidence
    from clients.auditor.run import LeafRun
    from documents.model import Heading


class Subject(Protocol):
    """A section or an auction being audited, as far as a heading speaks of it."""

    @property
    def evidence(self) -> Evidence:
        """The dossier."""
        ...

    @property
    def centre(self) -> str:
        """Id of the centre."""
        ...

    @property
    def leaves(self) -> LeafRun:
        """Its run of ledger leaves."""
        ...

    @property
    def roots(self) -> dict[int, bytes]:
        """Roots of the log at the sizes that the records name."""
        ...


RESTORED: Final = b'"kind":"log_restored"'


def check(subject: Subject, name: str, heading: Heading, told_at: int) -> None:
    """Hold a heading against events and leaves.

    Args:
        subject: its evidence.
        name: of the record, for the message.
        heading: as on paper.
        told_at: stamp of the last event that the record tells of, ms UTC.

    Raises:
        AuditError: with what does not fit.
    """
    must(heading.centre == subject.centre, f"{name} is of centre {heading.centre}")
    must(
        heading.issued_at >= told_at,
        f"{name} tells of what happened {heading.issued_at - told_at} ms after it was issued",
    )
    _ledger(subject, name, heading)
    others = {facts.heading.ruleset for facts in subject.evidence.records.values()}
    must(len(others) == 1, f"the records name different rules: {', '.join(sorted(others))}")


def _ledger(subject: Subject, name: str, heading: Heading) -> None:
    """The checkpoint that a record names is one of this very log, in this very run."""
    origin = head_of(subject.evidence.checkpoint).origin
    # A log that was restored has another origin and the same leaves; older records name the older one.
    renamed = any(RESTORED in leaf for _, leaf, _ in subject.evidence.leaves)
    must(
        heading.ledger_origin == origin
        or (renamed and heading.ledger_origin.startswith(f"{subject.centre}/ledger/")),
        f"{name} names the ledger {heading.ledger_origin}, the dossier is of {origin}",
    )
    root = subject.roots.get(heading.ledger_size)
    must(
        root is not None,
        f"{name} names a ledger of {heading.ledger_size} leaves; the dossier's run has "
        f"{subject.leaves.start} to {subject.leaves.end}",
    )
    assert root is not None
    must(
        root.hex() == heading.ledger_root,
        f"{name} names another root of the ledger at size {heading.ledger_size}",
    )
