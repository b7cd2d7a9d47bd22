"""`verify PATH… [--trust FILE] [--at TIME] [--reserve-slip FILE] [--json]`: the verb. Offline: no server, no database, no network.

Exit codes (contract/cli.md): 0 all valid · 1 one is invalid · 2 no such path or wrong usage · 3 an essential check
could not be done. With several inputs 1 beats 3.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clients.errors import UsageError
from clients.verbs import verb

if TYPE_CHECKING:
    from auction.replay.closed import Disclosure
    from clients.auditor.keys import Keys
    from documents.checks import Verdict


PathsArgument = Annotated[
    list[Path],
    typer.Argument(help="签名记录、回执、归档包 records, receipts, dossiers", metavar="PATH…"),
]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="可信证书 the certificates you trust, PEM", metavar="FILE"),
]
AtOption = Annotated[
    str | None, typer.Option("--at", help="核验时刻 time of the check, as 2036-01-01T00:00:00Z")
]
SlipOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--reserve-slip",
        help="保留价底单，连同归档包一并核验 a reserve's slip, JSON with value and salt: opens the commitment",
        metavar="FILE",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="每个输入一行 JSON one JSON object a line")
]


@verb
def verify(
    paths: PathsArgument,
    trust: TrustOption = None,
    at: AtOption = None,
    reserve_slip: SlipOption = None,
    as_json: JsonOption = False,
) -> None:
    """离线核验：签名记录、回执、归档包 Verify signed records, receipts and dossiers, offline."""
    keys, moment = _keys(trust), _moment(at)
    slips = [_slip(path) for path in reserve_slip or ()]
    missing = [str(path) for path in paths if not _there(path)]
    if missing:
        raise UsageError(f"没有这个路径 there is no such path: {', '.join(missing)}")
    from clients.auditor import inputs
    from clients.auditor.show import text

    verdicts: set[Verdict] = set()
    for one in inputs.reports(paths, keys, moment, slips):
        verdicts.add(one.verdict)
        print(json.dumps(one.to_json(), ensure_ascii=False) if as_json else text(one), flush=True)
    code = exit_code(verdicts)
    if code:
        raise typer.Exit(code)


def _there(path: Path) -> bool:
    """Say whether a path can be looked at; a name that no file can have is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def exit_code(verdicts: set[Verdict]) -> int:
    """Return the exit code of several verdicts: 1 beats 3 beats 0."""
    if "invalid" in verdicts:
        return 1
    return 3 if "incomplete" in verdicts else 0


def _keys(path: Path | None) -> Keys:
    from clients.auditor.keys import Keys
    from clients.files import read_bounded
    from clients.trust import MAX_FILE
    from documents.model import DocumentError
    from documents.trust import Trust

    if path is None:
        return Keys()
    try:
        return Keys(Trust.from_pem(read_bounded(path, MAX_FILE, "trust file")))
    except DocumentError as error:
        raise UsageError(f"不是证书 {path}: {error}") from error


def _slip(path: Path) -> Disclosure:
    """Read a reserve's slip: value and salt, and what else the centre wrote on it."""
    from auction.model import AuctionError
    from auction.replay.closed import disclosure_from
    from crypto.canonical import parse
    from crypto.errors import CryptoError

    try:
        said = parse(path.read_bytes())
        slip = disclosure_from({name: said[name] for name in ("value", "salt")})
        bytes.fromhex(slip.salt)
    except OSError as error:
        raise UsageError(f"there is no readable slip {path}") from error
    except (AuctionError, CryptoError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f'{path} is no slip of a reserve: {{"value": "…", "salt": "64 hex"}}'
        ) from error
    return slip


def _moment(text: str | None) -> int:
    from trading.ground.clock import SystemClock, parse_rfc3339
    from trading.ground.problems import Problem

    if text is None:
        return SystemClock().now()
    try:
        return parse_rfc3339(text)
    except Problem as error:
        raise UsageError(
            f"时刻不对 --at wants a time like 2036-01-01T00:00:00Z, not {text!r}"
        ) from error


def main() -> None:  # pragma: no cover
    """Run the verb alone: `python -m clients.auditor.command PATH…`."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(verify)
    app(sys.argv[1:])


if __name__ == "__main__":
    main()
