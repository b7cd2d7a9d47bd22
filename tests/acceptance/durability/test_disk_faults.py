"""Each call to the disk fails in turn: a refusal or a stop, never a lost, doubled or invented offer.

After a stop the centre does what it does in service: the journal is reloaded until the disk takes
events again, the auctions begin anew from what is durable, and every doubt is settled by its own key.
"""

import asyncio
import errno
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.acceptance.durability import scene
from tests.acceptance.durability.disk import (
    FULL,
    IOERR_FSYNC,
    IOERR_TRUNCATE,
    IOERR_WRITE,
    SHORT,
    Disk,
    Fault,
)
from tests.acceptance.durability.lives import forked
from trading.ground import database as database_module
from trading.ground import journal as journal_module
from trading.ground.journal import Draft, Journal
from trading.ground.problems import Problem, StorageFailed

FOR_EVER = 1_000_000
FIRED = 10  # exit status of a child whose fault has fired
BRISK = "wal_autocheckpoint=20"

PLANS: list[tuple[str, int, int, Iterable[int], str]] = [
    ("sync -wal", IOERR_FSYNC, 1, range(1, 7), "stops"),
    ("sync .db", IOERR_FSYNC, 1, [1], "goes on"),
    ("write -wal", IOERR_WRITE, 1, range(1, 60, 4), "stops"),
    ("write .db", IOERR_WRITE, 1, range(1, 20, 5), "goes on"),
    ("write", FULL, FOR_EVER, range(1, 60, 7), "stops"),
    ("truncate", IOERR_TRUNCATE, FOR_EVER, [1], "goes on"),
    ("pwrite64", errno.ENOSPC, 1, range(1, 60, 5), "stops"),
    ("pwrite64", errno.ENOSPC, FOR_EVER, range(1, 60, 7), "stops"),
    ("pwrite64", errno.EIO, 1, range(1, 60, 5), "stops"),
    ("pwrite64", errno.EINTR, 1, range(1, 30, 7), "goes on"),
    ("pwrite64", SHORT, 3, range(1, 30, 7), "goes on"),
    ("fcntl", errno.EIO, 1, range(1, 40, 2), "either"),
    ("fcntl", errno.ENOLCK, 5, range(1, 40, 7), "either"),
    ("fcntl", errno.EACCES, 1, range(1, 40, 7), "either"),
    ("pread64", errno.EIO, 1, range(1, 24, 2), "either"),
    ("pread64", errno.EIO, FOR_EVER, [1, 10], "either"),
    ("fstat", errno.EIO, 1, [1, 2], "either"),
]
"""Call (on files so named), failure, how many in a row, where the first one is, what the journal does.

A checkpoint that fails leaves all in the log and is done again later: the journal goes on."""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a lock gives up soon; the length of that wait is not what is tested."""
    monkeypatch.setattr(database_module, "BUSY_MS", 50)


async def life(home: Path, fault: Fault, disk: Disk, seen: Counter[str]) -> scene.Memory:
    """One process: it bids, meets the fault, perhaps stops, recovers when the disk is well again."""
    memory = scene.Memory()
    stage = await scene.opened(home, BRISK)
    crowd = scene.Crowd(stage, memory)
    await crowd.round()
    disk.fault = fault
    for _ in range(6):
        await crowd.round()
    if stage.journal.stopped:
        assert crowd.problems
        try:
            await stage.journal.reload()  # too early where the fault lasts
        except StorageFailed:
            assert stage.journal.stopped
    seen["stops"] += bool(crowd.problems)
    seen["fired"] += bool(fault.fired)
    disk.fault = None
    await stage.journal.reload()
    await stage.service.recover()
    await crowd.settle_doubts()
    assert not memory.doubtful()
    assert {problem["code"] for problem in crowd.problems} <= {"storage-failed"}
    await crowd.round()
    assert list(memory.told.values())[-1].ok
    await stage.stop()
    return memory


@pytest.mark.parametrize(
    ("call", "code", "count", "places", "then"),
    PLANS,
    ids=[f"{call}-{code}-{'for-ever' if n == FOR_EVER else n}" for call, code, n, *_ in PLANS],
)
def test_every_call_fails_in_turn(
    template: Path,
    folder: Path,
    call: str,
    code: int,
    count: int,
    places: Iterable[int],
    then: str,
) -> None:
    seen, lives = Counter[str](), 0
    for first in places:
        lives += 1
        home = scene.copied(template, folder / f"at-{first}")
        name, _, file = call.partition(" ")
        fault = Fault(name, first, code, count, file)
        with Disk(sleepless=True) as disk:
            memory = asyncio.run(life(home, fault, disk, seen))
        assert scene.faults(scene.stored(home), memory) == []
        scene.refold(home)
    # A life may end before its place is reached (reads are cached); one that fires not proves nothing.
    assert seen["fired"] > lives // 2
    if then == "stops":
        assert seen["stops"] > lives // 2  # the others met a checkpoint
    elif then == "goes on":
        assert seen["stops"] == 0


OPENING = [
    ("open", errno.EMFILE, range(1, 4)),
    ("open", errno.EACCES, range(1, 4)),
    ("fstat", errno.EIO, range(1, 6)),
    ("pread64", errno.EIO, range(1, 40, 3)),
    ("fcntl", errno.EIO, range(1, 12)),
    ("mmap", errno.ENOMEM, [1]),
    ("ftruncate", errno.ENOSPC, [1]),
    ("pwrite64", errno.ENOSPC, range(1, 4)),
]


@pytest.mark.parametrize(("call", "code", "places"), OPENING)
def test_a_start_on_a_failing_disk_is_refused_in_our_own_words_and_harms_nothing(
    template: Path, folder: Path, call: str, code: int, places: Iterable[int]
) -> None:
    """In a process of its own: whoever cannot start ends, and gives the home free with that."""

    async def serve(home: Path) -> None:
        stage = await scene.opened(home)
        await scene.Crowd(stage, scene.Memory()).round()
        await stage.stop()

    def start(home: Path, fault: Fault) -> int:
        with Disk(sleepless=True) as disk:
            disk.fault = fault
            try:
                asyncio.run(serve(home))
            except Problem as problem:
                assert problem.code == "storage-failed"  # noqa: PT017 (most starts succeed)
        return FIRED if fault.fired else 0

    ends = Counter[int]()
    for first in places:
        home, fault = scene.copied(template, folder / f"at-{first}"), Fault(call, first, code)
        life = forked(lambda _say, home=home, fault=fault: start(home, fault))  # type: ignore[misc]
        list(life.lines())
        ends[life.ended()] += 1
        scene.refold(home)
    assert ends[FIRED] > 0
    assert ends.keys() <= {0, FIRED}


def test_a_database_locked_by_somebody_else_is_waited_for_then_refused(
    template: Path, folder: Path
) -> None:
    home = scene.copied(template, folder / "home")
    memory = scene.Memory()

    async def act() -> None:
        stage = await scene.opened(home)
        crowd = scene.Crowd(stage, memory)
        await crowd.round()
        intruder = sqlite3.connect(home / "kaibiao.db", isolation_level=None)
        intruder.execute("BEGIN IMMEDIATE")
        await crowd.round()
        assert stage.journal.stopped
        assert len(crowd.problems) == scene.BIDDERS
        await crowd.round()  # nothing is accepted while it is stopped
        assert len(crowd.problems) == 2 * scene.BIDDERS
        await stage.journal.reload()
        await stage.service.recover()  # reading goes; writing the outage does not
        await crowd.settle_doubts()
        assert stage.journal.stopped
        intruder.execute("ROLLBACK")
        intruder.close()
        await stage.journal.reload()
        await stage.service.recover()
        await crowd.settle_doubts()
        assert not memory.doubtful()
        await stage.stop()

    asyncio.run(act())
    assert scene.faults(scene.stored(home), memory) == []
    scene.refold(home)


def test_a_disk_that_stalls_is_answered_with_refusals_and_bidding_goes_on_after_it(
    template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is bounded: at the bound the centre stops as after any error, and begins anew."""
    monkeypatch.setattr(journal_module, "MAX_WAITING_ROWS", 40)
    home = scene.copied(template, folder / "home")
    memory = scene.Memory()

    async def act() -> None:
        stage = await scene.opened(home)
        stops: list[bool] = []
        stage.journal.on_stop(lambda: stops.append(stage.journal.stopped))
        crowd = scene.Crowd(stage, memory)
        await crowd.round()
        with stage.database.turn():  # the writer thread waits, as for a disk
            for turn in range(70):
                crowd.say(turn % scene.BIDDERS, crowd.offer(turn % scene.BIDDERS))
            stage.service.turn.settle()  # as the end of this turn of the loop would
            refused = len(crowd.problems)
            assert refused == 30
        assert stops == [True]  # whoever reloads it has heard of it
        await stage.journal.reload()
        await crowd.answered()
        assert len(memory.told) == scene.BIDDERS + 40  # what had been queued was written and told
        await stage.service.recover()
        await crowd.settle_doubts()
        await crowd.round()
        assert len(crowd.problems) == refused
        assert not memory.doubtful()
        await stage.stop()

    asyncio.run(act())
    assert scene.faults(scene.stored(home), memory) == []
    scene.refold(home)


def test_between_a_reload_and_the_recovery_no_actor_of_before_decides(
    template: Path, folder: Path
) -> None:
    """Also one that had nothing in flight at the stop: the recovery's fold would not know of its offers."""
    home, memory = scene.copied(template, folder / "home"), scene.Memory()

    async def act(disk: Disk) -> None:
        stage = await scene.opened(home)
        crowd = scene.Crowd(stage, memory)
        await crowd.round()
        disk.fault = Fault("sync", 1, IOERR_FSYNC, file="-wal")
        with pytest.raises(StorageFailed):
            await stage.journal.append(Draft("other", "other.noted", {}, stage.clock.now()))
        await stage.journal.reload()
        await crowd.round()
        assert len(crowd.problems) == scene.BIDDERS
        await stage.service.recover()
        await crowd.settle_doubts()
        assert not memory.doubtful()
        await stage.stop()

    with Disk() as disk:
        asyncio.run(act(disk))
    assert scene.faults(scene.stored(home), memory) == []
    scene.refold(home)


def test_control_a_journal_that_goes_on_after_a_failed_commit_is_caught(
    template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "_commit", scene.commit_deaf(Journal._commit))
    home = scene.copied(template, folder / "home")
    memory = scene.Memory()

    async def act(disk: Disk) -> None:
        stage = await scene.opened(home)
        crowd = scene.Crowd(stage, memory)
        disk.fault = Fault("write", 1, FULL, 6)
        await crowd.round()
        stage.close()

    with Disk(sleepless=True) as disk:
        asyncio.run(act(disk))
    lost = [line for line in scene.faults(scene.stored(home), memory) if line.endswith("is lost")]
    assert lost
