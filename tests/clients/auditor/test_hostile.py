"""Events of any shape, chained anew by whoever made them up, end in a verdict and never in a traceback."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor.keys import Keys
from documents.trust import Trust
from tests.clients.auditor.forge import Forge

if TYPE_CHECKING:
    from tests.clients.auditor.opening_world import Made

JUNK: tuple[Any, ...] = (
    None, True, -1, 2**53 - 1, "", "x", "00" * 32, [], {}, [[]], {"v": 1}, 1795000000000,
)  # fmt: skip
LEAVES = (
    "key_assign", "close_list", "control_price", "float_result", "published_bidders", "opened",
)  # fmt: skip


@pytest.fixture(scope="session")
def keys(opened: Made) -> Keys:
    return Keys(Trust.from_pem(opened.trust.read_bytes()))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in list(items):
            found.append((value, key))
            found += places(inner)
    return found


def bend(value: Any, chance: random.Random, apart: frozenset[str] = frozenset()) -> None:
    """Delete or exchange one thing anywhere inside."""
    found = [(holder, key) for holder, key in places(value) if key not in apart]
    if not found:
        value["x"] = chance.choice(JUNK)
        return
    holder, key = chance.choice(found)
    if chance.random() < 0.3:
        del holder[key]
    else:
        holder[key] = chance.choice(JUNK)


@pytest.mark.parametrize("seed", range(24))
def test_an_event_of_any_shape_ends_in_a_verdict(seed: int, opened: Made, keys: Keys) -> None:
    chance = random.Random(seed)
    forge = Forge(opened)
    forge.events(lambda rows: bend(chance.choice(rows)["body"], chance))
    forge.failed(keys)
    assert forge.checks


@pytest.mark.parametrize("seed", range(18))
def test_a_leaf_of_any_shape_ends_in_a_verdict(seed: int, opened: Made, keys: Keys) -> None:
    chance = random.Random(seed)
    apart = frozenset({"kind", "section"})  # without them it would not be found, and be missed
    forge = Forge(opened).leaf(LEAVES[seed % 6], lambda leaf: bend(leaf, chance, apart))
    assert forge.failed(keys)
