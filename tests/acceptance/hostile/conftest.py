"""One composed centre for a file, and a fresh one for tests that stop or restart it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hostile.whole import Whole


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    """A composed centre with its first people."""
    with Whole(tmp_path / "home") as made:
        made.first_people()
        yield made
