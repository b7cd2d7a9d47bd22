"""Who there is: organisation ≠ person ≠ key, and a bidder is a list of parties.

An organisation 单位 is known by its 统一社会信用代码, a person by an id and a salted commitment
of the name (the name itself lies in the erasable private table), a key by its public point. A
key belongs to one person and carries one role; it is valid *as of* a ledger index, so that a
signature of last year is judged by the keys of last year.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from trading.model.errors import MalformedError

MAX_PARTIES: Final = 16


class Role(StrEnum):
    """What a key may act as. The Chinese terms are those of the glossary."""

    BIDDER = "bidder"  # 投标人/竞买人
    DELEGATE = "delegate"  # 委托代理人: acts for a bidder in a scope
    TENDERER = "tenderer"  # 招标人
    AGENT = "agent"  # 招标代理
    OPERATOR = "operator"  # 中心经办
    REVIEWER = "reviewer"  # 中心复核
    SUPERVISOR = "supervisor"  # 行政监督
    AUDITOR = "auditor"  # 审计
    CUSTODIAN = "custodian"  # 密钥托管人
    WITNESS = "witness"  # 日志见证人
    SYSTEM_ADMIN = "system_admin"  # 系统管理员
    SECURITY_ADMIN = "security_admin"  # 安全管理员
    AUDIT_ADMIN = "audit_admin"  # 审计管理员


CENTRE_STAFF: Final = frozenset({Role.OPERATOR, Role.REVIEWER})
SEPARATED_ADMINS: Final = frozenset(  # 三员: mutually exclusive, no business data
    {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
)
EXCLUSIVE: Final = (  # nobody may hold two of these (reliability.md §4)
    CENTRE_STAFF | SEPARATED_ADMINS | {Role.SUPERVISOR, Role.AUDITOR, Role.BIDDER, Role.DELEGATE}
)
OUTSIDE: Final = frozenset(  # independent of the centre: they may bring their own certificates
    {Role.SUPERVISOR, Role.CUSTODIAN, Role.WITNESS}
)
LOGIN: Final = frozenset(Role) - {Role.CUSTODIAN, Role.WITNESS}  # those two only sign and call out


@dataclass(frozen=True, slots=True)
class Organisation:
    """A unit with a checked credit code. `test`: the code is of the test series."""

    id: str
    name: str
    credit_code: str
    test: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of an organisation. `name_ref` points into the private table; it may be erased.

    Attributes:
        name_commitment: hex of SHA-256(salt ‖ name).
        key_ids: of every key ever issued, oldest first.
    """

    id: str
    organisation: str
    name_ref: str
    name_commitment: str
    key_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A person's certified P-256 key.

    Attributes:
        key_id: first 16 hex digits of the SHA-256 of the public point.
        public: 33 bytes, compressed.
        role: what it acts as.
        certificate: PEM; from the embedded authority, or brought (`OUTSIDE`).
        issued_at_index: ledger index of the issuance; -1 while the leaf is on its way.
        revoked_at_index: ledger index of the revocation, None while it stands.
    """

    key_id: str
    public: bytes
    person: str
    organisation: str
    role: Role
    certificate: str
    issued_at_index: int = -1
    revoked_at_index: int | None = None

    def valid_at(self, index: int) -> bool:
        """Say whether it is valid for a statement logged at a ledger index.

        The issuance itself counts, the revocation itself does not: `[issued, revoked)`.
        """
        if not 0 <= self.issued_at_index <= index:
            return False
        return self.revoked_at_index is None or index < self.revoked_at_index

    @property
    def live(self) -> bool:
        """Whether it is issued and not revoked as of the newest leaf."""
        return self.issued_at_index >= 0 and self.revoked_at_index is None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: one key of one person of one organisation, in one role."""

    person: str
    organisation: str
    role: Role
    key_id: str
    public: bytes


class Scope(StrEnum):
    """What a bidder may let a delegate do for it."""

    SUBMIT = "submit"  # 上传、递交、撤回、回执
    CONFIRM = "confirm"  # 签到、确认、承诺
    OBJECT = "object"  # 提问、异议
    OFFER = "offer"  # 竞买申请、报价


class Bidders(frozenset[Role]):
    """Roles of a row of the access table: bidders, and delegates whose power covers `scope`."""

    scope: Scope

    def __new__(cls, scope: Scope, *others: Role) -> Self:
        """Make the set; `others` are roles beside them."""
        made = super().__new__(cls, {Role.BIDDER, Role.DELEGATE, *others})
        made.scope = scope
        return made


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a person may do for a bidder, `[granted_at, until)`, signed by the bidder's own key.

    Attributes:
        targets: ids of the sections, sessions and lots it is for; empty: all.
    """

    id: str
    organisation: str
    person: str
    scopes: tuple[Scope, ...]
    until: int
    granted_at: int
    revoked_at: int | None = None
    targets: tuple[str, ...] = ()

    def covers(self, scope: Scope, now: int) -> bool:
        """Whether it lets its person act in a scope at an instant."""
        return self.revoked_at is None and now < self.until and scope in self.scopes


@dataclass(frozen=True, slots=True)
class Grant:
    """A delegation with the words that its bidder signed: what an auditor years later checks.

    Attributes:
        signed: the statement of purpose `delegation`.
        ended: what ended it early: a signed `delegation_revocation`, or the next `delegation` of the
            same person; None while nothing has. `ended_at`: its arrival, ms UTC.
    """

    delegation: Delegation
    signed: Mapping[str, Any]
    ended: Mapping[str, Any] | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A request for a key, waiting for two people; none of it is an organisation yet."""

    id: str
    organisation_name: str
    credit_code: str
    test: bool
    person: str
    name_ref: str
    name_commitment: str
    public: bytes
    role: Role
    certificate: str
    at: int


@dataclass(frozen=True, slots=True)
class Party:
    """One party of a bidder. A bidder alone is one party that leads."""

    organisation: str
    lead: bool

    def to_json(self) -> dict[str, Any]:
        """The form that stands in statements and journal rows."""
        return {"organisation": self.organisation, "lead": self.lead}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read `to_json` back.

        Raises:
            MalformedError: other members, or members of another type.
        """
        if (
            not isinstance(value, dict)
            or set(value) != {"organisation", "lead"}
            or not isinstance(value["organisation"], str)
            or not isinstance(value["lead"], bool)
        ):
            raise MalformedError(
                "party-malformed",
                "投标主体格式不正确",
                'A party is {"organisation": id, "lead": true or false}.',
            )
        return cls(value["organisation"], value["lead"])


def consortium(parties: Iterable[Party]) -> tuple[Party, ...]:
    """Check a bidder 投标人 or consortium 联合体: its parties, the lead first.

    Raises:
        MalformedError: no party or more than 16, none or several leads, an organisation twice.

    Source: 招标投标法 art. 31 (one consortium bids as one bidder).
    """
    listed: Sequence[Party] = tuple(parties)
    leads = [p for p in listed if p.lead]
    distinct = {p.organisation for p in listed}
    if not 1 <= len(listed) <= MAX_PARTIES or len(leads) != 1 or len(distinct) != len(listed):
        raise MalformedError(
            "parties-malformed",
            "联合体成员不合要求",
            f"Name 1 to {MAX_PARTIES} different organisations, exactly one of them as lead.",
            rule="招标投标法 31",
        )
    return (*leads, *(p for p in listed if not p.lead))


@dataclass(frozen=True, slots=True)
class Custodian:
    """A custodian 密钥托管人 as registered: it made its own keys and presented a signed card.

    Attributes:
        id: as it names itself; unique in the centre.
        organisation: who stands for it, as printed; no organisation holds two shares.
        card: the signed statement as presented (purpose `enrolment`).
        public: statement key, 33 bytes; signs everything the custodian says.
        host_key: long-term key of the key ceremony, 33 bytes.
        witness: note verifier key text of its log witness, which cosigns checkpoints.
        fingerprint: hex of SHA-256 over the card's signed bytes: what people compare.
        certificates: PEM of statement key and note key, as presented or as brought.
        registered_at_index: ledger index of the registration; -1 while on its way.
    """

    id: str
    organisation: str
    card: dict[str, Any]
    public: bytes
    host_key: bytes
    witness: str
    fingerprint: str
    certificates: tuple[str, ...] = ()
    registered_at_index: int = -1


@dataclass(frozen=True, slots=True)
class Witness:
    """A log witness that holds no share (supervisor, auditor). Fields as for `Custodian`.

    Attributes:
        card: the signed statement as presented (purpose `witness_enrolment`).
        vkey: note verifier key text.
    """

    id: str
    organisation: str
    card: dict[str, Any]
    public: bytes
    vkey: str
    fingerprint: str
    certificates: tuple[str, ...] = ()
    registered_at_index: int = -1
