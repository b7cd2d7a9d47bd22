"""The access table: role × phase × object × action × ownership, one row a route, deny by default.

Each room exports its rows; `main` joins them. At start the table is compared with the routes of
the application in both directions: a route without a row, a row without a route, two rows for
one route, or a route that an earlier one would swallow, and the centre does not start. The table
is printed as a page that a supervisor can read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, compile_path

from trading.model import Bidders, ConflictError, Role, Scope

WS: Final = "WS"
MOUNT: Final = "MOUNT"
PUBLIC: Final = None
"""Anybody, without a login."""

EVERY_ROLE: Final = frozenset(Role)

POWER: Final = "；委托代理人须有 "
"""Begins what the printed note of a row says of a delegate's power."""

_PARAMETER: Final = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: who may use one route.

    Attributes:
        method: HTTP method, `WS` for a socket, `MOUNT` for a mounted application.
        path: as in the router, whole, with its `{parameters}`.
        roles: which roles, or `PUBLIC`. A public route that changes something is one whose body is
            a signed statement that its own service judges; the note says so.
        note: what it is for and what else decides.
        phases: in which phases, in words; empty for all.
        own: whether only objects of one's own organisation are meant.
    """

    method: str
    path: str
    roles: frozenset[Role] | None
    note: str
    phases: str = ""
    own: bool = False

    @property
    def scope(self) -> Scope | None:
        """What a delegate must have been given to use it; None where no delegate is meant."""
        return self.roles.scope if isinstance(self.roles, Bidders) else None


class Access:
    """The joined table of all rooms.

    Args:
        rows: every room's rows.

    Raises:
        ConflictError: two rows for one route.
    """

    def __init__(self, rows: Iterable[Rule]) -> None:
        self.rows: Sequence[Rule] = tuple(rows)
        twice = [key for key, n in Counter((r.method, r.path) for r in self.rows).items() if n > 1]
        if twice:
            raise _mismatch("two rows stand for one route", twice)
        self._matchers = [(r, compile_path(_pattern(r))[0]) for r in self.rows]

    def match(self, method: str, path: str) -> Rule | None:
        """The row of a request, the first in the order of the router; None if no route fits.

        Args:
            method: `GET` …, or `WS`. `HEAD` is judged as `GET`.
            path: of the URL, decoded, without the query.
        """
        wanted = "GET" if method == "HEAD" else method
        for rule, regex in self._matchers:
            if rule.method in (wanted, MOUNT) and regex.match(path):
                return rule
        return None

    def check(self, app: FastAPI) -> None:
        """Compare table and application; afterwards match in the application's own order.

        Raises:
            ConflictError: they differ, or an earlier route swallows a later one.
        """
        routes = list(routes_of(app))
        listed = {(r.method, r.path): r for r in self.rows}
        missing = [r for r in routes if r not in listed]
        if missing:
            raise _mismatch("routes have no row in the access table", missing)
        surplus = sorted(set(listed) - set(routes))
        if surplus:
            raise _mismatch("rows of the access table have no route", surplus)
        doubled = [r for r, n in Counter(routes).items() if n > 1]
        if doubled:
            raise _mismatch("routes are declared twice", doubled)
        open_mounts = [m for m in routes if m[0] == MOUNT and listed[m].roles is not PUBLIC]
        if open_mounts:
            raise _mismatch("mounted applications can only be public", open_mounts)
        self._matchers = [(listed[r], compile_path(_pattern(listed[r]))[0]) for r in routes]
        swallowed = [
            (rule.method, rule.path)
            for rule, _ in self._matchers
            if rule.method != MOUNT
            and self.match(rule.method, _PARAMETER.sub("x", rule.path)) != rule
        ]
        if swallowed:
            raise _mismatch("routes are swallowed by earlier ones", swallowed)

    def table(self) -> list[dict[str, Any]]:
        """The table for people: sorted rows with method, path, roles, phases, own, note."""
        return [
            {
                "method": rule.method,
                "path": rule.path,
                "roles": ["public"] if rule.roles is None else sorted(rule.roles),
                "phases": rule.phases,
                "own": rule.own,
                "note": rule.note + (f"{POWER}{rule.scope} 权限" if rule.scope else ""),
            }
            for rule in sorted(self.rows, key=lambda r: (r.path, r.method))
        ]

    def text(self) -> str:
        """The table as aligned plain text, one row a line."""
        lines = [
            f"{row['method']:6} {row['path']:56} {' '.join(row['roles']):40} "
            f"{'own  ' if row['own'] else '     '}{row['phases']:24} {row['note']}".rstrip()
            for row in self.table()
        ]
        return "\n".join(lines) + "\n"


def routes_of(app: FastAPI) -> Iterable[tuple[str, str]]:
    """Every (method, path) of an application in the order in which it tries them."""
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if isinstance(context.original_route, Mount):
            yield MOUNT, path
        elif context.methods is None:
            yield WS, path
        else:
            for method in sorted(context.methods - {"HEAD"}):
                yield method, path


def _pattern(rule: Rule) -> str:
    return f"{rule.path.rstrip('/')}/{{path:path}}" if rule.method == MOUNT else rule.path


def _mismatch(what: str, which: Sequence[object]) -> ConflictError:
    return ConflictError(
        "access-table-mismatch",
        "访问控制表与路由不一致",
        f"The centre does not start: {what}: {', '.join(map(str, which))}.",
    )
