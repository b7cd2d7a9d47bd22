"""The demo's cast as real processes: started from the front door, watched, stopped, killed, never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

FRONT_DOOR = Path(__file__).resolve().parents[2] / "main.py"
STOP_SECONDS = 5


@dataclass
class Cast:
    """Every process the demo started, by name; leaving the `with` block ends them all.

    Attributes:
        logs: folder that takes one log file for each process.
    """

    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Enter: nothing runs yet."""
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave: stop what still runs, all at once."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        for name in list(self.running):
            self.stop(name)

    def start(
        self, name: str, *arguments: str, module: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `main.py ARGUMENTS` (or `-m MODULE ARGUMENTS`) under a name, its output going to a log file."""
        door = ["-m", module] if module else [str(FRONT_DOOR)]
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *door, *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=FRONT_DOOR.parent,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.running[name] = process
        return process

    def run(
        self, name: str, *arguments: str, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run `main.py ARGUMENTS` to its end and give back its output and exit status."""
        return subprocess.run(
            [*prefix, sys.executable, str(FRONT_DOOR), *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=FRONT_DOOR.parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "KAIBIAO_DEMO_NAME": name},
        )

    def stop(self, name: str) -> None:
        """Ask a process to end (SIGTERM), then insist."""
        process = self.running.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """SIGKILL, as a power cut would: the process gets no chance to tidy up."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def died(self) -> list[str]:
        """Names of processes that ended although nobody asked them to."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def last_words(self, name: str, lines: int = 12) -> str:
        """The last lines of a process's log, for the error message."""
        path = self.logs / f"{name}.log"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
