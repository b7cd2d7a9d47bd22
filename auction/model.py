"""The words of an auction: phases, codes, rules, offers, state, outcome.

Here live frozen data and nothing that decides. Rules are built by `auction.rules`, moved by `auction.engine`.
The one rule: money is an integer at a scale, time is integer milliseconds UTC, and nothing here knows a clock.

Source: spec/auction.md §§1-7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from trading.ground.money import parse_amount
from trading.ground.problems import Invalid, Kind, Problem

CENTRE = "CENTRE"
"""The one who may suspend, resume and terminate (spec §7); no bidder may bear the name."""


class AuctionError(Problem):
    """Root of what this floor raises; says what happened, whose move it is and what to do."""


class BadRulesError(AuctionError):
    """A rule set that contradicts itself; the notice is corrected before a lot can be announced."""

    def __init__(self, contradictions: str) -> None:
        super().__init__("bad-rules", "竞价规则自相矛盾", contradictions, rule="contract/auction")


class ScenarioError(AuctionError):
    """A scenario or a rule set without the form of the contract; its author corrects the file."""

    def __init__(self, complaint: str) -> None:
        super().__init__("rules-malformed", "竞价规则或命令格式不正确", complaint)


class BrokenInvariantError(AuctionError):
    """The engine found its own promise broken (spec §8); the lot stops, its journal is examined."""

    def __init__(self, promise: str) -> None:
        super().__init__(
            "auction-stopped", "竞价引擎自检失败，已停止", promise, kind=Kind.UNAVAILABLE
        )


class Direction(StrEnum):
    """Which offer leads: the highest (`up`, 加价) or the lowest (`down`, 反向竞价)."""

    UP = "up"
    DOWN = "down"

    def better(self, amount: int, other: int) -> bool:
        """Tell whether `amount` beats `other`; equal amounts beat nobody."""
        return amount > other if self is Direction.UP else amount < other


class Phase(StrEnum):
    """Where an auction stands (spec §2). The order of definition is the order of the line in §2."""

    ANNOUNCED = "ANNOUNCED"  # 公告
    LISTING = "LISTING"  # 自由报价
    FROZEN = "FROZEN"  # 冻结
    CONFIRMING = "CONFIRMING"  # 询问
    TIMED = "TIMED"  # 限时竞价
    WAITING = "WAITING"  # 熔断等待
    ASKING = "ASKING"  # 征询
    QUOTING = "QUOTING"  # 一次报价
    REVEALING = "REVEALING"  # 摇号揭示
    SECOND_ITEM = "SECOND_ITEM"  # 竞容积率, 竞配建, 竞自持
    MATCHING = "MATCHING"  # 优先购买
    SOLD = "SOLD"  # 成交
    UNSOLD = "UNSOLD"  # 流拍
    TERMINATED = "TERMINATED"  # 终止
    SUSPENDED = "SUSPENDED"  # 中止

    @property
    def is_final(self) -> bool:
        """True where nothing can follow."""
        return self in _FINAL

    @property
    def place(self) -> int:
        """Place in the line of spec §2, which decides whether a command is early or late."""
        return _PLACE[self]


_FINAL = frozenset({Phase.SOLD, Phase.UNSOLD, Phase.TERMINATED})
_PLACE = {phase: place for place, phase in enumerate(Phase)}


class Do(StrEnum):
    """What a command asks for."""

    BID = "bid"
    CONFIRM = "confirm"
    JOIN = "join"
    QUOTE = "quote"
    REVEAL = "reveal"
    MATCH = "match"
    DECLINE = "decline"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


class Code(StrEnum):
    """Why a command was refused; the names are part of the contract and never change."""

    BAD_AMOUNT = "BAD_AMOUNT"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"
    NOT_OPEN = "NOT_OPEN"
    FROZEN = "FROZEN"
    NO_DEPOSIT = "NO_DEPOSIT"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    SELF_RAISE = "SELF_RAISE"
    ABOVE_CAP = "ABOVE_CAP"
    BELOW_MIN_NEXT = "BELOW_MIN_NEXT"
    NOT_MULTIPLE = "NOT_MULTIPLE"
    ALREADY_CONFIRMED = "ALREADY_CONFIRMED"
    ALREADY_JOINED = "ALREADY_JOINED"
    BAD_COMMIT = "BAD_COMMIT"
    NOT_JOINED = "NOT_JOINED"
    ALREADY_QUOTED = "ALREADY_QUOTED"
    ALREADY_REVEALED = "ALREADY_REVEALED"
    BAD_REVEAL = "BAD_REVEAL"
    NOT_ENTITLED = "NOT_ENTITLED"
    ALREADY_DECLINED = "ALREADY_DECLINED"
    NOT_CENTRE = "NOT_CENTRE"
    NOT_SUSPENDED = "NOT_SUSPENDED"


class Reason(StrEnum):
    """Why there is no deal (流拍)."""

    NO_BIDS = "NO_BIDS"
    RESERVE_NOT_MET = "RESERVE_NOT_MET"
    NO_ONE_JOINED = "NO_ONE_JOINED"
    NO_QUOTES = "NO_QUOTES"
    NO_ONE_REVEALED = "NO_ONE_REVEALED"


class RaiseBase(StrEnum):
    """What a later surcharge of a quota session must exceed (spec §6)."""

    GLOBAL_HIGH = "global_high"
    OWN_HIGH = "own_high"
    CUTOFF = "cutoff"


@dataclass(frozen=True, slots=True)
class Ladder:
    """One rising or falling row of offers: the price, or the second item after the cap.

    Attributes:
        scale: decimals of every amount of the ladder, 0 to 6.
        start: the first acceptable offer; 0 under quota.
        increment: smallest step, > 0 (增幅).
        limit: the cap (最高限价), for `down` a floor; None: there is none.
        multiple: whether an offer must lie on the grid of whole increments from `start`.
        self_raise: whether the leader may outbid itself.
    """

    direction: Direction
    scale: int
    start: int
    increment: int
    limit: int | None
    multiple: bool
    self_raise: bool

    def next_offer(self, leading: int | None) -> int:
        """Give the next acceptable offer above (for `down`, below) the one that leads."""
        if leading is None:
            return self.start
        return leading + (self.increment if self.direction is Direction.UP else -self.increment)


@dataclass(frozen=True, slots=True)
class Listing:
    """自由报价: `[opens_at, closes_at - freeze)`, all in milliseconds."""

    opens_at: int
    closes_at: int
    freeze: int


@dataclass(frozen=True, slots=True)
class Timed:
    """限时竞价: start and windows in milliseconds; `append` adds to the end, else the window is reset."""

    starts_at: int
    first_window: int
    extend: int
    append: bool
    confirm_2: bool


@dataclass(frozen=True, slots=True)
class OneShot:
    """一次报价 after the cap; windows in milliseconds."""

    wait: int
    ask: int
    quote: int


@dataclass(frozen=True, slots=True)
class Lottery:
    """摇号 after the cap; windows in milliseconds."""

    wait: int
    ask: int
    reveal: int


@dataclass(frozen=True, slots=True)
class SecondItem:
    """A second ladder after the cap (竞容积率, 竞配建, 竞自持); windows in milliseconds."""

    name: str
    unit: str
    ladder: Ladder
    pause: int
    extend: int


@dataclass(frozen=True, slots=True)
class Preemption:
    """优先购买权: who may match the price, within `window` milliseconds."""

    bidders: frozenset[str]
    window: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel 宗地 of a quota session; areas and floor price are integers of millionths (㎡, 元/㎡)."""

    id: str
    holder: str
    added_gfa: int
    start_floor_price: int
    site_area: int | None = None
    added_far: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """容积率上网竞价: `slots` of the parcels may raise their plot ratio."""

    slots: int
    raise_base: RaiseBase
    parcels: Mapping[str, Parcel]
    """by holder"""


@dataclass(frozen=True, slots=True)
class Rules:
    """A whole rule set, checked; what one lot is sold by.

    Attributes:
        price: the ladder of the price (of surcharges under quota).
        unit: shown only.
        reserve: 保留价 or None; never shown.
        bidders: the qualified ones with a confirmed deposit.
    """

    lot: str
    price: Ladder
    unit: str
    reserve: int | None
    listing: Listing | None
    timed: Timed
    on_cap: OneShot | Lottery | SecondItem | None
    preemption: Preemption | None
    quota: Quota | None
    bidders: frozenset[str]


class Command(msgspec.Struct, frozen=True):
    """What somebody asks for. `amount`, `commit` and `nonce` are what arrived: any JSON value."""

    by: str
    do: Do
    amount: Any = None
    commit: Any = None
    nonce: Any = None


class Offer(msgspec.Struct, frozen=True):
    """An accepted offer; `seq` orders offers of one auction."""

    bidder: str
    amount: int
    seq: int


@dataclass(frozen=True, slots=True)
class Winner:
    """Who wins, at which price; `parcel` and `payable` (分) only under quota, `second` only after that stage."""

    bidder: str
    amount: int
    second: int | None = None
    parcel: str | None = None
    payable: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final result; `closed_at` is the instant at which it became final (spec §5)."""

    status: Phase
    closed_at: int
    reason: Reason | None = None
    winners: tuple[Winner, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """A phase was entered at an exact instant; for a final one with its outcome."""

    phase: Phase
    at: int
    outcome: Outcome | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The command stands as number `seq`; `ends_at` is the end of the phase that runs now, or None."""

    seq: int
    ends_at: int | None


class Refused(msgspec.Struct, frozen=True):
    """The command changed nothing; `code` is the first check that failed."""

    code: Code


class State(msgspec.Struct, frozen=True):
    """All that the engine knows of one auction; changed only by `auction.engine`.

    A struct, because it is replaced at every command and a dataclass's `replace` is ten times slower.

    Attributes:
        now: last time seen, by any command; None before the first.
        phase: where it stands; SUSPENDED hides the phase in `left`.
        ends: end of the running phase (of `left`, standing still, while suspended); None when final.
        shift: milliseconds by which suspensions moved the boundaries that the rules name.
        confirmed: who confirmed, and `declined` who declined, with the `seq` of it.
        capped_in: the phase in which the cap was reached.
        joined: who joined the stage after the cap, with its commitment where a lottery wants one.
        quotes: the one quote of each.
        standing: under quota the standing offer of each holder.
        inside: where a surcharge must exceed the cutoff, the first K of the ranking.
        matching: the winner unless somebody with a right of first refusal matches.
    """

    rules: Rules
    phase: Phase = Phase.ANNOUNCED
    now: int | None = None
    ends: int | None = None
    shift: int = 0
    suspended_at: int = 0
    left: Phase | None = None
    seq: int = 0
    confirmed: Mapping[str, int] = msgspec.field(default_factory=dict)
    leader: Offer | None = None
    capped_in: Phase | None = None
    joined: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    quotes: Mapping[str, Offer] = msgspec.field(default_factory=dict)
    nonces: Mapping[str, str] = msgspec.field(default_factory=dict)
    second: Offer | None = None
    standing: Mapping[str, Offer] = msgspec.field(default_factory=dict)
    inside: tuple[Offer, ...] = ()
    matching: Winner | None = None
    declined: Mapping[str, int] = msgspec.field(default_factory=dict)
    outcome: Outcome | None = None


def amount_or_none(value: Any, scale: int) -> int | None:
    """Read an amount in the one strict grammar of spec §1.

    Args:
        value: whatever arrived; only a `str` can be an amount.
        scale: decimals allowed, 0 to 6.

    Returns:
        The integer in units of 10^-scale, or None where it is not an amount.
    """
    try:
        return parse_amount(value, scale)
    except Invalid:
        return None
