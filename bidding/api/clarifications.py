"""Attaching tender documents: their bytes come as bids' bytes come, over tus, and are named by a signed statement."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from bidding.service import BiddingService
from trading.access import Rule, actor
from trading.api.shapes import Answer, Arrival
from trading.model import Actor, Role
from trading.service.forms import Form, SignedForm

ATTACHES: Final = frozenset({Role.TENDERER, Role.AGENT, Role.OPERATOR})

ACCESS: Final = (
    Rule(
        "POST",
        "/api/v1/sections/{section}/documents",
        ATTACHES,
        "附招标文件，限本项目；公告后须经补遗发布",
        phases="截止前",
    ),
)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
Who = Annotated[Actor, Depends(actor)]


class AttachRequest(Form):
    """`statement` has purpose `document`; `upload` is the id of a whole upload of one's own."""

    statement: SignedForm
    upload: str = Field(min_length=1, max_length=80)


class Attached(Answer):
    """A document is kept. `version` 0: it waits for the addendum that names it."""

    document: str
    sha256: str
    version: int


def add(made: APIRouter, service: BiddingService) -> None:
    """Add these routes to the room's."""

    @made.post("/sections/{section}/documents", status_code=201, tags=["announcements"])
    async def attach(section: Id, body: AttachRequest, who: Who, at: Arrival) -> Attached:
        """Attach an uploaded document (purpose `document`: section, name, sha256, size, nonce, at)."""
        signed: dict[str, Any] = body.statement.model_dump()
        kept = await service.documents.attach(who, section, signed, body.upload, at)
        return Attached(document=kept.id, sha256=kept.sha256, version=kept.version)
