"""For which version of the documents a bid was made, and which stood when it arrived, against plain models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bidding.rules.versions import Edition, changes, newest, outdated, remark, upto


@dataclass(frozen=True)
class Row:
    kind: str
    body: dict[str, Any]
    at: int


def rows(moments: list[tuple[int, bool]]) -> list[Row]:
    """The notice's row, an act of a bidder after each change, and the changes at their instants."""
    made = [Row("bids_opened", {"file": {"statement": {"version": 1}}}, 0)]
    for version, (at, affects) in enumerate(moments, 2):
        said = {
            "version": version, "at": at, "title": "补遗", "text": "x", "affects": affects, "previous": 9,
            "deadline": 9, "documents": [{"name": "a.pdf", "sha256": "0" * 64, "size": 1}],
        }  # fmt: skip
        made.append(
            Row("refiled", {"file": {"statement": {"version": version}}, "addendum": said}, at)
        )
        made.append(Row("submission", {}, at))
    return made


MOMENTS = st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=6).map(
    lambda found: sorted(found, key=lambda one: one[0])
)


@given(MOMENTS, st.integers(1, 7))
def test_a_bid_is_flagged_exactly_when_a_later_change_can_affect_it(
    moments: list[tuple[int, bool]], version: int
) -> None:
    made = changes(rows(moments))
    overtaken = any(affects for _, affects in moments[version - 1 :])
    assert outdated(made, version) == overtaken
    assert bool(remark(made, version)) == overtaken
    assert f"第 {version} 版" in remark(made, version) or not overtaken


@given(MOMENTS, st.integers(0, 60))
def test_the_newest_version_is_the_last_that_stood_at_the_instant(
    moments: list[tuple[int, bool]], at: int
) -> None:
    editions = [
        Edition(version, since) for version, since in enumerate([0, *(m for m, _ in moments)], 1)
    ]
    assert newest(editions, at) == 1 + sum(since <= at for since, _ in moments)


@given(MOMENTS)
def test_the_rows_of_a_version_are_those_before_the_next_one(
    moments: list[tuple[int, bool]],
) -> None:
    whole = rows(moments)
    for version in range(1, len(moments) + 2):
        part = upto(whole, version)
        assert part == whole[: len(part)]
        assert len(changes(part)) == version - 1
    assert upto(whole, len(moments) + 1) == whole
