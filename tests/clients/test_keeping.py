"""Backup and restore as an operator calls them."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from main import front
from trading.ground.clock import FrozenClock
from trading.ground.ground import open_ground
from trading.ground.settings import Settings

NINE = 1_795_482_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    async def live() -> None:
        ground = await open_ground(Settings(home=tmp_path / "home"), FrozenClock(NINE))
        await ground.ledger.add("note", {"n": 1}, NINE)
        (tmp_path / "seen").write_bytes(ground.ledger.checkpoint())
        await ground.close()

    asyncio.run(live())
    return tmp_path / "home"


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(front(["backup", "restore"]), [str(each) for each in arguments])
    return done.exit_code, done.output


def test_a_restored_home_has_a_new_log_and_names_the_old_one(home: Path, tmp_path: Path) -> None:
    archive, other = tmp_path / "archive.tar", tmp_path / "other"
    assert call("backup", archive, "--home", home)[0] == 0
    code, told = call("restore", archive, "--home", other, "--seen", tmp_path / "seen", "--json")
    assert code == 0, told
    said = json.loads(told.splitlines()[-1])
    assert said["lost"] == 0
    assert said["origin"] != said["previous"]


def test_a_home_that_is_there_is_never_overwritten(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.tar"
    assert call("backup", archive, "--home", home)[0] == 0
    assert call("restore", archive, "--home", home)[0] == 1
    assert call("backup", archive, "--home", home)[0] == 1


def test_an_archive_that_is_missing_is_wrong_usage_and_a_cut_one_is_invalid(
    home: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive.tar"
    assert call("restore", archive, "--home", tmp_path / "other")[0] == 2
    assert call("backup", archive, "--home", home)[0] == 0
    archive.write_bytes(archive.read_bytes()[:3000])  # the tail of a tar is padding
    assert call("restore", archive, "--home", tmp_path / "other")[0] == 1
    assert not (tmp_path / "other" / "kaibiao.db").exists()
