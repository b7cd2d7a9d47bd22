"""kill -9 at every named step of a submission and of an opening: nothing told is lost, nothing is doubled.

As `test_kill.py` for offers: a home lives through several processes, each killed at a step; the next
one takes up what was left, and the outsiders hand in again whatever was never answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from bidding.service import uploads as uploads_module
from bidding.service.intake import Intake
from bidding.service.opener import Opener
from bidding.service.receipts import Receipts
from bidding.service.room import Room
from bidding.service.uploads import UploadDesk
from bidding.store import Uploads
from tests.acceptance.durability import scene, section, section_faults
from tests.acceptance.durability.disk import Disk
from tests.acceptance.durability.lives import Life, die, forked
from trading.ground.blobs import Blobs
from trading.ground.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.acceptance.durability.section import Cast, Process, Told
    from trading.ground.database import Database

    Act = Callable[[Process], Awaitable[None]]


class Step:
    """A place where the child dies, at its n-th passing; everything is patched in the child alone."""

    def __init__(self, name: str, passing: int = 1) -> None:
        self.name = name
        self._left = passing
        self._inside = False

    def passed(self) -> None:
        """Count, and die."""
        self._left -= 1
        if self._left == 0:
            die()

    def before(self, place: Any, name: str) -> None:
        """Die at the entry of a function, plain or not."""
        real = getattr(place, name)

        def dying(*arguments: Any, **named: Any) -> Any:
            self.passed()
            return real(*arguments, **named)

        setattr(place, name, dying)

    def after(self, place: Any, name: str) -> None:
        """Die at the return of a function, plain or not."""
        real = getattr(place, name)

        async def finished(result: Any) -> Any:
            given = await result
            self.passed()
            return given

        def dying(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            if asyncio.iscoroutine(result):
                return finished(result)
            self.passed()
            return result

        setattr(place, name, dying)

    def commit(self, kind: str, moment: str, database: Database, disk: Disk) -> None:
        """Die in the commit that brings a row of a kind."""
        real = Journal._commit

        def commit(journal: Journal, items: Any) -> Any:
            mine = any(draft.kind == kind for item in items for draft in item.drafts)
            if mine and moment == "nothing written":
                self.passed()
            self._inside = mine
            rows = real(journal, items)
            self._inside = False
            if mine and moment == "committed, nobody told":
                self.passed()
            return rows

        def inside() -> None:
            if self._inside:
                self.passed()

        Journal._commit = commit  # type: ignore[method-assign]
        if moment == "before its commit":
            event.listen(database.engine, "commit", lambda _connection: inside())
        if moment == "before its sync":
            disk.before = lambda call, file: (
                inside() if (call, file[-4:]) == ("sync", "-wal") else None
            )

    def plant(self, database: Database, disk: Disk) -> None:
        """Put it where its name says."""
        what, _, moment = self.name.partition(": ")
        match what:
            case "file made":
                self.after(uploads_module, "_begin")
            case "upload's row kept":
                self.after(Uploads, "create")
            case "bytes arrived, none written":
                self.before(UploadDesk, "_open")
            case "bytes written, before their sync":
                self.before(UploadDesk, "_settle")
            case "bytes synced, before the offset is kept":
                self.after(UploadDesk, "_settle")
            case "offset kept, nobody told":
                self.after(Uploads, "set")
            case "last byte in, before the content store":
                self.before(Blobs, "adopt")
            case "second copy written, before the first is moved":
                self.before(Path, "rename")
            case "in the content store, before its row":
                self.after(Blobs, "adopt")
            case "submission arrived":
                self.before(Intake, "submit")
            case "judged, before the append":
                self.before(Room, "append")
            case "journalled, before the upload is marked":
                self.before(UploadDesk, "use")
            case "upload marked, before the slot":
                self.after(UploadDesk, "use")
            case "receipt kept, before the answer":
                self.after(Receipts, "of")
            case "a bid unsealed, before its folder":
                self.after(Opener, "_unseal")
            case "a bid opened, before the import":
                self.after(Opener, "open")
            case "record's file kept, before the ledger":
                self.after(Blobs, "put")
            case kind:
                assert moment in MOMENTS, self.name
                self.commit(kind, moment, database, disk)


MOMENTS = ("nothing written", "before its commit", "before its sync", "committed, nobody told")
SUBMISSION = (
    "file made", "upload's row kept", "bytes arrived, none written",
    "bytes written, before their sync", "bytes synced, before the offset is kept",
    "offset kept, nobody told", "last byte in, before the content store",
    "second copy written, before the first is moved", "in the content store, before its row",
    "submission arrived", "judged, before the append",
    *(f"submission: {moment}" for moment in MOMENTS),
    "journalled, before the upload is marked", "upload marked, before the slot",
    "slot: nothing written", "slot: committed, nobody told",
    *(f"receipt: {moment}" for moment in MOMENTS),
    "receipt kept, before the answer",
)  # fmt: skip
ROWS = (
    "closed", "price_stated", "float_revealed", "float_drawn", "published", "unlock_begun",
    "release", "imported", "reading_begun", "read", "confirming_begun", "confirmed", "sealed",
    "record", "record_issued",
)  # fmt: skip
OPENING = (
    *(f"{row}: {moment}" for row in ROWS for moment in ("nothing written", "committed, nobody told")),
    "a bid unsealed, before its folder", "a bid opened, before the import",
    "record's file kept, before the ledger",
)  # fmt: skip


async def bid(process: Process) -> None:
    """Every bidder that has no receipt yet hands its bid in."""
    for number in range(len(process.cast.bidders)):
        if number not in process.told.receipts:
            await process.hand_in(number)


async def bid_again(process: Process) -> None:
    """Every bidder hands in once more and must get the receipt it was told, if it was told one."""
    for number in range(len(process.cast.bidders)):
        await process.hand_in(number)


async def hold(process: Process) -> None:
    """From T to the record on paper."""
    await process.hold()


def child(
    home: Path, cast: Cast, told: Told, act: Act, step: Step | None = None, *, paper: bool = False
) -> Life:
    """A process of the centre on a home, in which outsiders act until it is killed."""

    async def story(say: Callable[[bytes], None], disk: Disk) -> None:
        process = section.Process(cast, told, lambda line: say(json.dumps(line).encode()))
        if step is not None:  # it may die in taking up what the last one left
            real = Room.__init__

            def planted(room: Room, *given: Any) -> None:
                real(room, *given)
                step.plant(room.database, disk)

            Room.__init__ = planted  # type: ignore[method-assign]
        await process.open(home, paper=paper)
        await act(process)
        await process.close()

    def work(say: Callable[[bytes], None]) -> int:
        with ExitStack() as stack:
            disk = stack.enter_context(Disk())
            asyncio.run(story(say, disk))
        return 0

    return forked(work)


def lived(life: Life, told: Told, kill_after: int | None = None) -> int:
    """Take down what a process said; kill it from outside after so many lines. Gives its end."""
    for count, line in enumerate(life.lines()):
        told.hear(line)
        if count == kill_after:
            os.kill(life.pid, signal.SIGKILL)
    return life.ended()


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cast]:
    """A home whose section takes bids, and the cast."""
    home = tmp_path_factory.mktemp("receiving") / "home"
    return home, section.prepare(home, received=False)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cast]:
    """A home with all bids in, seconds before T, and the cast."""
    home = tmp_path_factory.mktemp("received") / "home"
    return home, section.prepare(home, received=True)


def bids_through(home: Path, cast: Cast, step: str, kills: int, rnd: Random) -> tuple[Told, int]:
    """One home through so many deaths at a step of submission, and a last process that settles all."""
    told, deaths = section.Told(), 0
    for _ in range(kills):
        end = lived(child(home, cast, told, bid, Step(step, rnd.choice((1, 1, 2, 3)))), told)
        assert end in (-signal.SIGKILL, 0), f"it ended with {end}"
        deaths += end != 0
    assert lived(child(home, cast, told, bid_again), told) == 0
    return told, deaths


@pytest.mark.parametrize("step", SUBMISSION)
def test_kill_9_at_every_step_of_a_submission(
    receiving: tuple[Path, Cast], folder: Path, step: str
) -> None:
    template, cast = receiving
    home = scene.copied(template, folder / "home")
    told, deaths = bids_through(home, cast, step, 2, Random(step))
    assert deaths > 0
    assert len(told.receipts) == len(cast.bidders)
    assert section_faults.faults_of_bids(home, cast, told) == []


def test_kill_9_at_every_step_of_one_opening(received: tuple[Path, Cast], folder: Path) -> None:
    """One home dies at each step in turn; what the next process finds done it does not do again."""
    template, cast = received
    home, told = scene.copied(template, folder / "home"), section.Told()
    deaths = []
    for step in OPENING:
        end = lived(child(home, cast, told, hold, Step(step), paper=True), told)
        assert end in (-signal.SIGKILL, 0), f"{step}: it ended with {end}"
        deaths += [step] if end else []
    assert lived(child(home, cast, told, hold, paper=True), told) == 0
    assert section_faults.faults_of_opening(home, cast, told) == []
    assert len(deaths) > 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("step", SUBMISSION)
def test_many_kills_of_submissions(
    receiving: tuple[Path, Cast], folder: Path, step: str, seed: int
) -> None:
    template, cast = receiving
    home = scene.copied(template, folder / "home")
    told, _ = bids_through(home, cast, step, 8, Random(f"{step} {seed}"))
    assert section_faults.faults_of_bids(home, cast, told) == []
    shutil.rmtree(home)


@pytest.mark.parametrize("late", ["receipt", "sealed"])
def test_control_a_centre_that_answers_before_it_writes_is_caught(
    receiving: tuple[Path, Cast],
    received: tuple[Path, Cast],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    late: str,
) -> None:
    """It writes rows of one kind when the next ones come: what was told last is not there after a kill."""
    (template, cast), act, judge = (
        (receiving, bid, section_faults.faults_of_bids)
        if late == "receipt"
        else (received, hold, section_faults.faults_of_opening)
    )
    home, told = scene.copied(template, folder / "home"), section.Told()
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_commit", scene.commit_late(Journal._commit, late))
        hear = told.hear

        def die_when_told(line: bytes) -> None:
            hear(line)
            if json.loads(line)[:2] in (["receipt", 1], ["act", "sealed"]):
                die()

        told.hear = die_when_told  # type: ignore[method-assign]
        life = child(home, cast, told, act)
        told.hear = hear  # type: ignore[method-assign]
        assert lived(life, told) == -signal.SIGKILL
    assert [line for line in judge(home, cast, told) if line.endswith("is lost")]
