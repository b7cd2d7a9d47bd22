"""The verbs of ``custodian``: init, join, serve, take, rehearse, hold, recover."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from clients.custodian import sentences as say
from clients.errors import ClientError, UsageError
from clients.verbs import show, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.custodian.state import State

HomeOption = Annotated[
    Path, typer.Option("--home", help="托管人自己的目录 the custodian's own folder")
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="无人值守时读其首行 for unattended starts: its first line"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")]
POLL_MS: Final = 1000


def open_home(path: Path, passphrase_file: Path | None) -> Home:
    """Opens a home, asking for its passphrase if no file has it."""
    from clients.custodian.home import Home
    from clients.keyfile import read_passphrase

    if not (path / "host.age").is_file():
        raise UsageError(say.NO_HOME(path=path))
    return Home.open(path, read_passphrase(passphrase_file, f"passphrase of {path}"))


def make_home(
    path: Path,
    role: str,
    centre: str,
    organisation: str,
    passphrase_file: Path | None,
    secret: bytes | None = None,
) -> Home:
    """Makes a home; a passphrase file that does not exist is written with a random passphrase."""
    from clients.custodian.home import WORK_FILE, WORK_TYPED, Home, Identity
    from clients.files import write_durably
    from clients.keyfile import read_passphrase
    from crypto.random import token
    from trading.ground.clock import SystemClock

    work = WORK_TYPED
    if passphrase_file is not None and not passphrase_file.exists():
        write_durably(passphrase_file, f"{token(16).hex()}\n".encode(), 0o600)
        work = WORK_FILE
    passphrase = read_passphrase(passphrase_file, f"new passphrase of {path}")
    if passphrase_file is None and passphrase != read_passphrase(None, "the same again"):
        raise UsageError(say.PASSPHRASES_DIFFER())
    identity = Identity(role=role, centre=centre, organisation=organisation)
    now = SystemClock().now()
    return Home.create(path, identity, passphrase, now=now, work=work, secret=secret)


def introduce(home: Home, *, as_json: bool) -> None:
    """Shows the public card and its fingerprint."""
    card = home.card()
    show(
        {
            "id": card.id,
            "organisation": card.organisation,
            "fingerprint": card.fingerprint,
            "card": str(home.path / "card.json"),
            "certificates": str(home.path / "certificates.pem"),
        },
        as_json=as_json,
        text=(
            f"{card.organisation}: {card.id}\n"
            f"指纹 fingerprint: {card.fingerprint}\n"
            f"把名片交给中心，向其他人念出指纹 hand this to the centre, read the fingerprint to the others: "
            f"{home.path / 'card.json'}\n"
            f"备份此文件及口令，丢失目录可凭以找回 back up, with its passphrase: {home.path / 'host.age'}"
        ),
    )


@verb
def init(
    home: HomeOption,
    centre: Annotated[
        str, typer.Option("--centre", help="所服务的交易中心编号 id of the centre to be served")
    ],
    organisation: Annotated[
        str, typer.Option("--organisation", help="公告上的机构名称 as notices print it")
    ],
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """新建托管人目录：一份主机密钥与一张可交付的名片 Make a home with one host secret, and the public card to hand out."""
    with make_home(home, "custodian", centre, organisation, passphrase_file) as made:
        introduce(made, as_json=as_json)


@verb
def join(
    home: HomeOption,
    roster: Annotated[
        Path, typer.Option("--roster", help="托管人与见证人名册 who holds keys and witnesses, JSON")
    ],
    server: Annotated[str, typer.Option("--server", help="交易中心地址 address of the centre")],
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint", help="另行核对过的名册指纹 of the roster, compared out of band"
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """加入：核对指纹后认定其他托管人、见证人与日志 Pin the other custodians, the witnesses and the log, after comparing fingerprints."""
    from clients.custodian.roster import Roster
    from clients.files import read_json

    with open_home(home, passphrase_file) as opened:
        read = Roster.from_json(read_json(roster))
        _compare(opened, read, fingerprint, as_json=as_json)
        pin(opened, read, server)
        show(
            {"joined": server, "custodians": len(read.custodians), "roster": read.fingerprint},
            as_json=as_json,
        )


def _compare(home: Home, roster: Roster, fingerprint: str | None, *, as_json: bool) -> None:
    if roster.centre != home.identity.centre:
        raise ClientError(say.ROSTER_OF_ANOTHER(theirs=roster.centre, ours=home.identity.centre))
    if home.card().witness not in roster.notes():
        raise ClientError(say.OWN_CARD_MISSING())
    if fingerprint is not None:
        if fingerprint.replace(" ", "") != roster.fingerprint.replace(" ", ""):
            raise ClientError(say.OTHER_FINGERPRINT(fingerprint=roster.fingerprint))
        return
    if as_json or not sys.stdin.isatty():
        raise UsageError(say.NO_TERMINAL())
    for card in (*roster.custodians, *roster.witnesses):
        print(f"{card.organisation}: {card.fingerprint}")
    print(f"整本名册 the whole roster: {roster.fingerprint}")
    if not typer.confirm("Did each organisation read you this fingerprint itself?"):
        raise ClientError(say.NOT_JOINED())


def pin(home: Home, roster: Roster, server: str) -> None:
    """Keeps the roster in the home.

    Raises:
        ClientError: another one was pinned before, with other people in it.
    """
    from clients.files import read_json, write_json

    path = home.path / "roster.json"
    if path.exists():
        from clients.custodian.roster import Roster

        before = Roster.from_json(read_json(path))
        if before.ledger != roster.ledger:
            raise ClientError(say.OTHER_LOG())
    write_json(path, dict(roster.body))
    write_json(home.path / "server.json", {"v": 1, "server": server})


@contextmanager
def visit(path: Path) -> Iterator[State]:
    """The memory of a home whose process may be running; no key is opened."""
    from clients.custodian.state import State

    if not (path / "host.age").is_file():
        raise UsageError(say.NO_HOME(path=path))
    state = State(path / "state.sqlite")
    try:
        yield state
    finally:
        state.close()


def pinned(home: Path) -> tuple[Roster, str]:
    """What `join` pinned: the roster and the centre's address.

    Raises:
        UsageError: this home has not joined.
    """
    from clients.custodian.roster import Roster
    from clients.files import read_json

    if not (home / "roster.json").is_file():
        raise UsageError(say.JOIN_FIRST(home=home))
    body = read_json(home / "roster.json")
    return Roster.from_json(body), str(read_json(home / "server.json")["server"])


@verb
def serve(
    home: HomeOption,
    server: Annotated[
        str | None, typer.Option("--server", help="代替加入时的地址 instead of the one joined")
    ] = None,
    interval_ms: Annotated[int, typer.Option("--interval-ms", min=20)] = POLL_MS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """值守：联署日志，参加仪式，按规则应答 Witness the log, take part in ceremonies, answer releases by the rule. Calls out only."""
    run(home, server, interval_ms, passphrase_file)


def run(home: Path, server: str | None, interval_ms: int, passphrase_file: Path | None) -> None:
    """The process of a custodian or a witness, until SIGTERM or SIGINT."""
    import signal
    import threading

    from clients.custodian.serve import Custodian
    from clients.sdk.wire import Centre
    from trading.ground.clock import SystemClock

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_home(home, passphrase_file) as opened:
        roster, joined = pinned(home)
        centre = Centre.at(server or joined)
        Custodian(opened, roster, centre, SystemClock()).serve(stop, interval_ms)
        centre.close()


@verb
def take(
    home: HomeOption,
    file: Annotated[
        Path, typer.Argument(help="中心与监督部门的声明 a statement of centre and supervisor, JSON")
    ],
    as_json: JsonOption = False,
) -> None:
    """当面接收：推迟等双签决定，或两段历史的证据 Accept what is handed over directly: a postponement or another order of two, evidence of two histories."""
    from clients.custodian.handed import accept
    from clients.files import read_json
    from trading.ground.clock import SystemClock

    roster, _ = pinned(home)
    with visit(home) as state:
        what, section = accept(state, roster, read_json(file), SystemClock().now())
    show({"taken": what, "section": section}, as_json=as_json)


@verb
def hold(
    home: HomeOption,
    section: Annotated[str, typer.Argument(help="id of the section 标段")],
    reason: Annotated[
        str, typer.Option("--reason", help="写入拒绝答复的理由 said in the refusal")
    ] = "held",
    lift: Annotated[bool, typer.Option("--lift", help="解除扣留 end the hold")] = False,
    as_json: JsonOption = False,
) -> None:
    """扣留：否决某标段的解锁 Veto the release of a section; this custodian then answers with a signed refusal."""
    from clients.custodian.handed import put_on_hold
    from trading.ground.clock import SystemClock

    with visit(home) as state:
        put_on_hold(state, section, None if lift else reason, SystemClock().now())
    show({"section": section, "held": not lift}, as_json=as_json)


@verb
def rehearse(
    home: HomeOption,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """演练：证明本目录随时可用 Prove that this home is ready: its secret opens, its memory writes, its shares fit their keys."""
    from clients.custodian.handed import rehearsal
    from trading.ground.clock import SystemClock

    with open_home(home, passphrase_file) as opened:
        roster, server = pinned(home)
        result = rehearsal(opened, roster, server, SystemClock().now())
        show(result, as_json=as_json)
        if not result["ready"]:
            raise typer.Exit(1)


@verb
def recover(
    home: HomeOption,
    host: Annotated[Path, typer.Option("--host", help="备份的 host.age the backed-up host.age")],
    roster: Annotated[
        Path, typer.Option("--roster", help="加入时的名册 the roster that was joined")
    ],
    server: Annotated[str, typer.Option("--server", help="交易中心地址 address of the centre")],
    fingerprint: Annotated[str | None, typer.Option("--fingerprint")] = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """找回：从主机密钥与日志重建丢失的目录 Make a lost home anew: shares from its host secret, its own words from the log. Hand orders over again."""
    import shutil

    from clients.custodian.keys import Keys
    from clients.custodian.recovery import recover_all
    from clients.custodian.roster import Roster
    from clients.files import read_json
    from clients.keyfile import read_passphrase
    from clients.sdk.wire import Centre
    from trading.ground.clock import SystemClock

    passphrase = read_passphrase(passphrase_file, f"passphrase of {host}")
    keys = Keys.unshut(host.read_bytes(), passphrase)
    read = Roster.from_json(read_json(roster))
    mine = [card for card in read.custodians if card.id == keys.name]
    if not mine:
        raise ClientError(say.UNKNOWN_SECRET())
    from clients.custodian.home import Home, Identity

    identity = Identity(role="custodian", centre=read.centre, organisation=mine[0].organisation)
    now = SystemClock().now()
    with Home.create(home, identity, passphrase, now=now, secret=keys.secret) as made:
        try:
            _compare(made, read, fingerprint, as_json=as_json)
            found = recover_all(made, read, Centre.at(server), now)
            pin(made, read, server)
        except BaseException:
            # A home that knows its secret and not its own words must never serve.
            for proof in home.glob("evidence-*.json"):
                proof.rename(home.with_name(f"{home.name}-{proof.name}"))
            shutil.rmtree(home)
            raise
        show(
            {
                "home": str(home),
                "id": keys.name,
                "shares": found.shares,
                "answers": found.answers,
                "held": list(found.held),
                "log_size": found.size,
            },
            as_json=as_json,
        )


def commands() -> typer.Typer:
    """The verb group ``custodian`` for the front door."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="An escrow custodian 密钥托管人.",
    )
    for command in (init, join, serve, take, rehearse, hold, recover):
        group.command(command.__name__)(command)
    return group


group = commands()
