"""``doctor``: what this machine lacks, and how to get it.

Essential things decide the exit code; the others name the verb or test that will be missed without them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from clients import sentences as say
from clients.verbs import HEADINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MINIMUM_PYTHON: Final = (3, 11)
FREE_BYTES: Final = 4 << 30  # a demo keeps two copies of 400 MiB of bids, and what they are made of

PACKAGES: Final = {
    "cryptography": "全部密钥与密封 all keys and seals",
    "fastapi": "中心服务器 serve",
    "uvicorn": "中心服务器 serve",
    "sqlmodel": "中心服务器 serve",
    "alembic": "中心服务器 serve",
    "reportlab": "签章记录 signed records",
    "pikepdf": "签章记录 signed records",
    "pyhanko": "签章记录 signed records",
    "websockets": "实时大厅 live halls",
    "typer": "命令行 the command line",
}
PROGRAMS: Final = {
    "age": ("bench seal, bench open and the tests of outside tools", "apt-get install age"),
    "qpdf": ("outside check of PDF structure in the tests", "apt-get install qpdf"),
    "pdfsig": ("outside check of PDF signatures in the tests", "apt-get install poppler-utils"),
    "openssl": ("outside check of time-stamps in the tests", "apt-get install openssl"),
    "chromium": ("browser tests", "apt-get install chromium"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; ``remedy`` says how to get it, empty when it is there."""

    name: str
    ok: bool
    essential: bool
    detail: str
    remedy: str = ""


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        name="Python",
        ok=sys.version_info[:2] >= MINIMUM_PYTHON,
        essential=True,
        detail=f"{version} at {sys.executable}",
        remedy="请安装 Python 3.11 或更新版本 install Python 3.11 or newer",
    )


def _packages() -> Iterable[Finding]:
    for name, use in PACKAGES.items():
        yield Finding(
            name=f"package {name}",
            ok=importlib.util.find_spec(name) is not None,
            essential=True,
            detail=use,
            remedy="make install",
        )


def _programs() -> Iterable[Finding]:
    for name, (use, remedy) in PROGRAMS.items():
        where = shutil.which(name)
        yield Finding(
            name=name, ok=where is not None, essential=False, detail=where or use, remedy=remedy
        )


def _durable_disk() -> Finding:
    """A centre and a custodian need WAL with synchronous=FULL where they live."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "probe.sqlite")
        try:
            mode = database.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        finally:
            database.close()
    return Finding(
        name="durable database",
        ok=mode == "wal",
        essential=True,
        detail=f"SQLite {sqlite3.sqlite_version}, journal mode {mode}",
        remedy="数据目录请放在本地磁盘 put homes on a local file system, not on a network share",
    )


def _room() -> Finding:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return Finding(
        name="disk space",
        ok=free >= FREE_BYTES,
        essential=False,
        detail=f"{free >> 20} MiB free in {tempfile.gettempdir()}",
        remedy=f"请腾出空间 make {FREE_BYTES >> 20} MiB free, or name another folder with --out",
    )


def _clock() -> Finding:
    """A centre and a custodian judge by their own clocks."""
    from trading.ground import discipline

    told = discipline.read()
    ahead = told.ahead_us() if told is not None else None
    off = None if ahead is None else round(abs(ahead) / 1000)
    return Finding(
        name="clock",
        ok=off is not None and off <= 100,
        essential=False,
        detail="nobody says how far off it is" if off is None else f"{off} ms off, says its keeper",
        remedy="请启用对时服务 let chrony (with rtcsync), ntpd or systemd-timesyncd keep it; a live centre begins nothing without",
    )


def _core_dumps() -> Finding:
    """A core file of a custodian would hold its host secret."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    return Finding(
        name="core dumps off",
        ok=soft == 0,
        essential=False,
        detail="off" if soft == 0 else "on: a crash could write keys to a file",
        remedy="请先执行 ulimit -c 0 before `custodian serve`",
    )


def _processors() -> Finding:
    count = os.cpu_count() or 1
    return Finding(
        name="processors",
        ok=count >= 2,
        essential=False,
        detail=f"{count}; sealing uses two threads",
        remedy="无须处理 nothing to do: all works with one, more slowly",
    )


def examine() -> list[Finding]:
    """Looks at everything; never raises for something absent."""
    singles: tuple[Callable[[], Finding], ...] = (
        _durable_disk,
        _room,
        _clock,
        _core_dumps,
        _processors,
    )
    return [_python(), *_packages(), *(look() for look in singles), *_programs()]


def self_test(server: str, key: Path, passphrase_file: Path | None) -> Finding:
    """Seals a dummy to the centre's drill key and has the centre open it: the whole way of a bid.

    The real content is never part of a test; custodians see nothing of it.
    """
    from clients import keyfile
    from clients import self_test as drill
    from clients.errors import ClientError
    from clients.sdk.session import login
    from clients.sdk.wire import Centre

    name = "self-test 自检"
    remedy = "mend what is named, then run this again; ask the centre before T, not after"
    try:
        signing = keyfile.read_key(key, passphrase_file)
        with Centre.at(server) as centre:
            login(centre, signing)
            found = drill.run(centre, signing)
    except ClientError as error:
        return Finding(name=name, essential=True, ok=False, detail=str(error), remedy=remedy)
    detail = (
        f"a dummy of {found.sealed} bytes, signed by {found.bidder}, was sealed, sent and opened"
    )
    return Finding(name=name, essential=True, ok=True, detail=detail)


def doctor(
    centre: Annotated[
        str | None,
        typer.Option("--centre", help="投标人自检 also seal a dummy and let this centre open it"),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="投标人签名密钥 the bidder's signing key, PEM; with --centre"),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file", help="加密密钥的口令文件 of an encrypted key, first line"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON one JSON object")] = False,
) -> None:
    """体检：这台机器缺什么、怎样补上 Say what this machine lacks and how to get it."""
    if (centre is None) != (key is None):
        print(f"{HEADINGS[2]}: {say.CENTRE_AND_KEY()}", file=sys.stderr)
        raise typer.Exit(2)
    findings = examine()
    if centre is not None and key is not None:
        findings.append(self_test(centre, key, passphrase_file))
    fit = all(finding.ok for finding in findings if finding.essential)
    if as_json:
        print(json.dumps({"fit": fit, "findings": [asdict(each) for each in findings]}))
    else:
        for finding in findings:
            sign = "ok  " if finding.ok else "LACK" if finding.essential else "miss"
            print(f"{sign} {finding.name}: {finding.detail}")
            if not finding.ok:
                print(f"     -> {finding.remedy}")
        print(
            "这台机器可用 · This machine is fit."
            if fit
            else "这台机器还不可用，见上面的 LACK · This machine is not fit; see LACK above."
        )
    raise typer.Exit(0 if fit else 4)
