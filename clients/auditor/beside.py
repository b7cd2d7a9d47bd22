"""A dossier held against what people have in hand: receipts and refusals that the centre signed must be told in it.

A centre can leave a refused bid out of a section's events, or drop an offer within its second, and no hash shows it.
Whoever holds the signed paper can: given beside the dossier of the same section or session, it must be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from auction.replay.book import STREAM as AUCTIONS
from bidding.model import Receipt, Refusal
from clients.auditor import hall_receipts
from clients.auditor.checklist import AuditError, must
from clients.auditor.evidence import Evidence
from clients.auditor.section import STREAM as OPENINGS
from crypto import statement
from crypto.canonical import parse
from crypto.errors import CryptoError
from documents import paper
from documents.bag import Directory
from documents.checks import VALID, Check, run
from documents.model import DocumentError, OpeningFacts
from documents.trust import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clients.auditor.hall_receipts import Kept
    from documents.checks import Report

MAX_SLIP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class InHand:
    """What somebody holds: of which stream it is, and by what it is found there.

    Attributes:
        name: of the file.
        stream: of the section or the auction.
        mark: SHA-256 of a statement, or the chain hash of a row, hex.
        at: when it happened, ms UTC; `seq`: number of the row, 0 where it names none.
        kept: of an opening hall, what it says.
    """

    name: str
    stream: str
    mark: str
    at: int
    seq: int = 0
    kept: Kept | None = None


def read(report: Report, path: Path) -> InHand | None:
    """Read a receipt or refusal that was found valid; None for anything else.

    Args:
        report: on the file.
        path: of the file.
    """
    if report.verdict != VALID or not path.is_file() or path.stat().st_size > MAX_SLIP:
        return None
    try:
        value: Any = parse(path.read_bytes())
        said = value.get("statement", {})
        if value.get("purpose") == "offer_receipt":
            row = value["row"]
            return InHand(report.path, row["stream"], row["chain"], row["at"], row["seq"])
        if said.get("purpose") in hall_receipts.PURPOSES:
            kept = hall_receipts.read(value)
            return InHand(report.path, OPENINGS + kept.section, kept.chain, 0, kept.seq, kept)
        if said.get("purpose") in {Receipt.PURPOSE, Refusal.PURPOSE}:
            at = said["arrival"] if "arrival" in said else said["entry"]["arrival"]
            mark = statement.digest(value).hex()
            return InHand(report.path, OPENINGS + said["section"], mark, at)
    except (CryptoError, KeyError, TypeError, AttributeError):
        return None  # a record, a proof, another statement
    return None


def check(folder: Path, held: Sequence[InHand]) -> Iterator[Check]:
    """Check that a dossier tells of everything in hand that is about its own subject.

    Args:
        folder: the bag.
        held: of all inputs.
    """
    try:
        evidence = Evidence(Directory(folder), 0)
        streams, centre = evidence.streams, evidence.centre
    except Exception:  # noqa: BLE001 # its own checks say what is wrong with it
        return
    about = [one for one in held if one.stream in streams]
    if about:
        title = "手中回执均在其中 · it tells of the receipts in hand"
        yield run("beside.told", title, lambda: _told(streams, about, centre))


def check_record(data: bytes, held: Sequence[InHand]) -> Iterator[Check]:
    """Check that an opening record tells of what is kept of its hall.

    Args:
        data: the PDF.
        held: of all inputs.
    """
    about = [one for one in held if one.kept is not None]
    facts = paper.check(data, NOTHING, 0)[0].facts if about else None
    if isinstance(facts, OpeningFacts):
        title = "手中大厅回执均在其中 · it tells of the hall's receipts in hand"
        mine = [one for one in about if one.stream == OPENINGS + facts.section]
        for one in mine:
            yield run("beside.told", title, partial(_told_on_paper, facts, one), essential=False)


def _told_on_paper(facts: OpeningFacts, one: InHand) -> str:
    assert one.kept is not None
    try:
        told = hall_receipts.told_on_paper(facts, one.kept)
    except AuditError as error:
        raise DocumentError(f"{one.name}: {error}") from error
    return f"{one.name}" + ": it came after the record's last row" * (not told)


def _told(streams: dict[str, Any], about: Sequence[InHand], centre: str) -> str:
    told, later = 0, 0
    for one in about:
        rows = streams[one.stream]
        if one.kept is not None:
            found = hall_receipts.told_in(rows, one.kept, centre)
            beyond = not found
        elif one.stream.startswith(AUCTIONS):
            beyond = one.seq > len(rows)
            found = not beyond and rows[one.seq - 1].chain.hex() == one.mark
        else:
            beyond = one.at > max(row.at for row in rows)
            found = any(
                statement.digest(row.body[member]).hex() == one.mark
                for row in rows
                for kind, member in (("receipt", "receipt"), ("refused", "refusal"))
                if row.kind == kind
            )
        must(found or beyond, f"the centre signed {one.name}, and nothing of it is in the events")
        told, later = told + found, later + (not found)
    return f"{told} of {len(about)}" + (
        f", {later} came after the dossier's last row" * bool(later)
    )
