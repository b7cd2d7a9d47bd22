"""The error family of the clients' floor; each class knows the exit code of `contract/cli.md`.

A verb ends with the code of the error that reached it: 1 a check failed, 2 wrong usage, 3 an essential
check could not be done, 4 the environment is not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is told of an error, once in each language; the `sentences.py` of each room hold them.

    Attributes:
        zh: Chinese, with `{names}` to fill in.
        en: the same in English.
    """

    zh: str
    en: str

    def __call__(self, **facts: object) -> str:
        """Returns both languages, Chinese first, with the names filled in."""
        return f"{self.zh.format(**facts)} · {self.en.format(**facts)}"


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
