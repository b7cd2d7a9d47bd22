"""The state of this floor, and the row it is folded from (see `fold`)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from trading.model.acts import Proposal
from trading.model.announcement import Announcement, DocumentObjection, Question
from trading.model.identity import (
    Actor,
    Custodian,
    Delegation,
    Enrolment,
    Grant,
    Key,
    Organisation,
    Person,
    Role,
    Scope,
    Witness,
)
from trading.model.projects import Deposit, Lot, Project, Section, Session, Tender

STREAM: Final = "trading"
LEDGER: Final = "ledger"


class Row(Protocol):
    """What the fold reads of a journal row."""

    @property
    def stream(self) -> str:
        """Name of the stream."""
        ...

    @property
    def seq(self) -> int:
        """Place inside the stream, from 1; in stream `ledger` one more than the leaf index."""
        ...

    @property
    def at(self) -> int:
        """Instant of the act, ms UTC."""
        ...

    @property
    def kind(self) -> str:
        """What happened, a past participle."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """The event's JSON."""
        ...


@dataclass(slots=True)
class State:
    """Everything this floor knows. Two folds of the same rows are equal.

    Attributes:
        invitations: SHA-256 hex of an unused one-time code → the role it is for.
        organisations, people, enrolments, projects … : by id.
        codes: 统一社会信用代码 → organisation id.
        issued: enrolment id → public point of the key it led to.
        delegations: by person; the newest of each. `grants`: all of them by id, as signed.
        keys: by public point, 33 bytes; `key_ids` leads from the short id to it.
        deposit_ids: (target, organisation) → its newest deposit; there is at most one held.
        announcements: by section id; a section that nothing was said of has none.
        proposals: those neither carried nor known to be expired.
        nonces: of recent signed commands → instant; a command is taken once.
    """

    invitations: dict[str, Role] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    issued: dict[str, bytes] = field(default_factory=dict)
    keys: dict[bytes, Key] = field(default_factory=dict)
    key_ids: dict[str, bytes] = field(default_factory=dict)
    delegations: dict[str, Delegation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    custodians: dict[str, Custodian] = field(default_factory=dict)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    tenders: dict[str, Tender] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    deposits: dict[str, Deposit] = field(default_factory=dict)
    deposit_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    announcements: dict[str, Announcement] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    objections: dict[str, DocumentObjection] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)

    def announcement(self, section: str) -> Announcement:
        """What is said of a section: its documents, addenda, questions and objections."""
        return self.announcements.get(section) or Announcement()

    def acts_for_bidder(
        self, who: Actor, scope: Scope, now: int, where: Collection[str] = ()
    ) -> bool:
        """Whether a key acts for its bidder in a scope: the bidder's own, or a delegate's in power.

        Args:
            who: the key.
            scope: what is done.
            now: ms UTC.
            where: words among which the section, session or lot is that it is done in.
        """
        if who.role is not Role.DELEGATE:
            return who.role is Role.BIDDER
        return self.power_of(who, scope, now, where) is not None

    def power_of(
        self, who: Actor, scope: Scope, now: int, where: Collection[str] = ()
    ) -> Grant | None:
        """The delegation by which a delegate acts, None where it has none; arguments as above."""
        known = self.delegations.get(who.person)
        if (
            known is None
            or known.organisation != who.organisation
            or not known.covers(scope, now)
            or not self._meant(known, scope, where)
        ):
            return None
        return self.grants[known.id]

    def _meant(self, known: Delegation, scope: Scope, where: Collection[str]) -> bool:
        if not known.targets:
            return True
        named = {word for word in where if word in self.sections or word in self.sessions}
        named |= {
            self.lots[word].session if self.lots[word].session in known.targets else word
            for word in where
            if word in self.lots
        }
        # An upload is for no section yet; what is handed in of it is.
        return named <= set(known.targets) and (bool(named) or scope is Scope.SUBMIT)

    def deposit_of(self, target: str, organisation: str) -> Deposit | None:
        """The organisation's newest deposit for a section or lot, held or released."""
        known = self.deposit_ids.get((target, organisation))
        return self.deposits[known] if known else None
