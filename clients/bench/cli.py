"""The verb group ``bench``: one command per benchmark, each imported when called."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import typer

NAMES: Final = (
    *("seal", "open", "unlock", "uploads", "auction", "hall", "records", "restart", "browser"),
)


def commands() -> typer.Typer:
    """The group, with what is built; what is not is absent."""
    group = typer.Typer(
        no_args_is_help=True, help="Benchmarks, each beside its yardstick 性能测试."
    )
    for name in NAMES:
        place = f"clients.bench.{name}"
        if find_spec(place) is not None:
            group.command(name)(import_module(place).command)
    return group


group = commands()
