"""Everybody is pinged once a round, a few at a time, whoever comes and goes."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from trading.ground.pulse import PARTS, Pulse


@dataclass(eq=False)
class Someone:
    """A line, as the pulse knows it."""

    turn: int = 0


def a_round(pulse: Pulse) -> list[list[Someone]]:
    return [list(pulse.next()) for _ in range(PARTS)]


def test_ten_thousand_have_their_turn_once_a_round_twenty_five_at_a_time():
    pulse, lines = Pulse(), [Someone() for _ in range(25 * PARTS)]
    for line in lines:
        pulse.enrol(line)
    parts = a_round(pulse)
    assert {len(part) for part in parts} == {25}
    assert {id(line) for part in parts for line in part} == {id(line) for line in lines}


@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), max_size=200))
def test_who_is_there_has_one_turn_and_who_has_gone_has_none(acts):
    """None: somebody comes; a number: that one of those present goes, and a turn passes."""
    pulse, here = Pulse(), []
    for act in acts:
        if act is None:
            here.append(Someone())
            pulse.enrol(here[-1])
        elif act < len(here):
            pulse.dismiss(here.pop(act))
            pulse.next()
    turns = [line for part in a_round(pulse) for line in part]
    assert sorted(map(id, turns)) == sorted(map(id, here))
