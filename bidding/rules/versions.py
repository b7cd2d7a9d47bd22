"""Versions of the tender documents, read from a section's rows: what changed, and under which a bid was handed in."""

from __future__ import annotations

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


def outdated(made: tuple[NoticeChange, ...], arrival: int) -> int | None:
    """Return the version under which a bid was handed in, if a later one could affect it.

    That is all that can be known: a bid that arrived while version n stood was made for n or an
    earlier one. One that arrived later is not flagged; who made it knew, or could know, the newest.

    Args:
        made: `changes` of the section.
        arrival: of the bid, ms UTC.
    """
    stood = 1 + sum(change.at <= arrival for change in made)
    later = any(change.effect == "bids" and change.version > stood for change in made)
    return stood if later else None


def remark(made: tuple[NoticeChange, ...], arrival: int) -> str:
    """Return what the opening record prints of such a bid, or nothing."""
    version = outdated(made, arrival)
    return "" if version is None else f"按第 {version} 版招标文件递交，其后另有补遗"
