"""Words that can rot are tested: README commands, --help, the Makefile, the glossary, the decisions."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from main import VERBS

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
MAKE_WORDS = {"install", "demo", "test", "check", "bench", "soak", "serve", "clean"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )


def commands(name: str) -> list[str]:
    blocks = re.findall(
        r"^```\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line]


@pytest.mark.parametrize("name", READMES)
def test_every_verb_a_readme_calls_exists_with_its_options(name: str) -> None:
    for line in commands(name):
        words = line.split()
        if "main.py" not in words or words[0] == "main.py":
            continue
        verb = words[words.index("main.py") + 1]
        assert verb in VERBS, line
        told = run(verb, "--help").stdout
        for option in re.findall(r"--[a-z-]+", line):
            assert option in told, f"{verb} has no {option}"


@pytest.mark.parametrize("name", READMES)
def test_every_make_word_a_readme_uses_exists(name: str) -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in commands(name):
        if line.startswith("make "):
            assert line.split()[1] in made, line


@pytest.mark.parametrize("name", READMES)
def test_every_file_a_readme_points_to_exists(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8")):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_the_makefile_has_its_words() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    assert set(re.findall(r"^([a-z]+):", text, re.MULTILINE)) >= MAKE_WORDS


def test_help_lists_every_verb_and_nothing_else() -> None:
    told = run("--help")
    assert told.returncode == 0
    listed = re.findall(r"^[│ ]+([a-z]+)  ", told.stdout, re.MULTILINE)
    assert set(listed) - {"help"} == set(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself_without_a_traceback(verb: str) -> None:
    told = run(verb, "--help")
    assert told.returncode == 0, told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_a_wrong_verb_is_wrong_usage() -> None:
    told = run("unlock-everything")
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_each_decision_is_dated_and_about_one_page() -> None:
    papers = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [p.name[:4] for p in papers] == [f"{n:04}" for n in range(1, len(papers) + 1)]
    for paper in papers:
        text = paper.read_text("utf-8")
        assert "**Decided** 2" in text
        assert len(text.splitlines()) <= 60, paper.name


def test_the_glossary_gives_each_term_one_name() -> None:
    rows = re.findall(
        r"^\| (?!中文|---)([^|]+) \| ([^|]+) \|",
        (ROOT / "docs/glossary.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len({zh for zh, _ in rows}) == len(rows)
    assert len({en for _, en in rows}) == len(rows)
