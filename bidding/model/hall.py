"""What the centre signs and logs of an opening hall 开标大厅: receipts of acts, the head of its chain, its state.

Every row of a section's stream is chained to all before it, so that one head (number and chain hash of a row) commits
to everything that has happened. Before the bidders are published no head may leave the centre: its number would tell
how many have handed in, and two heads that follow each other that nobody did in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bidding.model.leaf import Leaf
from bidding.model.shapes import Body, Code, Count, Hex32, HexOrNone, Ident, Ms, Positive

SIGNED_IN = "signed_in"
FLOAT_COMMITTED = "float_committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HallReceipt(Body):
    """大厅回执: an act in the hall has been taken and stands in the section's events.

    Attributes:
        organisation: who acted.
        act: kind of the event that it made.
        said: of a signed act the digest of the signed words (`crypto.statement.digest`), of a message SHA-256 of its
            text in UTF-8; nothing for a sign-in 签到, which says nothing.
        arrival: of the act, ms UTC: the event's time.
        seq, chain: number of the event and chain hash up to it; 0 and nothing for a sign-in and for a commitment to
            the float draw, for they would tell how many have bid.
    """

    PURPOSE: ClassVar[str] = "hall_receipt"

    section: Ident
    organisation: Ident
    act: Literal[
        "signed_in", "confirmed", "objected", "pledged", "disclosed", "said", "float_committed"
    ]
    said: HexOrNone
    arrival: Ms
    seq: Count
    chain: HexOrNone


@dataclass(frozen=True, slots=True, kw_only=True)
class HallHead(Leaf):
    """大厅链头 in the ledger, at most once a second while something happens, from the publication of the bidders on."""

    PURPOSE: ClassVar[str] = "hall_head"

    seq: Positive
    chain: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class HallState(Body):
    """大厅实况: what the hall shows everybody at an instant, signed for whoever asks; so a pause cannot be unsaid.

    Attributes:
        phase: of the opening.
        paused: since when, ms UTC; 0 while it is not paused.
        seq, chain: head of the section's events then.
        at: when it was asked for, ms UTC.
    """

    PURPOSE: ClassVar[str] = "hall_state"

    section: Ident
    phase: Code
    paused: Count
    seq: Positive
    chain: Hex32
    at: Ms
