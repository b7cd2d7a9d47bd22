"""The verbs of ``order``: what takes two signatures, signed by the supervisor, brought by an operator.

    order sign supplement --section sec_… … --key SUPERVISOR.pem -o ORDER.json    offline, at the supervisor's desk
    order send --server URL --key OPERATOR.pem ORDER.json -o BOTH.json             the centre signs the same

``BOTH.json`` is what ``custodian take`` accepts, for custodians whom the centre may not be trusted to tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from clients import sentences as say
from clients.errors import UsageError
from clients.submit import JsonOption, KeyOption, PassphraseOption, ServerOption
from clients.verbs import show, verb

OrderArgument = Annotated[
    Path, typer.Argument(metavar="ORDER.json", help="监督部门已签 signed by the supervisor")
]
SigningKey = KeyOption
ROUTES: Final = {
    "postponement": "postponements",
    "termination": "terminations",
    "supplement": "supplements",
    "quorum_failure": "quorum-failures",
    "reconciliation": "reconciliations",
    "late_witness": "late-witnesses",
}
KINDS: Final = {name.replace("_", "-"): name for name in ROUTES}


def body_of(purpose: str, given: dict[str, Any]) -> dict[str, Any]:
    """The statement's fields, read as strictly as centre and custodians will.

    Raises:
        UsageError: an option that this order needs is missing, or one too many is given.
    """
    from bidding.model import (
        BiddingError,
        LateWitness,
        Postponement,
        QuorumFailure,
        Reconciliation,
        Supplement,
        Termination,
    )
    from bidding.model.shapes import fields_of

    kinds = {
        kind.PURPOSE: kind
        for kind in (
            Postponement,
            Termination,
            Supplement,
            QuorumFailure,
            Reconciliation,
            LateWitness,
        )
    }
    kind = kinds[purpose]
    names = set(fields_of(kind))
    have = {name: value for name, value in given.items() if value not in (None, [])}
    if have.keys() != names:
        missing, foreign = sorted(names - have.keys()), sorted(have.keys() - names)
        raise UsageError(
            say.ORDER_FIELDS(
                purpose=purpose, names=", ".join(sorted(names)), missing=missing, foreign=foreign
            )
        )
    try:
        return kind.from_body(have).to_body()
    except BiddingError as error:
        raise UsageError(say.ORDER_WRONG(error=error)) from error


@verb
def sign(
    what: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS))],
    section: Annotated[str, typer.Option("--section", help="id of the section 标段")],
    reason: Annotated[
        str, typer.Option("--reason", help="日志将显示的理由 as the ledger will show it")
    ],
    centre: Annotated[str, typer.Option("--centre", help="交易中心编号 id of the centre")],
    key: SigningKey,
    output: Annotated[Path, typer.Option("--output", "-o", help="写到 ORDER.json")],
    tender: Annotated[
        str | None, typer.Option("--tender", help="招标项目编号 id of the tender")
    ] = None,
    previous: Annotated[
        int | None, typer.Option("--previous", help="现行开标时间 T that stands, ms UTC")
    ] = None,
    deadline: Annotated[
        int | None, typer.Option("--deadline", help="新的开标时间 new T, ms UTC")
    ] = None,
    close_list: Annotated[
        str | None,
        typer.Option("--close-list", help="截标清单条目摘要 SHA-256 of the close list's leaf, hex"),
    ] = None,
    submission: Annotated[
        list[str] | None,
        typer.Option("--submission", help="恢复的投标 a bid to put back; may be repeated"),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            help="两段历史的证据 SHA-256 of evidence of two histories; may be repeated",
        ),
    ] = None,
    closing_size: Annotated[int | None, typer.Option("--closing-size")] = None,
    closing_root: Annotated[str | None, typer.Option("--closing-root", help="十六进制 hex")] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """监督部门离线签署决定 Sign an order with the supervisor's key; offline."""
    from clients import keyfile
    from clients.files import write_json
    from crypto import statement
    from trading.ground.clock import SystemClock

    if what not in KINDS:
        raise UsageError(say.NO_ORDER(what=what, kinds=", ".join(KINDS)))
    purpose = KINDS[what]
    given = {
        "section": section, "reason": reason, "at": SystemClock().now(), "tender": tender,
        "previous": previous, "deadline": deadline, "close_list": close_list,
        "submissions": list(submission or ()), "closing_size": closing_size,
        "closing_root": closing_root, "evidence": list(evidence or ()),
    }  # fmt: skip
    body = body_of(purpose, given)
    signed = statement.sign(keyfile.read_key(key, passphrase_file), purpose, centre, body)
    write_json(output, {"supervisor": signed})
    show({"signed": what, "section": section, "order": str(output)}, as_json=as_json)


@verb
def send(
    order: OrderArgument,
    server: ServerOption,
    key: SigningKey,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="双签结果 BOTH.json, for `custodian take`")
    ] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """把决定送交中心会签 Bring an order to the centre, which signs the same; a late-witness order the supervisor brings itself."""
    from clients import keyfile
    from clients.files import read_json, write_json
    from clients.sdk.session import login
    from clients.sdk.wire import Centre

    value = read_json(order)
    try:
        said = value["supervisor"]["statement"]
        purpose, section, name = str(said["purpose"]), str(said["section"]), str(said["centre"])
        route = ROUTES[purpose]
    except (KeyError, TypeError) as error:
        raise UsageError(say.NO_SUPERVISORS_ORDER(order=order)) from error
    body = value["supervisor"] if purpose == "late_witness" else {"supervisor": value["supervisor"]}
    signing = keyfile.read_key(key, passphrase_file)
    with Centre.at(server) as centre:
        login(centre, signing, name)
        answer = dict(centre.call("POST", f"/sections/{section}/{route}", body))
    if output is not None and "centre" in answer:
        write_json(output, answer)
    show({"sent": purpose.replace("_", "-"), "section": section}, as_json=as_json)


def commands() -> typer.Typer:
    """The verb group ``order`` for the front door."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Orders of two 双签决定: signed by the supervisor, brought by an operator.",
    )
    for command in (sign, send):
        group.command(command.__name__)(command)
    return group


group = commands()
