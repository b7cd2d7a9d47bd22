"""Who may cosign the ledger, and what they have cosigned.

The register is a projection of ledger leaves of kind `witness` and `witness_retired`, so everybody
sees who counts. Cosignature lines are kept in a table of their own, append-only: they say nothing
about the centre's acts and would otherwise make the ledger grow by being watched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from crypto.errors import CryptoError
from crypto.tlog import checkpoint as checkpoints
from crypto.tlog import cosignature, note
from trading.ground.problems import Conflict, Invalid, NotFound
from trading.ground.tables import CosignatureRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

    from crypto.tlog.checkpoint import Checkpoint
    from trading.ground.database import Database

MAX_REPEATS: Final = 8  # cosignatures of one witness on one size that are kept
RECENT: Final = 1_000  # rows that are looked through for who was seen before a restart
MAX_SHOWN: Final = note.MAX_SIGNATURES - 1

Line = tuple[note.VerifierKey, note.Signature]
_ROWS: Final = CosignatureRow.__table__  # type: ignore[attr-defined]


class Witnesses:
    """The register of witnesses and their cosignatures; owned by the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[str, note.VerifierKey] = {}
        self._seen: dict[str, int] = {}

    def keys(self) -> dict[str, note.VerifierKey]:
        """Registered keys by name."""
        return dict(self._keys)

    def follow(self, body: dict[str, Any]) -> None:
        """Take a leaf that registers or retires a witness."""
        if body["kind"] == "witness":
            key = note.VerifierKey.parse(body["vkey"])
            self._keys[key.name] = key
        elif body["kind"] == "witness_retired":
            self._keys.pop(body["witness"], None)

    def admissible(self, vkey: str) -> str:
        """Return the name of a key that may be registered.

        Raises:
            Invalid: no verifier key of type 4.
            Conflict: the name is taken by another key.
        """
        try:
            key = note.VerifierKey.parse(vkey)
        except CryptoError as error:
            raise foreign() from error
        if key.kind != note.COSIGNATURE:
            raise foreign()
        if self._keys.get(key.name, key) != key:
            raise Conflict(
                "witness-known", "见证人名称已登记", "This witness has another key already."
            )
        return key.name

    def vkey(self, name: str) -> str:
        """Return a registered witness's key text.

        Raises:
            NotFound: no such witness.
        """
        if name not in self._keys:
            raise NotFound("witness-unknown", "没有登记该见证人", "No such witness is registered.")
        return str(self._keys[name])

    def verified(self, data: bytes, origin: str) -> tuple[Checkpoint, list[Line]]:
        """Return the checkpoint of a cosigned note and the lines of registered witnesses.

        Raises:
            Invalid: malformed, of another log, a line that does not hold, or none by a witness.
        """
        try:
            parsed = note.Note.parse(data)
            checkpoint = checkpoints.parse(parsed.text)
            cosigned = cosignature.verify(data, self._keys.values())
        except CryptoError as error:
            raise foreign() from error
        if checkpoint.origin != origin or not cosigned:
            raise foreign()
        lines = [
            (key, line) for key in self._keys.values() for line in parsed.signatures if line.by(key)
        ]
        return checkpoint, lines

    async def keep(self, log_id: str, size: int, lines: list[Line]) -> int:
        """Store verified lines durably; return how many were new."""
        for key, line in lines:
            self._saw(_owner(key), _stamp(line))
        return await self._database.run(_keep(log_id, size, lines))

    def seen(self) -> dict[str, int]:
        """Return key text → stamp of its latest cosignature, ms UTC; who was never seen is not there."""
        query = select(_ROWS.c.key_hash, _ROWS.c.at).order_by(_ROWS.c.id.desc()).limit(RECENT)
        if not self._seen:  # a fresh process: what it was told before counts as well
            with self._database.reader() as session:
                for owner, at in session.execute(query):
                    self._saw(owner, at)
        return {
            str(key): self._seen[_owner(key)]
            for key in self._keys.values()
            if _owner(key) in self._seen
        }

    def _saw(self, owner: str, at: int) -> None:
        self._seen[owner] = max(at, self._seen.get(owner, 0))

    def lines(self, log_id: str, size: int) -> list[note.Signature]:
        """Return the lines that came for a size, oldest first."""
        query = select(_ROWS.c.line).where(_ROWS.c.log_id == log_id, _ROWS.c.size == size)
        with self._database.reader() as session:
            found = session.execute(query.order_by(_ROWS.c.id).limit(MAX_SHOWN)).scalars()
            return [note.parse_line(line) for line in found]

    def newest(self, log_id: str) -> list[int]:
        """Return for each registered witness the largest size that it cosigned, none twice, largest first."""
        found = set()
        with self._database.reader() as session:
            for key in self._keys.values():
                mine = select(func.max(_ROWS.c.size)).where(
                    _ROWS.c.log_id == log_id, _ROWS.c.key_hash == _owner(key)
                )
                found.add(session.execute(mine).scalar_one())
        return sorted(found - {None}, reverse=True)

    def sizes(self, log_id: str, at_least: int, limit: int) -> list[int]:
        """Return sizes ≥ `at_least` for which lines came, smallest first."""
        query = (
            select(_ROWS.c.size)
            .where(_ROWS.c.log_id == log_id, _ROWS.c.size >= at_least)
            .distinct()
            .order_by(_ROWS.c.size)
            .limit(limit)
        )
        with self._database.reader() as session:
            return list(session.execute(query).scalars())


def foreign() -> Invalid:
    """What whoever sends something that is not of this log is told."""
    return Invalid(
        "checkpoint-foreign", "不是本日志的检查点或见证签名",
        "Send a checkpoint of this log, signed by a registered witness.",
    )  # fmt: skip


def _owner(key: note.VerifierKey) -> str:
    return f"{key.name[:50]}+{key.key_id.hex()}"


def _stamp(line: note.Signature) -> int:
    return int.from_bytes(line.data[:8]) * 1000


def _keep(log_id: str, size: int, lines: list[Line]) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        added = 0
        for key, line in lines:
            owner = _owner(key)
            mine = (_ROWS.c.log_id == log_id, _ROWS.c.size == size, _ROWS.c.key_hash == owner)
            known = session.execute(select(_ROWS.c.line).where(*mine)).scalars().all()
            if str(line) not in known and len(known) < MAX_REPEATS:
                row = CosignatureRow(
                    log_id=log_id, size=size, key_hash=owner, at=_stamp(line), line=str(line)
                )
                session.add(row)
                session.flush()
                added += 1
        return added

    return work
