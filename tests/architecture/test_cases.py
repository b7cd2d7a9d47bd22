"""`docs/cases.md` stays true: every test that it names exists, and no case of a letter is skipped."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "docs" / "cases.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CASE = re.compile(r"^\| ([A-Z])(\d+)(?:–[A-Z](\d+))?((?:, [A-Z]\d+)*) ?", re.MULTILINE)


def exists(path: str, name: str) -> bool:
    """Say whether a test of that name is written in that file."""
    file = ROOT / path
    return file.is_file() and bool(re.search(rf"def {name}\(", file.read_text()))


def numbers(text: str) -> dict[str, set[int]]:
    """Letter → numbers of the cases that have a row."""
    found: dict[str, set[int]] = {}
    for letter, first, last, more in CASE.findall(text):
        covered = set(range(int(first), int(last or first) + 1))
        covered |= {int(one) for one in re.findall(r"\d+", more)}
        found.setdefault(letter, set()).update(covered)
    return found


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAPER.read_text()))))
def test_a_named_test_exists(path: str, name: str) -> None:
    assert exists(path, name), f"{path} has no {name}"


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAPER.read_text().splitlines() if CASE.match(line)]
    assert rows
    assert not [row for row in rows if not NAMED.search(row)]


def test_no_number_of_a_letter_is_skipped() -> None:
    for letter, found in numbers(PAPER.read_text()).items():
        assert found == set(range(1, max(found) + 1)), letter


def test_control_a_test_that_is_not_there_and_a_gap_are_found() -> None:
    assert not exists("tests/architecture/test_cases.py", "test_that_nobody_wrote")
    assert numbers("| U1 a | b |\n| U3–U4, U7 c | d |\n") == {"U": {1, 3, 4, 7}}
