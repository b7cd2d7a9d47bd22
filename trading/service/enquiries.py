"""Questions 答疑 and objections 异议 to the documents, before the opening.

A question is kept without its asker: no statement is signed, no row, view or limit on disk says who
(招标投标法 22). What keeps one bidder from flooding the others is a count in memory. An objection is
signed, since the law asks who may object; its organisation is shown to nobody before T. Where the
tender's RuleSet says so, it holds the procedure until the tenderer answers (实施条例 22).
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final

from trading.ground.ids import new_id
from trading.model import (
    Actor,
    Announcement,
    BusyError,
    ConflictError,
    DocumentObjection,
    LateError,
    MalformedError,
    Question,
    Section,
    Stage,
    Tender,
    UnknownError,
)
from trading.model.codec import to_json
from trading.rules.objecting import answer_by, check_objection, check_unnamed, holds
from trading.rules.schedule import check_change
from trading.service.addenda import Addenda
from trading.service.desk import Desk, name_of
from trading.service.forms import (
    AnswerForm,
    ObjectionAnswerForm,
    ObjectionForm,
    QuestionForm,
    read,
)
from trading.service.proposals import closed_conflict
from trading.service.tenders import Tenders

QUESTIONS_AN_HOUR: Final = 20  # of one organisation
MAX_QUESTIONS: Final = 2000  # of one section
MAX_OBJECTIONS: Final = 200
HOUR_MS: Final = 3_600_000


class Enquiries:
    """What bidders ask about the documents, and what the tenderer answers to all."""

    def __init__(self, desk: Desk, tenders: Tenders, addenda: Addenda) -> None:
        self._desk = desk
        self._tenders = tenders
        self._addenda = addenda
        self._asked: defaultdict[str, deque[int]] = defaultdict(deque)

    async def ask(self, who: Actor, section_id: str, form: QuestionForm, arrival: int) -> None:
        """Take a question; nothing that is kept says whose it is.

        Raises:
            UnlawfulError: `text-names-its-author`.
            LateError: T has come.
            BusyError: too many, of this organisation or in this section.
        """
        async with self._desk.turn:
            section, _ = self._open(section_id)
            if arrival >= section.deadline:
                raise LateError("question-late", "投标已截止", "Questions are taken before T.")
            check_unnamed(form.text, self._desk.state.organisations[who.organisation])
            recent = self._asked[who.organisation]
            while recent and arrival - recent[0] >= HOUR_MS:
                recent.popleft()
            said = self._desk.state.announcement(section.id)
            if len(recent) >= QUESTIONS_AN_HOUR or len(said.questions) >= MAX_QUESTIONS:
                raise BusyError(
                    "questions-many", "提问过多", f"Up to {QUESTIONS_AN_HOUR} an hour; ask later."
                )
            recent.append(arrival)
            question = Question(new_id("que"), section.id, form.text)
            body = {"question": to_json(question)}
            await self._desk.append(self._desk.row("question.asked", body, arrival))

    def waiting(self, who: Actor, section_id: str) -> list[Question]:
        """Questions that wait for an answer, for the tenderer or agent; in no telling order."""
        section = self._tenders.section(section_id)
        self._addenda.check_owner(who, section)
        known = self._questions(section.id)
        return sorted((q for q in known if q.answered_at is None), key=lambda q: q.id)

    def answered(self, section_id: str) -> list[Question]:
        """Questions with their answers, newest answer first: what everybody sees."""
        known = self._questions(section_id)
        found = [(q.answered_at, q.id, q) for q in known if q.answered_at is not None]
        return [q for _, _, q in sorted(found, key=lambda one: one[:2], reverse=True)]

    async def answer(
        self, who: Actor, section_id: str, question_id: str, signed: Mapping[str, Any], arrival: int
    ) -> None:
        """Answer a question to all.

        Args:
            who: tenderer or agent of the project.
            section_id: from the address.
            question_id: from the address.
            signed: statement of purpose `answer` with section, question, text, affects_bids,
                addendum, nonce and at.
            arrival: ms UTC.

        Raises:
            UnlawfulError: it can affect bids, T is too near, and no addendum moves it.
            ConflictError: it is answered already.
        """
        async with self._desk.turn:
            form = read(AnswerForm, self._desk.step_up(who, signed, "answer", arrival))
            section, tender = self._open(section_id)
            self._addenda.check_owner(who, section)
            if (form.section, form.question) != (section.id, question_id):
                raise _foreign()
            question = self._desk.state.questions.get(question_id)
            if question is None or question.section != section.id:
                raise UnknownError("question-unknown", "没有该提问", "There is no such question.")
            if question.answered_at is not None:
                raise _answered()
            if arrival >= section.deadline:
                raise LateError("answer-late", "投标已截止", "After T nothing is clarified.")
            self._check_version(form.addendum, self._desk.state.announcement(section.id))
            if form.affects_bids and not form.addendum:
                check_change(
                    self._tenders.ruleset_of(tender),
                    changed_at=arrival,
                    deadline=section.deadline,
                    new_deadline=section.deadline,
                )
            body = {
                "question": question.id,
                "text": form.text,
                "addendum": form.addendum,
                "statements": [dict(signed)],
                "by": to_json(who),
            }
            leaf = {"section": section.id, "question": question.id, "answer": name_of(signed)}
            await self._desk.append(
                self._desk.row("question.answered", body, arrival),
                self._desk.leaf("question_answered", leaf, arrival),
            )

    async def object(
        self, who: Actor, section_id: str, signed: Mapping[str, Any], arrival: int
    ) -> DocumentObjection:
        """Take an objection to the documents; it may hold the procedure from here on.

        Args:
            who: a bidder.
            section_id: from the address.
            signed: statement of purpose `document_objection` with section, text, nonce and at.
            arrival: ms UTC.

        Raises:
            LateError: the time that the RuleSet gives for it is over.
            ConflictError: one's own objection still waits for its answer.
            UnlawfulError: `text-names-its-author`.
        """
        async with self._desk.turn:
            form = read(
                ObjectionForm, self._desk.step_up(who, signed, "document_objection", arrival)
            )
            section, tender = self._open(section_id)
            if form.section != section.id:
                raise _foreign()
            rules = self._tenders.ruleset_of(tender)
            check_objection(
                rules,
                published_at=tender.published_at or 0,
                deadline=section.deadline,
                at=arrival,
            )
            check_unnamed(form.text, self._desk.state.organisations[who.organisation])
            known = self.objections(section.id)
            if any(o.organisation == who.organisation and o.answered_at is None for o in known):
                raise ConflictError(
                    "objection-open", "异议尚待答复", "Your objection waits for its answer."
                )
            if len(known) >= MAX_OBJECTIONS:
                raise BusyError(
                    "objections-full", "异议过多", "Complain to the supervisor instead."
                )
            objection = DocumentObjection(
                id=new_id("obj"),
                section=section.id,
                organisation=who.organisation,
                text=form.text,
                at=arrival,
                holds=holds(rules),
                answer_by=answer_by(rules, arrival),
            )
            body = {"objection": to_json(objection), "statements": [dict(signed)]}
            await self._desk.append(self._desk.row("document.objected", body, arrival))
            return objection

    async def settle(
        self,
        who: Actor,
        section_id: str,
        objection_id: str,
        signed: Mapping[str, Any],
        arrival: int,
    ) -> None:
        """Answer an objection: the only event by which what it holds goes on.

        Args:
            who: tenderer or agent of the project.
            section_id: from the address.
            objection_id: from the address.
            signed: statement of purpose `objection_answer` with section, objection, text, addendum,
                nonce and at.
            arrival: ms UTC; also after T, for the opening waits.

        Raises:
            ConflictError: it is answered already.
        """
        async with self._desk.turn:
            form = read(
                ObjectionAnswerForm, self._desk.step_up(who, signed, "objection_answer", arrival)
            )
            section = self._tenders.section(section_id)
            self._addenda.check_owner(who, section)
            if (form.section, form.objection) != (section.id, objection_id):
                raise _foreign()
            objection = self._desk.state.objections.get(objection_id)
            if objection is None or objection.section != section.id:
                raise UnknownError("objection-unknown", "没有该异议", "There is no such objection.")
            if objection.answered_at is not None:
                raise _answered()
            self._check_version(form.addendum, self._desk.state.announcement(section.id))
            body = {
                "section": section.id,
                "objection": objection.id,
                "text": form.text,
                "addendum": form.addendum,
                "statements": [dict(signed)],
                "by": to_json(who),
            }
            leaf = {"section": section.id, "objection": objection.id, "answer": name_of(signed)}
            await self._desk.append(
                self._desk.row("objection.answered", body, arrival),
                self._desk.leaf("objection_answered", leaf, arrival),
            )

    def objections(self, section_id: str) -> list[DocumentObjection]:
        """Every objection to a section's documents, oldest first."""
        state = self._desk.state
        return [state.objections[o] for o in state.announcement(section_id).objections]

    def _questions(self, section_id: str) -> list[Question]:
        state = self._desk.state
        return [state.questions[q] for q in state.announcement(section_id).questions]

    def _open(self, section_id: str) -> tuple[Section, Tender]:
        section = self._tenders.section(section_id)
        if section.stage is not Stage.ANNOUNCED:
            raise closed_conflict("Only what is announced is asked about")
        return section, self._tenders.find(section.tender)

    def _check_version(self, addendum: int, said: Announcement) -> None:
        if addendum == 1 or addendum > said.version:
            raise MalformedError(
                "addendum-unknown",
                "没有该补遗",
                f"Versions 2 to {said.version} are addenda; 0 stands for none.",
            )


def _foreign() -> MalformedError:
    return MalformedError(
        "statement-foreign", "声明不属于该事项", "It was signed for another section or matter."
    )


def _answered() -> ConflictError:
    return ConflictError("already-answered", "已答复", "It is answered; an answer stands.")
