"""The benchmarks run, small, and say what the contract wants; speed itself is not judged here."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clients.bench import all as every
from clients.bench.cli import NAMES, called, commands
from clients.bench.report import size_of
from clients.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="Debian's age is the yardstick")


def told(arguments: Sequence[str]) -> dict[str, object]:
    result = CliRunner().invoke(commands(arguments[:1]), [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert set(body) == {"name", "unit", "value", "yardsticks", "ratios", "notes"}
    assert body["value"] > 0
    assert all(value >= 0 for value in body["ratios"].values())
    return dict(body)


@needs_age
def test_bench_seal_measures_four_ways_and_memory() -> None:
    body = told(["seal", "--size", "1M", "--rounds", "1"])
    assert len(body["yardsticks"]) == 4  # type: ignore[arg-type]


@needs_age
def test_bench_open_opens_what_three_of_five_unlock() -> None:
    assert told(["open", "--size", "1M", "--rounds", "1"])["name"] == "open"


def test_bench_unlock_judges_answers_and_opens() -> None:
    assert told(["unlock", "--bids", "4", "--days", "0"])["unit"] == "CPU s"


def test_sizes_are_read_strictly() -> None:
    assert [size_of(text) for text in ("4096", "64K", "1M", "1g")] == [
        4096,
        65536,
        1 << 20,
        1 << 30,
    ]
    for wrong in ("", "0", "-1", "1.5G", "G", "1T"):
        with pytest.raises(UsageError):
            size_of(wrong)


def test_only_what_is_built_is_offered() -> None:
    mine = ("seal", "open", "unlock", "nothing")
    built = {command.name for command in commands(mine).registered_commands}
    assert built == set(mine[:3])
    assert called(["bench", "open", "--size", "1M"]) == ("open",)
    assert called(["bench", "--help"]) == NAMES
    assert callable(every.main)
