"""``bench seal``: sealing one big file, beside Debian's ``age`` in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from clients.bench.report import (
    ROOT,
    Result,
    best,
    random_file,
    run,
    size_of,
    tool,
    verb_memory,
    workplace,
)
from clients.verbs import verb

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE: Final = 4_000_000_000_000
"""T of the bench's tender: far ahead; nothing here asks the time."""


def measure(size: int, rounds: int) -> Result:
    """Seals a file of random bytes in four ways.

    Args:
        size: bytes.
        rounds: how often; the best of each counts.
    """
    from clients.bench.stage import bidders_desk, build
    from crypto.age import seal_file

    age = tool("age")
    with workplace(size) as folder:
        plain = random_file(folder / "plain.bin", size)
        recipient = _age_recipient(folder)
        stage = build(DEADLINE)
        key = stage.group.recipient
        arguments = [
            "seal",
            *bidders_desk(stage, folder),
            str(plain),
            "-o",
            str(folder / "BID.age"),
        ]
        took = best(
            {
                "age": lambda: run(age, "-r", recipient, "-o", folder / "age.age", plain),
                "one": lambda: seal_file(plain, folder / "1.age", key, threads=1, digest=False),
                "two": lambda: seal_file(plain, folder / "2.age", key, threads=2, digest=False),
                "verb": lambda: run(_python(), ROOT / "main.py", *arguments),
            },
            rounds,
            [folder / name for name in ("age.age", "1.age", "2.age", "BID.age")],
        )
        memory = verb_memory([*arguments, "--json"])
    return Result(
        name="seal",
        unit="s",
        value=took["two"],
        yardsticks={
            "Debian age": took["age"],
            "age layer, one thread": took["one"],
            "whole verb with start, tar and both SHA-256": took["verb"],
            "whole verb, peak RSS in MiB": memory / 1024,
        },
        ratios={
            "age layer with one thread / age": took["one"] / took["age"],
            "age layer with two threads / age": took["two"] / took["age"],
            "whole verb / age": took["verb"] / took["age"],
        },
        notes=f"{size} random bytes, best of {rounds} in turn, in {folder.parent}",
    )


def _age_recipient(folder: Path) -> str:
    """An X25519 recipient of Debian's age."""
    run(tool("age-keygen"), "-o", folder / "age.key")
    return run(tool("age-keygen"), "-y", folder / "age.key").strip()


def _python() -> str:
    import sys

    return sys.executable


@verb
def command(
    size: Annotated[str, typer.Option(help="bytes to seal: 1G, 64M, …")] = "1G",
    rounds: Annotated[int, typer.Option(min=1, help="the best of so many counts")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Seal a big file beside Debian's age."""
    measure(size_of(size), rounds).tell(as_json=as_json)
