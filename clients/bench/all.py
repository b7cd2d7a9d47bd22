"""``python -m clients.bench.all``: every benchmark that is built, one JSON object a line."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from clients.bench.cli import NAMES
from clients.bench.report import ROOT


def main(arguments: list[str]) -> int:
    """Runs them one after the other, each in a process of its own; returns the worst exit code."""
    worst = 0
    for name in NAMES:
        if find_spec(f"clients.bench.{name}") is not None:
            command = [sys.executable, str(ROOT / "main.py"), "bench", name, "--json", *arguments]
            worst = max(worst, subprocess.run(command, check=False, cwd=ROOT).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
