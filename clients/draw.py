"""The verbs of ``draw``: tenderer, agent and supervisor take part in the float draw 浮动点.

    draw commit --section sec_… --server URL --key KEY.pem -o NONCE.json     before T
    draw reveal NONCE.json --server URL --key KEY.pem [--wait]               after the close

One party that keeps its nonce to itself until the close is enough for a value that nobody has known before.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer

from clients.submit import JsonOption, KeyOption, PassphraseOption, ServerOption, TrustOption
from clients.verbs import show, verb

WAIT_SECONDS: Final = 0.2
PartyKey = KeyOption
NonceArgument = Annotated[
    Path, typer.Argument(metavar="NONCE.json", help="承诺时留下的文件 as `draw commit` left it")
]


@verb
def commit(
    section: Annotated[str, typer.Option("--section", help="id of the section 标段")],
    server: ServerOption,
    key: PartyKey,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="随机数文件，仅本人可读 NONCE.json, its owner's only"),
    ],
    trust: TrustOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """截止前作出承诺并取回回执；再运行即重送同一承诺 Commit to a fresh nonce before T, bring home the receipt. Run again, it sends the same."""
    from clients import keyfile
    from clients import trust as trust_file
    from clients.files import check_target
    from clients.sdk import draw
    from clients.sdk.session import login
    from clients.sdk.wire import Centre

    check_target(output)
    signing = keyfile.read_key(key, passphrase_file)
    with Centre.at(server) as centre:
        name = str(centre.about()["id"])
        pinned = () if trust is None else tuple(trust_file.read(trust).speakers(name))
        login(centre, signing, name)
        made = draw.promise(centre, name, signing, section, output, pinned)
        receipt = draw.commit(centre, made, output.parent, pinned)
    said = made["commitment"]["statement"]
    show(
        {
            "committed": said["party"],
            "section": section,
            "digest": said["digest"],
            "nonce": str(output),
            "receipt": str(receipt),
            "keys_pinned": trust is not None,
        },
        as_json=as_json,
    )


@verb
def reveal(
    nonce: NonceArgument,
    server: ServerOption,
    key: PartyKey,
    wait: Annotated[
        bool, typer.Option("--wait", help="等到截标 wait for the close, then reveal")
    ] = False,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """截标后一分钟内揭示；此前随机数不离开本机 Reveal within a minute of the close; before T the nonce does not leave this machine."""
    from clients import keyfile
    from clients.errors import IncompleteError
    from clients.sdk import draw
    from clients.sdk.session import login
    from clients.sdk.wire import Centre
    from trading.ground.clock import SystemClock

    signing = keyfile.read_key(key, passphrase_file)
    made, clock = draw.kept(nonce, signing), SystemClock()
    with Centre.at(server) as centre:
        while True:
            try:
                draw.check_due(centre, made, clock)
                break
            except IncompleteError:
                if not wait:
                    raise
                time.sleep(WAIT_SECONDS)
        login(centre, signing, str(made["commitment"]["statement"]["centre"]))
        told = draw.reveal(centre, signing, made)
    show({"revealed": told.party, "section": told.section}, as_json=as_json)


def commands() -> typer.Typer:
    """The verb group ``draw`` for the front door."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="The float draw 浮动点: parties commit before T and reveal after the close.",
    )
    for command in (commit, reveal):
        group.command(command.__name__)(command)
    return group


group = commands()
