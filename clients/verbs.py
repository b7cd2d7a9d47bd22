"""What all verbs share: errors become a sentence and an exit code, results become text or JSON.

`contract/cli.md`: 0 done, 1 a check failed, 2 wrong usage, 3 incomplete, 4 not fit; no traceback without
``--debug`` (which ``main`` turns into the environment variable read here).
"""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, ParamSpec

import typer

from clients import sentences as say
from clients.errors import ClientError
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Callable

DEBUG: Final = "KAIBIAO_DEBUG"
HEADINGS: Final = {
    1: "不成立 failed",
    2: "用法不对 wrong usage",
    3: "尚未完成 not finished",
    4: "环境不符 not fit",
}
"""What stands before the sentence of an error, by its exit code."""

P = ParamSpec("P")


_NO_PATH: Final = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})


def verb(command: Callable[P, None]) -> Callable[P, None]:
    """Makes a function a verb: expected errors end it with their sentence and code, never a traceback."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            code = exit_code(error)
            if code is None or isinstance(error, BrokenPipeError):  # whoever read us has enough
                raise
            print(f"{HEADINGS[code]}: {told(error)}", file=sys.stderr)
            raise typer.Exit(code) from error

    return wrapped


def exit_code(error: Exception) -> int | None:
    """The exit code an expected error stands for; None for one that is a fault of ours."""
    from documents.model import DocumentError
    from trading.ground.problems import Problem

    if isinstance(error, ClientError):
        return error.exit_code
    if isinstance(error, CryptoError | Problem | DocumentError):
        return 1
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return 2
    if isinstance(error, OSError) and error.errno in _NO_PATH:
        return 2
    if isinstance(error, OSError):
        return 4
    return None


def told(error: Exception) -> str:
    """An expected error as a sentence, Chinese first: the system's errors in words, a lower floor's with a lead."""
    from documents.model import DocumentError

    if isinstance(error, OSError):
        kind = say.SYSTEM.get(error.errno or 0, say.SYSTEM_OTHER)
        return kind(path=error.filename or "", error=error.strerror or error)
    if isinstance(error, CryptoError | DocumentError):
        return say.DOES_NOT_HOLD(error=error)
    return str(error)


def show(result: dict[str, Any], *, as_json: bool, text: str | None = None) -> None:
    """Prints a result: one JSON object with ``--json``, else ``text`` or a line per field."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    elif text is not None:
        print(text)
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
