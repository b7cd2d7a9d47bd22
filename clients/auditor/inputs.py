"""What a path holds and which checklist it gets: a dossier, a signed record, a receipt, a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auction.replay.book import STREAM as AUCTIONS
from clients.auditor import auction, bids, opening, receipts
from clients.auditor.checklist import Check, NotChecked
from clients.auditor.evidence import Evidence
from clients.auditor.section import STREAM as OPENINGS
from clients.errors import UsageError
from documents import verify
from documents.checks import Report, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clients.auditor.keys import Keys

MAX_FILE = 256 << 20  # a record of 300 bidders has some hundred KiB; sealed bids lie in bags only


def report(path: Path, keys: Keys, at: int) -> Report:
    """Check one input.

    Args:
        path: a file, or the folder of a bag.
        keys: pinned.
        at: time of the check, ms UTC.

    Raises:
        UsageError: there is no such path, or it cannot be read.
    """
    name = str(path)
    if path.is_dir():
        return _dossier(path, keys, at)
    try:
        if path.stat().st_size > MAX_FILE:
            return verify.unreadable(name, ValueError("larger than any record or receipt"))
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"there is no readable file {path}") from error
    if data.startswith(b"%PDF-") or name.endswith(".pdf"):
        return verify.verify_record(name, data, keys.trust, at, _proof_beside(path))
    if name.endswith(".proof.json"):
        return verify.verify_proof(name, data, keys.trust)
    return Report(name, receipts.check(data, keys, at))


def _proof_beside(path: Path) -> bytes | None:
    """Return the proof that the ledger holds a record, if it lies beside the file."""
    beside = path.with_name(verify.proof_name(path.name))
    return beside.read_bytes() if beside.is_file() else None


def _dossier(path: Path, keys: Keys, at: int) -> Report:
    folder = verify.Directory(path)
    paper = verify.verify_dossier(str(path), folder, keys.trust, at)
    return paper.also(_events(Evidence(folder, at), keys, at))


def _events(evidence: Evidence, keys: Keys, at: int) -> Iterator[Check]:
    """Re-derive whatever the dossier's streams tell of."""
    subjects: list[tuple[str, str]] = []

    def streams() -> str:
        subjects.extend(
            (start, stream.removeprefix(start))
            for stream in evidence.streams
            for start in (OPENINGS, AUCTIONS)
            if stream.startswith(start)
        )
        if not subjects:
            raise NotChecked("no stream of a section or an auction is among the events")
        return ", ".join(id_ for _, id_ in subjects)

    yield run("events.streams", "事件可重演 · events that can be derived again", streams)
    for number, (start, id_) in enumerate(subjects):
        several = sum(start == other for other, _ in subjects[: number + 1])
        if start == AUCTIONS:
            yield from auction.check(evidence, id_, "auction" if several == 1 else f"auction.{id_}")
            continue
        prefix = "opening" if several == 1 else f"opening.{id_}"
        yield from _opening(evidence, keys, id_, at, prefix)


def _opening(evidence: Evidence, keys: Keys, section: str, at: int, prefix: str) -> Iterator[Check]:
    one = opening.read(evidence, keys, section, at)
    checks = opening.check(one, prefix)
    yield from checks
    ready = {check.id for check in checks if check.status == "ok"}
    if {f"{prefix}.results", f"{prefix}.certificate"} <= ready:
        yield from bids.check(one, prefix)
