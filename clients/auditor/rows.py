"""The kinds of rows that a section's stream may hold, and which may follow after its record.

A chain of hashes is signed by nobody: what follows after the row that the record names could be anybody's. So nothing
may follow but rows that prove themselves, and no row may be of a kind that no check looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.auditor import hall
from clients.auditor.checklist import must
from clients.auditor.section import ACTS, FILES
from documents.model import OpeningFacts

if TYPE_CHECKING:
    from clients.auditor.section import Section

CEREMONY: Final = frozenset(
    {"ceremony_begun", "ceremony_message", "ceremony_failed", "ceremony_done"}
)  # the certificate proves its outcome
OTHER: Final = frozenset(
    {
        "receipt", "refused", "statement_kept", "release", "late_witness", "float_committed",
        "float_revealed", "record_issued", "files_kept", "order_kept",
        "delegation_kept", "delegation_ended", "signed_in_by",
    }
)  # fmt: skip
MEETING: Final = frozenset(
    {"reconvening_set", "order_kept", "said", "muted", "unmuted", "meeting_ended"}
)
AFTER: Final = frozenset({"receipt", "refused", "record_issued"}) | MEETING
"""After the record: receipts and refusals are signed by the centre; what was issued lies in the dossier. A hall that
meets again 复会 does so by the signed word of two, or its talk is no row that the hall's rules would have written;
what is said there decides nothing."""


def check(section: Section) -> str:
    """Name the first row that nothing derives or that comes after the end.

    Raises:
        AuditError: with the row.
    """
    known = hall.KINDS | FILES | ACTS | CEREMONY | OTHER
    last = max(
        (
            facts.last_seq
            for _, facts in section.evidence.records_of(OpeningFacts)
            if facts.section == section.id
        ),
        default=len(section.rows),
    )
    for row in section.rows:
        must(row.kind in known, f"row {row.seq}: nothing derives a {row.kind}")
        must(
            row.seq <= last or row.kind in AFTER,
            f"row {row.seq}: a {row.kind} follows after row {last}, with which the record ends",
        )
    return f"{len(section.rows)} rows, the record ends with row {last}"
