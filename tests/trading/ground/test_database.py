"""The database is durable by assertion, migrated by one history, and owned by one process."""

import os
import signal

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from trading.ground import database as database_module
from trading.ground.database import (
    MIGRATIONS,
    HomeInUse,
    UnsafeStorage,
    newest_revision,
    open_database,
)
from trading.ground.problems import StorageFailed
from trading.ground.tables import METADATA, OutboxRow, SessionRow

ROW = {
    "position": 1,
    "stream": "a",
    "seq": 1,
    "at": 0,
    "kind": "k",
    "body": "{}",
    "chain": b"0" * 32,
}
INSERT = text(
    "INSERT INTO journal (position, stream, seq, at, kind, body, chain)"
    " VALUES (:position, :stream, :seq, :at, :kind, :body, :chain)"
)


def login(number: int) -> SessionRow:
    return SessionRow(
        token_sha256=str(number), person="p", key="k", created_at=1, seen_at=1, expires_at=2
    )


def test_migrations_and_tables_are_the_same_schema(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_newest_revision_is_told_by_the_names_of_the_files():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == newest_revision()


def test_a_schema_that_is_there_is_not_migrated_again_and_an_older_one_is(address, monkeypatch):
    asked = []
    open_database(*address).close()
    monkeypatch.setattr(command, "upgrade", lambda _, to: asked.append(to))
    open_database(*address).close()
    assert not asked
    monkeypatch.setattr(database_module, "newest_revision", lambda: "9999")
    open_database(*address).close()
    assert asked == ["head"]


def test_opening_again_changes_nothing(address):
    open_database(*address).close()
    with_rows = open_database(*address)
    with with_rows.session() as session:
        session.add(login(1))
    with_rows.close()
    again = open_database(*address)
    with again.reader() as session:
        assert session.get(SessionRow, "1").person == "p"
    again.close()


def test_a_session_commits_once_at_its_end_or_not_at_all(database):
    with pytest.raises(KeyError), database.session() as session:
        session.add(login(1))
        session.flush()
        raise KeyError
    with database.session() as session:
        assert session.get(SessionRow, "1") is None
        session.add(OutboxRow(key="a", kind="k", recipient="r", body="{}", created_at=1))
    with database.reader() as session:
        assert session.get(OutboxRow, 1).key == "a"


def test_the_databases_own_errors_do_not_leak(database):
    with database.session() as session:
        session.add(login(1))
    with pytest.raises(StorageFailed), database.session() as session:
        session.add(login(1))


def test_a_second_process_refuses_to_serve_the_same_home(address):
    url, home = address
    first = open_database(url, home)
    child = os.fork()
    if child == 0:
        try:
            open_database(url, home)
        except HomeInUse:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    first.close()
    open_database(url, home).close()


def test_two_homes_cannot_write_one_postgresql_database(postgres_url, tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "LOCK_MS", 50)
    first = open_database(postgres_url, tmp_path / "one")
    with pytest.raises(HomeInUse):
        open_database(postgres_url, tmp_path / "two")
    first.close()


def test_after_a_kill_the_next_process_waits_until_the_server_has_noticed(postgres_url, tmp_path):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        database = open_database(postgres_url, tmp_path)
        with database.appending() as connection:
            os.write(writing, b"k")
            connection.execute(text("SELECT pg_sleep(1)"))  # as a commit on a slow disk
    os.close(writing)
    assert os.read(reading, 1) == b"k"
    os.close(reading)
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as other:
        busy = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1)%'")
        while not other.execute(busy).scalar_one():
            pass
    engine.dispose()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    open_database(postgres_url, tmp_path).close()


def test_a_setting_that_loses_bids_at_a_power_cut_stops_the_start(tmp_path, monkeypatch):
    real = database_module._prepare_sqlite

    def popular_advice(connection, record):
        real(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(database_module, "_prepare_sqlite", popular_advice)
    with pytest.raises(UnsafeStorage):
        open_database(f"sqlite:///{tmp_path}/kaibiao.db")


@pytest.mark.parametrize("table", ["journal", "cosignature"])
@pytest.mark.parametrize("action", ["UPDATE {} SET at = 0", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_is_append_only_for_the_database_too(database, table, action):
    if database.sqlite and "TRUNCATE" in action:
        action = "DELETE FROM {} WHERE 1"
    fill = {
        "journal": INSERT,
        "cosignature": text(
            "INSERT INTO cosignature (log_id, size, key_hash, at, line) VALUES ('l', 1, 'k', 1, 'x')"
        ),
    }[table]
    with database.session() as session:
        session.execute(fill, ROW if table == "journal" else {})
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.execute(text(action.format(table)))
    with database.reader() as session:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1


@pytest.mark.parametrize("change", [{"position": 3}, {"position": 1}, {"seq": 3}, {"seq": 1}])
def test_a_row_out_of_order_is_refused_by_the_database(database, change):
    with database.session() as session:
        session.execute(INSERT, ROW)
    second = {**ROW, "position": 2, "seq": 2, **change}
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.execute(INSERT, second)


def test_insert_or_replace_cannot_rewrite_a_row(lite):
    with lite.session() as session:
        session.execute(INSERT, ROW)
    replace = text(INSERT.text.replace("INSERT", "INSERT OR REPLACE"))
    with pytest.raises(DBAPIError), lite.engine.begin() as connection:
        connection.execute(replace, {**ROW, "kind": "other"})


@pytest.mark.parametrize(
    "statement",
    ["DROP TRIGGER journal_no_DELETE", "ALTER TABLE journal ADD x", "DROP TABLE journal"],
)
def test_the_application_cannot_change_its_own_schema(lite, statement):
    with pytest.raises(DBAPIError, match="not authorized"), lite.engine.begin() as connection:
        connection.execute(text(statement))


async def _write_aside(database):
    return await database.run(lambda session: session.add(login(3)) or "done")


def test_work_runs_in_a_side_thread_and_commits(database):
    import asyncio

    assert asyncio.run(_write_aside(database)) == "done"
    with database.reader() as session:
        assert session.get(SessionRow, "3") is not None
