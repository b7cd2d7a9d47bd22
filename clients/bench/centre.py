"""A centre's own server as a child process, with what a benchmark wants to know of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clients.bench.report import ROOT
from clients.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST: Final = "127.0.0.1"
CENTRE: Final = "bench"
START_SECONDS: Final = 60
POLL_SECONDS: Final = 0.002
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves.

    Attributes:
        pid: of the process; port: where it listens.
        started: from exec until its port answered, seconds.
    """

    pid: int
    port: int
    started: float

    @property
    def server(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        return _cpu(f"/proc/{self.pid}/stat")

    def loop(self) -> float:
        """CPU seconds so far of the thread that runs the event loop."""
        return _cpu(f"/proc/{self.pid}/task/{self.pid}/stat")

    def memory(self, mark: str = "VmRSS") -> int:
        """Resident bytes now; with `VmHWM` the most there ever were."""
        lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(mark)).split()[1])


def _cpu(path: str) -> float:
    fields = Path(path).read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy() -> float:
    """CPU seconds that this machine has worked since it started, all cores, for anybody."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / TICKS


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Runs ``main.py serve`` on a home until the block ends; the bidders' token bucket is off.

    Args:
        home: prepared or fresh; its log is written beside it.
        environment: further variables, as LD_PRELOAD.

    Raises:
        UnfitError: it ended before it served.
    """
    port = free_port()
    more = {"KAIBIAO_CENTRE": CENTRE, "KAIBIAO_OFFER_RATE": "0", **(environment or {})}
    command = [sys.executable, "main.py", "serve", "--home", str(home), "--port", str(port)]
    log = home.with_name(home.name + ".log")
    with log.open("wb") as said:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, env=os.environ | more, stdout=said, stderr=said)
        try:
            while not answers(port):
                if child.poll() is not None or time.perf_counter() - begin > START_SECONDS:
                    raise UnfitError(f"the server did not start: {log.read_text('utf-8')[-2000:]}")
                time.sleep(POLL_SECONDS)
            yield Running(child.pid, port, time.perf_counter() - begin)
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
