"""Deposits 保证金 as records: declared by the bidder, hidden until the opening, released once.

A bidder declares its own deposit with a fresh signature, so that no clerk of the centre learns
before T who bids or how many (招标投标法 22). Nobody but the bidder itself sees it earlier; at
the opening `bidding` asks for each listed bidder. For a lot the deposit is a gate that the
auction asks about at every offer.
"""

from collections.abc import Mapping
from typing import Any

from trading.ground.ids import new_id
from trading.ground.money import FEN, format_amount, parse_amount
from trading.model import (
    ACTS,
    Actor,
    ConflictError,
    Deposit,
    ForbiddenError,
    LateError,
    Lot,
    Proposal,
    Section,
    Stage,
    UnknownError,
)
from trading.model import DepositForm as How
from trading.model.codec import to_json
from trading.model.texts import name
from trading.service.desk import Desk
from trading.service.forms import DepositForm, ReleaseForm, read
from trading.service.proposals import Effect, Proposals, closed_conflict

MAX_REFERENCE = 200


class Deposits:
    """Deposits for sections and lots."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["deposit.release"], self._check_release, self._release)

    async def declare(
        self, who: Actor, signed: Mapping[str, Any], reference: str, arrival: int
    ) -> Deposit:
        """Record a bidder's own deposit.

        Args:
            who: of the session.
            signed: statement of purpose `deposit` with target, form, amount, nonce and at.
            reference: the bank's or guarantor's number; kept in the private table.
            arrival: stamp of the request, ms UTC.

        Raises:
            LateError: T has come.
            ConflictError: too little, or one is held already.
            ForbiddenError: the lot is for its land-use-right holder only.
        """
        name(reference, "reference", MAX_REFERENCE)
        async with self._desk.turn:
            form = read(DepositForm, self._desk.step_up(who, signed, "deposit", arrival))
            amount = parse_amount(form.amount, FEN)
            target = self._target(form.target)
            self._check_target(who, target, amount, arrival)
            known = self._desk.state.deposit_of(target.id, who.organisation)
            if known is not None and known.released_at is None:
                raise ConflictError(
                    "deposit-known", "保证金已登记", "Your deposit for this is recorded already."
                )
            ref = (await self._desk.private.put(who.organisation, "deposit", reference))[0]
            deposit = Deposit(
                new_id("dep"), target.id, who.organisation, How(form.form), amount, ref, arrival
            )
            body = {"deposit": to_json(deposit), "statements": [dict(signed)]}
            await self._desk.append(self._desk.row("deposit.recorded", body, arrival))
            return deposit

    def status(self, target_id: str, organisation: str, now: int) -> How:
        """How an organisation's deposit stood at T, for the opening.

        Args:
            target_id: a section; before its T this is refused whoever asks.
            organisation: id.
            now: ms UTC.

        Raises:
            ForbiddenError: it is not T yet.
        """
        target = self._target(target_id)
        if isinstance(target, Section) and now < target.deadline:
            raise ForbiddenError(
                "deposit-hidden",
                "开标前不公开保证金情况",
                "Deposits are revealed at the opening; nobody may ask before T.",
                rule="招标投标法 22",
            )
        deposit = self._desk.state.deposit_of(target_id, organisation)
        return deposit.form if deposit is not None else How.NONE

    def held(self, target_id: str, organisation: str) -> bool:
        """Whether an organisation holds a sufficient deposit now; the auction's gate."""
        deposit = self._desk.state.deposit_of(target_id, organisation)
        return deposit is not None and deposit.released_at is None

    def own(self, organisation: str) -> list[Deposit]:
        """An organisation's own deposits, oldest first."""
        return [d for d in self._desk.state.deposits.values() if d.organisation == organisation]

    def of(self, target_id: str, now: int) -> list[Deposit]:
        """All deposits for a section, for its release; refused before T whatever there is.

        Raises:
            ForbiddenError: it is not T yet.
        """
        self.status(target_id, "", now)
        return [d for d in self._desk.state.deposits.values() if d.target == target_id]

    def _check_target(self, who: Actor, target: Section | Lot, amount: int, arrival: int) -> None:
        if target.stage is not Stage.ANNOUNCED:
            raise closed_conflict("Deposits are taken for what is announced")
        if isinstance(target, Section) and arrival >= target.deadline:
            raise LateError(
                "deposit-late", "已过投标截止时间", "Deposits for a section are taken before T."
            )
        if isinstance(target, Lot) and target.holder not in ("", who.organisation):
            raise ForbiddenError(
                "lot-not-yours",
                "仅限该宗地使用权人",
                "Only the land-use-right holder named in the notice may take part in this lot.",
            )
        if amount < target.deposit:
            raise ConflictError(
                "deposit-too-small",
                "保证金不足",
                f"The notice asks for {format_amount(target.deposit, FEN)} yuan.",
            )

    def _check_release(self, body: Mapping[str, Any], at: int) -> None:
        self._releasable(body, at)

    def _releasable(self, body: Mapping[str, Any], at: int) -> ReleaseForm:
        form = read(ReleaseForm, dict(body))
        state = self._desk.state
        for deposit_id in form.deposits:
            deposit = state.deposits.get(deposit_id)
            if deposit is None:
                raise UnknownError("deposit-unknown", "没有该保证金", "There is no such deposit.")
            if deposit.released_at is not None:
                raise ConflictError(
                    "deposit-released", "保证金已退还", "A deposit is released exactly once."
                )
            section = state.sections.get(deposit.target)
            if section and at < section.deadline and section.stage is not Stage.TERMINATED:
                raise closed_conflict("Before T deposits are not known, hence not released")
        if len(set(form.deposits)) != len(form.deposits):
            raise ConflictError(
                "deposit-released", "保证金已退还", "The list names one deposit twice."
            )
        return form

    async def _release(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        form = self._releasable(proposal.body, at)
        body = {"deposits": form.deposits, "reason": form.reason}
        return Effect(body, (), {"deposits": form.deposits})

    def _target(self, target: str) -> Section | Lot:
        state = self._desk.state
        found = state.sections.get(target) or state.lots.get(target)
        if found is None:
            raise UnknownError("target-unknown", "没有该标段或标的", "There is no such thing.")
        return found
