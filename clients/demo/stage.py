"""The stage: runs the demo's steps one after the other, shows each, Chinese first, keeps what `summary.json` says.

A step is a function that returns what it has to tell, or raises `StepFailedError`. Whatever must be refused is checked with `refused`: a
refusal that did not come fails the step, so that nothing is only printed.
"""

from __future__ import annotations

import json
import sys
import textwrap
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from clients.demo import sentences as say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.progress import Progress

    from clients.errors import Sentence

WIDTH: Final = 116
"""Columns of a line, its indent included."""

INDENT: Final = "    "


class StepFailedError(Exception):
    """A step did not go as it must; the message says what was expected and what came."""


def must(condition: object, sentence: str) -> None:
    """Fail the step unless the condition holds."""
    if not condition:
        raise StepFailedError(sentence)


@contextmanager
def refused(*kinds: type[BaseException], saying: str = "") -> Iterator[list[BaseException]]:
    """The block must be refused with one of `kinds`, and the reason must contain `saying`."""
    caught: list[BaseException] = []
    try:
        yield caught
    except kinds as reason:
        must(saying in str(reason), f"refused, but with another reason: {reason}")
        caught.append(reason)
        return
    raise StepFailedError(f"this had to be refused and was not ({saying or kinds[0].__name__})")


@dataclass(frozen=True, slots=True)
class Told:
    """What a step tells when it went as it must: people read both, the summary holds the English."""

    zh: str
    en: str


def tell(sentence: Sentence, **facts: object) -> Told:
    """Fill in a sentence of `sentences.py`."""
    return Told(sentence.zh.format(**facts), sentence.en.format(**facts))


@dataclass
class Step:
    """One line of the summary."""

    name: str
    ok: bool
    seconds: str
    detail: str


@dataclass
class Stage:
    """Runs steps and remembers them.

    Attributes:
        headless: plain lines; otherwise colours and progress bars where the output is a terminal.
        debug: show tracebacks.
    """

    headless: bool = False
    debug: bool = False
    steps: list[Step] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)
    _open: int = 0

    def step(self, name: str, act: Callable[[], Told]) -> bool:
        """Run one step; a failure is shown and remembered, and the demo goes on only if the caller wants."""
        started = time.monotonic()
        try:
            said, ok = act(), True
        except Exception as error:  # noqa: BLE001  the summary names every failure, whatever its kind
            said, ok = tell(say.FAILED, error=f"{type(error).__name__}: {error}"), False
            if self.debug or not isinstance(error, StepFailedError):
                traceback.print_exc()
        seconds = f"{time.monotonic() - started:.2f}"
        self.steps.append(Step(name, ok, seconds, said.en))
        self._show(name, said, ok=ok, seconds=seconds)
        return ok

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on a terminal; nothing where lines are plain."""
        if self.headless or not sys.stdout.isatty():
            yield lambda _done, _total: None
            return
        with self._bars() as bars:
            task = bars.add_task(label, total=total)
            yield lambda done, _total: bars.update(task, completed=done)

    @contextmanager
    def _bars(self) -> Iterator[Progress]:
        """One display for all bars that run at the same time."""
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Display

        with self._turn:
            if self._open == 0:
                columns = (
                    TextColumn("    {task.description}"),
                    BarColumn(),
                    DownloadColumn(),
                    TransferSpeedColumn(),
                )
                self._display = Display(*columns, transient=True)
                self._display.start()
            self._open += 1
        try:
            yield self._display
        finally:
            with self._turn:
                self._open -= 1
                if self._open == 0:
                    self._display.stop()

    def say(self, said: Told) -> None:
        """Something between the steps, with a mark of its own: Chinese, then English beneath."""
        print(f"· {said.zh}", wrapped(said.en), sep="\n", flush=True)

    @property
    def ok(self) -> bool:
        """Whether every step so far went as it must."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    def write_summary(self, target: Path) -> None:
        """Write `summary.json`: `{"steps": [...], "tender": …, "auction": …}` (contract/cli.md)."""
        body = {
            "steps": [
                {"name": s.name, "ok": s.ok, "seconds": float(s.seconds), "detail": s.detail}
                for s in self.steps
            ],
            "tender": self.facts.get("tender"),
            "auction": self.facts.get("auction"),
        }
        target.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    def _show(self, name: str, said: Told, *, ok: bool, seconds: str) -> None:
        """The step's name, and beneath it what it tells: Chinese, then English in fainter ink."""
        mark, english = ("✓" if ok else "✕"), wrapped(said.en)
        if not self.headless and sys.stdout.isatty():
            mark = f"\033[{'32' if ok else '31'}m{mark}\033[0m"
            english = f"\033[2m{english}\033[0m"
        print(f"{mark} {name}  ({seconds} s)", wrapped(said.zh), english, sep="\n", flush=True)


def wrapped(text: str) -> str:
    """Indent a text; lines too long are broken between words, and those that are there stay."""
    return "\n".join(
        textwrap.fill(
            line, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT,
            break_long_words=False, break_on_hyphens=False,
        )
        for line in text.splitlines()
    )  # fmt: skip
