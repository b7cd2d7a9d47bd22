"""A dossier 归档包: first its paper (`documents.verify`), then whatever its streams of events tell of, re-derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auction.replay.book import STREAM as AUCTIONS
from clients.auditor import auction, bids, opening
from clients.auditor.checklist import AuditError, Check, NotChecked, must
from clients.auditor.evidence import Evidence
from clients.auditor.section import STREAM as OPENINGS
from documents import verify
from documents.checks import Report, run
from documents.model import ConfirmationFacts, NoticeFacts, OpeningFacts, TranscriptFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auction.replay.closed import Disclosure
    from clients.auditor.keys import Keys


def report(path: Path, keys: Keys, at: int, slips: Sequence[Disclosure] = ()) -> Report:
    """Check a dossier; arguments as `inputs.report`."""
    folder = verify.Directory(path)
    paper = verify.verify_dossier(str(path), folder, keys.trust, at)
    return paper.also(_events(Evidence(folder, at), keys, at, slips))


def _events(
    evidence: Evidence, keys: Keys, at: int, slips: Sequence[Disclosure]
) -> Iterator[Check]:
    subjects: list[tuple[str, str]] = []

    def streams() -> str:
        for stream in evidence.streams:
            start = next((one for one in (OPENINGS, AUCTIONS) if stream.startswith(one)), "")
            must(start, f"nothing derives the events of {stream}: they do not belong here")
            subjects.append((start, stream.removeprefix(start)))
        if not subjects:
            raise NotChecked("no stream of a section or an auction is among the events")
        named = evidence.info.get("External-Identifier")
        must(
            named in {id_ for _, id_ in subjects},
            f"bag-info.txt says that this is the dossier of {named}, whose events are not here",
        )
        return ", ".join(id_ for _, id_ in subjects)

    yield run("events.streams", "事件可重演 · events that can be derived again", streams)
    yield run(
        "events.records",
        "记录均有事件可依 · every record is about events that are here",
        lambda: _covered(evidence, subjects),
    )
    for number, (start, id_) in enumerate(subjects):
        first = all(start != other for other, _ in subjects[:number])
        if start == AUCTIONS:
            prefix = "auction" if first else f"auction.{id_}"
            yield from auction.check(evidence, id_, keys, prefix, slips)
        else:
            prefix = "opening" if first else f"opening.{id_}"
            yield from _opening(evidence, keys, id_, at, prefix)


def _covered(evidence: Evidence, subjects: list[tuple[str, str]]) -> str:
    """A record about another section or session, or of a kind that is not its own, is derived from nothing."""
    for name, facts in evidence.records.items():
        match facts:
            case NoticeFacts() | OpeningFacts():
                about = (OPENINGS, facts.section)
            case TranscriptFacts() | ConfirmationFacts():
                about = (AUCTIONS, facts.session)
            case _:
                raise AuditError(f"{name} is of a kind that nothing derives")
        must(
            about in subjects,
            f"{name}, {facts.KIND}, is about {about[1]}, whose events are not in this dossier",
        )
    return f"{len(evidence.records)} records"


def _opening(evidence: Evidence, keys: Keys, section: str, at: int, prefix: str) -> Iterator[Check]:
    one = opening.read(evidence, keys, section, at)
    checks = opening.check(one, prefix)
    yield from checks
    ready = {check.id for check in checks if check.status == "ok"}
    if {f"{prefix}.results", f"{prefix}.certificate"} <= ready:
        yield from bids.check(one, prefix)
