"""A fresh centre for each test, with its first three people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trading.world import World


@pytest.fixture
def fresh(tmp_path: Path, stored: str) -> Iterator[World]:
    """A centre nobody has entered yet, on the database that `stored` has chosen."""
    with World(tmp_path / "home") as world:
        yield world


@pytest.fixture
def world(fresh: World) -> World:
    """A centre with operator, reviewer and supervisor."""
    fresh.first_people()
    return fresh
