"""``bench open``: opening one big bid with three of five custodians, beside ``age -d``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.bench.report import (
    Result,
    best,
    processor,
    random_file,
    run,
    size_of,
    tool,
    workplace,
)
from clients.bench.seal import DEADLINE
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def measure(size: int, rounds: int) -> Result:
    """Opens a file of random bytes.

    Args:
        size: bytes.
        rounds: how often; the best of each counts.
    """
    from clients.bench.stage import build
    from crypto import threshold
    from crypto.age import open_file, read_header, seal_file, unwrap_p256tag
    from crypto.p256 import Point

    age, keygen = tool("age"), tool("age-keygen")
    with workplace(size) as folder:
        plain = random_file(folder / "plain.bin", size)
        run(keygen, "-o", folder / "age.key")
        recipient = run(keygen, "-y", folder / "age.key").strip()
        run(age, "-r", recipient, "-o", folder / "age.age", plain)
        stage = build(DEADLINE)
        sealed = folder / "bid.age"
        seal_file(plain, sealed, stage.group.recipient)
        plain.unlink()

        def opened(threads: int) -> Path:
            with sealed.open("rb") as source:
                stanza = read_header(source).bid_stanza()
            points = [Point.parse(stanza.enc)]
            answers = {}
            for share in stage.shares[:3]:
                partials, proof = threshold.partial(share.secret, points)
                answers[share.index] = threshold.Answer(tuple(partials), proof)
            dh = threshold.dh_x(threshold.unlock(stage.group, points, answers).points[0])
            file_key = unwrap_p256tag(stanza, stage.group.recipient, dh)
            target = folder / "opened.bin"
            open_file(sealed, target, file_key, threads=threads)
            return target

        key, plain = folder / "age.key", folder / "age.bin"
        works: dict[str, Callable[[], object]] = {
            "age": lambda: run(age, "-d", "-i", key, "-o", plain, folder / "age.age"),
            "one": lambda: opened(1),
            "two": lambda: opened(2),
        }
        outputs = [plain, folder / "opened.bin"]
        took = best(works, rounds, outputs)
        cpu = {name: processor(work, outputs) for name, work in works.items()}
    return Result(
        name="open",
        unit="s",
        value=took["two"],
        yardsticks={"Debian age -d (X25519)": took["age"], "one thread": took["one"]},
        ratios={
            "two threads / age -d": took["two"] / took["age"],
            "one thread / age -d": took["one"] / took["age"],
            "CPU of two threads / age -d": cpu["two"] / cpu["age"],
            "CPU of one thread / age -d": cpu["one"] / cpu["age"],
        },
        notes=(
            f"{size} random bytes, three partials made, proved, checked and combined in the same "
            f"seconds; best of {rounds} in turn, in {folder.parent}"
        ),
    )


@verb
def command(
    size: Annotated[str, typer.Option(help="bytes of the bid: 1G, 64M, …")] = "1G",
    rounds: Annotated[int, typer.Option(min=1, help="the best of so many counts")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Open a big bid with three of five custodians beside `age -d`."""
    measure(size_of(size), rounds).tell(as_json=as_json)
