"""What benchmarks need in C: the load generator and the slow disk; compiled when a benchmark starts.

Compiled because a generator in Python would measure itself; its own limit is shown beside every figure it takes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from clients.bench.report import ROOT, run
from clients.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path

SOURCES: Final = ROOT / "clients" / "bench" / "native"


def compiler() -> str:
    """The C compiler of this machine.

    Raises:
        UnfitError: there is none.
    """
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        raise UnfitError("a C compiler makes the load generator and is missing; install gcc")
    return found


def load(folder: Path) -> Path:
    """Compiles the load generator into a folder and returns it."""
    made = folder / "load"
    run(compiler(), "-O2", "-o", made, SOURCES / "load.c")
    return made


def slow_sync(folder: Path) -> Path:
    """Compiles the library that makes each fsync cost 2 ms more; for LD_PRELOAD."""
    made = folder / "slow_sync.so"
    run(compiler(), "-O2", "-shared", "-fPIC", "-o", made, SOURCES / "slow_sync.c", "-ldl")
    return made
