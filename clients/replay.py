"""`replay SCENARIO.json…`: runs auction scenarios and prints their results.

With `--json` one result a line, in the order of the files, and nothing else on standard output.
Exit status 0 when every file gave a result without an error, else 2 (contract/cli.md).
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from auction.model import ScenarioError
from auction.replay import replay
from clients import sentences as say
from clients.verbs import told


def command(
    files: Annotated[
        list[Path], typer.Argument(help="场景文件 scenario files", metavar="SCENARIO.json…")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="每个文件一行 JSON one JSON object a line")
    ] = False,
) -> None:
    """竞价回放：按规则重演一场或多场竞价 Run auctions from scenario files, offline."""
    sound = True
    for path in files:
        try:
            result = replay(path.read_bytes())
        except (ScenarioError, OSError) as error:
            if isinstance(error, OSError):
                print(f"{path}: {told(error)}", file=sys.stderr)
            else:
                print(f"{path}: {say.NO_SCENARIO(error=error.detail)}", file=sys.stderr)
            sound = False
            continue
        sound = sound and "error" not in result
        print(json.dumps(result) if as_json else _for_people(path, result))
    if not sound:
        raise typer.Exit(2)


def _for_people(path: Path, result: dict[str, Any]) -> str:
    """Write a result in a few lines: every answer, every phase, the outcome."""
    if "error" in result:
        return f"{path}: 规则自相矛盾 {result['error']}"
    lines = [f"{path}:"]
    for number, answer in enumerate(result["results"], 1):
        verdict = (
            f"#{answer['seq']}  → {answer['ends_at'] or '-'}" if answer["ok"] else answer["code"]
        )
        lines.append(f"  {number:>4}  {verdict}")
    lines += [f"  {phase['at']}  {phase['phase']}" for phase in result["phases"]]
    outcome = result["outcome"]
    lines.append(f"  {outcome['status']} {outcome['reason'] or ''}".rstrip())
    for winner in outcome["winners"]:
        # the id of a parcel is any text of the file; what would steer a terminal is escaped
        shown = {n: v if v is None or v.isprintable() else ascii(v) for n, v in winner.items()}
        more = [f"{name} {value}" for name, value in shown.items() if value is not None]
        lines.append("    " + "  ".join(more))
    return "\n".join(lines)
