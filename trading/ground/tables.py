"""The tables of the ground. Only `stores` build rows; a domain object is never a table row.

The journal is the truth. `cosignature` keeps what witnesses gave us (append-only, like the
journal). `private` is the one erasable place for personal data. The others are not history:
login sessions, upload offsets, outbox, remembered answers; `record` is a projection.
Times are integer milliseconds UTC, JSON bodies are text.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

# SQLite counts up by itself only in a column declared INTEGER, PostgreSQL in any.
_COUNTER = BigInteger().with_variant(Integer(), "sqlite")


def _big(*, index: bool = False) -> Column[int]:
    return Column(BigInteger(), nullable=False, index=index)


class JournalRow(SQLModel, table=True):
    """One event of the centre; see `journal.py`."""

    __tablename__: ClassVar[str] = "journal"
    __table_args__ = (UniqueConstraint("stream", "seq", name="uq_journal_stream_seq"),)

    position: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    stream: str = Field(max_length=200)
    seq: int = Field(sa_column=_big())
    at: int = Field(sa_column=_big())
    kind: str = Field(max_length=100)
    body: str = Field(sa_column=Column(Text(), nullable=False))
    chain: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


class CosignatureRow(SQLModel, table=True):
    """One witness's signature line under a checkpoint of ours; append-only."""

    __tablename__: ClassVar[str] = "cosignature"
    __table_args__ = (UniqueConstraint("log_id", "size", "key_hash", "at", name="uq_cosignature"),)

    id: int | None = Field(default=None, sa_column=Column(_COUNTER, primary_key=True))
    log_id: str = Field(max_length=64)
    size: int = Field(sa_column=_big())
    key_hash: str = Field(max_length=64)
    at: int = Field(sa_column=_big())
    line: str = Field(sa_column=Column(Text(), nullable=False))


class PrivateRow(SQLModel, table=True):
    """One piece of personal data with its commitment's salt; erased on lawful request."""

    __tablename__: ClassVar[str] = "private"

    ref: str = Field(primary_key=True, max_length=64)
    subject: str = Field(max_length=64, index=True)
    field: str = Field(max_length=100)
    value: str = Field(sa_column=Column(Text(), nullable=False))
    salt: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


class SessionRow(SQLModel, table=True):
    """One login; only the hash of its token is kept."""

    __tablename__: ClassVar[str] = "session"

    token_sha256: str = Field(primary_key=True, max_length=64)
    person: str = Field(max_length=64, index=True)
    key: str = Field(max_length=64, index=True)
    created_at: int = Field(sa_column=_big())
    seen_at: int = Field(sa_column=_big())
    expires_at: int = Field(sa_column=_big())
    body: str = Field(default="{}", sa_column=Column(Text(), nullable=False))


class UploadRow(SQLModel, table=True):
    """One resumable upload: how far it has durably come."""

    __tablename__: ClassVar[str] = "upload"

    id: str = Field(primary_key=True, max_length=64)
    owner: str = Field(max_length=64, index=True)
    length: int = Field(sa_column=_big())
    offset: int = Field(sa_column=_big())
    sha256: str = Field(default="", max_length=64)
    state: str = Field(max_length=20)
    created_at: int = Field(sa_column=_big())
    expires_at: int = Field(sa_column=_big())
    body: str = Field(default="{}", sa_column=Column(Text(), nullable=False))


class OutboxRow(SQLModel, table=True):
    """One notification that must leave, and whether it has."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "sent_at", "id"),)

    id: int | None = Field(default=None, sa_column=Column(_COUNTER, primary_key=True))
    key: str = Field(max_length=200, unique=True)
    kind: str = Field(max_length=100)
    recipient: str = Field(max_length=64)
    body: str = Field(sa_column=Column(Text(), nullable=False))
    created_at: int = Field(sa_column=_big())
    sent_at: int | None = Field(default=None, sa_column=Column(BigInteger(), nullable=True))
    attempts: int = 0


class RecordRow(SQLModel, table=True):
    """One issued document: a projection of ledger leaves of kind `record`."""

    __tablename__: ClassVar[str] = "record"

    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=100, index=True)
    subject: str = Field(default="", max_length=64, index=True)
    at: int = Field(sa_column=_big())
    sha256: str = Field(max_length=64)
    size: int = Field(sa_column=_big())
    ledger_index: int = Field(sa_column=_big())
    body: str = Field(default="{}", sa_column=Column(Text(), nullable=False))


class AnswerRow(SQLModel, table=True):
    """The answer given under an idempotency key, repeated to whoever repeats the request."""

    __tablename__: ClassVar[str] = "answer"

    key_sha256: str = Field(primary_key=True, max_length=64)
    request_sha256: str = Field(max_length=64)
    status: int
    headers: str = Field(sa_column=Column(Text(), nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    expires_at: int = Field(sa_column=_big(index=True))


METADATA = SQLModel.metadata
"""What the migrations must equal; a test compares them."""
