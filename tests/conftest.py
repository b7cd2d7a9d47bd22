"""Fixtures for every room. Nothing here knows a room; what is a room's own stands in its folder."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import (
    address,
    postgres,
    postgres_url,
    pytest_generate_tests,
    stored,
    stored_by_all,
)
from tests.places import SHARED
from tests.places import vectors as vectors_folder

__all__ = [
    "address",
    "postgres",
    "postgres_url",
    "pytest_generate_tests",
    "stored",
    "stored_by_all",
]

# Two shared cores make wall-clock deadlines of single examples meaningless, and how slowly they are drawn says
# nothing of them; the examples stay. In continuous integration they are the same ones each time; `make soak` and
# every developer's run draw fresh ones.
SLOW = [HealthCheck.too_slow]
settings.register_profile("kaibiao", deadline=None, suppress_health_check=SLOW)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.load_profile("ci" if os.environ.get("CI") else "kaibiao")


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
