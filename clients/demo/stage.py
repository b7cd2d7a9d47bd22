"""The stage: runs the demo's steps one after the other, shows each as one line, keeps what `summary.json` says.

A step is a function that returns a sentence, or raises `StepFailedError`. Whatever must be refused is checked with `refused`: a
refusal that did not come fails the step, so that nothing is only printed.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.progress import Progress


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

    def step(self, name: str, act: Callable[[], str]) -> bool:
        """Run one step; a failure is shown and remembered, and the demo goes on only if the caller wants."""
        started = time.monotonic()
        try:
            detail, ok = act(), True
        except Exception as error:  # noqa: BLE001  the summary names every failure, whatever its kind
            detail, ok = f"{type(error).__name__}: {error}", False
            if self.debug or not isinstance(error, StepFailedError):
                traceback.print_exc()
        seconds = f"{time.monotonic() - started:.2f}"
        self.steps.append(Step(name, ok, seconds, detail))
        self._show(name, ok=ok, seconds=seconds, detail=detail)
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

    def say(self, text: str) -> None:
        """One indented line below the current step."""
        print(f"    {text}", flush=True)

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

    def _show(self, name: str, *, ok: bool, seconds: str, detail: str) -> None:
        mark = "✓" if ok else "✕"
        if not self.headless and sys.stdout.isatty():
            mark = f"\033[{'32' if ok else '31'}m{mark}\033[0m"
        print(f"{mark} {name}  ({seconds} s)  {detail}", flush=True)
