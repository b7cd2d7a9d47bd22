"""The facts of an auction's transcript 竞价过程记录 and of a deal confirmation 成交确认书."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from documents.model.base import Facts, Official, RuleLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A lot 宗地 of the session, with the plot ratio it has and the one it may gain."""

    parcel: str
    holder: str
    credit_code: str
    site_area: str
    base_far: str
    added_far: str
    added_gfa: str
    start_floor_price: str
    start_total: str
    deposit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer as judged, accepted or refused.

    Attributes:
        no: line number in the transcript, from 1, in the order of decision.
        seq: gapless number among accepted offers, None for a refusal.
        arrival: arrival stamp, ms UTC.
        amount: surcharge in 元 per square metre of added floor area (quota), or total price (listing).
        result: ACCEPTED or the refusal's code.
        ends_at: end of the window after this offer, None outside timed bidding.
    """

    no: int
    seq: int | None
    arrival: int
    paddle: str
    holder: str
    parcel: str
    amount: str
    result: str
    ends_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase of the session: code (LISTING, TIMED …), from `since` to `until`."""

    phase: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A break journalled by the outage rule; it moves the end by its length and decides nothing."""

    suspended_at: int
    resumed_at: int | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """A moment at which the server was late; everything was judged as of `due`, and nothing was extended.

    Attributes:
        what: OFFER where an offer waited between its arrival and its decision, else the phase that was
            due to be entered.
        due: arrival, or boundary, ms UTC.
        late_ms: how much later the server came to it.
    """

    what: str
    due: int
    late_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Place of one bidder at the end. `status`: won or lost."""

    place: int
    parcel: str
    holder: str
    paddle: str
    amount: str
    at: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """A winner and what it pays: under quota (start floor price + surcharge) × added floor area.

    Attributes:
        second: name, value and unit of a second item (竞低容积率 2.80), "" where there is none.
    """

    parcel: str
    holder: str
    paddle: str
    surcharge: str
    floor_price: str
    added_gfa: str
    payable: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptFacts(Facts):
    """竞价过程记录: every offer, accepted or refused, from the opening to the hammer.

    Attributes:
        session: id of the session (or lot).
        mode: quota, listing …
        rules: the session's rules as printed.
        slots: how many lots may win; 1 for a single lot.
        outcome: SOLD, UNSOLD or TERMINATED.
        closed_at: the instant at which the contract is formed, ms UTC.
        total_payable: sum of all `payable`.
        chain_head: hash of the last journal row of the session's stream, hex.
        last_seq: number of that row.
    """

    KIND: ClassVar[str] = "transcript"

    session: str
    session_name: str
    mode: str
    rules: tuple[RuleLine, ...]
    slots: int
    parcels: tuple[Parcel, ...]
    phases: tuple[Phase, ...]
    offers: tuple[Offer, ...]
    outages: tuple[Outage, ...]
    lags: tuple[Lag, ...]
    ranking: tuple[Rank, ...]
    winners: tuple[Winner, ...]
    total_payable: str
    outcome: str
    closed_at: int
    officials: tuple[Official, ...]
    chain_head: str
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationFacts(Facts):
    """成交确认书 for one winner.

    Attributes:
        deal_at: the contract-forming instant, ms UTC.
        winning_seq: `seq` of the command that won: an offer, a quote, a reveal, a match.
        second: as `Winner.second`.
        payable_capital: the payable amount in 大写.
        conditions: numbered sentences: when to sign, what follows from not signing, the deposit.
        transcript_number: printed number of the transcript it follows from.
    """

    KIND: ClassVar[str] = "confirmation"

    session: str
    session_name: str
    mode: str
    holder: str
    credit_code: str
    paddle: str
    parcel: str
    site_area: str
    base_far: str
    added_far: str
    added_gfa: str
    start_floor_price: str
    surcharge: str
    floor_price: str
    payable: str
    second: str
    payable_capital: str
    deposit: str
    deal_at: int
    winning_seq: int
    conditions: tuple[str, ...]
    transcript_number: str
    chain_head: str
