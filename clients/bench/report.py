"""What a benchmark says: one value, its yardsticks, the ratios, and how it was made."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clients.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
BLOCK: Final = 1 << 20
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 (a RAM disk: the disk is not what is measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One benchmark's outcome, in the form of `contract/cli.md`.

    Attributes:
        name: of the benchmark.
        unit: of value and yardsticks.
        value: ours, the main figure.
        yardsticks: name → what was measured beside it.
        ratios: name → ours divided by the yardstick; below 1 is better than it for times.
        notes: how it was measured.
    """

    name: str
    unit: str
    value: float
    yardsticks: Mapping[str, float] = field(default_factory=dict)
    ratios: Mapping[str, float] = field(default_factory=dict)
    notes: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON object, figures rounded to what they are worth."""
        body = asdict(self)
        body["value"] = _rounded(self.value)
        for name in ("yardsticks", "ratios"):
            body[name] = {key: _rounded(value) for key, value in body[name].items()}
        return body

    def tell(self, *, as_json: bool) -> None:
        """Prints it."""
        if as_json:
            print(json.dumps(self.to_json(), ensure_ascii=False))
            return
        print(f"{self.name}: {_rounded(self.value)} {self.unit}")
        for name, value in self.yardsticks.items():
            print(f"  {name}: {_rounded(value)}")
        for name, value in self.ratios.items():
            print(f"  ratio {name}: {_rounded(value)}")
        if self.notes:
            print(f"  {self.notes}")


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def size_of(text: str) -> int:
    """Reads ``1G``, ``64M``, ``4096``.

    Raises:
        UsageError: another form.
    """
    number, unit = (text[:-1], UNITS[text[-1].upper()]) if text[-1:].upper() in UNITS else (text, 1)
    if not number.isdecimal() or not int(number):
        raise UsageError(f"{text!r} is no size; write 1G, 64M or a number of bytes")
    return int(number) * unit


@contextmanager
def workplace(size: int) -> Iterator[Path]:
    """A folder for big files, in memory where there is room for five of them."""
    room = shutil.disk_usage(MEMORY_FOLDER).free if MEMORY_FOLDER.is_dir() else 0
    parent = MEMORY_FOLDER if room > 5 * size + (256 << 20) else None
    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-", dir=parent) as folder:
        yield Path(folder)


def random_file(path: Path, size: int) -> Path:
    """A file of random bytes."""
    with path.open("wb") as file:
        left = size
        while left:
            left -= file.write(os.urandom(min(left, BLOCK)))
    return path


def best(
    works: Mapping[str, Callable[[], object]], rounds: int, outputs: Sequence[Path] = ()
) -> dict[str, float]:
    """Best wall seconds of each work; the works take turns, so that a busy moment hits all alike.

    Args:
        works: name → work.
        rounds: how often each is done.
        outputs: removed before each work, unmeasured, so that everybody writes into empty room.
    """
    found: dict[str, float] = {}
    for _ in range(rounds):
        for name, work in works.items():
            for output in outputs:
                output.unlink(missing_ok=True)
            start = time.perf_counter()
            work()
            took = time.perf_counter() - start
            found[name] = min(found.get(name, took), took)
    return found


def processor(work: Callable[[], object], outputs: Sequence[Path] = ()) -> float:
    """CPU seconds of one work, its processes included: what a machine busy with other things does not change.

    Args:
        work: done once.
        outputs: removed before it, unmeasured.
    """
    for output in outputs:
        output.unlink(missing_ok=True)
    before = _used()
    work()
    return _used() - before


def _used() -> float:
    """CPU seconds so far, in microseconds' steps (`os.times` counts hundredths of a second)."""
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in every)


def tool(name: str) -> str:
    """The path of an outside tool.

    Raises:
        UnfitError: it is not here.
    """
    where = shutil.which(name)
    if where is None:
        raise UnfitError(
            f"{name} is the yardstick here and is missing; `doctor` says how to get it"
        )
    return where


def run(*command: str | Path) -> str:
    """Runs a tool to its end and returns what it said.

    Raises:
        UnfitError: it failed.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command], check=True, capture_output=True, text=True
        )
    except subprocess.CalledProcessError as error:
        raise UnfitError(f"{command[0]} failed: {error.stderr.strip()}") from error
    return done.stdout


def verb_memory(arguments: Sequence[str]) -> int:
    """Peak resident KiB of a verb run through the front door, by the kernel's own mark."""
    code = (
        f"import main\ntry:\n    main.main({list(arguments)!r})\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return int(done.stdout.splitlines()[-1])
