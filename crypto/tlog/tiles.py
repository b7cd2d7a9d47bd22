"""Tiles: the log as immutable files that any cache can serve and any auditor compute with.

Source: C2SP tlog-tiles.md v0.1.0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from crypto.errors import FormatError
from crypto.tlog.merkle import HASH_SIZE, Tree

WIDTH: Final = 256
"""Hashes or entries in a full tile."""
MAX_LEVEL: Final = 63


@dataclass(frozen=True, slots=True)
class Tile:
    """Coordinates of a tile, or of a bundle of entries.

    Attributes:
        level: 0 to 63; None for a bundle of entries.
        index: place within the level.
        width: 1 to 256; 256 is a full tile.

    Raises:
        FormatError: out of range.
    """

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if (
            not 0 <= (self.level or 0) <= MAX_LEVEL
            or self.index < 0
            or not 1 <= self.width <= WIDTH
        ):
            raise FormatError("there is no such tile")

    @property
    def path(self) -> str:
        """The path below the log's prefix, e.g. ``tile/0/x001/x234/067.p/112``."""
        level = "entries" if self.level is None else str(self.level)
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path.

        Raises:
            FormatError: it is not the path of a tile, written the one way it can be.
        """
        stem, partial, width = path.partition(".p/")
        parts = stem.split("/")
        numbers = [part.removeprefix("x") for part in parts[2:]]
        digits = [
            *numbers,
            width if partial else "1",
            parts[1].replace("entries", "0") if parts[1:] else "-",
        ]
        if all(each.isascii() and each.isdigit() and len(each) <= 3 for each in digits):
            tile = cls(
                None if parts[1] == "entries" else int(parts[1]),
                int("".join(numbers) or "0"),
                int(width) if partial else WIDTH,
            )
            if tile.path == path:
                return tile
        raise FormatError("this is not the path of a tile")


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile and bundle of a tree, those that are full and the partial ones at its edge.

    Args:
        size: number of leaves.
    """
    for index in range(0, size, WIDTH):
        yield Tile(None, index // WIDTH, min(WIDTH, size - index))
    level, count = 0, size
    while count:
        for index in range(0, count, WIDTH):
            yield Tile(level, index // WIDTH, min(WIDTH, count - index))
        level, count = level + 1, count // WIDTH


def tile_bytes(tree: Tree, tile: Tile) -> bytes:
    """Return a hash tile's content: width hashes of 32 bytes.

    Raises:
        FormatError: the tree does not have that tile, or it is a bundle of entries.
    """
    if tile.level is None:
        raise FormatError("entries are not kept in the tree")
    first = tile.index * WIDTH
    places = range(first, first + tile.width)
    return b"".join(tree.hash_at(8 * tile.level, place) for place in places)


def split_hashes(data: bytes) -> list[bytes]:
    """Return the hashes of a tile.

    Raises:
        FormatError: not between 1 and 256 of them.
    """
    count, rest = divmod(len(data), HASH_SIZE)
    if rest or not 1 <= count <= WIDTH:
        raise FormatError("a tile is 1 to 256 hashes of 32 bytes")
    return [data[HASH_SIZE * i : HASH_SIZE * (i + 1)] for i in range(count)]


def bundle_bytes(entries: Sequence[bytes]) -> bytes:
    """Return a bundle of 1 to 256 entries, each with its length in two bytes before it.

    Raises:
        FormatError: too many entries, or one longer than 65,535 bytes.
    """
    if not 1 <= len(entries) <= WIDTH or any(len(entry) > 65_535 for entry in entries):
        raise FormatError("a bundle is 1 to 256 entries of at most 65,535 bytes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def split_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        FormatError: it does not come out even, or holds more than 256.
    """
    entries = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if at + 2 > len(data) or end > len(data):
            raise FormatError("a bundle ends in the middle of an entry")
        entries.append(data[at + 2 : end])
        at = end
    if not 1 <= len(entries) <= WIDTH:
        raise FormatError("a bundle is 1 to 256 entries")
    return entries
