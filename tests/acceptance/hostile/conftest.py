"""A composed centre for each test, and the watch over it: no listener fails, nothing unforeseen happens."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.hostile.whole import Whole
from trading.ground import journal


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail a test in which a journal listener failed (it would end the process) or the log cries.

    A test that expects a cry takes it out of the list.
    """
    cries: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            cries.append(record.getMessage() + repr(record.exc_info and record.exc_info[1]))

    ear = Ear(logging.CRITICAL)
    monkeypatch.setattr(journal, "_die", lambda reason: cries.append(f"died: {reason}"))
    logging.getLogger().addHandler(ear)
    yield cries
    logging.getLogger().removeHandler(ear)
    assert cries == []


@pytest.fixture
def whole(tmp_path: Path, stored: str) -> Iterator[Whole]:
    """A composed centre with its first people."""
    with Whole(tmp_path / "home") as made:
        made.first_people()
        yield made
