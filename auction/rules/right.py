"""优先购买权 as a live session names it: organisations, or who proves it; paddles are drawn later.

A scenario of the contract names bidders: `{"bidders": ["P1"], "window_s": 60}`. In a live session paddles are random and
stay closed, so the rules of a session say

    {"window_s": 300, "holders": [{"lot": "G-01", "organisation": "org_…"}], "proved": true}

`holders` are named by the notice, each for a lot by its number; `proved` lets others prove the right with their
application. An announced auction says the same of its own lot, in names: `{"window_s", "holders": [{"name",
"credit_code"}], "proved"}`. Which paddles hold it is told to the engine by rows of their own (`replay/rights.py`).

Source: spec/auction.md §5; docs/adr/0011.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auction.model import ScenarioError
from auction.rules.form import array, fields, seconds, text, yes_no


@dataclass(frozen=True, slots=True)
class Named:
    """A holder of the right by the notice: number of the lot, id of the organisation."""

    lot: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session says of the right.

    Attributes:
        window: 行使期, milliseconds.
        proved: whether others may prove the right with their application.
    """

    window: int
    holders: tuple[Named, ...]
    proved: bool


def terms(raw: Any) -> Terms:
    """Read what a session says.

    Args:
        raw: member `preemption` of a session's rules.

    Raises:
        ScenarioError: it has another form, names one twice, or gives the right to nobody.
    """
    place = "preemption"
    if isinstance(raw, Mapping) and "bidders" in raw:
        raise ScenarioError("preemption: paddles are drawn later; name organisations in holders")
    raw = fields(raw, place, ("window_s",), ("holders", "proved"))
    holders = []
    for number, item in enumerate(array(raw.get("holders", []), f"{place}.holders")):
        where = f"{place}.holders[{number}]"
        said = fields(item, where, ("lot", "organisation"))
        named = Named(text(said["lot"], where), text(said["organisation"], where))
        if named in holders:
            raise ScenarioError(f"{where}: stands twice")
        holders.append(named)
    proved = yes_no(raw.get("proved", False), f"{place}.proved")
    if not holders and not proved:
        raise ScenarioError("preemption: of nobody; name holders, or let the right be proved")
    return Terms(seconds(raw, "window_s", 0, place), tuple(holders), proved)


def without(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rule set of an announced auction as `parse_rules` reads it: without the right."""
    return {**rules, "preemption": None}
