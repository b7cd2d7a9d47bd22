"""A log witness that holds no share: ``witness init / join / serve``, for a supervisor or an auditor.

The same home, memory and cosigning rule as a custodian's, without host key, ceremonies and releases. A
release wants cosignatures by two others; this is one who cannot open anything.
"""

from __future__ import annotations

from typing import Annotated

import typer

from clients.custodian.card import WITNESS
from clients.custodian.cli import (
    POLL_MS,
    HomeOption,
    JsonOption,
    PassphraseOption,
    introduce,
    join,
    make_home,
    run,
)
from clients.verbs import verb


@verb
def init(
    home: HomeOption,
    centre: Annotated[str, typer.Option("--centre", help="id of the centre whose log is seen")],
    organisation: Annotated[str, typer.Option("--organisation", help="as notices print it")],
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a home with a note key, and the public card to hand out."""
    with make_home(home, WITNESS, centre, organisation, passphrase_file) as made:
        introduce(made, as_json=as_json)


@verb
def serve(
    home: HomeOption,
    server: Annotated[
        str | None, typer.Option("--server", help="instead of the one joined")
    ] = None,
    interval_ms: Annotated[int, typer.Option("--interval-ms", min=20)] = POLL_MS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Cosign the log as it grows; never two histories. Calls out only."""
    run(home, server, interval_ms, passphrase_file)


def commands() -> typer.Typer:
    """The verb group ``witness`` for the front door."""
    group = typer.Typer(no_args_is_help=True, help="A log witness that holds no share 见证人.")
    for command in (init, join, serve):
        group.command(command.__name__)(command)
    return group


group = commands()
