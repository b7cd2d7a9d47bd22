"""Emergency: one person suspends a section, a lot or a whole auction session, two resume it.

What a suspension freezes is decided by `bidding` and `auction`, who listen for the rows
`target.suspended` and `target.resumed`; here it is signed, journalled and shown. An act on a session
means each of its lots. Lots with a holder (quota sessions) are one auction, so that they are only
suspended together.
"""

from collections.abc import Mapping
from typing import Any

from trading.ground.clock import require_fit
from trading.model import (
    ACTS,
    Actor,
    ConflictError,
    Lot,
    Proposal,
    Section,
    Stage,
    UnknownError,
)
from trading.service.desk import Desk
from trading.service.forms import TargetForm, read
from trading.service.proposals import Effect, Proposals, closed_conflict


class Holds:
    """Suspension 中止 and resumption 恢复."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["target.resume"], self._check_resume, self._resume)

    async def suspend(self, who: Actor, signed: Mapping[str, Any], arrival: int) -> None:
        """Suspend at once; one signature is enough.

        Args:
            who: of the session.
            signed: statement of purpose `suspension` with target, reason, nonce and at.
            arrival: stamp of the request, ms UTC; the suspension counts from it.

        Raises:
            ConflictError: it is suspended already, or not announced, or a parcel of a quota session.
            UnknownError: there is no such section, lot or session; nothing was journalled.
        """
        async with self._desk.turn:
            form = read(TargetForm, self._desk.step_up(who, signed, "suspension", arrival))
            meant = self._meant(form.target)
            if not any(m.stage is Stage.ANNOUNCED and not m.suspended for m in meant):
                raise closed_conflict("Only what is announced and not suspended can be suspended")
            fact = {"target": form.target, "reason": form.reason, "by": who.role.value}
            await self._desk.append(
                self._desk.row("target.suspended", {**fact, "statements": [dict(signed)]}, arrival),
                self._desk.leaf("suspended", fact, arrival),
            )

    def _check_resume(self, body: Mapping[str, Any], _at: int) -> None:
        self._resumable(body)

    def _resumable(self, body: Mapping[str, Any]) -> TargetForm:
        form = read(TargetForm, dict(body))
        if not any(meant.suspended for meant in self._meant(form.target)):
            raise closed_conflict("It is not suspended")
        section = self._desk.state.sections.get(form.target)
        if section is None or self._desk.clock.now() >= section.deadline:
            # Neither an auction nor an opening goes on by a clock known to be wrong; taking bids does.
            require_fit(self._desk.clock.health())
        return form

    async def _resume(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        form = self._resumable(proposal.body)
        fact = {"target": form.target, "reason": form.reason}
        return Effect(fact, (self._desk.leaf("resumed", fact, at),), {"target": form.target})

    def _meant(self, target: str) -> tuple[Section | Lot, ...]:
        """What an act on this id means: a section, a lot, or every lot of a session."""
        state = self._desk.state
        if session := state.sessions.get(target):
            return tuple(state.lots[lot] for lot in session.lots)
        found = state.sections.get(target) or state.lots.get(target)
        if found is None:
            raise UnknownError(
                "target-unknown", "没有该标段、标的或场次", "There is no such thing."
            )
        if isinstance(found, Lot) and found.holder:
            raise ConflictError(
                "session-is-one-auction",
                "本场次各宗地为同一场竞价",
                f"The parcels of a quota session are one auction; name the session {found.session}.",
            )
        return (found,)
