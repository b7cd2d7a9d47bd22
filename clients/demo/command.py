"""The verb `demo`: the whole job of the product on a fresh home, every refusal in it asserted."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[
        Path | None, typer.Option("--out", help="结果目录；默认临时目录 where results go")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="完成即退出，逐行输出 plain lines, ends when done")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="文件 ÷ 16，时限取最小 same steps, smaller files")
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", help="标书内容的种子 seed of the bids' content")
    ] = 1,
) -> None:
    """演示：一场开标、一场竞价、可核验的记录与必须失败的攻击 The whole job, with the attacks that must fail."""
    import os

    from clients.demo import sentences as say
    from clients.demo.run import perform

    target = out or Path(tempfile.mkdtemp(prefix="kaibiao-demo-"))
    try:
        target.mkdir(parents=True, exist_ok=True)
        fresh = not any(target.iterdir())
    except OSError as error:
        print(say.NO_FOLDER(path=target, error=error.strerror), file=sys.stderr)
        raise typer.Exit(2) from error
    if not fresh:
        print(say.NOT_EMPTY(path=target), file=sys.stderr)
        raise typer.Exit(2)
    ok = perform(
        target.resolve(),
        headless=headless,
        fast=fast,
        seed=seed,
        debug=bool(os.environ.get("KAIBIAO_DEBUG")),
    )
    raise typer.Exit(0 if ok else 1)
