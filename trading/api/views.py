"""From the state to answers; nothing here decides anything."""

from crypto.encoding import b64
from crypto.signature import key_id
from trading.api.shapes import (
    AuctionView,
    CustodianView,
    DepositView,
    KeyView,
    LotView,
    OrganisationView,
    OwnOrganisation,
    PersonView,
    ProposalView,
    SectionCustodian,
    SectionLine,
    SectionView,
    SummaryFieldView,
    TenderLine,
    TenderView,
    WaitingEnrolment,
    WitnessView,
)
from trading.ground.money import FEN, format_amount
from trading.model import (
    Custodian,
    Deposit,
    Enrolment,
    Lot,
    Organisation,
    Proposal,
    Section,
    Session,
    Tender,
    Witness,
)
from trading.service import TradingService


def organisation(item: Organisation) -> OrganisationView:
    """An organisation."""
    return OrganisationView(
        id=item.id, name=item.name, credit_code=item.credit_code, test=item.test
    )


def own_organisation(service: TradingService, organisation_id: str) -> OwnOrganisation:
    """One's own organisation with its people and every key ever issued to it."""
    state = service.state
    return OwnOrganisation(
        organisation=organisation(state.organisations[organisation_id]),
        people=[
            PersonView(id=p.id, name=service.person_name(p.id))
            for p in state.people.values()
            if p.organisation == organisation_id
        ],
        keys=[
            KeyView(
                key_id=k.key_id,
                person=k.person,
                role=k.role,
                certificate=k.certificate,
                issued_at_index=k.issued_at_index,
                revoked_at_index=k.revoked_at_index,
            )
            for k in state.keys.values()
            if k.organisation == organisation_id
        ],
    )


def waiting(service: TradingService, item: Enrolment) -> WaitingEnrolment:
    """An enrolment as the two people who issue the key see it."""
    return WaitingEnrolment(
        enrolment=item.id,
        organisation_name=item.organisation_name,
        credit_code=item.credit_code,
        test=item.test,
        person=item.person,
        person_name=service.desk.private.get(item.name_ref) or "",
        role=item.role,
        key=b64(item.public),
        key_id=key_id(item.public),
        at=item.at,
    )


def proposal(service: TradingService, item: Proposal) -> ProposalView:
    """A waiting proposal."""
    titles = {act.name: act.title for act in service.proposals.acts}
    return ProposalView(
        proposal=item.id,
        act=item.act,
        title=titles[item.act],
        body=dict(item.body),
        digest=item.digest,
        by_person=item.by.person,
        by_role=item.by.role,
        at=item.at,
        expires_at=item.expires_at,
    )


def custodian(item: Custodian) -> CustodianView:
    """A registered custodian."""
    return CustodianView(
        custodian=item.id,
        organisation=item.organisation,
        fingerprint=item.fingerprint,
        card=item.card,
        certificates=list(item.certificates),
        registered_at_index=item.registered_at_index,
    )


def witness(item: Witness) -> WitnessView:
    """A registered log witness."""
    return WitnessView(
        witness=item.id,
        organisation=item.organisation,
        fingerprint=item.fingerprint,
        card=item.card,
        certificates=list(item.certificates),
        registered_at_index=item.registered_at_index,
    )


def tender_line(service: TradingService, item: Tender) -> TenderLine:
    """A tender in the public list."""
    state = service.state
    project = state.projects[item.project]
    return TenderLine(
        id=item.id,
        name=item.name,
        tenderer=state.organisations[project.tenderer].name,
        sector=project.sector,
        regime=project.regime,
        method=item.method,
        stage=item.stage,
        published_at=item.published_at,
        sections=[
            SectionLine(
                id=s.id, name=s.name, deadline=s.deadline, stage=s.stage, suspended=s.suspended
            )
            for s in (state.sections[i] for i in item.sections)
        ],
    )


def tender(service: TradingService, item: Tender) -> TenderView:
    """A tender with its sections, whole."""
    state = service.state
    project = state.projects[item.project]
    return TenderView(
        id=item.id,
        project=project.id,
        name=item.name,
        tenderer=state.organisations[project.tenderer].name,
        agent=state.organisations[project.agent].name if project.agent else "",
        sector=project.sector,
        regime=project.regime,
        deal_code_class=project.deal_code_class,
        method=item.method,
        evaluation=item.evaluation,
        place=item.place,
        documents_from=item.documents_from,
        documents_to=item.documents_to,
        document_version=item.document_version,
        ruleset=list(item.ruleset),
        stage=item.stage,
        published_at=item.published_at,
        sections=[section(service, state.sections[s]) for s in item.sections],
    )


def section(service: TradingService, item: Section) -> SectionView:
    """A section, whole."""
    price = item.control_price
    return SectionView(
        id=item.id,
        tender=item.tender,
        name=item.name,
        stage=item.stage,
        suspended=item.suspended,
        control_price=None if price is None else format_amount(price, FEN),
        control_price_note=item.control_price_note,
        deposit=format_amount(item.deposit, FEN),
        duration_days_max=item.duration_days_max,
        deadline=item.deadline,
        minimum=item.minimum,
        custodians=[
            SectionCustodian(custodian=c.id, organisation=c.organisation, fingerprint=c.fingerprint)
            for c in service.custodians_of(item)
        ],
        threshold=item.custody.threshold,
        window_s=item.custody.window_s,
        remedy=item.custody.remedy,
        proof_of_possession=item.possession,
        float_points=list(item.float_points),
        summary_fields=[
            SummaryFieldView(name=f.name, title=f.title, kind=f.kind, unit=f.unit)
            for f in item.summary_fields
        ],
        recipient=item.key.recipient if item.key else "",
        ceremony=item.key.ceremony if item.key else "",
        notice=item.notice,
        tender_file=item.tender_file,
    )


def auction(service: TradingService, item: Session) -> AuctionView:
    """An auction session with its lots."""
    return AuctionView(
        id=item.id,
        name=item.name,
        opens_at=item.opens_at,
        listing_ends_at=item.listing_ends_at,
        rules=dict(item.rules),
        ruleset=list(item.ruleset),
        stage=item.stage,
        published_at=item.published_at,
        lots=[lot(service.state.lots[i]) for i in item.lots],
    )


def lot(item: Lot) -> LotView:
    """A lot."""
    return LotView(
        id=item.id,
        name=item.name,
        holder=item.holder,
        deposit=format_amount(item.deposit, FEN),
        details=dict(item.details),
        stage=item.stage,
        suspended=item.suspended,
    )


def deposit(item: Deposit) -> DepositView:
    """A deposit, to its owner or after T."""
    return DepositView(
        id=item.id,
        target=item.target,
        organisation=item.organisation,
        form=item.form,
        amount=format_amount(item.amount, FEN),
        at=item.at,
        released_at=item.released_at,
    )
