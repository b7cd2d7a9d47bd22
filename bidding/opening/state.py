"""What is known of one opening. All instants are ms UTC; all of it follows from events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from trading.model import Regime

if TYPE_CHECKING:
    from collections.abc import Mapping


class Phase(StrEnum):
    """Where the opening stands. Pauses lie over a phase and do not change it."""

    BIDDING = "bidding"
    CLOSED = "closed"
    CONTROL_PRICE = "control_price"
    FLOAT_DRAW = "float_draw"
    BIDDERS_PUBLISHED = "bidders_published"
    UNLOCKING = "unlocking"
    PLEDGING = "pledging"
    DISCLOSING = "disclosing"
    IMPORTED = "imported"
    READING_OUT = "reading_out"
    CONFIRMING = "confirming"
    SEALED = "sealed"
    FAILED_FEWER_THAN_3 = "failed_fewer_than_3"
    FAILED_QUORUM = "failed_quorum"
    TERMINATED = "terminated"


ENDED: Final = frozenset(
    {Phase.SEALED, Phase.FAILED_FEWER_THAN_3, Phase.FAILED_QUORUM, Phase.TERMINATED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the tender fixed before the opening; immutable after the notice.

    Attributes:
        minimum: fewest distinct bidders.
        threshold: t; `custodians`: ids in the order of their DKG indexes.
        unlock_ms, confirm_ms: lengths of the windows for custodians' answers and confirmations.
        regime: by it silence is read (law.md §8).
    """

    section: str
    minimum: int
    threshold: int
    custodians: tuple[str, ...]
    unlock_ms: int
    confirm_ms: int
    regime: Regime = Regime.WORKS


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)`: an act stamped exactly `end` is late."""

    start: int
    end: int

    def holds(self, now: int) -> bool:
        """Say whether an instant lies inside."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class Line:
    """A bid on the close list: submission, lead bidder, arrival."""

    submission: str
    bidder: str
    arrival: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of an objection or its answer: what it is called, and what it is."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Muting:
    """One 禁言. `bidder`: "" for all bidders; `until`: None while it lasts."""

    bidder: str
    since: int
    until: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of opening one bid.

    Attributes:
        code: opened, or the code of the first check that failed.
        summary: 开标一览表, field → value; empty unless opened.
        manifest: SHA-256 of manifest.json, hex; "" unless opened.
    """

    submission: str
    code: str
    summary: Mapping[str, str] = field(default_factory=dict)
    manifest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """One listed bid through the opening.

    Attributes:
        result: "" until import, then opened, remedied, deemed_revoked, deemed_withdrawn or
            undetermined; `code` why.
        decided_by: id of the person who decided, "" while only proposed; `decided_as`: its role;
            `decided_at`, `decision`: when, and the digest of its signed word.
        read_at: when it was read out, None before.
        answer: confirmed, objected or "" (not confirmed, which is no consent).
        text: of the objection; `reply` to it; `files`, `reply_files`: what came with them.
    """

    line: Line
    result: str = ""
    code: str = ""
    summary: Mapping[str, str] = field(default_factory=dict)
    manifest: str = ""
    decided_by: str = ""
    decided_as: str = ""
    decided_at: int | None = None
    decision: str = ""
    reason: str = ""
    read_at: int | None = None
    answer: str = ""
    answered_at: int | None = None
    statement: str = ""
    text: str = ""
    files: tuple[File, ...] = ()
    reply: str = ""
    reply_files: tuple[File, ...] = ()
    replied_at: int | None = None

    @property
    def opened(self) -> bool:
        """Whether its content is known."""
        return self.result in {"opened", "remedied"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A custodian's answer. `status`: answered, wrong (by proof), refused (lawfully) or late."""

    custodian: str
    status: str
    at: int
    digest: str
    detail: str = ""


def _nothing() -> Mapping[str, Any]:
    """A read-only empty mapping; before Python 3.12 it cannot itself be a dataclass default."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The opening of one section.

    Attributes:
        deadline: T.
        bids: by submission id, in reading order; `excluded`: left out with a logged reason.
        replies: by custodian, the first answer that counts.
        unlock: window for custodians' answers; `confirm`: for confirmations; None before it begins.
        pledge, disclose: after a quorum failure, windows for bidders' pledges and file keys.
        pledges: submission id → digest of the signed pledge; `disclosed`: → where its file key lies.
        paused: instant of the running pause, None while none runs; `pauses`: all, with reasons.
        phases: when each phase began, in order.
        sign_ins: bidder → instant.
        price: 最高投标限价 in 元 or ""; `point`: 浮动点 or "".
        messages: how many there were; `spoken`: speaker → instants of its newest ones.
        mutings: every 禁言, in order; `identity`: (submission, instant, words) of each exception.
        reconvene: before this instant the hall does not go on, or, once sealed, does not meet;
            None where nothing is set. `reconvenings`: (set at, for when, reason), all of them.
    """

    terms: Terms
    deadline: int
    phase: Phase = Phase.BIDDING
    bids: Mapping[str, Bid] = field(default_factory=_nothing)
    excluded: Mapping[str, Line] = field(default_factory=_nothing)
    replies: Mapping[str, Reply] = field(default_factory=_nothing)
    unlock: Window | None = None
    confirm: Window | None = None
    pledge: Window | None = None
    disclose: Window | None = None
    pledges: Mapping[str, str] = field(default_factory=_nothing)
    disclosed: Mapping[str, str] = field(default_factory=_nothing)
    paused: int | None = None
    pauses: tuple[tuple[int, int | None, str], ...] = ()
    phases: tuple[tuple[Phase, int], ...] = ()
    sign_ins: Mapping[str, int] = field(default_factory=_nothing)
    price: str = ""
    point: str = ""
    messages: int = 0
    spoken: Mapping[str, tuple[int, ...]] = field(default_factory=_nothing)
    mutings: tuple[Muting, ...] = ()
    identity: tuple[tuple[str, int, str], ...] = ()
    reconvene: int | None = None
    reconvenings: tuple[tuple[int, int, str], ...] = ()

    def muted(self, bidder: str) -> bool:
        """Whether a bidder may not speak now."""
        return any(one.until is None and one.bidder in {"", bidder} for one in self.mutings)

    @property
    def answered(self) -> list[Reply]:
        """Custodians' answers whose proofs hold."""
        return [reply for reply in self.replies.values() if reply.status in {"answered", "late"}]

    @property
    def next_to_read(self) -> Bid | None:
        """The next bid in reading order (by arrival of the counting submission)."""
        return next((bid for bid in self.bids.values() if bid.read_at is None), None)

    def of_bidder(self, bidder: str) -> Bid | None:
        """The listed bid of a bidder, or None."""
        return next((bid for bid in self.bids.values() if bid.line.bidder == bidder), None)
