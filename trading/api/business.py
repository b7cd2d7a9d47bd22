"""Critical acts in two steps, suspension in one, deposits."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response, status

from trading.access import Rule, actor
from trading.api import views
from trading.api.shapes import (
    ActResult,
    Arrival,
    DepositRequest,
    DepositView,
    ProposalView,
)
from trading.model import ACTS, CENTRE_STAFF, Actor, Role
from trading.service import TradingService
from trading.service.forms import SignedForm

PROPOSERS: Final = frozenset().union(*(act.proposers for act in ACTS))
CONFIRMERS: Final = frozenset().union(*(act.confirmers for act in ACTS))

ACCESS: Final = (
    Rule("POST", "/api/v1/proposals", PROPOSERS, "提出须双人办理的事项；另按事项表判断角色"),
    Rule("GET", "/api/v1/proposals", PROPOSERS | CONFIRMERS, "本人提出或可复核的事项"),
    Rule(
        "POST",
        "/api/v1/proposals/{proposal_id}/confirm",
        CONFIRMERS,
        "复核；须另一人、另一角色、另一密钥，10 分钟内",
    ),
    Rule(
        "POST",
        "/api/v1/suspensions",
        CENTRE_STAFF | {Role.SUPERVISOR},
        "紧急中止，一人即可；恢复须两人",
        phases="已公告",
    ),
    Rule(
        "POST",
        "/api/v1/deposits",
        frozenset({Role.BIDDER}),
        "登记本单位保证金",
        phases="公告后；标段须截止前",
        own=True,
    ),
    Rule("GET", "/api/v1/deposits/me", frozenset({Role.BIDDER}), "本单位保证金", own=True),
    Rule(
        "GET",
        "/api/v1/deposits",
        CENTRE_STAFF | {Role.SUPERVISOR},
        "标段保证金，供退还",
        phases="截止后",
    ),
)

Who = Annotated[Actor, Depends(actor)]


def add(router: APIRouter, service: TradingService) -> None:
    """Add the routes of this file to a router."""

    @router.post("/proposals", status_code=status.HTTP_201_CREATED)
    async def propose(body: SignedForm, who: Who, at: Arrival) -> ProposalView:
        """Propose an act (purpose `proposal`: act, body, nonce, at)."""
        made = await service.proposals.propose(who, body.model_dump(), at)
        return views.proposal(service, made)

    @router.get("/proposals")
    async def proposals(who: Who) -> list[ProposalView]:
        """List the waiting acts one has proposed or may confirm."""
        now = service.clock.now()
        return [views.proposal(service, p) for p in service.proposals.waiting(who, now)]

    @router.post("/proposals/{proposal_id}/confirm")
    async def confirm(proposal_id: str, body: SignedForm, who: Who, at: Arrival) -> ActResult:
        """Confirm an act (purpose `confirmation`: proposal, digest, nonce, at); it is done."""
        act = service.proposals.find(proposal_id).act
        result = await service.proposals.confirm(who, proposal_id, body.model_dump(), at)
        return ActResult(proposal=proposal_id, act=act, result=dict(result))

    @router.post("/suspensions", status_code=status.HTTP_204_NO_CONTENT)
    async def suspend(body: SignedForm, who: Who, at: Arrival) -> Response:
        """Suspend a section, lot or auction session (purpose `suspension`: target, reason, nonce, at)."""
        await service.holds.suspend(who, body.model_dump(), at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.post("/deposits", status_code=status.HTTP_201_CREATED)
    async def declare(body: DepositRequest, who: Who, at: Arrival) -> DepositView:
        """Record one's own deposit (purpose `deposit`: target, form, amount, nonce, at)."""
        made = await service.deposits.declare(who, body.statement.model_dump(), body.reference, at)
        return views.deposit(made)

    @router.get("/deposits/me")
    async def mine(who: Who) -> list[DepositView]:
        """List one's own deposits."""
        return [views.deposit(d) for d in service.deposits.own(who.organisation)]

    @router.get("/deposits")
    async def deposits(
        target: Annotated[str, Query(max_length=80)], at: Arrival
    ) -> list[DepositView]:
        """List a section's deposits after T; before it this is refused, whatever there is."""
        return [views.deposit(d) for d in service.deposits.of(target, at)]
