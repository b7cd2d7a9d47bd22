"""Personal data can be erased; history keeps a commitment that then says nothing."""

import asyncio

import pytest

from trading.ground.private import Private, commit, opens
from trading.ground.problems import NotFound

NAME = "欧阳𬭚·买买提"


def test_a_value_is_kept_beside_history_and_opens_its_commitment(database):
    private = Private(database)
    kept = asyncio.run(private.put("per_a", "name", NAME))
    opened = private.open(kept.ref)
    assert private.get(kept.ref) == opened.value == NAME
    assert opens(kept.commitment, opened.salt, NAME)
    assert not opens(kept.commitment, opened.salt, NAME + "x")
    assert not opens(kept.commitment, opened.salt[:-1], NAME)
    assert kept.commitment == commit(opened.salt, NAME)


def test_equal_values_have_unequal_commitments(database):
    private = Private(database)

    async def twice():
        return await private.put("per_a", "name", NAME), await private.put("per_b", "name", NAME)

    one, two = asyncio.run(twice())
    assert one.commitment != two.commitment


def test_erasing_a_person_leaves_nothing_of_them_even_in_the_file(database, tmp_path):
    private = Private(database)

    async def story():
        mine = await private.put("per_a", "phone", "telephone-of-per-a-13800138000")
        other = await private.put("per_b", "phone", "13900139000")
        assert private.of("per_a") == {mine.ref: "telephone-of-per-a-13800138000"}
        assert await private.erase("per_a") == 1
        assert await private.erase("per_a") == 0
        return mine, other

    mine, other = asyncio.run(story())
    assert private.get(mine.ref) is None
    with pytest.raises(NotFound):
        private.open(mine.ref)
    assert private.get(other.ref) == "13900139000"
    if database.sqlite:
        for file in tmp_path.glob("kaibiao.db*"):
            assert b"telephone-of-per-a" not in file.read_bytes()
