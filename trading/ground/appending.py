"""The insert of the journal's writer: as few statements as rows allow, compiled once by SQLAlchemy Core.

The driver gives the interpreter's lock away at every statement it steps, and has to wait until the
event loop hands it back: with a statement for each row, a commit of a hundred offers waited a hundred
times, and the offers behind it as often. So a commit goes in pieces of 64, 8 and 1 rows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert

from trading.ground.tables import JournalRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Dialect

COLUMNS: Final = ("position", "stream", "seq", "at", "kind", "body", "chain")

_TABLE: Final = JournalRow.__table__  # type: ignore[attr-defined]
_PIECES: Final = (64, 8, 1)  # 64 rows bind 448 values, far below any driver's limit


def insert_rows(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of the journal, tuples in the order of `COLUMNS`, in the running transaction."""
    for piece in _pieces(rows):
        statement, names = _statement(len(piece), connection.dialect)
        given: Any = tuple(chain.from_iterable(piece))
        if names is not None:
            given = dict(zip(names, given, strict=True))
        connection.exec_driver_sql(statement, given)


def _pieces(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    first = 0
    for size in _PIECES:
        while len(rows) - first >= size:
            yield rows[first : first + size]
            first += size


@lru_cache(maxsize=2 * len(_PIECES))
def _statement(rows: int, dialect: Dialect) -> tuple[str, list[str] | None]:
    """Compile the insert of so many rows; with the names of its values where the driver wants names."""
    values = [
        {name: bindparam(f"{name}_{number}", type_=_TABLE.c[name].type) for name in COLUMNS}
        for number in range(rows)
    ]
    compiled = insert(_TABLE).values(values).compile(dialect=dialect)
    names = [f"{name}_{number}" for number in range(rows) for name in COLUMNS]
    if compiled.positiontup is None:
        return compiled.string, names
    assert compiled.positiontup == names
    return compiled.string, None
