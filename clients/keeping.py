"""The verbs ``backup`` and ``restore``: a home into one archive, and back under a new log.

The archive holds the journal, the private table, blobs and keys, so it is written for its owner only. A restored
log can never pass for a continuation: it has a new id, and contradicts no checkpoint that was seen before.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clients import sentences as say
from clients.errors import UnfitError, UsageError
from clients.files import check_target
from clients.verbs import show, verb

if TYPE_CHECKING:
    from trading.ground.settings import Settings

HomeOption = Annotated[Path | None, typer.Option(help="数据目录 the centre's home")]
DatabaseOption = Annotated[str | None, typer.Option(help="数据库 URL；默认 SQLite")]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")]


@verb
def backup(
    target: Annotated[Path, typer.Argument(help="备份文件 the archive to write")],
    home: HomeOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """备份 Write one archive of a home, consistent while the centre is serving."""
    from trading.ground.backup import write_backup
    from trading.ground.clock import SystemClock

    settings = _settings(home=home, database=database)
    if not settings.home.is_dir():
        raise UsageError(say.NO_CENTRE_HOME(home=settings.home))
    check_target(target)
    told = write_backup(settings, target, SystemClock())
    show({"archive": str(target), "size": told["size"], "root": told["root"]}, as_json=as_json)


@verb
def restore(
    archive: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="备份文件 what backup wrote")
    ],
    home: HomeOption = None,
    database: DatabaseOption = None,
    seen: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="外部已见检查点 checkpoints seen outside, signed notes"),
    ] = None,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="备份缺失已见事件时仍继续 although events are lost"),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """恢复 Make a home from an archive; the log gets a new id and contradicts no checkpoint seen before."""
    from trading.ground.backup import restore as restored
    from trading.ground.clock import SystemClock

    notes = [path.read_bytes() for path in seen or ()]
    work = restored(
        archive,
        _settings(home=home, database=database),
        SystemClock(),
        notes,
        accept_loss=accept_loss,
    )
    told = asyncio.run(work)
    show({name: told[name] for name in ("origin", "previous", "lost")}, as_json=as_json)


def _settings(**given: Any) -> Settings:
    from trading.ground.problems import Unavailable
    from trading.ground.settings import read_settings

    try:
        return read_settings(given)
    except Unavailable as error:
        raise UnfitError(str(error)) from error
