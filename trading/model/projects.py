"""What is traded: projects, tenders, sections 标段, auction sessions, lots 宗地/标的, deposits.

Amounts are integer 分, instants integer ms UTC, ratios and percentages decimal strings that were
checked once. The phases of an opening or an auction are not here: `bidding` and `auction` keep
them; this floor knows what was announced, what is held, and who has put down a deposit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trading.model.rulesets import Regime


class Stage(StrEnum):
    """How far the centre's own part has gone."""

    DRAFT = "draft"  # 进场登记 done, not yet public
    ANNOUNCED = "announced"  # 公告 published
    TERMINATED = "terminated"  # 终止


class Possession(StrEnum):
    """Whether a submission must prove possession of the encapsulation's key (design §2)."""

    REQUIRED = "required"
    WAIVED = "waived"


class DepositForm(StrEnum):
    """How a deposit 保证金 stands; `NONE` is what an opening shows for a bidder without one."""

    PAID = "paid"  # 已缴纳
    E_GUARANTEE = "e_guarantee"  # 电子保函
    NONE = "unpaid"  # 未缴纳


@dataclass(frozen=True, slots=True)
class Project:
    """招标项目: what is to be bought or built, for whom and under which body of law."""

    id: str
    name: str
    tenderer: str
    agent: str
    sector: str
    regime: Regime
    deal_code_class: str


@dataclass(frozen=True, slots=True)
class Custody:
    """Who keeps the section's key, named in the notice (招标文件规定方式, 电子办法 30).

    Attributes:
        custodians: ids of n custodians, in the order of the ceremony.
        threshold: t of n that must answer.
        window_s: seconds after T in which they answer.
        remedy: 补救方案 if fewer do, word for word.
    """

    custodians: tuple[str, ...]
    threshold: int
    window_s: int
    remedy: str


@dataclass(frozen=True, slots=True)
class SummaryField:
    """One field of the bid summary 开标一览表.

    Attributes:
        name: key in the manifest, as `total_price`.
        title: as read out, as 投标总价.
        kind: amount (decimal string, 元, two places), integer (decimal digits) or text.
        unit: as printed, as 元 or 日历天; may be empty.
    """

    name: str
    title: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class SectionKey:
    """The key that a ceremony made for one section and opening. A key is used once.

    Attributes:
        recipient: age recipient text, `age1tag1…`.
        ceremony: id of the ceremony.
        certificate: its success certificate, as JSON.
        deadline: the earliest T in the key's own context, ms UTC.
        minimum: the minimum of distinct bidders in the context.
    """

    recipient: str
    ceremony: str
    certificate: dict[str, Any]
    deadline: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section 标段 of a tender, the unit of bidding and opening.

    Attributes:
        control_price: 最高投标限价 in 分; None when `control_price_note` says why there is none.
        deposit: bid deposit in 分, 0 for none.
        deadline: T, bid deadline and opening, ms UTC on a whole second (a slot boundary).
        minimum: fewest distinct bidders with which it is opened (法 28).
        float_points: percentages with two decimals from which the float is drawn; may be empty.
        summary_fields: members of the bid summary 开标一览表, in reading-out order.
        pauses: (from, to) in ms UTC; an open one has to = None.
        tender_file: what `seal --tender` reads, signed by the centre; None before there is a key.
        notice: record id of the newest notice, empty until it is on paper.
    """

    id: str
    tender: str
    name: str
    control_price: int | None
    control_price_note: str
    deposit: int
    duration_days_max: int | None
    deadline: int
    minimum: int
    custody: Custody
    possession: Possession
    float_points: tuple[str, ...]
    summary_fields: tuple[SummaryField, ...]
    stage: Stage = Stage.DRAFT
    key: SectionKey | None = None
    tender_file: dict[str, Any] | None = None
    pauses: tuple[tuple[int, int | None], ...] = ()
    notice: str = ""

    @property
    def suspended(self) -> bool:
        """Whether a pause is open."""
        return bool(self.pauses) and self.pauses[-1][1] is None


@dataclass(frozen=True, slots=True)
class Tender:
    """A tender 招标 of a project, with its documents' period and its sections.

    Attributes:
        documents_from: first issue of the tender documents, ms UTC.
        documents_to: end of the offer, ms UTC.
        ruleset: (name, version) kept from the day of the notice; empty strings before it.
        document_version: 1 at the notice; the highest of its sections with their addenda.
    """

    id: str
    project: str
    name: str
    method: str
    evaluation: str
    place: str
    documents_from: int
    documents_to: int
    sections: tuple[str, ...]
    created_at: int
    ruleset: tuple[str, str] = ("", "")
    published_at: int | None = None
    document_version: int = 1
    stage: Stage = Stage.DRAFT


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot 宗地/标的 of an auction session.

    Attributes:
        holder: organisation id of the land-use-right holder, in quota sessions; else empty.
        deposit: auction deposit in 分.
        details: public facts of the parcel as decimal strings and texts; the auction reads them.
        pauses: as for a section.
    """

    id: str
    session: str
    name: str
    holder: str
    deposit: int
    details: Mapping[str, Any]
    stage: Stage = Stage.DRAFT
    pauses: tuple[tuple[int, int | None], ...] = ()

    @property
    def suspended(self) -> bool:
        """Whether a pause is open."""
        return bool(self.pauses) and self.pauses[-1][1] is None


@dataclass(frozen=True, slots=True)
class Session:
    """An auction session 竞价场次: its lots and the rules the auction engine will read.

    Attributes:
        opens_at: start of bidding or listing, ms UTC.
        listing_ends_at: end of the listing 挂牌, ms UTC; None for a session without one.
        rules: the auction's own rules, JSON; opaque on this floor.
    """

    id: str
    name: str
    lots: tuple[str, ...]
    opens_at: int
    listing_ends_at: int | None
    rules: Mapping[str, Any]
    created_at: int
    ruleset: tuple[str, str] = ("", "")
    published_at: int | None = None
    stage: Stage = Stage.DRAFT


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit 保证金 of one organisation for one section or lot; released exactly once.

    Attributes:
        target: section or lot id.
        amount: 分.
        reference_ref: private-table reference of the bank's or guarantee's number.
        released_at: ms UTC, None while it is held.
    """

    id: str
    target: str
    organisation: str
    form: DepositForm
    amount: int
    reference_ref: str
    at: int
    released_at: int | None = None
