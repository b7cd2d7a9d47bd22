"""How an opening begins: from the tender file and the row that let bids in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bidding.opening.state import State, Terms
from trading.model import Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bidding.model import TenderFile


def begin(tender: TenderFile, row: Mapping[str, Any]) -> State:
    """Return the state of a section that takes bids.

    Args:
        tender: the tender file in the row.
        row: body of `bids_opened`: `confirm_ms`, and `regime`, by which silence is read.
    """
    terms = Terms(
        section=tender.section,
        minimum=tender.minimum_bidders,
        threshold=tender.t,
        custodians=tuple(one.custodian for one in tender.custodians),
        unlock_ms=tender.unlock_window_s * 1000,
        confirm_ms=row["confirm_ms"],
        regime=Regime(row["regime"]),
    )
    return State(terms=terms, deadline=tender.deadline)
