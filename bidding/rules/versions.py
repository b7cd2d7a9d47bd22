"""Versions of the tender documents, read from a section's rows: what changed, and for which a bid was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from documents.model import NoticeChange, NoticeDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Row(Protocol):
    """A journal row, as far as versions and records are read from it."""

    @property
    def kind(self) -> str:
        """What happened."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """Its JSON."""
        ...

    @property
    def at(self) -> int:
        """When, ms UTC."""
        ...


def changes(rows: Iterable[Row]) -> tuple[NoticeChange, ...]:
    """Return what made each later version, in order."""
    said = [
        row.body["addendum"] for row in rows if row.kind == "refiled" and "addendum" in row.body
    ]
    return tuple(
        NoticeChange(
            version=one["version"],
            at=one["at"],
            title=one["title"],
            text=one["text"],
            effect="bids" if one["affects"] else "none",
            previous=one["previous"],
            deadline=one["deadline"],
            documents=tuple(NoticeDocument(**document) for document in one["documents"]),
        )
        for one in said
    )


def upto(rows: Iterable[Row], version: int) -> list[Row]:
    """Return the rows up to the one that made a version of the documents."""
    found: list[Row] = []
    for row in rows:
        made = row.body["file"]["statement"]["version"] if row.kind == "refiled" else 0
        if made > version:
            break
        found.append(row)
    return found


@dataclass(frozen=True, slots=True)
class Edition:
    """A signed tender file: its version, and since when it stands, ms UTC."""

    version: int
    since: int


def newest(editions: Iterable[Edition], at: int) -> int:
    """Return the version that stood at an instant; at the very instant of a change it is the later one."""
    return max((one.version for one in editions if one.since <= at), default=1)


def outdated(made: tuple[NoticeChange, ...], version: int) -> bool:
    """Say whether a bid sealed for a version of the documents was overtaken by a change that affects bids.

    Args:
        made: `changes` of the section.
        version: of the tender file that the bidder's signed submission names.
    """
    return any(change.effect == "bids" and change.version > version for change in made)


def remark(made: tuple[NoticeChange, ...], version: int) -> str:
    """Return what the opening record prints of such a bid, or nothing; what follows, the committee says."""
    return f"按第 {version} 版招标文件编制，其后另有补遗" if outdated(made, version) else ""
