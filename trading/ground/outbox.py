"""Outbox: notifications that must leave the house, at least once each, after the journal.

A message is a row first and leaves afterwards, so that a crash between the two loses nothing. Its
key makes it once: the same key is never queued twice, and the adapter may see a message again
only after a crash. How it leaves is the adapter's matter; the embedded one writes files.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec
from sqlalchemy import select, update

from trading.ground.tables import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlmodel import Session

    from trading.ground.clock import Clock
    from trading.ground.database import Database
    from trading.ground.timers import Timers

RETRY_MS: Final = 5_000
BATCH: Final = 100
TIMER: Final = "outbox"

_ROWS: Final = OutboxRow.__table__  # type: ignore[attr-defined]
_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """A notification: to whom (an id, never an address), of what kind, with what content."""

    key: str
    kind: str
    recipient: str
    body: dict[str, Any]
    created_at: int


class Adapter(Protocol):
    """Whatever takes messages away: files, a mail relay, an SMS gateway."""

    def send(self, message: Message) -> None:
        """Take one message, durably; may block; raises OSError to be asked again later."""
        ...


class FileAdapter:
    """Writes each message as one JSON file, named by the hash of its key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, message: Message) -> None:
        """Write the file; a message that comes again overwrites its own file."""
        name = hashlib.sha256(message.key.encode()).hexdigest()
        fresh = self._folder / f"{name}.new"
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(message._asdict()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / f"{name}.json")


class Outbox:
    """The queue in the database and its delivery.

    Args:
        database: holds the rows.
        clock: stamps them.
        timers: wakes a delivery that failed.
        adapter: takes messages away.
    """

    def __init__(self, database: Database, clock: Clock, timers: Timers, adapter: Adapter) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self._adapter = adapter
        self._delivering = asyncio.Lock()

    async def put(self, key: str, kind: str, recipient: str, body: dict[str, Any]) -> bool:
        """Queue a message and wake the delivery; a key that was queued before is left alone.

        Returns:
            Whether it is new.
        """
        now = self._clock.now()
        encoded = msgspec.json.encode(body).decode()

        def work(session: Session) -> bool:
            if session.execute(select(_ROWS.c.id).where(_ROWS.c.key == key)).first():
                return False
            row = OutboxRow(key=key, kind=kind, recipient=recipient, body=encoded, created_at=now)
            session.add(row)
            return True

        fresh = await self._database.run(work)
        self.wake()
        return fresh

    def wake(self) -> None:
        """Deliver what waits, soon; called at start for what an earlier process left."""
        self._timers.at(self._clock.now(), self._deliver, TIMER)

    async def deliver(self) -> int:
        """Deliver what waits, oldest first; return how many left.

        Raises:
            OSError: the adapter refused one; it and the later ones keep waiting.
        """
        async with self._delivering:
            count = 0
            while rows := await self._database.run(_waiting):
                for number, message in rows:
                    await asyncio.to_thread(self._adapter.send, message)
                    await self._database.run(_sent(number, self._clock.now()))
                    count += 1
            return count

    async def _deliver(self) -> None:
        try:
            await self.deliver()
        except OSError as error:
            _log.warning("the outbox's adapter refused: %s", type(error).__name__)
            self._timers.at(self._clock.now() + RETRY_MS, self._deliver, TIMER)


def _waiting(session: Session) -> list[tuple[int, Message]]:
    columns = _ROWS.c
    query = (
        select(columns.id, columns.key, columns.kind, columns.recipient, columns.body,
               columns.created_at)
        .where(columns.sent_at.is_(None)).order_by(columns.id).limit(BATCH)
    )  # fmt: skip
    return [
        (number, Message(key, kind, recipient, msgspec.json.decode(body), at))
        for number, key, kind, recipient, body, at in session.execute(query)
    ]


def _sent(number: int, now: int) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.execute(update(_ROWS).where(_ROWS.c.id == number).values(sent_at=now))

    return work
