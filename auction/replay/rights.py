"""Who holds 优先购买权 in an auction: closed until the result, known to the engine before timed bidding begins. Pure.

A row `auction.entitled` says that one seat holds the right. Notice and hall may name the organisation, so the paddle
would tell who sits there: the row has it only as a closed value,

    {"paddle": "107", "basis": "notice" | "proof", "evidence": hex of SHA-256, or ""}

opened with the result. The centre decides with what its own key opens, an auditor with what the rows disclose, both
by the same fold. No right enters once timed bidding has begun, and none after a price contest that ended before it:
nobody can be given it who has seen the price.

Source: spec/auction.md §5; docs/adr/0011.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from auction.model import Phase, Preemption, State
from crypto.canonical import canonical

NOTICE: Final = "notice"
PROOF: Final = "proof"


@dataclass(frozen=True, slots=True)
class Right:
    """A seat's right of first refusal.

    Attributes:
        basis: NOTICE, the notice names its organisation; PROOF, two people have recognised it.
        evidence: hex SHA-256 of what proves it, as the application names it; "" by notice.
    """

    paddle: str
    basis: str
    evidence: str = ""

    def to_text(self) -> str:
        """The closed value."""
        return canonical(asdict(self)).decode()

    @classmethod
    def from_text(cls, text: str) -> "Right":
        """Read it back. Raises `TypeError` or `ValueError` where it is none."""
        return cls(**json.loads(text))


def open_to_rights(state: State) -> bool:
    """Say whether a seat may still be given the right: until timed bidding begins."""
    here = state.left if state.phase is Phase.SUSPENDED and state.left else state.phase
    return here.place < Phase.TIMED.place


def preemption_of(
    rules: Mapping[str, Any], rights: Iterable[str], bidders: Iterable[str]
) -> Preemption | None:
    """Give the engine the seats that hold the right and may bid; None where there is none.

    Args:
        rules: of the announced auction; they have a window where anybody holds a right.
        rights: paddles that hold it.
        bidders: paddles that may bid.
    """
    held = frozenset(rights) & frozenset(bidders)
    return Preemption(held, rules["preemption"]["window_s"] * 1000) if held else None
