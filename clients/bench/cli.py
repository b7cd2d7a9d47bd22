"""The verb group ``bench``: one command per benchmark; only the one that is called is imported."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES: Final = (
    *(
        "seal",
        "open",
        "unlock",
        "opening",
        "uploads",
        "auction",
        "hall",
        "records",
        "restart",
        "browser",
    ),
)


def commands(names: Iterable[str] = NAMES) -> typer.Typer:
    """The group with those benchmarks that are built; what is not is absent."""
    group = typer.Typer(
        no_args_is_help=True, help="Benchmarks, each beside its yardstick 性能测试."
    )
    group.callback()(lambda: None)  # a group it stays, also with one command in it
    for name in names:
        place = f"clients.bench.{name}"
        command = getattr(import_module(place), "command", None) if find_spec(place) else None
        if command is not None:
            group.command(name)(command)
    return group


def called(arguments: list[str]) -> tuple[str, ...]:
    """The benchmark that a command line names, or all of them for its help."""
    found = [name for name in arguments if name in NAMES]
    return tuple(found[:1]) or NAMES


group = commands(called(sys.argv[1:]))
