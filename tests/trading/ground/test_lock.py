"""The server's lock of PostgreSQL: whoever has lost it appends nothing until it is taken again."""

import asyncio
import warnings
from itertools import count

import pytest
from sqlalchemy import create_engine, text

from tests.trading.ground.conftest import NINE
from trading.ground.clock import FrozenClock
from trading.ground.database import HomeInUse, UnsafeStorage, open_database
from trading.ground.ground import open_ground
from trading.ground.journal import Draft, Journal
from trading.ground.problems import StorageFailed
from trading.ground.settings import Settings

HOLDERS = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
_numbers = count()


def draft() -> Draft:
    return Draft("a", "k", {"n": next(_numbers)}, NINE)


def restart(server):
    """Stop the server and start it on the same data; every connection is cut."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.stop()
        server.ensure_postgres_running()


def cut_the_locks_connection(url):
    """End the one connection that holds the lock; all others live on."""
    engine = create_engine(url)
    with engine.connect() as connection:
        (holder,) = connection.execute(HOLDERS).scalars()
        assert connection.execute(text(f"SELECT pg_terminate_backend({holder}, 5000)")).scalar_one()
        assert not connection.execute(HOLDERS).all()
    engine.dispose()


def test_after_a_restart_of_the_server_the_lock_is_taken_again_before_anything_is_appended(
    postgres, postgres_url, tmp_path
):
    async def story():
        settings = Settings(home=tmp_path / "one", database=postgres_url, centre="wuzhou")
        ground = await open_ground(settings, FrozenClock(NINE))
        ground.start()
        resumed = asyncio.Event()
        ground.journal.on_resume(resumed.set)
        await ground.journal.append(draft())
        restart(postgres)
        with pytest.raises(StorageFailed, match="not acknowledged"):
            await ground.journal.append(draft())
        assert ground.journal.stopped
        await asyncio.wait_for(resumed.wait(), 20)
        with pytest.raises(HomeInUse):
            open_database(postgres_url, tmp_path / "two")
        (row,) = await ground.journal.append(draft())
        await ground.close()
        return row.seq

    assert asyncio.run(story()) == 2


def test_a_connection_that_was_cut_alone_stops_the_journal_too(postgres_url, tmp_path):
    async def story():
        database = open_database(postgres_url, tmp_path)
        journal = Journal(database, "wuzhou")
        await journal.append(draft())
        cut_the_locks_connection(postgres_url)
        with database.session() as session:  # the others were not cut
            assert session.execute(text("SELECT 1")).scalar_one() == 1
        with pytest.raises(StorageFailed):
            await journal.append(draft())
        await journal.reload()
        assert [row.seq for row in await journal.append(draft(), draft())] == [2, 3]
        journal.close()
        database.close()

    asyncio.run(story())


def test_a_process_that_lost_its_lock_to_another_stays_stopped_until_that_one_has_ended(
    postgres_url, tmp_path
):
    async def story():
        database = open_database(postgres_url, tmp_path / "one")
        journal = Journal(database, "wuzhou")
        seen = []
        journal.listen(lambda row: seen.append(row.body["by"]))
        await journal.append(Draft("a", "k", {"by": "one"}, NINE))
        cut_the_locks_connection(postgres_url)
        other = open_database(postgres_url, tmp_path / "two")
        theirs = Journal(other, "wuzhou")
        with pytest.raises(StorageFailed):
            await journal.append(Draft("a", "k", {"by": "one, without the lock"}, NINE))
        await theirs.append(Draft("a", "k", {"by": "two"}, NINE))
        with pytest.raises(HomeInUse):
            await journal.reload()
        assert journal.stopped
        theirs.close()
        other.close()
        await journal.reload()
        await journal.append(Draft("a", "k", {"by": "one again"}, NINE))
        journal.close()
        database.close()
        return seen

    assert asyncio.run(story()) == ["one", "two", "one again"]


def test_a_server_that_comes_back_without_fsync_is_not_written(postgres, postgres_url, tmp_path):
    async def story():
        database = open_database(postgres_url, tmp_path)
        journal = Journal(database, "wuzhou")
        await journal.append(draft())
        postgres.psql(
            "ALTER DATABASE " + database.engine.url.database + " SET synchronous_commit = off"
        )
        cut_the_locks_connection(postgres_url)
        with pytest.raises(StorageFailed):
            await journal.append(draft())
        with pytest.raises(UnsafeStorage):
            await journal.reload()
        assert journal.stopped
        journal.close()
        database.close()

    asyncio.run(story())
