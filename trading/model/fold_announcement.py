"""How rows about documents, addenda, questions and objections change the state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from trading.model.announcement import (
    Addendum,
    Announcement,
    Document,
    DocumentObjection,
    Question,
)
from trading.model.codec import from_json
from trading.model.state import State


def _attached(state: State, body: Mapping[str, Any], _at: int) -> None:
    document = from_json(Document, body["document"])
    said = state.announcement(body["section"])
    _put(state, body, replace(said, documents=(*said.documents, document)))


def _amended(state: State, body: Mapping[str, Any], _at: int) -> None:
    """An addendum: a new version, its documents out, the deadline and the tender file as they are now."""
    addendum = from_json(Addendum, body["addendum"])
    said = state.announcement(body["section"])
    documents = tuple(
        replace(d, version=addendum.version) if d.id in addendum.documents else d
        for d in said.documents
    )
    _put(state, body, replace(said, addenda=(*said.addenda, addendum), documents=documents))
    section = state.sections[body["section"]]
    state.sections[section.id] = replace(
        section, deadline=addendum.deadline, tender_file=body["file"] or section.tender_file
    )
    tender = state.tenders[section.tender]
    newest = max(state.announcement(s).version for s in tender.sections)
    state.tenders[tender.id] = replace(tender, document_version=newest)


def _notice_issued(state: State, body: Mapping[str, Any], _at: int) -> None:
    section = state.sections[body["section"]]
    state.sections[section.id] = replace(section, notice=body["record"])
    said = state.announcement(section.id)
    _put(state, body, replace(said, on_paper=body["version"]))


def _asked(state: State, body: Mapping[str, Any], _at: int) -> None:
    question = from_json(Question, body["question"])
    state.questions[question.id] = question
    said = state.announcement(question.section)
    state.announcements[question.section] = replace(said, questions=(*said.questions, question.id))


def _answered(state: State, body: Mapping[str, Any], at: int) -> None:
    question = state.questions[body["question"]]
    state.questions[question.id] = replace(
        question, answer=body["text"], answered_at=at, addendum=body["addendum"]
    )


def _objected(state: State, body: Mapping[str, Any], _at: int) -> None:
    objection = from_json(DocumentObjection, body["objection"])
    state.objections[objection.id] = objection
    said = state.announcement(objection.section)
    state.announcements[objection.section] = replace(
        said,
        objections=(*said.objections, objection.id),
        open=(*said.open, objection.id) if objection.holds else said.open,
    )


def _objection_answered(state: State, body: Mapping[str, Any], at: int) -> None:
    objection = state.objections[body["objection"]]
    state.objections[objection.id] = replace(
        objection, answer=body["text"], answered_at=at, addendum=body["addendum"]
    )
    said = state.announcement(objection.section)
    state.announcements[objection.section] = replace(
        said, open=tuple(o for o in said.open if o != objection.id)
    )


def _put(state: State, body: Mapping[str, Any], said: Announcement) -> None:
    state.announcements[body["section"]] = said


Handler = Callable[[State, Mapping[str, Any], int], None]

HANDLERS: Final[Mapping[str, Handler]] = {
    "document.attached": _attached,
    "section.amended": _amended,
    "notice.issued": _notice_issued,
    "question.asked": _asked,
    "question.answered": _answered,
    "document.objected": _objected,
    "objection.answered": _objection_answered,
}
