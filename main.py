"""The front door of Kaibiao 开标: the command line, and the only place where a centre is put together.

    python main.py VERB …

A verb's module is imported only when that verb is called, so that `seal` and `verify` stay small and quick: they load
neither the server nor the database.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import typer

VERBS: Final[dict[str, tuple[str, str]]] = {
    "replay": ("clients.replay:command", "竞价回放 run auction scenarios offline"),
    "seal": ("clients.seal:seal", "密封投标 pack and seal a bid, offline"),
    "pack": ("clients.seal:pack", "打包投标 pack a bid without sealing it"),
    "drill": ("clients.drill:app", "演练 rehearse ceremony and opening, offline"),
}
"""Verb → where it lives, and its line in `--help`. What is not built is not here."""

DEBUG: Final = "--debug"


def front(names: list[str]) -> typer.Typer:
    """The command line with just these verbs."""
    app = typer.Typer(
        name="main.py",
        help="开标 Kaibiao: sealed-bid openings and online auctions that anyone can verify offline.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(lambda: None)
    for name in names:
        place, line = VERBS[name]
        module, attribute = place.split(":")
        verb = getattr(importlib.import_module(module), attribute)
        if isinstance(verb, typer.Typer):
            app.add_typer(verb, name=name, help=line)
        else:
            app.command(name=name, short_help=line)(verb)
    return app


def main(arguments: list[str]) -> None:
    """Run one verb; `--debug` anywhere shows tracebacks."""
    if DEBUG in arguments:
        os.environ["KAIBIAO_DEBUG"] = "1"
        arguments = [argument for argument in arguments if argument != DEBUG]
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    names = [called] if called in VERBS else list(VERBS)
    front(names)(arguments, prog_name="main.py")


if __name__ == "__main__":
    main(sys.argv[1:])
