"""Every refusal of the clients is one sentence in two languages, kept in the `sentences.py` of its room."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

import main
from clients import sentences as verbs
from clients.custodian import sentences as custodian
from clients.demo import sentences as demo
from clients.demo.stage import INDENT, WIDTH, Stage, StepFailedError, tell, wrapped
from clients.errors import Sentence, UsageError
from clients.files import check_target
from clients.sdk import sentences as sdk

if TYPE_CHECKING:
    from types import ModuleType

    from clients.demo.stage import Told

CLIENTS = Path(main.__file__).parent / "clients"
ROOMS = (verbs, custodian, sdk, demo)
CHINESE = re.compile("[\u4e00-\u9fff]")
NAMED = re.compile(r"(?<!\{)\{(\w+)")
OTHERS = {"auditor", "bench", "demo", "web"}
"""Rooms whose errors speak otherwise: checks have titles of their own, benchmarks and the demo have steps."""


def sentences(room: ModuleType) -> dict[str, Sentence]:
    return {name: said for name, said in vars(room).items() if isinstance(said, Sentence)}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_a_sentence_is_chinese_first_and_english_second(room: ModuleType) -> None:
    found = sentences(room)
    assert found
    for name, said in found.items():
        assert CHINESE.search(said.zh), name
        assert not CHINESE.search(said.en), name
        assert set(NAMED.findall(said.zh)) <= set(NAMED.findall(said.en)), name
        told = said(**dict.fromkeys(NAMED.findall(said.en), "x"))
        assert told.index(" · ") > 0


def spoken(source: str) -> list[int]:
    """Lines where an error of the family is raised with words of its own, not with a sentence of the room."""
    family = {
        "ClientError",
        "UsageError",
        "IncompleteError",
        "UnfitError",
        "WireError",
        "ForkError",
    }
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in family
        and any(re.search("[a-z]{3}", words(argument)) for argument in node.args)
    ]


def words(argument: ast.expr) -> str:
    """The text that stands in an argument itself, without what is filled in."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return " ".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def test_no_refusal_is_worded_where_it_is_raised() -> None:
    for seen in ('raise UsageError("not so")', 'raise UsageError(f"{path} not so")'):
        assert spoken(seen) == [1]
    files = [f for f in CLIENTS.rglob("*.py") if f.relative_to(CLIENTS).parts[0] not in OTHERS]
    assert len(files) > 30
    assert {f.name: lines for f in files if (lines := spoken(f.read_text("utf-8")))} == {}


def test_an_output_that_is_no_place_for_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    check_target(tmp_path / "new.age")
    for wrong in (tmp_path, Path("/dev/null"), tmp_path / "absent" / "new.age"):
        with pytest.raises(UsageError):
            check_target(wrong)


def test_a_bid_that_was_handed_in_is_not_sealed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bid.receipt.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main.main(["seal", "plan.pdf", "-o", str(tmp_path / "bid.age")])
    assert ended.value.code == 2
    assert "已经递交过" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frobnicate"], "没有这个命令"),
        (["verify"], "缺少参数"),
        (["verify", "x", "--nope"], "没有这个选项"),
        (["demo", "--seed", "x"], "取值不对"),
        (["serve", "--port", "1", "more"], "多了参数"),
        (["verify", "x", "--at"], "选项用法不对"),
    ],
)
def test_wrong_usage_is_two_lines_that_name_the_help(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith("用法不对 wrong usage: " + told)
    assert "--help" in said.err.splitlines()[1]


def test_the_demo_tells_a_step_in_chinese_then_in_english_and_the_summary_holds_the_english(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stage = Stage(headless=True)
    assert stage.step("3.2 提前 early", lambda: tell(demo.TOO_EARLY, early="a", earlier="b"))

    def fails() -> Told:
        raise StepFailedError("one word more " * 20)

    assert not stage.step("4.2 解锁 unlock", fails)
    first, zh, en, second, failed, *why = capsys.readouterr().out.splitlines()
    assert first.startswith("✓ 3.2 提前 early  (")
    assert (zh, en) == tuple(
        INDENT + half.format(early="a", earlier="b")
        for half in (demo.TOO_EARLY.zh, demo.TOO_EARLY.en)
    )
    assert second.startswith("✕ 4.2")
    assert failed == INDENT + demo.FAILED.zh
    assert len(why) > 1
    assert all(line.startswith(INDENT) and len(line) <= WIDTH for line in why)
    stage.write_summary(tmp_path / "summary.json")
    steps = json.loads((tmp_path / "summary.json").read_text("utf-8"))["steps"]
    assert [sorted(step) for step in steps] == [["detail", "name", "ok", "seconds"]] * 2
    assert steps[0]["detail"] == en.strip()
    assert steps[1]["detail"].startswith("StepFailedError: one word more")


def test_a_sentence_of_the_demo_fits_a_line_of_120_columns() -> None:
    words = {"key": 20, "number": 17, "wrong": 16, "parties": 30, "places": 40, "code": 20}
    for name, said in sentences(demo).items():
        facts = {fact: "x" * words.get(fact, 10) for fact in NAMED.findall(said.en)}
        for half in (said.zh, said.en):
            for line in wrapped(half.format(**facts)).splitlines():
                assert cell_len(line) <= 120, name
