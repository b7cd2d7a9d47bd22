"""Tenders: registered by two people, keyed by the ceremony, published if the schedule is lawful.

The order of things: registration 进场登记 → the section's key ceremony (`bidding` calls
`assign_key` and `file_tender`) → publication 公告, which freezes the RuleSet of its day → the
notice on paper (`notice_issued`). Publication is refused while a section has no key: the notice
must name the lock under which bids will lie.
"""

from collections.abc import Mapping
from typing import Any

from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from trading.ground.ids import new_id
from trading.ground.money import FEN, parse_amount
from trading.model import (
    ACTS,
    Actor,
    ConflictError,
    Custody,
    MalformedError,
    Project,
    Proposal,
    Regime,
    Role,
    RuleSet,
    Section,
    SectionKey,
    Stage,
    SummaryField,
    Tender,
    UnknownError,
)
from trading.model.codec import to_json
from trading.rules.counting import day_of
from trading.rules.loading import choose
from trading.rules.schedule import check_tender
from trading.service.desk import Desk
from trading.service.forms import SectionForm, TargetForm, TenderForm, TenderTarget, read
from trading.service.proposals import Effect, Proposals, closed_conflict


class Tenders:
    """Projects, tenders and sections."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["tender.create"], self._check_create, self._create, self._registers)
        proposals.add(acts["tender.publish"], self._check_publish, self._publish)
        proposals.add(acts["tender.terminate"], self._check_terminate, self._terminate, self._ends)

    def ruleset(self, regime: Regime, at: int) -> RuleSet:
        """The RuleSet that a notice of this instant would keep.

        Raises:
            ConflictError: none, or several, are in force.
            UnlawfulError: a live centre with demonstration rules.
        """
        settings = self._desk.settings
        return choose(self._desk.rulesets, settings.ruleset, regime, day_of(at), live=settings.live)

    def ruleset_of(self, tender: Tender) -> RuleSet:
        """The RuleSet that a published tender keeps, whatever has come into force since."""
        regime = self._desk.state.projects[tender.project].regime
        for ruleset in self._desk.rulesets:
            if (ruleset.name, ruleset.version) == tender.ruleset and ruleset.regime is regime:
                return ruleset
        raise UnknownError(
            "ruleset-missing",
            "没有适用的规则集",
            "The tender's RuleSet is not among the files of this centre; it must be put back.",
        )

    def find(self, tender_id: str) -> Tender:
        """A tender.

        Raises:
            UnknownError: there is none of that id.
        """
        tender = self._desk.state.tenders.get(tender_id)
        if tender is None:
            raise UnknownError("tender-unknown", "没有该招标", "There is no such tender.")
        return tender

    def section(self, section_id: str) -> Section:
        """A section.

        Raises:
            UnknownError: there is none of that id.
        """
        section = self._desk.state.sections.get(section_id)
        if section is None:
            raise UnknownError("section-unknown", "没有该标段", "There is no such section.")
        return section

    async def assign_key(self, section_id: str, key: SectionKey) -> None:
        """Give a section the key of its ceremony, once, before publication.

        Args:
            section_id: of a section in draft.
            key: whose context must name this section's T and minimum.

        Raises:
            ConflictError: the section has a key or is published, or the key is for another T.
        """
        async with self._desk.turn:
            section = self.section(section_id)
            if section.stage is not Stage.DRAFT or section.key is not None:
                raise closed_conflict("A section gets one key, before its notice")
            if (key.deadline, key.minimum) != (section.deadline, section.minimum):
                raise ConflictError(
                    "key-context-differs",
                    "密钥语境与标段不符",
                    "The key was made for another T or minimum; a new ceremony is needed.",
                )
            at = self._desk.clock.now()
            body = {"section": section.id, "key": to_json(key)}
            await self._desk.append(self._desk.row("section.keyed", body, at))

    async def file_tender(self, section_id: str, file: Mapping[str, Any]) -> None:
        """Put the signed tender file of a section in its place, for sealers to fetch."""
        async with self._desk.turn:
            section = self.section(section_id)
            body = {"section": section.id, "file": dict(file)}
            await self._desk.append(self._desk.row("tender.filed", body, self._desk.clock.now()))

    async def notice_issued(self, section_id: str, record: str, version: int) -> None:
        """Note the record id and version of a section's newest notice, once it is on paper."""
        async with self._desk.turn:
            body = {"section": self.section(section_id).id, "record": record, "version": version}
            await self._desk.append(self._desk.row("notice.issued", body, self._desk.clock.now()))

    def _check_create(self, body: Mapping[str, Any], at: int) -> None:
        self._read(body, at)

    def _read(self, body: Mapping[str, Any], at: int) -> tuple[Project, Tender, list[Section]]:
        form = read(TenderForm, dict(body))
        project = Project(
            new_id("prj"),
            form.name,
            self._organisation(form.tenderer),
            self._organisation(form.agent) if form.agent else "",
            form.sector,
            Regime(form.regime),
            form.deal_code_class,
        )
        tender_id = new_id("ten")
        sections = [self._section(tender_id, item, at) for item in form.sections]
        tender = Tender(
            tender_id, project.id, form.name, form.method, form.evaluation, form.place,
            form.documents_from, form.documents_to, tuple(s.id for s in sections), at,
        )  # fmt: skip
        return project, tender, sections

    def _section(self, tender: str, form: SectionForm, at: int) -> Section:
        if (form.control_price is None) == (form.control_price_note == ""):
            raise MalformedError(
                "control-price-missing",
                "须公布最高投标限价或说明",
                "Give a control price, or a note that says why there is none; not both.",
                rule="实施条例 27",
            )
        custody = form.custody
        unknown = [c for c in custody.custodians if c not in self._desk.state.custodians]
        if unknown or len(set(custody.custodians)) != len(custody.custodians):
            raise MalformedError(
                "custodians-unknown",
                "密钥托管人未登记或重复",
                "Name registered custodians, each once; register the others first.",
            )
        if form.deadline <= at:
            raise ConflictError("deadline-past", "截止时间已过", "The deadline lies in the past.")
        return Section(
            id=new_id("sec"),
            tender=tender,
            name=form.name,
            control_price=(
                None if form.control_price is None else parse_amount(form.control_price, FEN)
            ),
            control_price_note=form.control_price_note,
            deposit=parse_amount(form.deposit, FEN),
            duration_days_max=form.duration_days_max,
            deadline=form.deadline,
            minimum=form.minimum,
            custody=Custody(
                tuple(custody.custodians), custody.threshold, custody.window_s, custody.remedy
            ),
            possession=form.proof_of_possession,
            float_points=tuple(form.float_points),
            summary_fields=tuple(
                SummaryField(f.name, f.title, f.kind, f.unit) for f in form.summary_fields
            ),
        )

    def _organisation(self, code: str) -> str:
        known = self._desk.state.codes.get(code)
        if known is None:
            raise UnknownError(
                "organisation-unknown",
                "单位未登记",
                "No organisation of that credit code has a key here; it must enrol first.",
            )
        return known

    async def _create(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        project, tender, sections = self._read(proposal.body, at)
        self._check_own(proposal.by, project)
        body = {
            "project": to_json(project),
            "tender": to_json(tender),
            "sections": to_json(sections),
        }
        result = {
            "project": project.id,
            "tender": tender.id,
            "sections": [section.id for section in sections],
        }
        return Effect(body, (), result)

    def _check_own(self, who: Actor, project: Project) -> None:
        mine = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
        if who.role in mine and mine[who.role] != who.organisation:
            raise ConflictError(
                "project-not-yours",
                "只能登记本单位项目",
                "A tenderer or agent registers projects of its own; the centre registers others.",
            )

    def _registers(self, body: Mapping[str, Any], who: Actor) -> bool:
        """Whether a registration is of somebody's own project."""
        code = body.get({Role.TENDERER: "tenderer", Role.AGENT: "agent"}.get(who.role, ""))
        return isinstance(code, str) and self._desk.state.codes.get(code) == who.organisation

    def _ends(self, body: Mapping[str, Any], who: Actor) -> bool:
        """Whether a termination is of somebody's own project."""
        target = body.get("target")
        tender = self._desk.state.tenders.get(target) if isinstance(target, str) else None
        if tender is None:
            return False
        project = self._desk.state.projects[tender.project]
        owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
        return owners.get(who.role) == who.organisation

    def _check_publish(self, body: Mapping[str, Any], at: int) -> None:
        self._publishable(body, at)

    def _publishable(self, body: Mapping[str, Any], at: int) -> tuple[Tender, RuleSet, list[str]]:
        tender = self.find(read(TenderTarget, dict(body)).tender)
        sections = [self._desk.state.sections[s] for s in tender.sections]
        if tender.stage is not Stage.DRAFT:
            raise closed_conflict("A tender is published once, from draft")
        if any(s.key is None or s.tender_file is None for s in sections):
            raise closed_conflict("Every section needs its key and tender file before the notice")
        regime = self._desk.state.projects[tender.project].regime
        rules = self.ruleset(regime, at)
        warnings = check_tender(
            rules,
            published_at=at,
            documents_from=tender.documents_from,
            documents_to=tender.documents_to,
            sections=sections,
        )
        return tender, rules, warnings

    async def _publish(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        tender, rules, warnings = self._publishable(proposal.body, at)
        files = [self._desk.state.sections[s].tender_file for s in tender.sections]
        leaf = {
            "tender": tender.id,
            "sections": list(tender.sections),
            "ruleset": [rules.name, rules.version],
            "files": [sha256_hex(canonical(file)) for file in files],
        }
        return Effect(
            {"tender": tender.id, "ruleset": [rules.name, rules.version]},
            (self._desk.leaf("tender_published", leaf, at),),
            {"tender": tender.id, "warnings": warnings},
        )

    def _check_terminate(self, body: Mapping[str, Any], _at: int) -> None:
        self._terminable(body)

    def _terminable(self, body: Mapping[str, Any]) -> tuple[Tender, str]:
        form = read(TargetForm, dict(body))
        tender = self.find(form.target)
        if tender.stage is Stage.TERMINATED:
            raise closed_conflict("This tender is terminated already")
        return tender, form.reason

    async def _terminate(self, proposal: Proposal, who: Actor, at: int) -> Effect:
        tender, reason = self._terminable(proposal.body)
        for person in (proposal.by, who):
            self._check_own(person, self._desk.state.projects[tender.project])
        leaf = {"tender": tender.id, "reason": reason}
        return Effect(
            {"tender": tender.id, "reason": reason},
            (self._desk.leaf("tender_terminated", leaf, at),),
            {"tender": tender.id},
        )
