"""kill -9 of the centre, and a crash of the server, where the rows are kept by PostgreSQL.

As `test_kill.py` and `test_kill_bids.py`, without the points inside SQLite's own writing: what there is the
page of a log is here another process, and dies in a test of its own. Some in continuous integration, the rest in
`make soak`.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.durability import scene, section, section_faults
from tests.acceptance.durability.test_kill import (
    POINTS,
    bid,
    child,
    judge,
    killed,
    remember,
    rest,
    take,
)
from tests.acceptance.durability.test_kill_bids import (
    OPENING,
    SUBMISSION,
    Step,
    bids_through,
    hold,
    lived,
)
from tests.acceptance.durability.test_kill_bids import child as opening_child
from tests.databases import ADDRESS, database_of, fresh_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Made = tuple[Path, str, Any]

CI = {
    "in the append, before its commit", "after the commit", "settled, before the answer",
    "submission: before its commit", "receipt: committed, nobody told",
}  # fmt: skip
"""What continuous integration runs."""


def outside(points: tuple[str, ...] | list[str]) -> list[Any]:
    """The points that do not lie inside SQLite."""
    return [
        pytest.param(point, marks=[] if point in CI else [pytest.mark.soak])
        for point in points
        if "pages" not in point and "before its sync" not in point
    ]  # fmt: skip


def template(postgres: Any, home: Path, prepare: Callable[[Path], Any]) -> Iterator[Made]:
    """A home, the address of its rows, and what `prepare` gave; copied for each life."""
    with fresh_database(postgres) as url:
        with pytest.MonkeyPatch.context() as patched:  # for this making alone
            patched.setenv(ADDRESS, url)
            made = prepare(home)
        yield home, url, made


@pytest.fixture(scope="module")
def auction(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    yield from template(postgres, tmp_path_factory.mktemp("auction") / "home", scene.prepare)


@pytest.fixture(scope="module")
def receiving(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("receiving") / "home"
    yield from template(postgres, home, lambda home: section.prepare(home, received=False))


@pytest.fixture(scope="module")
def received(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("received") / "home"
    yield from template(postgres, home, lambda home: section.prepare(home, received=True))


@pytest.fixture
def copied(
    postgres: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Made], Path]]:
    """Make a home and a database of the test's own from a template."""
    with ExitStack() as stack:

        def copy(made: Made) -> Path:
            url = stack.enter_context(fresh_database(postgres, database_of(made[1])))
            monkeypatch.setenv(ADDRESS, url)
            return scene.copied(made[0], folder / "home")

        yield copy


@pytest.mark.parametrize("point", outside(POINTS))
def test_kill_9_at_every_named_point_of_an_offers_way(
    auction: Made, copied: Callable[[Made], Path], point: str
) -> None:
    home = copied(auction)
    memory, deaths = killed(home, point, 6, Random(f"postgres {point}"), bid, rest)
    assert deaths == 6
    judge(home, memory)


def crash(postgres: Any) -> None:
    """End the server at once, as its own failure would (`immediate`): nothing is written any more."""
    pid = int((Path(postgres.pgdata) / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)


@pytest.mark.parametrize("crashes", [1, pytest.param(8, marks=pytest.mark.soak)])
def test_a_server_that_crashes_under_load_keeps_what_was_acknowledged(
    postgres: Any, auction: Made, copied: Callable[[Made], Path], crashes: int
) -> None:
    home, memory, rnd = copied(auction), scene.Memory(), Random(crashes)
    for _ in range(crashes):
        life, last = child(home, memory, bid), rnd.randrange(20, 60)
        for count, line in enumerate(life.lines()):
            take(line, memory)
            if count == last:
                crash(postgres)
                os.kill(life.pid, signal.SIGKILL)
        assert life.ended() != 0
        postgres.ensure_postgres_running()
    assert remember(child(home, memory, rest), memory) == 0
    assert len(memory.told) > 8
    judge(home, memory)


@pytest.mark.parametrize("step", outside(SUBMISSION))
def test_kill_9_at_every_step_of_a_submission(
    receiving: Made, copied: Callable[[Made], Path], step: str
) -> None:
    home, cast = copied(receiving), receiving[2]
    told, deaths = bids_through(home, cast, step, 2, Random(step))
    assert deaths > 0
    assert len(told.receipts) == len(cast.bidders)
    assert section_faults.faults_of_bids(home, cast, told) == []


@pytest.mark.soak
def test_kill_9_at_every_step_of_one_opening(
    received: Made, copied: Callable[[Made], Path]
) -> None:
    home, cast, told = copied(received), received[2], section.Told()
    deaths = []
    for step in OPENING:
        end = lived(opening_child(home, cast, told, hold, Step(step), paper=True), told)
        assert end in (-signal.SIGKILL, 0), f"{step}: it ended with {end}"
        deaths += [step] if end else []
    assert lived(opening_child(home, cast, told, hold, paper=True), told) == 0
    assert section_faults.faults_of_opening(home, cast, told) == []
    assert len(deaths) > 10
