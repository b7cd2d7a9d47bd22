"""Databases, clock and settings for the ground's tests; both kinds of database stand in `tests/databases.py`."""

import pytest

from trading.ground.clock import FrozenClock
from trading.ground.database import open_database
from trading.ground.settings import Settings

NINE = 1_795_482_000_000  # 2026-11-24 09:00:00 北京时间


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
