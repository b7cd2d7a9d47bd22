"""What a disk may hold after the power has gone: everything synced, and of the rest anything.

The model: per file, writes that a later successful sync covers are on the disk, whole and in order. Of
the later ones any subset is, each perhaps torn at sectors of 512 bytes. A sync that failed leaves the
same choice once and for all, since the kernel then forgets those pages and the next sync says nothing
of them. A file's birth and deletion are as its writes are; SQLite syncs the directory with the first
sync of a write-ahead log.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tests.acceptance.durability.disk import Op

SECTOR = 512
SHARES = (0.0, 0.0, 0.3, 0.7, 1.0)
"""How much of what was not synced survives: nothing (a drive that had all in its cache) to all."""

Files = dict[str, bytearray]


def images(
    base: Files, ops: Iterable[Op], cuts: Iterable[int], rnd: Random
) -> Iterator[tuple[int, Files]]:
    """Give, for each cut, the files as they may be when the power goes after so many operations.

    Args:
        base: content of the files before the first operation; wholly on the disk.
        ops: recorded by `Disk`, in order.
        cuts: numbers of operations, in any order, repeated as wished.
        rnd: decides what survives.
    """
    wanted = sorted(cuts)
    ops = list(ops)
    durable = {name: bytearray(content) for name, content in base.items()}
    pending: list[Op] = []
    done = 0
    for cut in wanted:
        for op in ops[done:cut]:
            if op.what in ("sync", "lost"):
                mine = [item for item in pending if item.file == op.file]
                pending = [item for item in pending if item.file != op.file]
                for item in mine if op.what == "sync" else survivors(mine, 0.5, rnd):
                    apply(durable, item)
            else:
                pending.append(op)
        done = max(done, cut)
        after = {name: bytearray(content) for name, content in durable.items()}
        for op in survivors(pending, rnd.choice(SHARES), rnd):
            apply(after, op)
        yield cut, after


def survivors(ops: Iterable[Op], share: float, rnd: Random) -> Iterator[Op]:
    """Choose what of un-synced operations has reached the disk; writes by sectors."""
    for op in ops:
        if op.what != "write":
            if rnd.random() < share:
                yield op
        elif share == 1.0:
            yield op
        elif share > 0:
            yield from (piece for piece in sectors(op) if rnd.random() < share)


def sectors(op: Op) -> Iterator[Op]:
    """Cut a write at the sectors of its file."""
    end = op.offset + len(op.data)
    for start in range(op.offset - op.offset % SECTOR, end, SECTOR):
        first, last = max(start, op.offset), min(start + SECTOR, end)
        yield Op("write", op.file, first, op.data[first - op.offset : last - op.offset])


def apply(files: Files, op: Op) -> None:
    """Let an operation come true."""
    if op.what == "delete":
        files.pop(op.file, None)
        return
    content = files.setdefault(op.file, bytearray())
    if op.what == "truncate":
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
    else:
        content.extend(bytes(max(0, op.offset - len(content))))
        content[op.offset : op.offset + len(op.data)] = op.data


def write(files: Files, home: Path) -> Path:
    """Put an image down as a home."""
    home.mkdir()
    for name, content in files.items():
        (home / name).write_bytes(content)
    return home


def read(home: Path) -> Files:
    """The database of a home that nobody has open."""
    return {path.name: bytearray(path.read_bytes()) for path in home.glob("kaibiao.db*")}
