"""Receipts on paper: for their owner only, as every receipt."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Response

from bidding.service import BiddingService
from bidding.service.slips import Slips
from trading.access import Rule, actor
from trading.api.shapes import PROBLEMS
from trading.model import Actor, Bidders, Scope

ACCESS: Final = (
    Rule(
        "GET",
        "/api/v1/sections/{section}/receipts/{act}.pdf",
        Bidders(Scope.SUBMIT),
        "本单位回执，签名 PDF",
        own=True,
    ),
)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:-]{0,79}$")]
Who = Annotated[Actor, Depends(actor)]


def router(service: BiddingService) -> APIRouter:
    """Return the route; it stands before that of the receipts' JSON, whose pattern would take it."""
    made = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    slips = Slips(service.room, service.intake)

    @made.get("/sections/{section}/receipts/{act}.pdf", response_class=Response, tags=["bids"])
    async def paper(section: Id, act: Id, who: Who) -> Response:
        """Return one's own receipt as a signed PDF with the signed receipt attached; it may take a second."""
        return Response(
            await slips.paper(who, section, act),
            media_type="application/pdf",
            headers={
                "cache-control": "no-store",
                "content-disposition": f'attachment; filename="{act}.pdf"',
            },
        )

    return made
