"""Addenda 补遗 and the tender documents 招标文件: what makes version n + 1 of a published section.

An addendum takes two people (act `section.amend`). If it can affect bids it leaves the time that
the tender's RuleSet asks for before T, or carries a later T; without either it is refused, and the
refusal names the article and the earliest lawful T (招标投标法 23, 实施条例 21, 87号令 27). What moving
T takes, and what else follows in the room that takes the bids, `bidding` says (`Mover`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, NamedTuple, Protocol

from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from trading.ground.blobs import Blob
from trading.ground.clock import rfc3339
from trading.ground.ids import new_id
from trading.ground.journal import Draft
from trading.model import (
    ACTS,
    Actor,
    Addendum,
    BusyError,
    ConflictError,
    Document,
    ForbiddenError,
    LateError,
    MalformedError,
    Proposal,
    Role,
    Section,
    Stage,
    UnknownError,
)
from trading.model.codec import to_json
from trading.rules.schedule import SLOT_MS, check_change
from trading.service.desk import Desk
from trading.service.forms import AddendumForm, DocumentForm, read
from trading.service.proposals import Effect, Proposals, closed_conflict
from trading.service.tenders import Tenders

MAX_DOCUMENTS: Final = 200
MAX_DOCUMENT_BYTES: Final = 1 << 30


class Followed(NamedTuple):
    """What an addendum does where bids are taken.

    Attributes:
        file: the section's tender file of the new version, signed.
        drafts: rows and ledger leaves of the same transaction.
        order: where T moves, the postponement signed by centre and supervisor, for custodians.
    """

    file: dict[str, Any]
    drafts: Sequence[Draft]
    order: dict[str, Any] | None


class Mover(Protocol):
    """The room that takes bids: what an addendum needs there, and what follows."""

    def turn(self, section: str) -> AbstractAsyncContextManager[None]:
        """Hold everything else that changes a section, and its slots, while an addendum is written."""
        ...

    def check(self, section: str, deadline: int, order: Mapping[str, Any] | None, at: int) -> None:
        """Raise if T cannot be moved so; `order` is the supervisor's signed postponement, if any."""
        ...

    def follow(
        self, section: str, addendum: Addendum, order: Mapping[str, Any] | None, at: int
    ) -> Followed:
        """Return what follows of it in that room."""
        ...


class Addenda:
    """Documents and addenda of sections."""

    def __init__(self, desk: Desk, proposals: Proposals, tenders: Tenders) -> None:
        self._desk = desk
        self._tenders = tenders
        self._mover: Mover | None = None
        acts = {act.name: act for act in ACTS}
        proposals.add(
            acts["section.amend"], self._check, self._carry, self._concerns, turn=self._turn
        )

    def moved_by(self, mover: Mover) -> None:
        """Let the room that takes bids have its say about every addendum."""
        self._mover = mover

    # Documents.

    def check_attach(
        self, who: Actor, section_id: str, signed: Mapping[str, Any], arrival: int
    ) -> DocumentForm:
        """Check what somebody says of a document that was uploaded.

        Args:
            who: tenderer or agent of the project, or an operator.
            section_id: of a section that has not closed.
            signed: statement of purpose `document` with section, name, sha256, size, nonce and at.
            arrival: ms UTC.

        Raises:
            TradingError: not his project, too late, too many, or the name does not fit.
        """
        form = read(DocumentForm, self._desk.step_up(who, signed, "document", arrival))
        section = self._tenders.section(section_id)
        if form.section != section.id:
            raise MalformedError("document-foreign", "文件不属于本标段", "Sign for this section.")
        self.check_owner(who, section)
        if section.stage is Stage.TERMINATED or arrival >= section.deadline:
            raise closed_conflict("Documents come before T, to a section that is not terminated")
        if len(self._desk.state.announcement(section.id).documents) >= MAX_DOCUMENTS:
            raise BusyError("documents-full", "招标文件过多", f"At most {MAX_DOCUMENTS} documents.")
        if form.size > MAX_DOCUMENT_BYTES:
            raise MalformedError("document-too-large", "文件过大", "A document has up to 1 GiB.")
        return form

    async def attach(
        self, who: Actor, section_id: str, signed: Mapping[str, Any], blob: Blob, arrival: int
    ) -> Document:
        """Keep a document with a section: part of version 1 before the notice, afterwards for an addendum.

        The arguments are those of `check_attach`, and its bytes as kept.

        Raises:
            MalformedError: `document-differs`, other bytes than were signed for.
        """
        async with self._desk.turn:
            form = self.check_attach(who, section_id, signed, arrival)
            if (blob.sha256, blob.size) != (form.sha256, form.size):
                raise MalformedError(
                    "document-differs",
                    "文件与声明不符",
                    "Size or SHA-256 is not the one signed for.",
                )
            draft = self._tenders.section(section_id).stage is Stage.DRAFT
            document = Document(
                new_id("doc"), form.name, blob.sha256, blob.size, blob.name, version=int(draft)
            )
            body = {
                "section": section_id,
                "document": to_json(document),
                "statements": [dict(signed)],
                "by": to_json(who),
            }
            await self._desk.append(self._desk.row("document.attached", body, arrival))
            return document

    def document(self, section_id: str, document_id: str) -> Document:
        """A document that anybody may have.

        Raises:
            UnknownError: none of that id is out.
        """
        section = self._tenders.section(section_id)
        if section.stage is not Stage.DRAFT:
            for document in self._desk.state.announcement(section_id).published():
                if document.id == document_id:
                    return document
        raise UnknownError("document-unknown", "没有该文件", "There is no such document.")

    def check_owner(self, who: Actor, section: Section) -> None:
        """Check that a tenderer or agent acts for its own project.

        Raises:
            ForbiddenError: it is another's.
        """
        project = self._desk.state.projects[self._tenders.find(section.tender).project]
        owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
        if owners.get(who.role, who.organisation) != who.organisation:
            raise ForbiddenError(
                "project-not-yours",
                "不是本单位的项目",
                "A tenderer or agent acts for its own projects only.",
            )

    # Addenda.

    def row(
        self, addendum: Addendum, section: str, file: Mapping[str, Any], at: int, **more: Any
    ) -> Draft:
        """The row of a change that did not come as a proposal: a postponement by order of two."""
        body = {"section": section, "addendum": to_json(addendum), "file": dict(file), **more}
        return self._desk.row("section.amended", body, at)

    def leaf(self, section: Section, addendum: Addendum, at: int) -> Draft:
        """The ledger leaf of a new version: what was said, by its hash, and T."""
        said = self._desk.state.announcement(section.id)
        named = {d.id: d.sha256 for d in said.documents if d.id in addendum.documents}
        body = {
            "tender": section.tender,
            "section": section.id,
            "version": addendum.version,
            "addendum": sha256_hex(canonical(to_json(addendum))),
            "documents": [named[d] for d in addendum.documents],
            "deadline": addendum.deadline,
        }
        return self._desk.leaf("section_amended", body, at)

    def _check(self, body: Mapping[str, Any], at: int) -> None:
        self._amendable(body, at)

    def _amendable(self, body: Mapping[str, Any], at: int) -> tuple[AddendumForm, Section]:
        form = read(AddendumForm, dict(body))
        section = self._tenders.section(form.section)
        if section.stage is not Stage.ANNOUNCED:
            raise closed_conflict("Only what is announced is amended")
        if at >= section.deadline:
            raise LateError(
                "deadline-over", "投标已截止", "After T the tender documents are as they are."
            )
        said = self._desk.state.announcement(section.id)
        waiting = {d.id for d in said.documents if not d.version}
        if len(set(form.documents)) != len(form.documents) or not waiting >= set(form.documents):
            raise ConflictError(
                "documents-not-waiting",
                "所列文件不是待发布的文件",
                "Name documents that were attached after the notice and are not out yet, each once.",
            )
        deadline = form.deadline or section.deadline
        if deadline < section.deadline or deadline % SLOT_MS:
            raise ConflictError(
                "deadline-only-later",
                "截止时间只能顺延至整秒",
                f"T stands at {rfc3339(section.deadline)} and moves only later, to a whole second.",
                rule="招标投标法 23",
            )
        if form.affects_bids:
            rules = self._tenders.ruleset_of(self._tenders.find(section.tender))
            check_change(rules, changed_at=at, deadline=section.deadline, new_deadline=deadline)
        if self._mover is not None:
            order = form.postponement.model_dump() if form.postponement else None
            self._mover.check(section.id, deadline, order, at)
        return form, section

    @asynccontextmanager
    async def _turn(self, body: Mapping[str, Any]) -> AsyncIterator[None]:
        if self._mover is None:
            yield
            return
        async with self._mover.turn(read(AddendumForm, dict(body)).section):
            yield

    async def _carry(self, proposal: Proposal, who: Actor, at: int) -> Effect:
        form, section = self._amendable(proposal.body, at)
        for person in (proposal.by, who):
            self.check_owner(person, section)
        addendum = Addendum(
            version=self._desk.state.announcement(section.id).version + 1,
            title=form.title,
            text=form.text,
            affects=form.affects_bids,
            documents=tuple(form.documents),
            previous=section.deadline,
            deadline=form.deadline or section.deadline,
            at=at,
        )
        body = {"section": section.id, "addendum": to_json(addendum), "file": None}
        result: dict[str, Any] = {
            "section": section.id,
            "version": addendum.version,
            "deadline": addendum.deadline,
            "postponement": None,  # signed by both, where T moves: `custodian take` accepts it
        }
        leaf = self.leaf(section, addendum, at)
        if self._mover is None:
            return Effect(body, (leaf,), result)
        order = form.postponement.model_dump() if form.postponement else None
        followed = self._mover.follow(section.id, addendum, order, at)
        body["file"], result["postponement"] = followed.file, followed.order
        return Effect(body, (leaf, *followed.drafts), result)

    def _concerns(self, body: Mapping[str, Any], who: Actor) -> bool:
        section = self._desk.state.sections.get(str(body.get("section")))
        if section is None:
            return False
        project = self._desk.state.projects[self._desk.state.tenders[section.tender].project]
        owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
        return owners.get(who.role) == who.organisation
