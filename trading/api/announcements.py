"""What is said of a section between notice and opening: documents, addenda, questions, objections.

Reading is public and leaves no trace: no counter, no log line, equal answers for everybody, so that
nobody learns who or how many took the documents (招标投标法 22, 电子招标投标办法 21).
"""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Response, status
from fastapi.responses import StreamingResponse

from trading.access import PUBLIC, Rule, actor, maybe_actor
from trading.api.shapes import Answer, Arrival
from trading.ground.blobs import CHUNK, Blob
from trading.model import (
    CENTRE_STAFF,
    Actor,
    Bidders,
    DocumentObjection,
    Question,
    Role,
    Scope,
    Stage,
    UnknownError,
)
from trading.rules.objecting import objections_end
from trading.service import TradingService
from trading.service.forms import QuestionForm, SignedForm

BASE: Final = "/api/v1/sections/{section_id}"
_OBJECT: Final = Bidders(Scope.OBJECT)
_OWNERS: Final = frozenset({Role.TENDERER, Role.AGENT})
_AFTER_T: Final = CENTRE_STAFF | {Role.SUPERVISOR, Role.AUDITOR}
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,8}$")

ACCESS: Final = (
    Rule("GET", f"{BASE}/announcement", PUBLIC, "招标文件、补遗、答疑、异议；提问人不留存"),
    Rule("GET", f"{BASE}/documents/{{document_id}}", PUBLIC, "下载招标文件；不计数、不留痕"),
    Rule("POST", f"{BASE}/questions", _OBJECT, "匿名提问；任何人不知提问人", "截止前"),
    Rule("GET", f"{BASE}/questions", _OWNERS, "待答复的提问，限本项目", own=True),
    Rule(
        "POST", f"{BASE}/questions/{{question_id}}/answer", _OWNERS, "向所有人答疑，限本项目", "截止前",
        own=True,
    ),
    Rule("POST", f"{BASE}/objections", _OBJECT, "对招标文件提出异议；截止前他人不知提出人", "异议期限内"),
    Rule(
        "POST", f"{BASE}/objections/{{objection_id}}/answer", _OWNERS, "答复异议，限本项目", own=True
    ),
)  # fmt: skip

Viewer = Annotated[Actor | None, Depends(maybe_actor)]
Who = Annotated[Actor, Depends(actor)]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]


class DocumentView(Answer):
    """A tender document; `version` is that of the tender documents with which it came."""

    id: str
    name: str
    sha256: str
    size: int
    version: int


class AddendumView(Answer):
    """What made a later version of the notice."""

    version: int
    title: str
    text: str
    affects_bids: bool
    documents: list[str]
    previous: int
    deadline: int
    at: int


class QuestionView(Answer):
    """A question with its answer; `addendum` is the version that settles it, or 0."""

    id: str
    text: str
    answer: str
    answered_at: int | None
    addendum: int


class ObjectionView(Answer):
    """An objection to the documents. `organisation` is empty before T, and for the public."""

    id: str
    text: str
    at: int
    holds: bool
    answer_by: int
    answer: str
    answered_at: int | None
    addendum: int
    organisation: str


class AnnouncementView(Answer):
    """Everything that is said of a section; `held`: an objection waits, the opening with it."""

    section: str
    version: int
    deadline: int
    objections_end: int
    held: bool
    notice: str
    documents: list[DocumentView]
    addenda: list[AddendumView]
    questions: list[QuestionView]
    objections: list[ObjectionView]


class Objected(Answer):
    """An objection was taken."""

    objection: str
    holds: bool
    answer_by: int


def add(router: APIRouter, service: TradingService) -> None:
    """Add the routes of this file to a router."""

    @router.get("/sections/{section_id}/announcement")
    async def announcement(section_id: Id, who: Viewer) -> AnnouncementView:
        """Say everything that is public of a section between its notice and its opening."""
        return view(service, section_id, who)

    @router.get("/sections/{section_id}/documents/{document_id}", response_class=StreamingResponse)
    async def document(section_id: Id, document_id: Id) -> StreamingResponse:
        """Return a tender document; its SHA-256 is its entity tag and stands in the notice."""
        found = service.addenda.document(section_id, document_id)
        blob = Blob(found.blob, found.sha256, found.size)
        extension = _EXTENSION.search(found.name)
        name = f"{found.id}{extension[0] if extension else ''}"
        return StreamingResponse(
            _bytes(await asyncio.to_thread(service.blobs.verified, blob)),
            media_type="application/octet-stream",
            headers={
                "content-length": str(found.size),
                "content-disposition": f'attachment; filename="{name}"',
                "etag": f'"{found.sha256}"',
            },
        )

    @router.post("/sections/{section_id}/questions", status_code=status.HTTP_204_NO_CONTENT)
    async def ask(section_id: Id, body: QuestionForm, who: Who, at: Arrival) -> Response:
        """Ask about the documents; who asks is kept nowhere."""
        await service.enquiries.ask(who, section_id, body, at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.get("/sections/{section_id}/questions")
    async def questions(section_id: Id, who: Who) -> list[QuestionView]:
        """List the questions that wait for an answer."""
        return [_question(q) for q in service.enquiries.waiting(who, section_id)]

    @router.post(
        "/sections/{section_id}/questions/{question_id}/answer",
        status_code=status.HTTP_204_NO_CONTENT,
    )
    async def answer(
        section_id: Id, question_id: Id, body: SignedForm, who: Who, at: Arrival
    ) -> Response:
        """Answer to all (purpose `answer`: section, question, text, affects_bids, addendum, nonce, at)."""
        await service.enquiries.answer(who, section_id, question_id, body.model_dump(), at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.post("/sections/{section_id}/objections", status_code=status.HTTP_201_CREATED)
    async def object_(section_id: Id, body: SignedForm, who: Who, at: Arrival) -> Objected:
        """Object to the documents (purpose `document_objection`: section, text, nonce, at)."""
        made = await service.enquiries.object(who, section_id, body.model_dump(), at)
        return Objected(objection=made.id, holds=made.holds, answer_by=made.answer_by)

    @router.post(
        "/sections/{section_id}/objections/{objection_id}/answer",
        status_code=status.HTTP_204_NO_CONTENT,
    )
    async def settle(
        section_id: Id, objection_id: Id, body: SignedForm, who: Who, at: Arrival
    ) -> Response:
        """Answer an objection (purpose `objection_answer`: section, objection, text, addendum, nonce, at)."""
        await service.enquiries.settle(who, section_id, objection_id, body.model_dump(), at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def _bytes(path: FilePath) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def view(service: TradingService, section_id: str, who: Actor | None) -> AnnouncementView:
    """What somebody may see of a section between notice and opening.

    Raises:
        UnknownError: there is no such section, or it is not announced.
    """
    section = service.section(section_id)
    if section.stage is Stage.DRAFT:
        raise UnknownError("section-unknown", "没有该标段", "There is no such section.")
    tender = service.tender(section.tender)
    said = service.state.announcement(section.id)
    named = service.clock.now() >= section.deadline and _may_name(service, tender.project, who)
    return AnnouncementView(
        section=section.id,
        version=said.version,
        deadline=section.deadline,
        objections_end=objections_end(
            service.ruleset(tender),
            published_at=tender.published_at or 0,
            deadline=section.deadline,
        ),
        held=said.held,
        notice=section.notice,
        documents=[
            DocumentView(id=d.id, name=d.name, sha256=d.sha256, size=d.size, version=d.version)
            for d in said.published()
        ],
        addenda=[
            AddendumView(
                version=a.version,
                title=a.title,
                text=a.text,
                affects_bids=a.affects,
                documents=list(a.documents),
                previous=a.previous,
                deadline=a.deadline,
                at=a.at,
            )
            for a in said.addenda
        ],
        questions=[_question(q) for q in service.enquiries.answered(section.id)],
        objections=[
            _objection(o, service.state.organisations[o.organisation].name if named else "")
            for o in service.enquiries.objections(section.id)
        ],
    )


def _may_name(service: TradingService, project_id: str, who: Actor | None) -> bool:
    if who is None:
        return False
    project = service.state.projects[project_id]
    owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
    return who.role in _AFTER_T or owners.get(who.role) == who.organisation


def _question(item: Question) -> QuestionView:
    return QuestionView(
        id=item.id,
        text=item.text,
        answer=item.answer,
        answered_at=item.answered_at,
        addendum=item.addendum,
    )


def _objection(item: DocumentObjection, organisation: str) -> ObjectionView:
    return ObjectionView(
        id=item.id,
        text=item.text,
        at=item.at,
        holds=item.holds,
        answer_by=item.answer_by,
        answer=item.answer,
        answered_at=item.answered_at,
        addendum=item.addendum,
        organisation=organisation,
    )
