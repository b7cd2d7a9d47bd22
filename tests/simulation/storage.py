"""A disk in memory under our real journal: slow, failing, in doubt, and gone in the middle of a commit.

The journal is `trading.ground.journal.Journal` itself; only its thread and its SQL are replaced. What is
in `Store.rows` is durable; a commit takes a drawn time and ends as drawn.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import OperationalError

from trading.ground.ids import new_id
from trading.ground.journal import Journal
from trading.ground.private import Commitment

COLUMNS = 7  # of the journal's table


class Store:
    """What survives every process.

    Attributes:
        rows: (position, stream, seq, at, kind, body, chain), as the table has them.
        private: values by reference.
        accepted: offers accepted by durable rows.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.private: dict[str, str] = {}
        self.accepted = 0

    def keep(self, values: Sequence[Any]) -> None:
        """Let rows become durable; `values` are theirs, one after the other."""
        for first in range(0, len(values), COLUMNS):
            *head, kind, body, chain = values[first : first + COLUMNS]
            self.rows.append((*head, kind, body.encode(), chain))
            self.accepted += kind == "auction.decided" and '"ok":true' in body


class _Database:
    """As much of a database as the journal asks for."""

    sqlite = True
    dialect = SQLiteDialect_pysqlite()

    def __init__(self, keep: Callable[[Any], None]) -> None:
        self.engine: Any = self
        self._keep = keep

    @contextmanager
    def appending(self) -> Iterator[Any]:
        yield self

    def exec_driver_sql(self, _statement: str, values: Any) -> None:
        self._keep(values)

    def retake(self) -> None:
        """Connections cost nothing here."""


class _Thread:
    """Stands where the writer thread would."""

    def join(self) -> None:
        """It has nothing to end."""


class SimulatedJournal(Journal):
    """The journal of one process on a store.

    Args:
        store: what survives.
        centre: id.
        loop: of the process.
        fate: asked at each commit: (ms that it takes, "kept", "refused" or "kept, said to have failed").
    """

    def __init__(
        self,
        store: Store,
        centre: str,
        loop: asyncio.AbstractEventLoop,
        fate: Callable[[], tuple[int, str]],
    ) -> None:
        self._store, self._loop, self._fate = store, loop, fate
        self._items: deque[Any] = deque()
        self._handle: asyncio.TimerHandle | None = None
        self._ending = "kept"
        super().__init__(_Database(self._keep), centre)  # type: ignore[arg-type]
        self._thread = _Thread()  # type: ignore[assignment]

    @property
    def _queue(self) -> Any:
        return self

    @_queue.setter
    def _queue(self, _fresh: Any) -> None:
        self._items = deque()

    def put(self, item: Any) -> None:
        """Take what `append_nowait` queues."""
        if item is not None:
            self._items.append(item)
            if self._handle is None:
                self._begin()

    def power_off(self) -> None:
        """The process dies: the commit on its way has come through or not; nothing else will."""
        if self._handle is not None:
            self._handle.cancel()
            if self._ending != "refused":
                self._commit(self._batch)
        self._handle, self._items = None, deque()
        self._stopped = "dead"

    def _begin(self) -> None:
        self._batch = list(self._items)  # all that waits: a group commit
        self._items.clear()
        wait, self._ending = self._fate()
        self._handle = self._loop.call_later(wait / 1000, self._end)

    def _end(self) -> None:
        items, self._handle = self._batch, None
        error = OperationalError("insert", {}, OSError("simulated"))
        if self._ending == "refused" or self._stopped:
            self._fail(items, error)
        else:
            groups = self._commit(items)
            if self._ending == "kept":
                self._finish(items, groups)
            else:
                self._fail(items, error)
        if self._items and not self._stopped:
            self._begin()
        elif self._items:
            waiting, self._items = list(self._items), deque()
            self._fail(waiting, error)

    def _keep(self, values: Any) -> None:
        self._store.keep(values)

    def _join(self) -> None:
        """A reload waits for what is on its way; here it has ended by then."""

    def _stored(
        self,
        columns: Sequence[str],
        stream: str | None,
        after: int,
        after_seq: int = 0,
        kind: str | None = None,
    ) -> Iterator[Any]:
        assert len(columns) == COLUMNS
        for row in list(self._store.rows):
            if (
                row[0] > after
                and stream in (None, row[1])
                and row[2] > after_seq
                and kind in (None, row[4])
            ):
                yield row


class SimulatedPrivate:
    """The private table over a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, _subject: str, _field: str, value: str) -> Commitment:
        """Keep a value."""
        ref = new_id("prv")
        self._store.private[ref] = value
        return Commitment(ref, "")

    def get(self, ref: str) -> str | None:
        """Give a value."""
        return self._store.private.get(ref)
