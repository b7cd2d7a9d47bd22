"""Checks one after the other: each has a name, stands on others, and fails with a sentence and a place.

What is checked comes from strangers. Whatever it does to a reader, the answer is a failed check: `run` of
`documents.checks` catches everything, and this file only turns our own errors into their plain sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.errors import ClientError
from documents.checks import Check, NotChecked, run
from documents.model import DocumentError
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class AuditError(ClientError):
    """A check does not hold; the sentence says what was found, and where."""


class Checklist:
    """The checks of one input, in their order.

    Args:
        prefix: stands before every id, as `receipt` in `receipt.path`.
        titles: id (without prefix) → title, Chinese · English, of every check this list may hold.
    """

    def __init__(self, prefix: str, titles: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._titles = titles
        self._done: dict[str, Check] = {}

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was checked so far."""
        return tuple(self._done.values())

    def holds(self, id_: str) -> bool:
        """Say whether a check was made and holds."""
        done = self._done.get(id_)
        return done is not None and done.status == "ok"

    def check(
        self,
        id_: str,
        work: Callable[[], str],
        *,
        needs: Iterable[str] = (),
        essential: bool = True,
    ) -> bool:
        """Make one check.

        Args:
            id_: a key of `titles`.
            work: returns the detail; raises NotChecked for lack of means, anything else for failure.
            needs: checks without which this one says nothing; then it is not made.
            essential: whether the verdict needs it.

        Returns:
            Whether it holds.
        """
        missing = [need for need in needs if not self.holds(need)]

        def told() -> str:
            if missing:
                raise NotChecked(f"it needs {self._prefix}.{missing[0]}")
            try:
                return work()
            except (ClientError, Problem) as error:
                raise DocumentError(sentence(error)) from error

        done = run(f"{self._prefix}.{id_}", self._titles[id_], told, essential=essential)
        self._done[id_] = done
        return done.status == "ok"

    def take(self, checks: Iterable[Check]) -> None:
        """Take over checks that another checklist made; their ids must be new."""
        for check in checks:
            assert check.id not in self._done
            self._done[check.id] = check


def sentence(error: Exception) -> str:
    """Return what an error of ours says, in one line."""
    if isinstance(error, Problem):
        return f"{error.title} · {error.detail or error.code}"
    return str(error)


def must(condition: object, complaint: str) -> None:
    """Fail the check with a sentence unless a condition holds.

    Raises:
        AuditError: it does not.
    """
    if not condition:
        raise AuditError(complaint)


__all__ = ["AuditError", "Check", "Checklist", "NotChecked", "must", "sentence"]
