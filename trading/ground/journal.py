"""The journal: the one history of the centre, append-only and chained; everything else follows.

One table for all streams. One writer thread takes whatever waits and commits it in one transaction (group
commit: while one commit runs, the next batch gathers; no timer). What one `append` brings stays together: all
of it or nothing, in consecutive positions.

Each row continues its stream's chain (`chain.py`). Bodies are stored as canonical text, so opening recomputes
every chain without parsing.

Order of effects: commit, then `listen` callbacks in position order, then the waiting `append` returns: who
awaited it finds every projection up to date. At the first storage error the journal stops (fail-stop): that
batch and all later ones get `StorageFailed`, memory is thrown away by `reload`, and a retry with the same
idempotency key settles what was in doubt.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import LargeBinary, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from trading.ground.appending import Item, gather, insert_rows
from trading.ground.chain import ZERO, Draft, Row, encode, link
from trading.ground.problems import Invalid, StorageFailed, Unavailable
from trading.ground.tables import JournalRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trading.ground.database import Database

__all__ = ["ChainBroken", "Draft", "Journal", "Row"]

MAX_WAITING_ROWS: Final = 100_000  # above it the disk has stalled; refuse, never buffer for ever
DEAD_WRITER: Final = 70  # exit status when the writer thread dies (sysexits EX_SOFTWARE)

_TABLE: Final = JournalRow.__table__  # type: ignore[attr-defined]
_UTF8: Final = func.convert_to(_TABLE.c.body, "UTF8")  # PostgreSQL's bytes of a text
_ALL: Final = ("position", "stream", "seq", "at", "kind", "body", "chain")
_log = logging.getLogger(__name__)


class ChainBroken(Unavailable):
    """The stored history is not the one that was written; the centre must not serve from it."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(
            "journal-chain-broken",
            "事件日志校验失败",
            f"Row {position}: {reason}. Restore a backup and compare it with checkpoints outside.",
            position=position,
        )


class Journal:
    """The journal of one centre in one database; bound to the event loop that appends.

    Opening verifies every chain and position.

    Args:
        database: an open database, which this process owns.
        centre: the centre's id; it is in every hash.

    Attributes:
        last_at: the latest instant of any row that listeners have seen, ms UTC; 0 if empty.

    Raises:
        ChainBroken: a row was changed, removed or added, or belongs to another centre.
    """

    def __init__(self, database: Database, centre: str) -> None:
        self.centre = centre
        self._database = database
        self._listeners: list[Callable[[Row], None]] = []
        self._on_stop: list[Callable[[], None]] = []
        self._on_resume: list[Callable[[], None]] = []
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._brought: list[Item] = []
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._stopped = ""
        self._closed = False
        self.last_at = 0
        self._position, self._heads = self._verified()
        self._seen = self._position
        self._seen_heads = dict(self._heads)

    @property
    def position(self) -> int:
        """Position of the last row that listeners have seen; 0 in an empty journal."""
        return self._seen

    @property
    def stopped(self) -> bool:
        """Whether a storage error (or `close`) has stopped the journal."""
        return bool(self._stopped)

    @property
    def busy(self) -> bool:
        """Whether somebody waits for a commit, or is just being told of it."""
        return self._waiting > 0

    def head(self, stream: str) -> tuple[int, bytes]:
        """Seq and chain of a stream's last row seen by listeners; `(0, zeros)` if it has none."""
        return self._seen_heads.get(stream, (0, ZERO))

    @property
    def streams(self) -> list[str]:
        """All streams that have rows, in the order of their first ones."""
        return list(self._seen_heads)

    async def append(self, *drafts: Draft) -> list[Row]:
        """Append together and wait until they are durable and every listener has seen them.

        Raises:
            Invalid: a draft is not canonical JSON or its names are none; nothing was queued.
            StorageFailed: the journal has stopped; these rows may or may not be in it.
        """
        return await self.append_nowait(drafts)

    def append_nowait(self, drafts: Sequence[Draft]) -> asyncio.Future[list[Row]]:
        """Queue drafts in the order of calls, for pipelines; the future gives their rows.

        Called in the event loop. Raises as `append`, but a later storage error comes through the future.
        """
        loop = asyncio.get_running_loop()
        if self._stopped:
            raise StorageFailed(self._stopped)
        if self._waiting + len(drafts) > MAX_WAITING_ROWS:
            # A stop as any other: whoever is refused has moved its memory on, and must begin anew.
            self._stop("The disk does not keep up. Nothing was accepted; ask again later.")
            raise StorageFailed(self._stopped)
        texts = [encode(draft) for draft in drafts]
        future: asyncio.Future[list[Row]] = loop.create_future()
        if not drafts:
            future.set_result([])
            return future
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="kaibiao-journal", daemon=True)
            self._thread.start()
        self._waiting += len(drafts)
        if not self._brought:
            loop.call_soon(self._hand_over)
        self._brought.append(Item(tuple(drafts), texts, future))
        return future

    def rows(
        self, stream: str | None = None, after_position: int = 0, after_seq: int = 0,
        kind: str | None = None,
    ) -> Iterator[Row]:  # fmt: skip
        """Read rows in order of position from the database: of one stream or of all, of one kind or of all.

        Raises:
            StorageFailed: the database cannot be read.
        """
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        for found in self._stored(_ALL, stream, after_position, after_seq, kind):
            position, name, seq, at, what, text, chain = found
            yield Row(position, name, seq, at, what, decode(text), bytes(chain))

    def texts(self, stream: str, after_position: int = 0) -> Iterator[bytes]:
        """Read the canonical bodies of one stream, unparsed, in order."""
        for (text,) in self._stored(("body",), stream, after_position):
            yield text

    def slice(self, stream: str, first: int, end: int) -> list[bytes]:
        """Read the canonical bodies of one stream's rows with `first` ≤ seq < `end`."""
        of, seq = _TABLE.c.stream == stream, _TABLE.c.seq
        query = select(_TABLE.c.body).where(of, seq >= first, seq < end).order_by(seq)
        try:
            with self._database.engine.connect() as connection:
                return [text.encode() for text in connection.execute(query).scalars()]
        except (SQLAlchemyError, UnicodeDecodeError) as error:
            raise StorageFailed("The journal cannot be read.") from error

    def listen(self, callback: Callable[[Row], None]) -> None:
        """Call `callback(row)` in the event loop for every later row, in order, after commit.

        A callback neither awaits nor fails: a projection that cannot take a durable row is a mistake of ours,
        and the process ends rather than serve a wrong state.
        """
        self._listeners.append(callback)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call `callback()` in the event loop once when a storage error stops the journal."""
        self._on_stop.append(callback)

    def on_resume(self, callback: Callable[[], None]) -> None:
        """Call `callback()` in the event loop each time a stopped journal takes events again."""
        self._on_resume.append(callback)

    async def reload(self) -> None:
        """After a stop: verify what is stored, show listeners what they missed, and resume.

        Raises:
            ChainBroken: what is stored is not what was written.
            Unavailable: the database still fails or is another's, or the journal was closed; it stays stopped.
        """
        if self._closed:
            raise StorageFailed(self._stopped)
        if not self._stopped:
            return
        self._hand_over()
        await asyncio.to_thread(self._join)
        await asyncio.to_thread(self._database.retake)
        self._position, self._heads = await asyncio.to_thread(self._verified)
        self._queue = queue.SimpleQueue()
        self._waiting = 0
        for row in list(self.rows(after_position=self._seen)):
            self._show(row)
        self._stopped = ""
        for callback in self._on_resume:
            callback()

    def close(self) -> None:
        """Let what is queued be written, end the writer; later appends are refused."""
        self._closed = True
        self._stopped = self._stopped or "The centre is closing."
        self._hand_over()
        self._join()

    # What follows the event loop's side.

    def _hand_over(self) -> None:
        """Give the writer what one turn of the loop has brought.

        Item by item it would wake at the first and commit that alone, many times a turn.
        """
        items, self._brought = self._brought, []
        for item in items:
            self._queue.put(item)

    def _show(self, row: Row) -> None:
        self._seen = row.position
        self._seen_heads[row.stream] = (row.seq, row.chain)
        self.last_at = max(self.last_at, row.at)
        for listener in self._listeners:
            try:
                listener(row)
            except Exception:  # noqa: BLE001 (see `listen`)
                _die("a listener failed on a durable row")

    def _finish(self, items: list[Item], groups: list[list[Row]]) -> None:
        for item, rows in zip(items, groups, strict=True):
            for row in rows:
                self._show(row)
            if not item.future.done():  # its waiter may have been cancelled; the rows stand
                item.future.set_result(rows)
        # After those who waited: a broadcast stands aside for their answers as for their commit.
        asyncio.get_running_loop().call_soon(self._told, sum(map(len, groups)))

    def _told(self, rows: int) -> None:
        self._waiting -= rows

    def _fail(self, items: list[Item], error: BaseException) -> None:
        for item in items:
            self._waiting -= len(item.drafts)
            if not item.future.done():
                failure = StorageFailed()
                failure.__cause__ = error
                item.future.set_exception(failure)
        self._stop("The journal has stopped after a storage error.")

    def _stop(self, reason: str) -> None:
        if not self._stopped:
            self._stopped = reason
            for callback in self._on_stop:
                callback()

    # What follows is the writer thread's side.

    def _write(self) -> None:
        try:
            failed: BaseException | None = None
            while (item := self._queue.get()) is not None:
                items, last = gather(self._queue, item)
                if failed is None:
                    try:
                        groups = self._commit(items)
                    except (SQLAlchemyError, OSError) as error:
                        _log.critical("the journal stops: %s", type(error).__name__)
                        failed = error
                    else:
                        _call(items[0], self._finish, items, groups)
                if failed is not None:
                    _call(items[0], self._fail, items, failed)
                if last:
                    return
        except BaseException:  # noqa: BLE001 (whatever it is, nobody would write any more)
            _die("the journal's writer died")

    def _commit(self, items: list[Item]) -> list[list[Row]]:
        position = self._position
        heads: dict[str, tuple[int, bytes]] = {}
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        groups, values = [], []
        for item in items:
            rows = []
            for draft, text in zip(item.drafts, item.texts, strict=True):
                stream, kind, _, at = draft
                seq, previous = heads.get(stream) or self._heads.get(stream, (0, ZERO))
                position, seq = position + 1, seq + 1
                chain = link(previous, self.centre, stream, seq, at, kind, text)
                heads[stream] = (seq, chain)
                rows.append(Row(position, stream, seq, at, kind, decode(text), chain))
                values.append((position, stream, seq, at, kind, text.decode(), chain))
            groups.append(rows)
        with self._database.appending() as connection:
            insert_rows(connection, values)
        self._position = position
        self._heads.update(heads)
        return groups

    def _join(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    # What follows reads.

    def _stored(
        self, columns: Sequence[str], stream: str | None, after: int, after_seq: int = 0,
        kind: str | None = None,
    ) -> Iterator[Any]:  # fmt: skip
        """Read stored rows as plain tuples, bodies as bytes.

        Compiled by SQLAlchemy, fetched by the driver: its rows cost a third of result objects, and
        every start reads the whole journal.
        """
        engine = self._database.engine
        body = cast(_TABLE.c.body, LargeBinary) if self._database.sqlite else _UTF8
        query = select(*(body if name == "body" else _TABLE.c[name] for name in columns))
        if after or stream is None:
            query = query.where(_TABLE.c.position > after)
        if after_seq:
            query = query.where(_TABLE.c.seq > after_seq)
        if kind is not None:
            query = query.where(_TABLE.c.kind == kind)
        if stream is None:
            query = query.order_by(_TABLE.c.position)
        else:  # by the index of the stream; within it seq and position have one order
            query = query.where(_TABLE.c.stream == stream).order_by(_TABLE.c.seq)
        compiled = query.compile(dialect=engine.dialect)
        values: Any = compiled.params
        if compiled.positiontup is not None:
            values = [values[name] for name in compiled.positiontup]
        try:
            connection = engine.raw_connection()
            try:
                cursor: Any = connection.cursor(*(() if self._database.sqlite else ("journal",)))
                with closing(cursor):
                    cursor.execute(compiled.string, values)
                    yield from cursor
            finally:
                connection.close()
        except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
            raise StorageFailed("The journal cannot be read.") from error

    def _verified(self) -> tuple[int, dict[str, tuple[int, bytes]]]:
        expected = 0
        heads: dict[str, tuple[int, bytes]] = {}
        for position, stream, seq, at, kind, text, chain in self._stored(_ALL, None, 0):
            expected += 1
            before, previous = heads.get(stream, (0, ZERO))
            if position != expected or seq != before + 1:
                raise ChainBroken(expected, "a row is missing")
            try:
                expected_chain = link(previous, self.centre, stream, seq, at, kind, text)
            except Invalid as error:
                raise ChainBroken(position, "a name was changed") from error
            if expected_chain != chain:
                reason = (
                    "its content was changed" if position > 1 else "another centre's, or changed"
                )
                raise ChainBroken(position, reason)
            heads[stream] = (seq, expected_chain)
            self.last_at = max(self.last_at, at)
        return expected, heads


def _call(item: Item, function: Callable[..., None], *arguments: object) -> None:
    try:
        item.future.get_loop().call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        _log.warning("the event loop has ended; rows stand, nobody waits for them")


def _die(reason: str) -> None:
    _log.critical("%s; the process ends", reason, exc_info=True)
    logging.shutdown()
    os._exit(DEAD_WRITER)
