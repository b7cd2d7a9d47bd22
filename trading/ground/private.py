"""Personal data, erasable: names of people, phones, addresses. Nothing else of ours holds any.

History must stay for good, personal data must not. So the journal holds a random `ref` and a
commitment, SHA-256(salt ‖ value), and this table holds the value and its salt. Erasing a person
deletes both: the commitment stays in the journal and can no longer be opened or searched for,
since 32 random bytes of salt are gone. (An archived backup keeps what it holds: its retention
is the centre's rule.)
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import delete, select, text

from crypto.random import token
from trading.ground.ids import new_id
from trading.ground.problems import NotFound
from trading.ground.tables import PrivateRow

if TYPE_CHECKING:
    from sqlmodel import Session

    from trading.ground.database import Database

SALT_BYTES: Final = 32
_ROWS: Final = PrivateRow.__table__  # type: ignore[attr-defined]


class Commitment(NamedTuple):
    """What the journal may hold of a private value: its reference and its commitment, hex."""

    ref: str
    commitment: str


class Opened(NamedTuple):
    """A private value with the salt that opens its commitment."""

    value: str
    salt: bytes


def commit(salt: bytes, value: str) -> str:
    """Return the commitment of a value, hexadecimal: SHA-256(salt ‖ UTF-8 value)."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def opens(commitment: str, salt: bytes, value: str) -> bool:
    """Say whether salt and value open a commitment."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(commit(salt, value), commitment)


class Private:
    """The private table of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, subject: str, field: str, value: str) -> Commitment:
        """Keep a value durably, before the journal names it.

        Args:
            subject: id of the person whom it is about; `erase` goes by it.
            field: what it is, as `name`.
            value: the text itself.
        """
        ref, salt = new_id("prv"), token(SALT_BYTES)

        def work(session: Session) -> None:
            session.add(PrivateRow(ref=ref, subject=subject, field=field, value=value, salt=salt))

        await self._database.run(work)
        return Commitment(ref, commit(salt, value))

    def get(self, ref: str) -> str | None:
        """Return a value, or None when it has been erased or never was."""
        with self._database.reader() as session:
            row = session.get(PrivateRow, ref)
            return row.value if row else None

    def open(self, ref: str) -> Opened:
        """Return a value with its salt, for whoever may check the commitment.

        Raises:
            NotFound: it has been erased, or never was.
        """
        with self._database.reader() as session:
            row = session.get(PrivateRow, ref)
            if row is None:
                raise NotFound("private-erased", "个人信息已删除", "This value has been erased.")
            return Opened(row.value, row.salt)

    def of(self, subject: str) -> dict[str, str]:
        """Return what is kept about a person, `{ref: value}`: the answer to their own request."""
        with self._database.reader() as session:
            query = select(_ROWS.c.ref, _ROWS.c.value).where(_ROWS.c.subject == subject)
            return {row.ref: row.value for row in session.execute(query)}

    async def erase(self, subject: str) -> int:
        """Erase everything about a person; return how many values.

        On SQLite the freed bytes are overwritten and the write-ahead log is emptied, so that the
        file itself no longer holds them.
        """

        def work(session: Session) -> int:
            query = delete(_ROWS).where(_ROWS.c.subject == subject)
            return int(session.execute(query).rowcount)  # type: ignore[attr-defined]

        count = await self._database.run(work)
        if self._database.sqlite:
            with self._database.turn(), self._database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # a checkpoint cannot run in a transaction
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).all()
        return count
