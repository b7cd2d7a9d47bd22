"""What every record says about itself, held against the dossier: whose it is, when, and by which state of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.auditor.checklist import must
from clients.auditor.run import head_of

if TYPE_CHECKING:
    from clients.auditor.section import Section
    from documents.model import Heading

RESTORED = b'"kind":"log_restored"'


def check(section: Section, name: str, heading: Heading, told_at: int) -> None:
    """Hold a heading against events and leaves.

    Args:
        section: its evidence.
        name: of the record, for the message.
        heading: as on paper.
        told_at: stamp of the last event that the record tells of, ms UTC.

    Raises:
        AuditError: with what does not fit.
    """
    must(heading.centre == section.centre, f"{name} is of centre {heading.centre}")
    must(
        heading.issued_at >= told_at,
        f"{name} tells of what happened {heading.issued_at - told_at} ms after it was issued",
    )
    _ledger(section, name, heading)
    others = {facts.heading.ruleset for facts in section.evidence.records.values()}
    must(len(others) == 1, f"the records name different rules: {', '.join(sorted(others))}")


def _ledger(section: Section, name: str, heading: Heading) -> None:
    """The checkpoint that a record names is one of this very log, in this very run."""
    origin = head_of(section.evidence.checkpoint).origin
    # A log that was restored has another origin and the same leaves; older records name the older one.
    renamed = any(RESTORED in leaf for _, leaf, _ in section.evidence.leaves)
    must(
        heading.ledger_origin == origin
        or (renamed and heading.ledger_origin.startswith(f"{section.centre}/ledger/")),
        f"{name} names the ledger {heading.ledger_origin}, the dossier is of {origin}",
    )
    root = section.roots.get(heading.ledger_size)
    must(
        root is not None,
        f"{name} names a ledger of {heading.ledger_size} leaves; the dossier's run has "
        f"{section.leaves.start} to {section.leaves.end}",
    )
    assert root is not None
    must(
        root.hex() == heading.ledger_root,
        f"{name} names another root of the ledger at size {heading.ledger_size}",
    )
