"""One centre for a whole file, with a person of every role that can log in."""

from collections.abc import Iterator

import pytest

from tests.trading.world import Someone, World
from trading.model import LOGIN, Role


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A centre with a published tender and auction."""
    with World(tmp_path_factory.mktemp("centre") / "home") as made:
        made.first_people()
        made.announced()
        made.auction()
        yield made


@pytest.fixture(scope="module")
def everybody(world: World) -> dict[Role, Someone]:
    """Somebody of every role with a login."""
    return {role: world.one(role) for role in sorted(LOGIN)}
