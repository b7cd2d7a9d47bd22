"""The commits of the journal's writer: what one takes together, and how its rows are inserted.

Rows go in as few statements as they allow, compiled once by SQLAlchemy Core.

The driver gives the interpreter's lock away at every statement it steps, and has to wait until the
event loop hands it back: with a statement for each row, a commit of a hundred offers waited a hundred
times, and the offers behind it as often. So a commit goes in pieces of 64, 8 and 1 rows.
"""

from __future__ import annotations

import queue
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import bindparam, insert

from trading.ground.tables import JournalRow

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Dialect

    from trading.ground.chain import Draft, Row

MAX_BATCH_ROWS: Final = 1_000  # engine.md §5: the drain of one commit
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
COLUMNS: Final = ("position", "stream", "seq", "at", "kind", "body", "chain")

_TABLE: Final = JournalRow.__table__  # type: ignore[attr-defined]
_PIECES: Final = (64, 8, 1)  # 64 rows bind 448 values, far below any driver's limit


class Item(NamedTuple):
    """What one `append` brought: drafts, their canonical bodies, and who waits for the rows."""

    drafts: Sequence[Draft]
    texts: list[bytes]
    future: asyncio.Future[list[Row]]


def gather(waiting: queue.SimpleQueue[Item | None], item: Item) -> tuple[list[Item], bool]:
    """Take with an item what waits behind it, within a commit's bounds; say whether it is the end."""
    items = [item]
    rows, size = len(item.texts), sum(map(len, item.texts))
    while rows < MAX_BATCH_ROWS and size < MAX_BATCH_BYTES:
        try:
            more = waiting.get_nowait()
        except queue.Empty:
            break
        if more is None:
            return items, True
        items.append(more)
        rows += len(more.texts)
        size += sum(map(len, more.texts))
    return items, False


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
