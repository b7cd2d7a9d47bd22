"""The power goes at any moment: no acknowledged offer is lost, and the journal opens with every chain whole.

(kill -9 proves nothing here, since the kernel keeps what was written; see `images.py` for the model.)
"""

import asyncio
import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from tests.acceptance.durability import scene
from tests.acceptance.durability.disk import IOERR_FSYNC, Disk, Fault, Op
from tests.acceptance.durability.images import Files, images, read, write
from trading.ground.problems import Problem

BRISK = "wal_autocheckpoint=40"  # checkpoints and new logs many times in one short auction
ROUNDS = 45


@dataclass
class Recording:
    """One process's life on its disk, and when each bidder had been told."""

    base: Files
    ops: list[Op]
    memory: scene.Memory
    marks: dict[str, int]
    fired: int = 0

    def known(self, cut: int) -> scene.Memory:
        """What the bidders knew when so many operations had been done."""
        told = {key: said for key, said in self.memory.told.items() if self.marks[key] <= cut}
        return replace(self.memory, told=told)

    def cuts(self, count: int, rnd: Random) -> list[int]:
        """Half of them anywhere, half right after an answer: there a lost one hurts most."""
        ends = sorted(self.marks.values())
        return [
            rnd.choice(ends) if n % 2 else rnd.randrange(len(self.ops) + 1) for n in range(count)
        ]


def recorded(home: Path, *pragmas: str, fault: Fault | None = None) -> Recording:
    """Let an auction run on a recorded disk; with a fault it stops, reloads by the rule and goes on."""
    memory, marks = scene.Memory(), dict[str, int]()
    base = read(home)

    async def act(disk: Disk) -> None:
        stage = await scene.opened(home, *pragmas)

        def acknowledged(message: bytes) -> None:
            said = json.loads(message)
            if said["type"] == "answer":
                marks.setdefault(said["key"], len(disk.ops))

        crowd = scene.Crowd(stage, memory, acknowledged)
        for number in range(ROUNDS):
            if number == ROUNDS // 3:
                disk.fault = fault
            await crowd.round()
            if stage.journal.stopped:
                disk.fault = None
                await stage.journal.reload()
                await stage.service.recover()
                await crowd.settle_doubts()
        await stage.stop()

    with Disk(record=True) as disk:
        asyncio.run(act(disk))
    assert not scene.faults(scene.stored(home), memory)
    return Recording(base, disk.ops, memory, marks, fault.fired if fault else 0)


def damage(recording: Recording, cut: int, files: Files, home: Path) -> list[str]:
    """Open one image as a restart would and judge it; what is wrong, in words."""
    write(files, home)
    try:
        return scene.faults(scene.stored(home), recording.known(cut))
    except Problem as problem:
        return [f"does not open: {problem.code}"]


def sweep(recording: Recording, count: int, seed: int, folder: Path) -> Counter[str]:
    """Judge so many images; every 25th is also served from, and its doubts are settled."""
    rnd, found = Random(seed), Counter[str]()
    cuts = recording.cuts(count, rnd)
    for number, (cut, files) in enumerate(images(recording.base, recording.ops, cuts, rnd)):
        home = folder / f"image-{seed}-{number}"
        wrong = damage(recording, cut, files, home)
        if not wrong and number % 25 == 0:
            wrong = asyncio.run(served_again(home, recording.known(cut)))
        found["damaged"] += bool(wrong)
        found.update(line.partition(" ")[2] for line in wrong[:1])
        shutil.rmtree(home)
    return found


async def served_again(home: Path, memory: scene.Memory) -> list[str]:
    """A new process on an image: every doubt is settled by its own key, and bidding goes on."""
    memory = replace(memory, told=dict(memory.told), sent=dict(memory.sent))
    stage = await scene.opened(home, later=5_000)
    crowd = scene.Crowd(stage, memory)
    await crowd.settle_doubts()
    await crowd.round()
    await stage.stop()
    assert not memory.doubtful()
    scene.refold(home)
    return scene.faults(scene.stored(home), memory)


def test_no_acknowledged_offer_is_lost_when_the_power_goes(
    template: Path, tmp_path: Path, folder: Path
) -> None:
    recording = recorded(scene.copied(template, tmp_path / "home"), BRISK)
    done = Counter((op.what, op.file) for op in recording.ops)
    assert done["sync", "kaibiao.db"] >= 3  # checkpoints are among what is cut
    assert len(recording.memory.told) == 4 * ROUNDS
    assert sweep(recording, 300, 1, folder) == {"damaged": 0}


def test_nor_with_the_log_as_long_as_it_is_in_service(
    template: Path, tmp_path: Path, folder: Path
) -> None:
    recording = recorded(scene.copied(template, tmp_path / "home"))
    assert sweep(recording, 100, 2, folder) == {"damaged": 0}


@pytest.mark.parametrize("file", ["kaibiao.db-wal", "kaibiao.db"])
def test_nor_after_a_sync_that_failed_once_and_then_claimed_success(
    template: Path, tmp_path: Path, folder: Path, file: str
) -> None:
    """The kernel forgets the pages of a failed sync; a store that tries again would believe the second."""
    fault = Fault("sync", 1, IOERR_FSYNC, file=file)
    recording = recorded(scene.copied(template, tmp_path / "home"), BRISK, fault=fault)
    assert recording.fired == 1
    assert any(op.what == "lost" for op in recording.ops)
    assert sweep(recording, 50, 3, folder) == {"damaged": 0}


def test_control_synchronous_normal_loses_acknowledged_offers(
    template: Path, tmp_path: Path, folder: Path
) -> None:
    recording = recorded(scene.copied(template, tmp_path / "home"), BRISK, "synchronous=NORMAL")
    found = sweep(recording, 50, 4, folder)
    assert found["was acknowledged and is lost"] > 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_many_more_images(template: Path, tmp_path: Path, folder: Path, seed: int) -> None:
    recording = recorded(scene.copied(template, tmp_path / "home"), BRISK)
    assert sweep(recording, 2_000, 100 + seed, folder) == {"damaged": 0}
