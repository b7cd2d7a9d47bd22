"""Before the auction: the reserve, the application, the letter of qualification.

    POST /api/v1/lots/{lot}/reserve         the centre's staff enters a reserve 保留价; the slip comes back
    POST /api/v1/lots/{lot}/application     竞买申请, signed by the bidder's certified key
    GET  /api/v1/lots/{lot}/qualification   竞买资格确认书, signed by the centre; to its holder alone
    GET  /api/v1/lots/{lot}/qualification.pdf   the same as a sealed PDF with the signed letter inside

A reserve counts when two people have signed its commitment: act `lot.reserve` of `/api/v1/proposals`. An application may
claim 优先购买权; the claim counts when two people have recognised it: act `lot.preemption`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response, status
from pydantic import BaseModel, ConfigDict, Field

from auction.service.letters import Letters
from auction.service.participation import Participation
from auction.service.reserve import Reserves
from trading.access import Rule, actor
from trading.api.shapes import Arrival
from trading.model import CENTRE_STAFF, Actor, Bidders, Scope
from trading.service.forms import SignedForm

_BASE = "/api/v1/lots/{lot}"
_BIDDER = Bidders(Scope.OFFER)

ACCESS = (
    Rule(
        "POST",
        _BASE + "/reserve",
        CENTRE_STAFF,
        "录入保留价；两人签署承诺值后生效",
        phases="公告前",
    ),
    Rule("POST", _BASE + "/application", _BIDDER, "竞买申请，逐份签名", phases="公告后", own=True),
    Rule("GET", _BASE + "/qualification", _BIDDER, "本单位的竞买资格确认书", own=True),
    Rule(
        "GET", _BASE + "/qualification.pdf", _BIDDER, "本单位的竞买资格确认书，签名 PDF", own=True
    ),
)
"""The rows of the access table."""

Who = Annotated[Actor, Depends(actor)]


class ReserveForm(BaseModel):
    """A reserve as it is entered: an amount at the rules' scale."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    value: str = Field(max_length=32)


def router(reserves: Reserves, participation: Participation, letters: Letters) -> APIRouter:
    """Build the routes.

    Args:
        reserves: entry of reserves.
        participation: applications and letters.
        letters: the same letters on paper.
    """
    made = APIRouter(tags=["auctions 网上竞价"])

    @made.post(_BASE + "/reserve", status_code=status.HTTP_201_CREATED)
    async def reserve(lot: str, body: ReserveForm) -> dict[str, str]:
        """Enter a reserve; hand value and slip to a second person outside the system."""
        slip = await reserves.enter(lot, body.value)
        return {"ref": slip.ref, "salt": slip.salt, "commitment": slip.commitment}

    @made.post(_BASE + "/application", status_code=status.HTTP_201_CREATED)
    async def application(lot: str, body: SignedForm, who: Who, at: Arrival) -> dict[str, str]:
        """Apply (purpose `application`: lot, rules, nonce, at); `rules` is their SHA-256 as announced.

        Who proves 优先购买权 adds `preemption`: the SHA-256 of what proves it, hex.
        """
        return {"application": await participation.apply(lot, who, body.model_dump(), at)}

    @made.get(_BASE + "/qualification")
    async def qualification(lot: str, who: Who) -> dict[str, Any]:
        """Give one's own letter of qualification, a statement (purpose `qualification`) of the centre."""
        return participation.letter(lot, who)

    @made.get(_BASE + "/qualification.pdf", response_class=Response)
    async def paper(lot: str, who: Who) -> Response:
        """Give one's own letter as a sealed PDF with the signed letter inside; it may take a second."""
        return Response(
            await letters.paper(lot, who),
            media_type="application/pdf",
            headers={
                "cache-control": "no-store",
                "content-disposition": f'attachment; filename="{lot}-qualification.pdf"',
            },
        )

    return made
