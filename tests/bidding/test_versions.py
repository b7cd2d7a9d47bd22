"""Under which version of the documents a bid was handed in, against a model that only compares instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bidding.rules.versions import changes, outdated, remark, upto


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


@given(MOMENTS, st.integers(0, 60))
def test_a_bid_is_flagged_exactly_when_a_later_change_can_affect_it(
    moments: list[tuple[int, bool]], arrival: int
) -> None:
    made = changes(rows(moments))
    later = [affects for at, affects in moments if at > arrival]
    stood = 1 + len(moments) - len(later)
    assert outdated(made, arrival) == (stood if any(later) else None)
    assert bool(remark(made, arrival)) == any(later)
    assert f"第 {stood} 版" in remark(made, arrival) or not any(later)


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
