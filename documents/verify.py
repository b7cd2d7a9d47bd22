"""Verify paper offline: signed records, receipts, dossiers. Bytes in, numbered checks and a verdict out.

Pure: no clock (the time is an argument), no network, no database, no drawing. The verdicts are those of
`contract/cli.md`: a failed check makes the input invalid, an essential check that could not be done makes it
incomplete. `clients/auditor` adds what follows from the events with `Report.also`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from documents import bag, letter, logproof, paper, receipt
from documents.bag import Directory, Folder, proof_name
from documents.checks import INCOMPLETE, INVALID, VALID, Check, NotChecked, Report, run
from documents.model import DocumentError, QualificationFacts, ReceiptFacts
from documents.trust import NOTHING, Trust

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "INCOMPLETE",
    "INVALID",
    "NOTHING",
    "VALID",
    "Check",
    "Directory",
    "Folder",
    "NotChecked",
    "Report",
    "Trust",
    "proof_name",
    "run",
    "unreadable",
    "verify_dossier",
    "verify_file",
    "verify_proof",
    "verify_receipt",
    "verify_record",
]

_PDF = b"%PDF-"
Receipts: TypeAlias = "Callable[[bytes, Trust, int], tuple[Check, ...]]"
"""Checks a receipt by itself: `receipt.check`, or what knows more of it (`clients.auditor.receipts`)."""


def verify_record(
    path: str,
    pdf: bytes,
    trust: Trust,
    at: int,
    proof: bytes | None = None,
    receipts: Receipts = receipt.check,
) -> Report:
    """Verify a signed record; of a receipt or a letter on paper also the signed one that it carries.

    Args:
        path: only repeated in the report.
        pdf: the file.
        trust: trusted certificates (`NOTHING` for none).
        at: time of the verification, ms UTC.
        proof: bytes of `NAME.proof.json` if it is at hand; then being in the ledger is essential.
        receipts: how a receipt is checked.
    """
    if proof is None:
        read_paper, checks = paper.check(pdf, trust, at)
        if isinstance(facts := read_paper.facts, ReceiptFacts):
            inside = receipts(facts.receipt.encode(), trust, at)
            checks = (*checks, receipt.check_page(facts), *inside)
        elif isinstance(facts, QualificationFacts):
            inside = receipts(facts.letter.encode(), trust, at)
            checks = (*checks, letter.check_page(facts), *inside)
        return Report(path, checks)
    parsed: list[logproof.RecordProof] = []

    def read() -> str:
        parsed.append(logproof.RecordProof.parse(proof))
        return "in exact form"

    form = run("proof.form", "存证证明可读 · the proof file is readable", read)
    return Report(path, (form, *paper.check(pdf, trust, at, parsed[0] if parsed else None)[1]))


def verify_receipt(path: str, data: bytes, trust: Trust, at: int) -> Report:
    """Verify a receipt, a refusal or another signed statement (canonical JSON)."""
    return Report(path, receipt.check(data, trust, at))


def verify_proof(path: str, data: bytes, trust: Trust) -> Report:
    """Verify a record's proof file alone: that its leaf is in the log; the record itself is not looked at."""
    work: Callable[[], str] = lambda: logproof.check_alone(logproof.RecordProof.parse(data), trust)  # noqa: E731 # one line
    return Report(path, (run("proof.log", "条目在存证日志中 · the leaf is in the log", work),))


def verify_dossier(path: str, folder: Folder, trust: Trust, at: int) -> Report:
    """Verify a dossier's paper: completeness, records, ledger, chain of events."""
    return Report(path, bag.check(folder, trust, at))


def verify_file(
    path: str,
    data: bytes,
    trust: Trust,
    at: int,
    proof: bytes | None = None,
    receipts: Receipts = receipt.check,
) -> Report:
    """Verify a single file by what it is: a record (`%PDF-`), else a proof or a signed statement.

    Args:
        path: repeated in the report; `*.proof.json` is read as a proof.
        data: the file.
        trust: trusted certificates.
        at: time of the verification, ms UTC.
        proof: of a record, if at hand.
        receipts: how a receipt inside a PDF is checked.
    """
    if data.startswith(_PDF) or path.endswith(".pdf"):
        return verify_record(path, data, trust, at, proof, receipts)
    if path.endswith(".proof.json"):
        return verify_proof(path, data, trust)
    return verify_receipt(path, data, trust, at)


def unreadable(path: str, error: Exception) -> Report:
    """Return the report on an existing input that cannot be read at all: invalid."""
    detail = str(error) if isinstance(error, DocumentError) else f"{type(error).__name__}: {error}"
    return Report(
        path, (Check("input", "可读 · readable", essential=True, status="failed", detail=detail),)
    )
