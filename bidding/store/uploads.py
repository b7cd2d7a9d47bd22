"""The table of resumable uploads: how far each has durably come, and whose it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import select

from trading.ground.blobs import Blob
from trading.ground.tables import UploadRow

if TYPE_CHECKING:
    from sqlmodel import Session

    from trading.ground.database import Database

OPEN: Final = "open"
WHOLE: Final = "whole"  # every byte is there and kept in the content store
USED: Final = "used"  # a submission names it


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `owner`: organisation id; `blob`: the kept file once it is whole."""

    id: str
    owner: str
    length: int
    offset: int
    state: str
    expires_at: int
    blob: Blob | None = None


class Uploads:
    """The table; every write is durable when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, upload: Upload, now: int) -> None:
        """Add a new upload."""
        row = UploadRow(
            id=upload.id,
            owner=upload.owner,
            length=upload.length,
            offset=0,
            state=OPEN,
            created_at=now,
            expires_at=upload.expires_at,
        )

        def work(session: Session) -> None:
            session.add(row)

        await self._database.run(work)

    def get(self, id_: str) -> Upload | None:
        """Return an upload, or None."""
        with self._database.reader() as session:
            row = session.get(UploadRow, id_)
            return _read(row) if row else None

    def ids(self) -> set[str]:
        """Return the ids of all uploads."""
        with self._database.reader() as session:
            return set(session.exec(select(UploadRow.id)).all())

    def count_unnamed(self, owner: str) -> int:
        """Return how many uploads an organisation has that nothing names, whole or not."""
        with self._database.reader() as session:
            query = select(UploadRow.id).where(UploadRow.owner == owner, UploadRow.state != USED)
            return len(session.exec(query).all())

    def held(self, owner: str, sha256: str) -> Upload | None:
        """Return a whole upload of an organisation by its hash, or None."""
        with self._database.reader() as session:
            query = select(UploadRow).where(
                UploadRow.owner == owner, UploadRow.sha256 == sha256, UploadRow.state != OPEN
            )
            row = session.exec(query).first()
            return _read(row) if row else None

    def expired(self, now: int) -> list[Upload]:
        """Return uploads that nothing names and whose time is over."""
        with self._database.reader() as session:
            query = select(UploadRow).where(UploadRow.state != USED, UploadRow.expires_at <= now)
            return [_read(row) for row in session.exec(query).all()]

    async def set(self, id_: str, **changes: Any) -> None:
        """Change offset, state or blob of an upload."""
        blob = changes.pop("blob", None)

        def work(session: Session) -> None:
            row = session.get(UploadRow, id_)
            if row is None:
                return  # ended meanwhile
            for name, value in changes.items():
                setattr(row, name, value)
            if blob is not None:
                row.sha256 = blob.sha256
                row.body = json.dumps({"blob": list(blob)})
            session.add(row)

        await self._database.run(work)

    async def remove(self, id_: str) -> None:
        """Forget an upload."""

        def work(session: Session) -> None:
            row = session.get(UploadRow, id_)
            if row is not None:
                session.delete(row)

        await self._database.run(work)


def _read(row: UploadRow) -> Upload:
    body = json.loads(row.body)
    blob = Blob(*body["blob"]) if "blob" in body else None
    return Upload(row.id, row.owner, row.length, row.offset, row.state, row.expires_at, blob)
