"""Auction sessions and their lots, as the centre registers and announces them.

What happens in a session is the auction's own business; it reads `rules` and `details`, which are
opaque here, and asks for deposits and suspensions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trading.ground.ids import new_id
from trading.ground.money import FEN, parse_amount
from trading.model import (
    ACTS,
    Actor,
    ConflictError,
    Lot,
    Proposal,
    Regime,
    RuleSet,
    Session,
    Stage,
    UnknownError,
)
from trading.model.codec import to_json
from trading.rules.schedule import check_session
from trading.service.desk import Desk
from trading.service.forms import SessionForm, SessionTarget, TargetForm, read
from trading.service.proposals import Effect, Proposals, closed_conflict
from trading.service.tenders import Tenders

Judge = Callable[[Session, Sequence[Lot]], None]
"""judge(session, lots): raise a problem if no auction could follow them."""


class Auctions:
    """Auction sessions 竞价场次 and lots."""

    def __init__(self, desk: Desk, proposals: Proposals, tenders: Tenders) -> None:
        self._desk = desk
        self._tenders = tenders
        self._judges: list[Judge] = []
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["session.create"], self._check_create, self._create)
        proposals.add(acts["session.publish"], self._check_publish, self._publish)
        proposals.add(acts["session.terminate"], self._check_terminate, self._terminate)

    def judged_by(self, judge: Judge) -> None:
        """Let a room above judge sessions before they are registered and before they are announced.

        Rules and details are opaque here; what nobody could follow must not become durable.
        """
        self._judges.append(judge)

    def find(self, session_id: str) -> Session:
        """A session.

        Raises:
            UnknownError: there is none of that id.
        """
        session = self._desk.state.sessions.get(session_id)
        if session is None:
            raise UnknownError("session-unknown", "没有该竞价场次", "There is no such session.")
        return session

    def lot(self, lot_id: str) -> Lot:
        """A lot.

        Raises:
            UnknownError: there is none of that id.
        """
        lot = self._desk.state.lots.get(lot_id)
        if lot is None:
            raise UnknownError("lot-unknown", "没有该标的", "There is no such lot.")
        return lot

    def _check_create(self, body: Mapping[str, Any], at: int) -> None:
        self._read(body, at)

    def _read(self, body: Mapping[str, Any], at: int) -> tuple[Session, list[Lot]]:
        form = read(SessionForm, dict(body))
        if form.opens_at <= at:
            raise ConflictError("opening-past", "开始时间已过", "opens_at lies in the past.")
        session_id = new_id("ses")
        lots = [
            Lot(
                new_id("lot"),
                session_id,
                item.name,
                self._holder(item.holder),
                parse_amount(item.deposit, FEN),
                item.details,
            )
            for item in form.lots
        ]
        session = Session(
            session_id, form.name, tuple(lot.id for lot in lots), form.opens_at,
            form.listing_ends_at, form.rules, at,
        )  # fmt: skip
        for judge in self._judges:
            judge(session, lots)
        return session, lots

    def _holder(self, code: str) -> str:
        if not code:
            return ""
        known = self._desk.state.codes.get(code)
        if known is None:
            raise UnknownError(
                "organisation-unknown",
                "单位未登记",
                "No organisation of that credit code has a key here; it must enrol first.",
            )
        return known

    async def _create(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        session, lots = self._read(proposal.body, at)
        body = {"session": to_json(session), "lots": to_json(lots)}
        return Effect(body, (), {"session": session.id, "lots": [lot.id for lot in lots]})

    def _check_publish(self, body: Mapping[str, Any], at: int) -> None:
        self._publishable(body, at)

    def _publishable(self, body: Mapping[str, Any], at: int) -> tuple[Session, RuleSet]:
        session = self.find(read(SessionTarget, dict(body)).session)
        if session.stage is not Stage.DRAFT:
            raise closed_conflict("A session is published once, from draft")
        for judge in self._judges:
            judge(session, [self._desk.state.lots[lot] for lot in session.lots])
        rules = self._tenders.ruleset(Regime.LAND, at)
        check_session(
            rules,
            published_at=at,
            opens_at=session.opens_at,
            listing_ends_at=session.listing_ends_at,
        )
        return session, rules

    async def _publish(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        session, rules = self._publishable(proposal.body, at)
        leaf = {
            "session": session.id,
            "lots": list(session.lots),
            "rules": dict(session.rules),
            "ruleset": [rules.name, rules.version],
        }
        return Effect(
            {"session": session.id, "ruleset": [rules.name, rules.version]},
            (self._desk.leaf("session_published", leaf, at),),
            {"session": session.id},
        )

    def _check_terminate(self, body: Mapping[str, Any], _at: int) -> None:
        self._terminable(body)

    def _terminable(self, body: Mapping[str, Any]) -> tuple[Session, str]:
        form = read(TargetForm, dict(body))
        session = self.find(form.target)
        if session.stage is Stage.TERMINATED:
            raise closed_conflict("This session is terminated already")
        return session, form.reason

    async def _terminate(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        session, reason = self._terminable(proposal.body)
        leaf = {"session": session.id, "reason": reason}
        return Effect(
            {"session": session.id, "reason": reason},
            (self._desk.leaf("session_terminated", leaf, at),),
            {"session": session.id},
        )
