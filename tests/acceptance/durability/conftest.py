"""Homes for lives and images, in memory where there is such a place: nothing is asked of their disk."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.durability import scene


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for homes that come and go by the hundred."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="kaibiao-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a running auction; copied for each life, never opened itself."""
    home = tmp_path_factory.mktemp("durability") / "template"
    scene.prepare(home)
    return home
