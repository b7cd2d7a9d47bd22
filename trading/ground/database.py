"""The database: SQLite in the home by default, PostgreSQL by URL, one migration history.

Opening asserts what durability rests on (SQLite: WAL and `synchronous=FULL`; PostgreSQL: `fsync`
and `synchronous_commit`), brings the schema up to date and takes the home's lock, so that a
second process refuses to start. Everything but the journal goes through `session` and `reader`.

On PostgreSQL a second lock, the server's, keeps out processes with another home. It ends with its
connection, so the journal is written on that very connection: whoever has lost the lock, by a restart
of the server or a cut, can append nothing until `retake`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DisconnectionError, OperationalError, SQLAlchemyError
from sqlmodel import Session

from trading.ground.problems import StorageFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection, Engine

T = TypeVar("T")

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_MS: Final = 30_000  # longer than any transaction of ours; a wait is no storage error
ADVISORY_LOCK: Final = 0x6B616962  # "kaib": one writing process per PostgreSQL database
LOCK_MS: Final = 3_000  # a server that is in a statement notices late that a killed process is gone

# Once the schema stands, the application may change rows, never the schema or its triggers.
_DENIED: Final = frozenset(
    getattr(sqlite3, name)
    for name in dir(sqlite3)
    if name.startswith(("SQLITE_DROP_", "SQLITE_ALTER_", "SQLITE_CREATE_"))
)


class HomeInUse(Unavailable):
    """Another process owns this home or database; stop it first."""

    def __init__(self) -> None:
        super().__init__(
            "home-in-use",
            "数据目录正被另一进程使用",
            "Another process serves this home. Stop it, or choose another home.",
        )


class UnsafeStorage(Unavailable):
    """The database would lose acknowledged bids at a power cut; it is not opened."""

    def __init__(self, setting: str) -> None:
        super().__init__(
            "storage-unsafe",
            "数据库持久化设置不安全",
            f"The database must run with {setting}. The centre must mend its configuration.",
        )


class Database:
    """An open database. Made by `open_database`; closed once by its owner.

    Attributes:
        engine: SQLAlchemy engine; plain connections of it only read.
        writing: held by every writing transaction on SQLite, so that writers queue fairly
            (its busy handler lets an isolated writer wait for seconds; engine.md §3).
    """

    def __init__(self, engine: Engine, lock: _HomeLock) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        self.writing = threading.Lock()
        self._lock = lock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kaibiao-side")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a writing session: one transaction, committed at the end of the block.

        Raises:
            StorageFailed: the database refused; nothing was kept.
        """
        try:
            with self.turn(), Session(self.engine.execution_options(writes=True)) as session:
                yield session
                session.commit()
        except SQLAlchemyError as error:
            raise StorageFailed from error

    @contextmanager
    def appending(self) -> Iterator[Connection]:
        """Open the transaction of the journal's writer thread; committed at the end of the block.

        Raises:
            SQLAlchemyError: the database refused, or on PostgreSQL the lock's connection is gone.
        """
        if self.sqlite:
            engine = self.engine.execution_options(writes=True)
            with self.turn(), engine.begin() as connection:
                yield connection
        else:
            with self._lock.writing() as connection:
                yield connection

    def retake(self) -> None:
        """After a storage error: begin with fresh connections, and with the server's lock.

        Raises:
            HomeInUse: another process has taken it meanwhile.
            UnsafeStorage: the server came back with another setting.
            StorageFailed: the database does not answer.
        """
        # A connection that met an error may still hold a lock (an unlock that failed).
        self.engine.dispose()
        if not self.sqlite:
            try:
                self._lock.take(self.engine)
            except SQLAlchemyError as error:
                raise StorageFailed("The database does not answer.") from error

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Open a reading session over one consistent snapshot; it waits for no writer.

        Raises:
            StorageFailed: the database cannot be read.
        """
        try:
            with Session(self.engine) as session:
                yield session
        except SQLAlchemyError as error:
            raise StorageFailed from error

    async def run(self, work: Callable[[Session], T]) -> T:
        """Run `work(session)` in a side thread and commit: no fsync in the event loop."""

        def unit() -> T:
            with self.session() as session:
                return work(session)

        return await asyncio.get_running_loop().run_in_executor(self._thread, unit)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn to write; PostgreSQL needs none."""
        if self.sqlite:
            with self.writing:
                yield
        else:
            yield

    def close(self) -> None:
        """Close all connections and give the home free."""
        self._thread.shutdown()
        self.engine.dispose()
        self._lock.release()


def open_database(url: str, home: Path | None = None) -> Database:
    """Open a database, creating or migrating its schema.

    Args:
        url: SQLAlchemy URL of SQLite (a file) or PostgreSQL (psycopg).
        home: whose lock to take; by default the directory of the SQLite file.

    Raises:
        HomeInUse: another process owns the home or writes to the PostgreSQL database.
        UnsafeStorage: a durability setting is not as it must be.
        StorageFailed: it cannot be opened at all.
    """
    address = _address(url)
    if home is None and address.database:
        home = Path(address.database).parent
    if home is None:
        msg = "a database needs a home or a file"
        raise ValueError(msg)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _HomeLock(home / "lock")
    try:
        engine = (_open_sqlite if address.drivername.startswith("sqlite") else _open_postgres)(
            address.render_as_string(hide_password=False), lock
        )
    except SQLAlchemyError as error:
        lock.release()
        raise StorageFailed("The database cannot be opened.") from error
    except BaseException:
        lock.release()
        raise
    return Database(engine, lock)


@contextmanager
def open_snapshot(url: str) -> Iterator[Connection]:
    """Read one consistent snapshot of a database that another process may be writing.

    Takes no lock and changes nothing.

    Raises:
        StorageFailed: it cannot be read.
    """
    address = _address(url)
    sqlite = address.drivername.startswith("sqlite")
    if sqlite:
        address = address.set(
            database=f"file:{quote(address.database or '')}", query={"mode": "ro", "uri": "true"}
        )
    engine = create_engine(address, hide_parameters=True)
    if sqlite:
        event.listen(engine, "connect", _say_begin_ourselves)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StorageFailed("The database cannot be read.") from error
    finally:
        engine.dispose()


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision, in one transaction.

    Most starts find it there, and do not load alembic for it.
    """
    with engine.begin() as connection:
        if _revision(connection) == newest_revision():
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest_revision() -> str:
    """Return the revision that this checkout's tables belong to: its files begin with their number."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _revision(connection: Connection) -> str | None:
    """Return the revision of a database; None for a fresh one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(found[0]) if len(found) == 1 else None


class _HomeLock:
    """One process per home: an advisory lock that dies with the process; on PostgreSQL a second one."""

    def __init__(self, path: Path) -> None:
        self._connection: Connection | None = None
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise HomeInUse from error

    def take(self, engine: Engine) -> None:
        """Take the server's lock on a connection of its own, outside the pool, unless it is held.

        Raises:
            HomeInUse: another process has it.
            UnsafeStorage: a durability setting of the server is not as it must be.
        """
        if self._connection is not None:
            return
        self._connection = connection = engine.connect()
        connection.detach()
        try:
            with connection.begin():
                _require_lock(connection)
                _require_safety(connection)
        except BaseException:
            self._give_back()
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the connection that holds the server's lock; an error gives the lock back."""
        if self._connection is None:
            msg = "the connection with the lock is gone"
            raise DisconnectionError(msg)
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self._give_back()
            raise

    def release(self) -> None:
        """Give both back."""
        self._give_back()
        os.close(self._file)

    def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # Said, not left to the end of the connection: the server notices that a moment later.
        with suppress(SQLAlchemyError):  # a connection that is gone holds no lock
            if not connection.invalidated:  # it would be replaced by a fresh one
                connection.execute(text("SELECT pg_advisory_unlock_all()"))
        with suppress(SQLAlchemyError):
            connection.close()


def _address(url: str) -> URL:
    address = make_url(url)
    if address.drivername == "postgresql":  # the driver that we install
        address = address.set(drivername="postgresql+psycopg")
    return address


def _open_sqlite(url: str, _lock: _HomeLock) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    migrate(engine.execution_options(writes=True))
    engine.dispose()
    event.listen(engine, "connect", _forbid_schema_changes)
    with engine.connect() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        level = connection.execute(text("PRAGMA synchronous")).scalar_one()
    if (mode, level) != ("wal", 2):
        raise UnsafeStorage("journal_mode=WAL and synchronous=FULL")
    return engine


def _say_begin_ourselves(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # see `_begin_sqlite`


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    _say_begin_ourselves(connection, record)
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "secure_delete=ON",  # erased personal data does not stay in free pages
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A read-then-write transaction that begins deferred meets SQLITE_BUSY despite the time-out.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _forbid_schema_changes(connection: sqlite3.Connection, _record: object) -> None:
    def allow(action: int, *_subject: Any) -> int:
        return sqlite3.SQLITE_DENY if action in _DENIED else sqlite3.SQLITE_OK

    connection.set_authorizer(allow)


def _open_postgres(url: str, lock: _HomeLock) -> Engine:
    engine = create_engine(url, hide_parameters=True)  # errors are logged, private values are not
    lock.take(engine)
    migrate(engine)
    return engine


def _require_lock(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
    try:
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise HomeInUse from error


def _require_safety(connection: Connection) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        if connection.execute(text(f"SHOW {setting}")).scalar_one() not in {"on", "remote_apply"}:
            raise UnsafeStorage(f"{setting}=on")
