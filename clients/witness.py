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
    centre: Annotated[
        str,
        typer.Option("--centre", help="所见证日志的中心编号 id of the centre whose log is seen"),
    ],
    organisation: Annotated[
        str, typer.Option("--organisation", help="公告上的机构名称 as notices print it")
    ],
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """新建见证人目录：一个联署密钥与一张可交付的名片 Make a home with a note key, and the public card to hand out."""
    with make_home(home, WITNESS, centre, organisation, passphrase_file) as made:
        introduce(made, as_json=as_json)


@verb
def serve(
    home: HomeOption,
    server: Annotated[
        str | None, typer.Option("--server", help="代替加入时的地址 instead of the one joined")
    ] = None,
    interval_ms: Annotated[int, typer.Option("--interval-ms", min=20)] = POLL_MS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """值守：联署不断增长的日志，绝不联署两段历史 Cosign the log as it grows; never two histories. Calls out only."""
    run(home, server, interval_ms, passphrase_file)


def commands() -> typer.Typer:
    """The verb group ``witness`` for the front door."""
    group = typer.Typer(no_args_is_help=True, help="A log witness that holds no share 见证人.")
    for command in (init, join, serve):
        group.command(command.__name__)(command)
    return group


group = commands()
