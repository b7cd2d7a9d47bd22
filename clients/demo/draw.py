"""The float draw 浮动点: supervisor, tenderer and agent commit and reveal, each in a process of its own with its own key.

So nobody, the centre included, knows the value before the list is closed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from clients.demo import sentences as say
from clients.demo.stage import Told, must, tell
from clients.demo.world import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from clients.demo.world import World

PARTIES: Final = ("supervisor", "tenderer", "agent")


def commit(world: World) -> Told:
    """Each commits before T; the receipts lie beside the others."""
    receipts = world.out / "receipts"
    receipts.mkdir(exist_ok=True)

    def one(who: str) -> None:
        folder = world.keep / who
        folder.mkdir()
        write_private(folder / "key.pem", world.people[who].key.to_pem().encode())
        section = world.facts["section"]["section"]
        _draw(
            world, who, "commit", "--section", section, "-o", str(_nonce(world, who)),
            "--trust", str(world.trust),
        )  # fmt: skip
        (receipt,) = folder.glob("*.hall.json")
        receipt.rename(receipts / receipt.name)

    with ThreadPoolExecutor(len(PARTIES)) as pool:
        list(pool.map(one, PARTIES))
    must(world.clock.now() < world.facts["deadline"], "T came before the parties had committed")
    return tell(say.COMMITTED, parties=", ".join(PARTIES))


def reveal(world: World) -> None:
    """After the close each reveals what it kept to itself."""
    with ThreadPoolExecutor(len(PARTIES)) as pool:
        list(
            pool.map(
                lambda who: _draw(world, who, "reveal", str(_nonce(world, who)), "--wait"), PARTIES
            )
        )


def _nonce(world: World, who: str) -> Path:
    return world.keep / who / "nonce.json"


def _draw(world: World, who: str, verb: str, *arguments: str) -> None:
    key = str(world.keep / who / "key.pem")
    done = world.cast.run(who, "draw", verb, *arguments, "--server", world.server, "--key", key)
    must(done.returncode == 0, f"draw {verb} by the {who}: {done.stderr[-600:]}")
