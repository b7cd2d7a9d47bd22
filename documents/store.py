"""Rows of the `record` table: a projection of the journal's stream `documents`, rebuilt when it differs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, select

from trading.ground.blobs import Blob
from trading.ground.tables import RecordRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlmodel import Session

    from trading.ground.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedRecord:
    """A signed record of the centre.

    Attributes:
        record: its id.
        kind: notice, opening, transcript or confirmation.
        subject: id of the section or session it is about.
        number: printed number.
        at: when it was issued, ms UTC.
        blob: where its bytes lie, with SHA-256 and size.
        facts: SHA-256 of `record.json`.
        signatures: how many it carries.
        ledger_index: index of its leaf.
    """

    record: str
    kind: str
    subject: str
    number: str
    at: int
    blob: Blob
    facts: str
    signatures: int
    ledger_index: int

    def to_body(self) -> dict[str, Any]:
        """Return the body of its journal row."""
        return {
            "record": self.record,
            "type": self.kind,
            "subject": self.subject,
            "number": self.number,
            "sha256": self.blob.sha256,
            "size": self.blob.size,
            "blob": self.blob.name,
            "facts": self.facts,
            "signatures": self.signatures,
        }

    @classmethod
    def from_body(cls, body: dict[str, Any], at: int, ledger_index: int) -> IssuedRecord:
        """Read a journal row's body back; the index is that of the leaf appended with it."""
        return cls(
            record=body["record"],
            kind=body["type"],
            subject=body["subject"],
            number=body["number"],
            at=at,
            blob=Blob(body["blob"], body["sha256"], body["size"]),
            facts=body["facts"],
            signatures=body["signatures"],
            ledger_index=ledger_index,
        )


class Records:
    """The table of records. All calls block: run them in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rebuild(self, issued: Iterable[IssuedRecord]) -> Sequence[IssuedRecord]:
        """Make the table equal to the journal and return what it holds, in order of issue."""
        wanted = list(issued)
        if self.all() != wanted:
            with self._database.session() as session:
                session.exec(delete(RecordRow))
                session.add_all(_row(one) for one in wanted)
        return wanted

    def add(self, one: IssuedRecord) -> None:
        """Keep a record that the journal already holds."""
        with self._database.session() as session:
            session.merge(_row(one))

    def all(self) -> list[IssuedRecord]:
        """Return all records in order of issue."""
        with self._database.reader() as session:
            return [_issued(row) for row in _ordered(session)]


def _ordered(session: Session) -> Sequence[RecordRow]:
    return session.exec(select(RecordRow).order_by(col(RecordRow.ledger_index))).all()


def _row(one: IssuedRecord) -> RecordRow:
    return RecordRow(
        id=one.record,
        kind=one.kind,
        subject=one.subject,
        at=one.at,
        sha256=one.blob.sha256,
        size=one.blob.size,
        ledger_index=one.ledger_index,
        body=json.dumps(one.to_body(), ensure_ascii=False, sort_keys=True),
    )


def _issued(row: RecordRow) -> IssuedRecord:
    return IssuedRecord.from_body(json.loads(row.body), row.at, row.ledger_index)
