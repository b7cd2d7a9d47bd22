"""The facts that become paper: notice, opening record, auction transcript, deal confirmation.

Every fact is a frozen dataclass of strings, whole numbers and tuples. Units: times are milliseconds UTC; money is a
decimal string in 元 with two places ("46382715.40"); areas are decimal strings in 平方米 with two places; plot ratios
are decimal strings; digests are lower-case hex of SHA-256. An absent text is "", an absent number is None.
`facts.to_json()` is what `record.json` inside the PDF holds, in canonical form (RFC 8785); `facts_from_json` reads
any of the four back. The column list of the opening record is that of reference domain.md §1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from documents import codec
from documents.codec import DocumentError

__all__ = [
    "SUITE",
    "VERSION",
    "Confirmation",
    "ConfirmationFacts",
    "CustodyAnswer",
    "DocumentError",
    "Exclusion",
    "Facts",
    "Heading",
    "NoticeCustodian",
    "NoticeFacts",
    "Objection",
    "Offer",
    "Official",
    "OpeningFacts",
    "OpeningRow",
    "Outage",
    "Parcel",
    "Party",
    "Pause",
    "Phase",
    "Rank",
    "RuleLine",
    "TranscriptFacts",
    "Winner",
    "facts_from_json",
]

VERSION = 1
SUITE = "PAdES-RSA3072-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What every record says about itself.

    Attributes:
        centre: id of the trading centre, as in every statement and leaf.
        centre_name: its name as printed and on the seal.
        ruleset: name of the RuleSet in force; 演示 is printed large enough to be seen.
        number: printed number of the record (编号), unique in the centre.
        issued_at: time of the last event the record speaks of, ms UTC.
        ledger_origin: origin line of the ledger ("<centre>/ledger/<log_id>").
        ledger_size: size of the ledger's checkpoint the facts were taken under.
        ledger_root: root hash of that checkpoint, hex.
    """

    centre: str
    centre_name: str
    ruleset: str
    number: str
    issued_at: int
    ledger_origin: str
    ledger_size: int
    ledger_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One party of a bidder; a consortium (联合体) is several, with one lead. `role`: lead or member."""

    name: str
    credit_code: str
    role: str = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person with a part in the session. `role`: host, opening_witness or recorder."""

    role: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One line of a rules table: what is ruled, and how, both as printed."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the four kinds share: JSON in both directions under one version, purpose and suite."""

    KIND: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `record.json` holds (see the module text for units)."""
        body: dict[str, Any] = codec.to_json(self)
        centre = body["heading"]["centre"]
        return {
            "v": VERSION,
            "purpose": "record",
            "suite": SUITE,
            "centre": centre,
            "kind": self.KIND,
            **body,
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read facts of this kind back.

        Raises:
            DocumentError: when version, purpose, suite, kind or centre differ, or any field does not fit.
        """
        if not isinstance(data, dict):
            raise DocumentError("a record's facts are one JSON object")
        body = dict(data)
        outer = {name: body.pop(name, None) for name in ("v", "purpose", "suite", "kind", "centre")}
        facts = codec.from_json(cls, body, cls.KIND)
        if outer != {name: facts.to_json()[name] for name in outer} or outer["v"] is True:
            raise DocumentError(
                f"this is not a record of kind {cls.KIND}, version {VERSION}: {outer}"
            )
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCustodian:
    """A custodian as the notice prints it. `fingerprint`: SHA-256 of its pinned public key, hex."""

    index: int
    organisation: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts(Facts):
    """招标公告 of one section: what is tendered, and the lock under which bids lie until the opening.

    Attributes:
        deadline: bid deadline and opening time T, ms UTC, one and the same instant.
        control_price: 最高投标限价 or "" when `control_price_note` says why there is none yet.
        recipient: age1tag1… that bids are sealed to.
        threshold: t of the n `custodians` needed to open.
        unlock_window_s: seconds after T in which custodians answer.
        remedy: what happens when fewer than t answer (quorum failure).
        proof_of_possession: required or waived.
        certificate_digest: SHA-256 of the key ceremony's success certificate.
        late_uploads: the rule for uploads not complete before T.
        rules: further rules printed word by word.
    """

    KIND: ClassVar[str] = "notice"

    heading: Heading
    tender: str
    tender_name: str
    section: str
    section_name: str
    deal_code: str
    sector: str
    tenderer: str
    agent: str
    method: str
    evaluation: str
    control_price: str
    control_price_note: str
    bid_deposit: str
    duration_days_max: int | None
    document_version: int
    place: str
    deadline: int
    minimum_bidders: int
    float_points: tuple[str, ...]
    recipient: str
    custodians: tuple[NoticeCustodian, ...]
    threshold: int
    unlock_window_s: int
    remedy: str
    proof_of_possession: str
    summary_fields: tuple[str, ...]
    certificate_digest: str
    published_at: int
    late_uploads: str
    rules: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a quorum that cannot be: 1 <= t <= n."""
        if not 1 <= self.threshold <= len(self.custodians):
            raise DocumentError(
                f"a quorum of {self.threshold} among {len(self.custodians)} custodians cannot be"
            )


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
        confirmation: confirmed, objected or none (recorded as not confirmed, never as consent).
        credit_code: the lead party's, as printed.
        file_sha256: of the sealed file as received.
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
class Objection:
    """开标异议, raised in the hall and answered at once (实施条例 Art. 44)."""

    bidder: str
    raised_at: int
    text: str
    answered_at: int | None
    answer: str


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
class OpeningFacts(Facts):
    """开标记录表 of one section; also made for an opening that failed.

    Attributes:
        opened_at: the opening time T, ms UTC.
        outcome: opened or failed_too_few.
        unlock_mode: the unlock method in words, as the tender document states it.
        float_point: the drawn 浮动点 in percent, or "".
        excluded: refused, withdrawn, superseded and failed bids with cause and evidence.
        close_list_digest: SHA-256 of the signed close list.
        closing_size / closing_root: the closing checkpoint of the ledger.
        cosignatures: how many witnesses cosigned the closing checkpoint.
    """

    KIND: ClassVar[str] = "opening"

    heading: Heading
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
    officials: tuple[Official, ...]
    close_list_digest: str
    closing_size: int
    closing_root: str
    cosignatures: int


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
    """A winner and what it pays: (start floor price + surcharge) × added floor area."""

    parcel: str
    holder: str
    paddle: str
    surcharge: str
    floor_price: str
    added_gfa: str
    payable: str


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

    heading: Heading
    session: str
    session_name: str
    mode: str
    rules: tuple[RuleLine, ...]
    slots: int
    parcels: tuple[Parcel, ...]
    phases: tuple[Phase, ...]
    offers: tuple[Offer, ...]
    outages: tuple[Outage, ...]
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
        winning_seq: `seq` of the offer that won.
        payable_capital: the payable amount in 大写.
        conditions: numbered sentences: when to sign, what follows from not signing, the deposit.
        transcript_number: printed number of the transcript it follows from.
    """

    KIND: ClassVar[str] = "confirmation"

    heading: Heading
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
    payable_capital: str
    deposit: str
    deal_at: int
    winning_seq: int
    conditions: tuple[str, ...]
    transcript_number: str
    chain_head: str


KINDS: dict[str, type[Facts]] = {
    kind.KIND: kind for kind in (NoticeFacts, OpeningFacts, TranscriptFacts, ConfirmationFacts)
}


def facts_from_json(data: Any) -> Facts:
    """Read the facts of whichever kind `data` says it is.

    Raises:
        DocumentError: for an unknown kind or facts that do not fit it.
    """
    kind = KINDS.get(data.get("kind", "")) if isinstance(data, dict) else None
    if kind is None:
        raise DocumentError("this record's kind is not known to this version")
    return kind.from_json(data)
