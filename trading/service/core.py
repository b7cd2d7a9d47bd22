"""The trading service: the parts at one desk, and what the rooms above ask of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trading.ground.ca import pem
from trading.ground.ground import Ground
from trading.model import (
    Actor,
    Custodian,
    DepositForm,
    Lot,
    RuleSet,
    Scope,
    Section,
    SectionKey,
    Session,
    State,
    Tender,
    Witness,
)
from trading.rules.loading import check_name
from trading.service.addenda import Addenda
from trading.service.auctions import Auctions
from trading.service.cards import Cards
from trading.service.delegations import Delegations
from trading.service.deposits import Deposits
from trading.service.desk import Desk
from trading.service.enquiries import Enquiries
from trading.service.enrolment import Enrolments
from trading.service.holds import Holds
from trading.service.proposals import Proposals
from trading.service.sessions import Sessions
from trading.service.tenders import Tenders
from trading.store import load_rulesets


class TradingService:
    """The centre's own business: people, keys, tenders, lots, deposits.

    Args:
        ground: open and verified.
        rulesets: by default those of the checkout.

    Attributes:
        certificates: name → PEM of the centre's own, shown at `/centre`; `main` adds those of
            seal, timestamp authority and log.
    """

    def __init__(self, ground: Ground, rulesets: list[RuleSet] | None = None) -> None:
        self.settings = ground.settings
        self.clock = ground.clock
        self.ledger = ground.ledger
        self.blobs = ground.blobs
        self.certificates = {"root": pem(ground.ca.root)}
        self.desk = Desk(
            settings=ground.settings,
            clock=ground.clock,
            journal=ground.journal,
            private=ground.private,
            authority=ground.ca,
            rulesets=load_rulesets() if rulesets is None else rulesets,
        )
        self.proposals = Proposals(self.desk)
        self.sessions = Sessions(self.desk, ground.database)
        self.enrolments = Enrolments(self.desk, self.proposals)
        self.cards = Cards(self.desk, self.proposals)
        self.tenders = Tenders(self.desk, self.proposals)
        self.addenda = Addenda(self.desk, self.proposals, self.tenders)
        self.enquiries = Enquiries(self.desk, self.tenders, self.addenda)
        self.auctions = Auctions(self.desk, self.proposals, self.tenders)
        self.delegations = Delegations(self.desk)
        self.deposits = Deposits(self.desk, self.proposals)
        self.holds = Holds(self.desk, self.proposals)

    @property
    def state(self) -> State:
        """Everything this floor knows; read, never write."""
        return self.desk.state

    async def start(self) -> None:
        """Fold the journal, take up sessions, and on a fresh home invite the first people.

        Raises:
            ConflictError: the settings name a RuleSet that is not there.
            UnlawfulError: a live centre is told to use demonstration rules.
        """
        check_name(self.desk.rulesets, self.settings.ruleset, live=self.settings.live)
        self.desk.start()
        self.sessions.start()
        await self.enrolments.invite_first(Path(self.settings.home))

    def party(self, public: bytes) -> Actor:
        """Who a certified key (33 bytes) belongs to now.

        Raises:
            ForbiddenError: it is not certified here, or revoked.
        """
        return self.desk.actor(public)

    def submits_for(self, public: bytes, bidder: str, section: str) -> bool:
        """Whether a key is a bidder's own now, or of a delegate that may submit for it to a section.

        Raises:
            ForbiddenError: it is not certified here, or revoked.
        """
        who = self.desk.actor(public)
        return who.organisation == bidder and self.sessions.allows(who, Scope.SUBMIT, (section,))

    def key_valid(self, public: bytes, index: int) -> bool:
        """Whether a key (33 bytes) was certified and not revoked as of a ledger index."""
        key = self.state.keys.get(public)
        return key is not None and key.valid_at(index)

    def tender(self, tender_id: str) -> Tender:
        """A tender; raises `UnknownError`."""
        return self.tenders.find(tender_id)

    def section(self, section_id: str) -> Section:
        """A section 标段; raises `UnknownError`."""
        return self.tenders.section(section_id)

    def auction_session(self, session_id: str) -> Session:
        """An auction session 竞价场次; raises `UnknownError`."""
        return self.auctions.find(session_id)

    def lot(self, lot_id: str) -> Lot:
        """A lot 宗地/标的; raises `UnknownError`."""
        return self.auctions.lot(lot_id)

    def ruleset(self, tender: Tender) -> RuleSet:
        """The RuleSet that a published tender keeps; raises `UnknownError`."""
        return self.tenders.ruleset_of(tender)

    def custodians_of(self, section: Section) -> tuple[Custodian, ...]:
        """A section's custodians in the order of the ceremony."""
        return tuple(self.state.custodians[c] for c in section.custody.custodians)

    def witnesses(self) -> tuple[Witness, ...]:
        """Every registered witness that holds no share."""
        return tuple(self.state.witnesses.values())

    def deposit_status(self, section_id: str, organisation: str) -> DepositForm:
        """How a bidder's deposit stood; refused before T (`ForbiddenError`)."""
        return self.deposits.status(section_id, organisation, self.clock.now())

    def deposit_held(self, lot_id: str, organisation: str) -> bool:
        """Whether an organisation holds the deposit for a lot now: the auction's gate."""
        return self.deposits.held(lot_id, organisation)

    def step_up(
        self, who: Actor, signed: Mapping[str, Any], purpose: str, arrival: int
    ) -> dict[str, Any]:
        """Check the fresh signature of a critical command; see `Desk.step_up`."""
        return self.desk.step_up(who, signed, purpose, arrival)

    async def assign_key(self, section_id: str, key: SectionKey) -> None:
        """Give a section its ceremony's key; see `Tenders.assign_key`."""
        await self.tenders.assign_key(section_id, key)

    async def file_tender(self, section_id: str, file: Mapping[str, Any]) -> None:
        """Put a section's signed tender file in its place; see `Tenders.file_tender`."""
        await self.tenders.file_tender(section_id, file)

    async def notice_issued(self, section_id: str, record: str, version: int) -> None:
        """Note the record id and version of a section's newest notice."""
        await self.tenders.notice_issued(section_id, record, version)

    def person_name(self, person: str) -> str:
        """A person's name from the private table, or empty when it was erased or never was."""
        known = self.state.people.get(person)
        return (self.desk.private.get(known.name_ref) or "") if known else ""
