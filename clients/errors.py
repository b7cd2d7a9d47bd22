"""The error family of the clients' floor; each class knows the exit code of `contract/cli.md`.

A verb ends with the code of the error that reached it: 1 a check failed, 2 wrong usage, 3 an essential
check could not be done, 4 the environment is not fit.
"""

from __future__ import annotations

from typing import ClassVar


class ClientError(Exception):
    """Something did not hold; the sentence says what, whose move it is, and what to do."""

    exit_code: ClassVar[int] = 1


class UsageError(ClientError):
    """The command was given wrongly, or a path does not exist."""

    exit_code = 2


class IncompleteError(ClientError):
    """What was asked could not be finished now; nothing is lost, run it again."""

    exit_code = 3


class UnfitError(ClientError):
    """This machine or this home is not fit; the sentence says what to do."""

    exit_code = 4
