"""A bidder's delegates 委托代理人: given a scope until an instant, taken back at once."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response, status

from trading.access import Rule, actor
from trading.api.shapes import Answer, Arrival
from trading.model import Actor, Delegation, Role
from trading.service import TradingService
from trading.service.forms import SignedForm

_BIDDER: Final = frozenset({Role.BIDDER})

ACCESS: Final = (
    Rule("POST", "/api/v1/delegations", _BIDDER, "委托代理人：权限与期限，本单位签名", own=True),
    Rule("POST", "/api/v1/delegations/revocation", _BIDDER, "撤销委托，立即生效", own=True),
    Rule("GET", "/api/v1/delegations", _BIDDER, "本单位的委托代理人", own=True),
)

Who = Annotated[Actor, Depends(actor)]


class DelegationView(Answer):
    """What a person may do for one's own organisation, until when."""

    id: str
    person: str
    name: str
    scopes: list[str]
    targets: list[str]
    until: int
    granted_at: int
    revoked_at: int | None


def add(router: APIRouter, service: TradingService) -> None:
    """Add the routes of this file to a router."""

    def view(item: Delegation) -> DelegationView:
        return DelegationView(
            id=item.id,
            person=item.person,
            name=service.person_name(item.person),
            scopes=list(item.scopes),
            targets=list(item.targets),
            until=item.until,
            granted_at=item.granted_at,
            revoked_at=item.revoked_at,
        )

    @router.post("/delegations", status_code=status.HTTP_201_CREATED)
    async def grant(body: SignedForm, who: Who, at: Arrival) -> DelegationView:
        """Give a delegate its scope (purpose `delegation`: person, scopes, until, nonce, at, and targets if not for all)."""
        return view(await service.delegations.grant(who, body.model_dump(), at))

    @router.post("/delegations/revocation", status_code=status.HTTP_204_NO_CONTENT)
    async def revoke(body: SignedForm, who: Who, at: Arrival) -> Response:
        """Take a delegation back (purpose `delegation_revocation`: person, nonce, at)."""
        await service.delegations.revoke(who, body.model_dump(), at)
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.get("/delegations")
    async def delegations(who: Who) -> list[DelegationView]:
        """List one's own delegations, ended ones too."""
        return [view(item) for item in service.delegations.of(who.organisation)]
