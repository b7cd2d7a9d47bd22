"""Stock npm `age-encryption` seals to `drill keys`' recipient; any three of five open it, no two, no damage.

A judge from outside, installed into a temporary folder for this test alone; nothing of ours imports it.
"""

from __future__ import annotations

import shutil
import subprocess
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tests.clients.test_drill import CONTENT, made, open_with

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["made"]  # a fixture

SEAL = """
import { Encrypter } from "age-encryption";
import { readFileSync, writeFileSync } from "node:fs";
const [recipient, source, target] = process.argv.slice(2);
const one = new Encrypter();
one.addRecipient(recipient);
writeFileSync(target, await one.encrypt(readFileSync(source)));
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".",
               "age-encryption@0.3"]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip("the npm registry cannot be reached")
    (folder / "seal.mjs").write_text(SEAL)
    return folder


@pytest.fixture
def sealed(made: Path, package: Path, tmp_path: Path) -> Path:
    recipient = (made / "recipient.txt").read_text().strip()
    source, target = package / "in", tmp_path / "in.age"
    source.write_bytes(CONTENT)
    command = ["node", "seal.mjs", recipient, str(source), str(target)]
    subprocess.run(command, cwd=package, check=True, timeout=60)
    return target


def test_any_three_open_what_npm_sealed_and_no_two_do(made: Path, sealed: Path) -> None:
    for use in combinations("12345", 3):
        result, target = open_with(made, sealed, ",".join(use))
        assert result.exit_code == 0, result.output
        assert target.read_bytes() == CONTENT
        target.unlink()
    for use in combinations("12345", 2):
        result, target = open_with(made, sealed, ",".join(use))
        assert result.exit_code == 1
        assert not target.exists()


@pytest.mark.parametrize("place", [0, 30, 70, 150, 230, 300, 70_000, -1])
def test_one_damaged_byte_of_it_leaves_no_output(made: Path, sealed: Path, place: int) -> None:
    data = bytearray(sealed.read_bytes())
    data[place] ^= 1
    sealed.write_bytes(data)
    result, target = open_with(made, sealed, "1,3,5")
    assert result.exit_code == 1
    assert not target.exists()
