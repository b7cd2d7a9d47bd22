"""`drill`: any three of five open what a stock age tool sealed; no two do; who is altered is named."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from typer.testing import CliRunner

from clients import drill
from crypto import threshold
from crypto.errors import FormatError
from crypto.p256 import G

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = bytes(range(256)) * 600  # more than two chunks of 64 KiB


def run(*arguments: object) -> Any:
    return CliRunner().invoke(drill.app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drill") / "keys"
    result = run("keys", "--n", 5, "--t", 3, "--out", folder, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (folder / "recipient.txt").read_text() == said["recipient"] + "\n"
    assert said["recipient"].startswith("age1tag1")
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"custodian-{i}" for i in range(1, 6)),
        "recipient.txt",
    ]
    return folder


@pytest.fixture
def sealed(made: Path, tmp_path: Path) -> Path:
    recipient = pyrage.tag.Recipient.from_str((made / "recipient.txt").read_text().strip())
    path = tmp_path / "in.age"
    path.write_bytes(pyrage.encrypt(CONTENT, [recipient]))
    return path


def open_with(made: Path, sealed: Path, use: str) -> tuple[Any, Path]:
    target = sealed.parent / "out"
    return run("open", "--keys", made, "--use", use, sealed, target), target


def nothing_left(sealed: Path) -> bool:
    return [path.name for path in sealed.parent.iterdir()] == [sealed.name]


def test_any_three_of_five_open_a_file_sealed_by_pyrage(made, sealed):
    for chosen in combinations("12345", 3):
        result, target = open_with(made, sealed, ",".join(chosen))
        assert result.exit_code == 0, result.output
        assert target.read_bytes() == CONTENT
        target.unlink()


def test_more_than_three_open_it_too_and_json_says_who(made, sealed, tmp_path):
    target = tmp_path / "out"
    result = run("open", "--keys", made, "--use", "5,1, 2,4", sealed, target, "--json")
    assert json.loads(result.stdout) == {
        "out": str(target),
        "bytes": len(CONTENT),
        "used": [1, 2, 4, 5],
    }


def test_no_two_open_it(made, sealed):
    for chosen in [*combinations("12345", 2), ("3",)]:
        result, _ = open_with(made, sealed, ",".join(chosen))
        assert result.exit_code == 1
        assert f"{len(chosen)} of the 3 custodians" in result.stderr
        assert nothing_left(sealed)


def test_an_armored_file_opens_as_well(made, tmp_path):
    recipient = pyrage.tag.Recipient.from_str((made / "recipient.txt").read_text().strip())
    sealed = tmp_path / "in.age"
    sealed.write_bytes(pyrage.encrypt(b"text", [recipient], armored=True))
    result, target = open_with(made, sealed, "1,2,3")
    assert result.exit_code == 0
    assert target.read_bytes() == b"text"


def test_one_damaged_byte_anywhere_leaves_no_output(made, sealed):
    whole = sealed.read_bytes()
    header = whole.index(b"\n---") + 50
    places = [*range(0, header, 7), header + 3, len(whole) // 2, len(whole) - 1]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        sealed.write_bytes(damaged)
        result, _ = open_with(made, sealed, "1,3,5")
        assert result.exit_code == 1, place
        assert "Traceback" not in result.output
        assert nothing_left(sealed)
    for cut in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"x"):
        sealed.write_bytes(cut)
        assert open_with(made, sealed, "1,3,5")[0].exit_code == 1
        assert nothing_left(sealed)


@pytest.mark.parametrize("name", [drill.HOST, drill.CERTIFICATE, drill.BUNDLE])
def test_a_custodian_whose_folder_was_altered_is_named(made, sealed, tmp_path, name):
    keys = tmp_path.parent / f"{tmp_path.name}-keys"
    shutil.copytree(made, keys)
    path = keys / "custodian-3" / name
    whole = path.read_bytes()
    for place in sorted({0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 2, len(whole) - 1}):
        altered = bytearray(whole)
        altered[place] ^= 1
        path.write_bytes(altered)
        result, _ = open_with(keys, sealed, "1,3,5")
        assert result.exit_code == 1
        assert "custodian 3" in result.stderr
        assert nothing_left(sealed)
        assert open_with(keys, sealed, "1,4,5")[0].exit_code == 0
        (sealed.parent / "out").unlink()
    path.unlink()
    result, _ = open_with(keys, sealed, "1,3,5")
    assert (result.exit_code, "custodian 3" in result.stderr) == (1, True)


def test_a_custodian_who_answers_wrongly_is_named(made, sealed, monkeypatch):
    honest = threshold.partial

    def lying(share, points):
        answer, proof = honest(share, points)
        return ([point + G for point in answer] if share == lying.share else answer), proof

    loaded = drill.load_share(made / "custodian-3", 3, drill_recipient(made))
    monkeypatch.setattr(drill, "load_share", remembering(drill.load_share, lying))
    monkeypatch.setattr(threshold, "partial", lying)
    result, _ = open_with(made, sealed, "1,3,5")
    assert result.exit_code == 1
    assert "custodian 3" in result.stderr
    assert nothing_left(sealed)
    assert loaded.index == 3


def drill_recipient(made: Path) -> bytes:
    from crypto.age.stanzas import parse_recipient

    return parse_recipient((made / "recipient.txt").read_text().strip())


def remembering(load, lying):
    def wrapped(path, number, recipient):
        share = load(path, number, recipient)
        if number == 3:
            lying.share = share.secret
        return share

    return wrapped


def test_exchanged_folders_and_folders_of_another_ceremony_are_named(made, sealed, tmp_path):
    keys = tmp_path.parent / f"{tmp_path.name}-keys"
    shutil.copytree(made, keys)
    shutil.rmtree(keys / "custodian-3")
    shutil.copytree(keys / "custodian-2", keys / "custodian-3")
    result, _ = open_with(keys, sealed, "1,3,5")
    assert (result.exit_code, "custodian 3" in result.stderr) == (1, True)
    other = tmp_path.parent / f"{tmp_path.name}-other"
    assert run("keys", "--out", other).exit_code == 0
    shutil.rmtree(keys / "custodian-3")
    shutil.copytree(other / "custodian-3", keys / "custodian-3")
    result, _ = open_with(keys, sealed, "1,3,5")
    assert (result.exit_code, "custodian 3" in result.stderr) == (1, True)
    assert open_with(other, sealed, "1,3,5")[0].exit_code == 1  # sealed for other keys
    assert nothing_left(sealed)


@pytest.mark.parametrize(
    "use", ["", "1,1,2", "0,1,2", "1;2;3", "1,2,x", "-1,2,3", "1,2,9", "1,2,\u0663", "1,,2", "1000"]
)
def test_wrong_usage_ends_with_two(made, sealed, use):
    assert open_with(made, sealed, use)[0].exit_code == 2
    assert nothing_left(sealed)


def test_paths_that_do_not_exist_or_would_be_overwritten_end_with_two(made, sealed, tmp_path):
    assert run("open", "--keys", made, "--use", "1,2,3", tmp_path / "no.age", "x").exit_code == 2
    assert run("open", "--keys", tmp_path, "--use", "1,2,3", sealed, "x").exit_code == 2
    nowhere = tmp_path / "no" / "out"
    assert run("open", "--keys", made, "--use", "1,2,3", sealed, nowhere).exit_code == 2
    assert run("open", "--keys", made, "--use", "1,2,3", sealed, sealed).exit_code == 2
    assert sealed.read_bytes().startswith(b"age-encryption")
    assert run("keys", "--out", made).exit_code == 2
    assert run("keys", "--n", 3, "--t", 4, "--out", tmp_path / "k").exit_code == 2
    assert run("keys", "--n", 0, "--t", 0, "--out", tmp_path / "k").exit_code == 2


def test_secrets_are_readable_by_their_owner_only_and_shares_are_stored_nowhere(made):
    for i in range(1, 6):
        folder = made / f"custodian-{i}"
        assert folder.stat().st_mode & 0o77 == 0
        assert (folder / drill.HOST).stat().st_mode & 0o77 == 0
        secret = drill.load_share(folder, i, drill_recipient(made)).secret.to_bytes()
        for path in made.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert secret not in data
                assert secret.hex().encode() not in data


def test_a_folder_is_read_strictly(made, tmp_path):
    for text in ("AB" * 32 + "\n", "ab" * 32, "ab" * 32 + "\n\n", "zz" * 32 + "\n", "é\n"):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(made / "custodian-1", folder)
        (folder / drill.HOST).write_text(text)
        with pytest.raises(FormatError):
            drill.Folder.load(folder)


def test_other_sizes_work_too(tmp_path):
    for n, t in ((1, 1), (2, 2), (9, 5)):
        keys = tmp_path / f"{n}-{t}"
        assert run("keys", "--n", n, "--t", t, "--out", keys).exit_code == 0
        recipient = pyrage.tag.Recipient.from_str((keys / "recipient.txt").read_text().strip())
        sealed = tmp_path / f"{n}.age"
        sealed.write_bytes(pyrage.encrypt(b"bid", [recipient]))
        use = ",".join(str(i) for i in range(n, n - t, -1))
        assert (
            run("open", "--keys", keys, "--use", use, sealed, tmp_path / f"{n}.out").exit_code == 0
        )
        assert (tmp_path / f"{n}.out").read_bytes() == b"bid"
