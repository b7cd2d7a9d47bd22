"""The ground of one running centre, opened and closed as a whole; `main` is the only caller.

Order of opening: lock and database, journal (chains verified), keys, ledger (compared with the home's
memory of its last checkpoint), slots, then what moves. The clock never answers less than the last
stamp in the journal. Services register their sources and timers, then `start` fills missing slots.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.random import token
from trading.ground.blobs import Blobs
from trading.ground.ca import Authority
from trading.ground.database import Database, open_database
from trading.ground.journal import DEAD_WRITER, ChainBroken, Journal
from trading.ground.ledger import Ledger, open_ledger
from trading.ground.live import Hub
from trading.ground.outbox import FileAdapter, Outbox
from trading.ground.private import Private
from trading.ground.slots import Slots
from trading.ground.timers import Timers

if TYPE_CHECKING:
    from trading.ground.clock import FrozenClock, SystemClock
    from trading.ground.settings import Settings


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every floor stands on. Made by `open_ground`."""

    settings: Settings
    clock: SystemClock | FrozenClock
    database: Database
    journal: Journal
    ledger: Ledger
    slots: Slots
    blobs: Blobs
    hub: Hub
    timers: Timers
    ca: Authority
    outbox: Outbox
    private: Private

    def start(self) -> None:
        """Begin what moves by itself, once every service has its state, sources and timers.

        From now on a journal that stops is reloaded until it takes events again; services hear of
        both by `journal.on_stop` and `journal.on_resume`.
        """
        self.journal.on_stop(self._reload_soon)
        self.slots.start()
        self.outbox.wake()

    async def close(self) -> None:
        """Stop what moves, let what is queued become durable, give the home free."""
        await self.slots.close()
        await self.timers.close()
        await self.hub.close()
        self.journal.close()
        await asyncio.sleep(0)  # the last rows reach their listeners and waiters
        self.database.close()

    def _reload_soon(self) -> None:
        self.timers.at(self.clock.now(), self._reload, "journal-reload")

    async def _reload(self) -> None:
        try:
            await self.journal.reload()
        except ChainBroken:
            # Nothing may be served from a history that is not the one that was written.
            _log.critical("the stored journal is broken; the process ends", exc_info=True)
            logging.shutdown()
            os._exit(DEAD_WRITER)


async def open_ground(settings: Settings, clock: SystemClock | FrozenClock) -> Ground:
    """Open a centre's home, creating it if it is fresh.

    Raises:
        HomeInUse: another process serves it.
        UnsafeStorage: the database would lose acknowledged bids at a power cut.
        ChainBroken: the journal is not what was written.
        LedgerContradicted: the ledger is not what was signed.
        StorageFailed: it cannot be read or written.
    """
    home = settings.home
    database = open_database(settings.database_url, home)
    try:
        journal = await asyncio.to_thread(Journal, database, settings.centre)
        clock.not_before(journal.last_at)
        ca = Authority(home / "keys", settings.centre, settings.centre_name, clock)
        ledger = await open_ledger(
            journal, database, ca.log_key(), home / "checkpoint", clock.now()
        )
        timers = Timers(clock)
        return Ground(
            settings=settings,
            clock=clock,
            database=database,
            journal=journal,
            ledger=ledger,
            slots=Slots(journal, ledger, clock),
            blobs=Blobs(home / "blobs"),
            hub=Hub(clock, token(8).hex(), lambda: journal.busy),
            timers=timers,
            ca=ca,
            outbox=Outbox(database, clock, timers, FileAdapter(home / "outbox")),
            private=Private(database),
        )
    except BaseException:
        database.close()
        raise
