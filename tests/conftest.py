"""Fixtures for every room. Nothing here knows a room; what is a room's own stands in its folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.places import SHARED
from tests.places import vectors as vectors_folder

# Two shared cores make wall-clock deadlines of single examples meaningless; the examples stay.
settings.register_profile("kaibiao", deadline=None)
settings.load_profile("kaibiao")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with outside vectors, contract and specifications."""
    if not SHARED.is_dir():
        pytest.skip("the folder of outside vectors is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Path]:
    """A function from a vector set's name to its folder, skipping where it is absent."""
    return vectors_folder
