"""Whatever is typed, a verb ends with a code of the contract and a sentence, Chinese and English; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import main
from clients.files import read_bounded
from trading.ground.problems import Unavailable
from trading.ground.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(main.__file__).parent
KEY = "age1tag1qd6hkshrun45rha3j98h067qcxxw47k2tqscn3p83raezuzet48dqslsr5l"

CASES: list[tuple[int, list[str]]] = [
    (2, ["verify", "/no/such"]),
    (2, ["verify", "a" * 5000]),
    (2, ["verify", "zero\0byte"]),
    (2, ["verify", "loop"]),
    (1, ["verify", "empty"]),
    (1, ["verify", "binary"]),
    (1, ["verify", "folder"]),
    (1, ["verify", "/dev/null"]),
    (1, ["verify", "/dev/zero"]),
    (1, ["verify", "sparse"]),
    (1, ["verify", "deep.json"]),
    (1, ["verify", "lone.json", "--json"]),
    (1, ["verify", "empty", "binary"]),
    (2, ["verify", "empty", "--trust", "/no/such"]),
    (2, ["verify", "empty", "--trust", "folder"]),
    (2, ["verify", "empty", "--trust", "binary"]),
    (1, ["verify", "empty", "--trust", "/dev/zero"]),
    (2, ["verify", "empty", "--at", "yesterday"]),
    (2, ["verify", "empty", "--at", "99999-01-01T00:00:00Z"]),
    (1, ["verify", "empty", "--at", "0001-01-01T00:00:00Z"]),
    (1, ["verify", "empty", "--at", "9999-12-31T23:59:59Z"]),
    (2, ["seal", "--to", "nobody", "empty", "-o", "out.age"]),
    (2, ["seal", "--to", KEY, "folder", "-o", "out.age"]),
    (2, ["seal", "--to", KEY, "empty", "-o", "/no/such/out.age"]),
    (2, ["submit", "--server", "http://127.0.0.1:9", "--key", "folder", "empty"]),
    (1, ["submit", "--server", "http://127.0.0.1:9", "--key", "binary", "empty"]),
    (1, ["submit", "--server", "http://127.0.0.1:9", "--key", "/dev/zero", "empty"]),
    (1, ["disclose", "--server", "http://127.0.0.1:9", "--key", "k", "lone.json"]),
    (2, ["replay", "folder"]),
    (2, ["replay", "deep.json"]),
    (2, ["drill", "open", "--keys", "folder", "--use", "1,2", "empty", "out"]),
    (2, ["drill", "open", "--keys", "folder", "--use", "-1", "empty", "out"]),
    (2, ["custodian", "serve", "--home", "empty"]),
    (2, ["witness", "serve", "--home", "/no/such"]),
    (2, ["backup", "--home", "/no/such", "out.tar"]),
    (1, ["restore", "binary", "--home", "new"]),
    (2, ["demo", "--out", "empty"]),
    (4, ["serve", "--home", "empty"]),
    (4, ["serve", "--home", "new", "--database", "nonsense"]),
    (2, ["frobnicate"]),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "lone.json").write_text('{"statement":{"purpose":"\\ud800","centre":"x"}}')
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(300 << 20)
    return tmp_path


@pytest.mark.parametrize(("code", "words"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_wrong_word_ends_with_its_code_and_a_sentence(
    code: int, words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    umask = os.umask(0o022)
    try:
        with pytest.raises(SystemExit) as ended:
            main.main(words)
    finally:
        os.umask(umask)
    said = capsys.readouterr()
    told = said.err.strip() or said.out.strip()
    assert ended.value.code == code, told
    assert told
    assert "Traceback" not in told
    assert "程序出错" not in told


def test_a_fault_of_ours_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(names: list[str]) -> Callable[..., None]:
        raise RuntimeError("line one\nline two")

    monkeypatch.setattr(main, "front", broken)
    with pytest.raises(SystemExit) as ended:
        main.main(["verify"])
    assert ended.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_a_console_of_another_code_page_gets_a_verdict(tmp_path: Path) -> None:
    """A Chinese console writes GBK, which has no ✓; what it lacks is written as its code point."""
    (tmp_path / "x.json").write_text("{}")
    words = [sys.executable, str(ROOT / "main.py"), "verify", str(tmp_path / "x.json")]
    done = subprocess.run(
        words, env={**os.environ, "PYTHONIOENCODING": "gbk"}, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "无效 INVALID" in done.stdout.decode("gbk")
    assert done.stderr == b""


def test_a_file_is_read_up_to_its_bound_whatever_size_it_tells(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bounded(tmp_path / "x", 5, "file") == b"12345"
    for path in (tmp_path / "x", Path("/dev/zero")):
        with pytest.raises(Exception, match="larger than 4 bytes"):
            read_bounded(path, 4, "file")


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAIBIAO_DATABASE", "sekret")
    with pytest.raises(Unavailable, match="KAIBIAO_DATABASE") as refused:
        read_settings({"port": None})
    assert "sekret" not in str(refused.value)


def test_a_home_is_made_for_its_owner_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    umask = os.umask(0o022)
    try:
        home = tmp_path / "one" / "home"
        main._own(home)
        assert home.stat().st_mode & 0o077 == 0
        (home / "kaibiao.db").touch()
        assert (home / "kaibiao.db").stat().st_mode & 0o077 == 0
        assert capsys.readouterr().err == ""
        home.chmod(0o755)
        main._own(home)
        assert "chmod 700" in capsys.readouterr().err
    finally:
        os.umask(umask)
