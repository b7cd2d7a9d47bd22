"""What a custodian remembers: every word it has said, before it said it.

One SQLite file, WAL with ``synchronous=FULL``: a call returns when the disk has it. Nothing in it is
secret but sealed shares, which are ciphertext under the host secret. Two tables: ``said`` holds statements
that may be made only once and must be repeated byte for byte; ``mark`` holds marks that only move
forward (the time, the last checkpoint cosigned).
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from clients.custodian import sentences as say
from clients.errors import ClientError, UnfitError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS said (
  kind TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, number INTEGER, content BLOB) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS said_is_final BEFORE UPDATE ON said
  BEGIN SELECT RAISE(ABORT, 'what was said stays said'); END;
"""


class ClockWentBackError(ClientError):
    """The clock shows an earlier time than it did before; nothing is signed until it has caught up."""


class State:
    """The durable memory of one home. One process at a time holds it (see `home.Home`).

    Args:
        path: the SQLite file, made when missing.

    Raises:
        UnfitError: the file cannot be opened or is no SQLite file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            journal = self._db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            self._db.execute("PRAGMA synchronous=FULL")
            durable = self._db.execute("PRAGMA synchronous").fetchone()[0]
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise UnfitError(say.MEMORY_SHUT(path=path, error=error)) from error
        if journal != "wal" or durable != 2:
            raise UnfitError(say.DISK_REFUSES(path=path))

    def say(self, kind: str, subject: str, content: bytes, at: int) -> bytes:
        """Keeps what is about to be said and returns what must be said.

        The first content for a (kind, subject) stays; whoever comes later gets the first one back.

        Args:
            kind: e.g. ``round1``, ``release``.
            subject: what it is about, e.g. a ceremony's id.
            content: the bytes to be sent.
            at: own clock, ms UTC.
        """
        self._write("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?)", (kind, subject, at, content))
        kept = self.said(kind, subject)
        assert kept is not None
        return kept

    def said(self, kind: str, subject: str) -> bytes | None:
        """What was said about a subject, or None."""
        row = self._db.execute(
            "SELECT content FROM said WHERE kind = ? AND subject = ?", (kind, subject)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def all_said(self, kind: str) -> dict[str, bytes]:
        """Everything said of one kind, by subject."""
        rows = self._db.execute("SELECT subject, content FROM said WHERE kind = ?", (kind,))
        return {subject: bytes(content) for subject, content in rows}

    def unsay(self, kind: str, subject: str) -> None:
        """Forgets a private note of the custodian's own (a hold); never used for what was sent."""
        self._write("DELETE FROM said WHERE kind = ? AND subject = ?", (kind, subject))

    def mark(self, name: str) -> tuple[int, bytes]:
        """A mark as (number, content); (0, b"") before it was first set."""
        row = self._db.execute(
            "SELECT number, content FROM mark WHERE name = ?", (name,)
        ).fetchone()
        return (0, b"") if row is None else (int(row[0]), bytes(row[1]))

    def advance(self, name: str, number: int, content: bytes = b"") -> None:
        """Moves a mark forward, durably.

        Raises:
            ClientError: the mark would go back, or would change its content without moving.
        """
        before, kept = self.mark(name)
        if number < before or (number == before and kept not in {b"", content}):
            raise ClientError(say.MARK_BACKWARDS(name=name, before=before, number=number))
        self._write(
            "INSERT INTO mark VALUES (?1, ?2, ?3) "
            "ON CONFLICT (name) DO UPDATE SET number = ?2, content = ?3",
            (name, number, content),
        )

    def see_time(self, now: int) -> int:
        """Notes the own clock, at most once a second on disk, and returns it.

        Args:
            now: own clock, ms UTC.

        Raises:
            ClockWentBackError: the clock has shown a later time before.
        """
        seen, _ = self.mark("clock")
        if now < seen:
            raise ClockWentBackError(say.CLOCK_BACK(ms=seen - now))
        if now - seen >= 1000:
            self.advance("clock", now)
        return now

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            self._db.execute(sql, values)
        except sqlite3.Error as error:
            raise UnfitError(say.MEMORY_FULL(error=error)) from error

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
