"""Delegates 委托代理人: people of a bidder who act for it in a scope, until an instant, or until told otherwise.

A delegate enrols a key of its own like anybody (two people of the centre issue it, the ledger says so), with
the role `delegate`; alone that key may do nothing. A bidder's own key then signs what it may do and until
when. The gate asks here at every request; a grant or a revocation ends the delegate's sessions at once, open
sockets with them. Names lie in the private table; the journal has the person's id.
"""

from collections.abc import Mapping
from typing import Any, Final

from trading.ground.ids import new_id
from trading.model import Actor, Delegation, Role, Scope, Stage, UnknownError, UnlawfulError
from trading.model.codec import to_json
from trading.service.desk import Desk
from trading.service.forms import DelegationForm, DelegationTarget, read

LONGEST_MS: Final = 366 * 86_400_000


class Delegations:
    """Who may act for which bidder in what."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def grant(self, who: Actor, signed: Mapping[str, Any], arrival: int) -> Delegation:
        """Give a delegate of one's own organisation a scope; it replaces what was given before.

        Args:
            who: a bidder's own key; a delegate delegates nothing.
            signed: statement of purpose `delegation` with person, scopes, until, nonce and at; and
                with targets, where it is for some sections, sessions or lots only.
            arrival: ms UTC.

        Raises:
            UnknownError: no such person of this organisation has a valid delegate's key; or no such target.
            UnlawfulError: it would be over already, or last longer than a year.
        """
        async with self._desk.turn:
            form = read(DelegationForm, self._desk.step_up(who, signed, "delegation", arrival))
            if not any(
                key.live and key.role is Role.DELEGATE and key.organisation == who.organisation
                for key in self._desk.state.keys.values()
                if key.person == form.person
            ):
                raise _unknown()
            if not arrival < form.until <= arrival + LONGEST_MS:
                raise UnlawfulError(
                    "delegation-period",
                    "委托期限不合要求",
                    "A delegation ends in the future, at most a year ahead.",
                )
            made = Delegation(
                new_id("del"),
                who.organisation,
                form.person,
                tuple(sorted({Scope(scope) for scope in form.scopes})),
                form.until,
                arrival,
                targets=self._targets(form.targets),
            )
            body = {"delegation": to_json(made), "statements": [dict(signed)], "by": to_json(who)}
            await self._desk.append(self._desk.row("delegation.granted", body, arrival))
            return made

    async def revoke(self, who: Actor, signed: Mapping[str, Any], arrival: int) -> None:
        """Take a delegation back, at once.

        Args:
            who: a bidder's own key.
            signed: statement of purpose `delegation_revocation` with person, nonce and at.
            arrival: ms UTC.

        Raises:
            UnknownError: nobody of that id acts for this organisation.
        """
        async with self._desk.turn:
            command = self._desk.step_up(who, signed, "delegation_revocation", arrival)
            person = read(DelegationTarget, command).person
            known = self._desk.state.delegations.get(person)
            if known is None or known.organisation != who.organisation or known.revoked_at:
                raise _unknown()
            body = {"person": person, "statements": [dict(signed)], "by": to_json(who)}
            await self._desk.append(self._desk.row("delegation.revoked", body, arrival))

    def _targets(self, named: list[str]) -> tuple[str, ...]:
        """What is announced of the sections, sessions and lots that are named; drafts are nobody's to know."""
        state = self._desk.state
        for target in named:
            section, session = state.sections.get(target), state.sessions.get(target)
            if target in state.lots:
                session = state.sessions[state.lots[target].session]
            found = section or session
            if found is None or found.stage is Stage.DRAFT:
                raise UnknownError(
                    "target-unknown", "没有该标段或标的", f"Nothing announced has the id {target}."
                )
        return tuple(sorted(set(named)))

    def of(self, organisation: str) -> list[Delegation]:
        """An organisation's own delegations, the newest of each person, oldest first."""
        known = self._desk.state.delegations.values()
        return [one for one in known if one.organisation == organisation]


def _unknown() -> UnknownError:
    return UnknownError(
        "delegate-unknown",
        "没有该委托代理人",
        "Nobody of that id has a valid delegate's key of your organisation; it must enrol first.",
    )
