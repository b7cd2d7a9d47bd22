"""Wrong usage of the command line, as the parser finds it, told in two lines, Chinese first; and the panels of `--help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NoReturn

import typer
from typer.exceptions import TyperException

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG_USE: Final = {
    "NoSuchOption": "没有这个选项",
    "BadOptionUsage": "选项用法不对",
    "BadArgumentUsage": "参数用法不对",
    "MissingParameter": "缺少参数或选项",
    "BadParameter": "取值不对",
}
"""Kinds of wrong usage that the parser knows, by their class, as a Chinese reader calls them."""


def run(app: typer.Typer, arguments: Sequence[str]) -> NoReturn:
    """Runs the command line and ends the process: 0, the code that a verb gave, or 2 for wrong usage."""
    if {"--help", "-h"} & set(arguments) or len(arguments) < 2:  # help may be what is printed
        name_panels()
    try:
        ended = app(list(arguments), prog_name="main.py", standalone_mode=False)
    except (TyperException, typer.Abort) as error:
        tell(error)
    sys.exit(ended if isinstance(ended, int) else 0)


def tell(error: TyperException | typer.Abort) -> NoReturn:
    """Says what was typed wrongly and where its usage stands, and ends with the code of `contract/cli.md`, 2."""
    if isinstance(error, typer.Abort):
        print("已中断 aborted", file=sys.stderr)
        sys.exit(1)
    kind = type(error).__name__
    if kind != "NoArgsIsHelpError":  # its help is printed already
        message = error.format_message()
        path = getattr(getattr(error, "ctx", None), "command_path", "main.py")
        zh = WRONG_USE.get(kind, "没有这个命令" if "command" in message else "多了参数")
        print(f"用法不对 wrong usage: {zh} · {message}", file=sys.stderr)
        print(f"  用法见 for its usage: python {path} --help", file=sys.stderr)
    sys.exit(2)


def name_panels() -> None:
    """Names the panels of `--help` in both languages; only where help is printed, for it loads what draws them."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = "参数 Arguments"
    rich_utils.OPTIONS_PANEL_TITLE = "选项 Options"
    rich_utils.COMMANDS_PANEL_TITLE = "命令 Commands"
