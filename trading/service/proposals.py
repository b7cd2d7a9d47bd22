"""Critical acts as expiring proposals: one person signs, a second one signs the first's words.

The proposal is journalled at once, so it survives a restart; when the second signature comes, one
event carries both statements and the effect. What an act needs is checked twice, for the state
may have moved between the two. Rooms above add acts of their own with `add`.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from trading.ground.ids import new_id
from trading.ground.journal import Draft
from trading.model import (
    Act,
    Actor,
    BusyError,
    ConflictError,
    ForbiddenError,
    LateError,
    MalformedError,
    Proposal,
    Role,
    UnknownError,
)
from trading.model.codec import to_json
from trading.rules.conduct import check_pair, check_proposer
from trading.service.desk import Desk, name_of

OUTSIDERS: Final = frozenset({Role.TENDERER, Role.AGENT})
MAX_PENDING: Final = 200
MAX_OF_ONE: Final = 50  # so that nobody fills the table for all others


@dataclass(frozen=True, slots=True)
class Effect:
    """What a carried act writes.

    Attributes:
        body: of the act's own event, besides proposal, statements and persons.
        drafts: further rows of the same transaction (ledger leaves, other streams).
        result: what the second person is told.
    """

    body: Mapping[str, Any]
    drafts: tuple[Draft, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[Mapping[str, Any], int], None]
"""check(body, at): raise if the act is not possible now."""

Carry = Callable[[Proposal, Actor, int], Awaitable[Effect]]
"""carry(proposal, confirmer, at): what to write; it changes nothing itself."""


Concerns = Callable[[Mapping[str, Any], Actor], bool]
"""concerns(body, who): whether an act is about the project of a tenderer or agent."""


Turn = Callable[[Mapping[str, Any]], AbstractAsyncContextManager[None]]
"""turn(body): held from the second check until the act is durable, for acts that other rooms share."""


@dataclass(frozen=True, slots=True)
class _Entry:
    act: Act
    check: Check
    carry: Carry
    concerns: Concerns | None
    turn: Turn

    def shown_to(self, who: Actor, body: Mapping[str, Any]) -> bool:
        """Whether somebody may know of it: the centre and the supervisor of all, others of their own."""
        return who.role not in OUTSIDERS or (self.concerns is None or self.concerns(body, who))


class Proposals:
    """The register of critical acts and the two steps through which each of them goes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._entries: dict[str, _Entry] = {}

    def add(
        self,
        act: Act,
        check: Check,
        carry: Carry,
        concerns: Concerns | None = None,
        turn: Turn = lambda _: nullcontext(),
    ) -> None:
        """Register an act.

        Args:
            act: its row of the table of acts.
            check: raises if it is not possible now; called at both steps.
            carry: says what to write; called at the second step only, inside the turn.
            concerns: whose project it is about, for acts that tenderers or agents take part in.
            turn: what is held besides the desk's own turn while it is carried.
        """
        self._entries[act.name] = _Entry(act, check, carry, concerns, turn)

    @property
    def acts(self) -> list[Act]:
        """Every registered act, for the printed table."""
        return [entry.act for entry in self._entries.values()]

    async def propose(self, who: Actor, signed: Mapping[str, Any], arrival: int) -> Proposal:
        """Take the first signature.

        Args:
            who: of the session.
            signed: statement of purpose `proposal` with act, body, nonce and at.
            arrival: stamp of the request, ms UTC.

        Raises:
            TradingError: the role may not, the body does not fit, or the act is not possible.
        """
        async with self._desk.turn:
            command = self._desk.step_up(who, signed, "proposal", arrival)
            entry, body = self._entry(command)
            check_proposer(entry.act, who)
            entry.check(body, arrival)
            pending = self._pending(arrival)
            mine = [p for p in pending if p.by.person == who.person]
            if len(pending) >= MAX_PENDING or len(mine) >= MAX_OF_ONE:
                raise BusyError(
                    "proposals-full",
                    "待复核事项过多",
                    "Confirm waiting proposals or let them expire, then propose again.",
                )
            proposal = new_id("pro")
            await self._desk.append(
                self._desk.row(
                    "proposal.made",
                    {
                        "id": proposal,
                        "digest": name_of(signed),
                        "by": to_json(who),
                        "statements": [dict(signed)],
                    },
                    arrival,
                )
            )
            return self._desk.state.proposals[proposal]

    async def confirm(
        self, who: Actor, proposal_id: str, signed: Mapping[str, Any], arrival: int
    ) -> Mapping[str, Any]:
        """Take the second signature and do the act.

        Args:
            who: of the session; another person, role and key than the proposer's.
            proposal_id: as the proposer was told.
            signed: statement of purpose `confirmation` with proposal, digest, nonce and at.
            arrival: stamp of the request, ms UTC.

        Returns:
            What the act says it did.

        Raises:
            TradingError: unknown, expired, the same person, or no longer possible.
        """
        async with self._desk.turn:
            command = self._desk.step_up(who, signed, "confirmation", arrival)
            proposal = self.find(proposal_id)
            if command != {"proposal": proposal.id, "digest": proposal.digest}:
                raise MalformedError(
                    "confirmation-malformed",
                    "复核内容与提案不一致",
                    "A confirmation signs exactly proposal (its id), digest (SHA-256 of the "
                    "proposal's signed bytes), nonce and at.",
                )
            entry = self._entries[proposal.act]
            check_pair(entry.act, proposal.by, who)
            if not entry.shown_to(who, proposal.body):
                raise ForbiddenError(
                    "project-not-yours",
                    "不是本单位的项目",
                    "A tenderer or agent confirms what concerns its own projects only.",
                )
            self._desk.actor(proposal.by.public)  # revoked in between: the proposal is void
            if arrival >= proposal.expires_at:
                raise LateError(
                    "proposal-expired",
                    "提案已过期",
                    "It waited for ten minutes without a second signature; propose it again.",
                    rule="reliability.md §4",
                )
            entry.check(proposal.body, arrival)
            async with entry.turn(proposal.body):
                effect = await entry.carry(proposal, who, arrival)
                event = self._desk.row(
                    entry.act.event,
                    {
                        **effect.body,
                        "proposal": proposal.id,
                        "statements": [dict(proposal.statement), dict(signed)],
                        "by": [to_json(proposal.by), to_json(who)],
                    },
                    arrival,
                )
                await self._desk.append(event, *effect.drafts)
            return effect.result

    def find(self, proposal_id: str) -> Proposal:
        """A waiting proposal.

        Raises:
            UnknownError: there is none of that id, or it is carried or forgotten.
        """
        proposal = self._desk.state.proposals.get(proposal_id)
        if proposal is None:
            raise UnknownError(
                "proposal-unknown",
                "没有该提案",
                "It never was, it was carried already, or it expired.",
            )
        return proposal

    def waiting(self, who: Actor, now: int) -> list[Proposal]:
        """Proposals that somebody made or may confirm, oldest first."""
        return [
            p
            for p in self._pending(now)
            if p.by.person == who.person
            or (
                who.role in self._entries[p.act].act.confirmers
                and who.role != p.by.role
                and self._entries[p.act].shown_to(who, p.body)
            )
        ]

    def _pending(self, now: int) -> list[Proposal]:
        return [p for p in self._desk.state.proposals.values() if now < p.expires_at]

    def _entry(self, command: Mapping[str, Any]) -> tuple[_Entry, Mapping[str, Any]]:
        act, body = command.get("act"), command.get("body")
        entry = self._entries.get(act) if isinstance(act, str) else None
        if entry is None or not isinstance(body, dict) or len(command) != 2:
            raise MalformedError(
                "proposal-malformed",
                "提案格式不正确",
                "A proposal signs act (one of the table of acts), body, nonce and at.",
            )
        return entry, body


def closed_conflict(what: str) -> ConflictError:
    """The refusal for a thing that is not in the state that an act needs."""
    return ConflictError(
        "state-not-ready", "当前状态不允许该操作", f"{what}. Read the current state, then decide."
    )
