"""The facts of an opening record 开标记录表 (columns: reference domain.md §1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from documents.model.base import Facts, Official, Party


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyAnswer:
    """How one custodian answered at the opening. `status`: answered, wrong or silent."""

    index: int
    organisation: str
    status: str
    at: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRow:
    """One bid in reading order. A bid that did not open has "" or None in what it would have said.

    Attributes:
        deposit: paid, e_guarantee or unpaid.
        unlock: opened, remedied, deemed_revoked (撤销), deemed_withdrawn (撤回) or undetermined.
        confirmation: confirmed, objected, none (recorded as not confirmed, never as consent) or, in government
            procurement only, deemed_accepted_absent (87号令 Art. 42: who took no part).
        signed_in_at: when the bidder came into the hall, None if it did not.
        credit_code: the lead party's, as printed.
        file_sha256: of the sealed file as received.
        representative: 委托代理人 as the bid's own summary names it; `delegates`: names of those who
            acted for the bidder here by a signed delegation, in order; they need not be the same.
    """

    no: int
    bidder: tuple[Party, ...]
    credit_code: str
    submitted_at: int
    file_sha256: str
    deposit: str
    unlock: str
    unlocked_at: int | None
    total_price: str
    duration_days: int | None
    quality: str
    project_manager: str
    representative: str
    delegates: tuple[str, ...]
    signed_in_at: int | None
    confirmation: str
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A bid that was not read out. `status`: refused, withdrawn, superseded or failed.

    `at` is the instant of the act or arrival; `evidence` the SHA-256 of the statement that proves `cause`.
    """

    bidder: tuple[Party, ...]
    status: str
    at: int
    cause: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file of an objection or an answer: named as its sender named it, known by its hash."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """开标异议, raised in the hall and answered at once (实施条例 Art. 44)."""

    bidder: str
    raised_at: int
    text: str
    answered_at: int | None
    answer: str
    files: tuple[Enclosure, ...]
    answer_files: tuple[Enclosure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A bidder's answer to the record: confirmed, objected or none, with the digest of its statement."""

    bidder: str
    answer: str
    at: int | None
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """中止 and 复会: the window freezes from `since` to `until` (None while it lasts)."""

    since: int
    until: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconvening:
    """复会: at `set_at` two people told everybody that the hall goes on, or meets again, at `at`."""

    set_at: int
    at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A line of 投标人签到表. `status`: signed_in, late (at or after T) or absent."""

    bidder: str
    at: int | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A line of 投标文件递交时间表. `act`: submitted, replaced (a new version), withdrawn or refused."""

    bidder: str
    act: str
    at: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A named person's signed decision whose cause it was that a bid did not open (办法 Art. 31).

    Attributes:
        code: what the opening found; `verdict` what was decided.
        by: name; `role` in which; `statement`: SHA-256 of the signed decision.
    """

    bidder: str
    code: str
    verdict: str
    by: str
    role: str
    reason: str
    at: int | None
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityNote:
    """身份核验例外: what did not fit about a bidder's delegate."""

    bidder: str
    at: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Muting:
    """禁言 from `since` to `until` (None: to the end)."""

    bidder: str
    since: int
    until: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFacts(Facts):
    """开标记录表 of one section; also made for an opening that failed.

    Attributes:
        opened_at: the opening time T, ms UTC.
        outcome: opened, failed_too_few or failed_quorum.
        unlock_mode: the unlock method in words, as the tender document states it.
        float_point: the drawn 浮动点 in percent, or "".
        regime: works (招标投标法) or procurement (政府采购法); by it silence is read.
        messages: how many there were in the hall; each stands among the events.
        excluded: refused, withdrawn, superseded and failed bids with cause and evidence.
        close_list_digest: SHA-256 of the signed close list.
        closing_size / closing_root: the closing checkpoint of the ledger.
        cosignatures: how many witnesses cosigned the closing checkpoint.
        chain_head / last_seq: hash and number of the last journal row of the section's stream that
            the facts were computed from, so that the events beside the record can be tied to it.
    """

    KIND: ClassVar[str] = "opening"

    tender: str
    tender_name: str
    section: str
    section_name: str
    deal_code: str
    tenderer: str
    agent: str
    method: str
    control_price: str
    float_point: str
    opened_at: int
    place: str
    document_version: int
    unlock_mode: str
    threshold: int
    custody: tuple[CustodyAnswer, ...]
    outcome: str
    rows: tuple[OpeningRow, ...]
    excluded: tuple[Exclusion, ...]
    confirmations: tuple[Confirmation, ...]
    objections: tuple[Objection, ...]
    pauses: tuple[Pause, ...]
    reconvenings: tuple[Reconvening, ...]
    sign_ins: tuple[SignIn, ...]
    deliveries: tuple[Delivery, ...]
    decisions: tuple[Decided, ...]
    identity: tuple[IdentityNote, ...]
    mutings: tuple[Muting, ...]
    messages: int
    regime: str
    officials: tuple[Official, ...]
    close_list_digest: str
    closing_size: int
    closing_root: str
    cosignatures: int
    chain_head: str = ""
    last_seq: int = 0
