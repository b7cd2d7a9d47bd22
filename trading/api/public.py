"""What anybody may read: the centre, its roster, what is announced, who may do what."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from trading.access import PUBLIC, Access, Rule, maybe_actor
from trading.api import views
from trading.api.shapes import (
    AccessTable,
    ActRow,
    AuctionView,
    CentreView,
    Roster,
    Row,
    TenderLine,
    TenderView,
)
from trading.model import CENTRE_STAFF, Actor, Role, Stage, UnknownError
from trading.service import TradingService

SOFTWARE: Final = "kaibiao 0.1.0"
DRAFTS: Final = CENTRE_STAFF | {Role.SUPERVISOR, Role.TENDERER, Role.AGENT}

ACCESS: Final = (
    Rule("GET", "/api/v1/centre", PUBLIC, "中心名称、证书、日志公钥、服务器时间、规则集"),
    Rule("GET", "/api/v1/access", PUBLIC, "本表"),
    Rule("GET", "/api/v1/roster", PUBLIC, "密钥托管人与日志见证人及其指纹"),
    Rule("GET", "/api/v1/tenders", PUBLIC, "已公告招标；不含投标人及其数量"),
    Rule(
        "GET",
        "/api/v1/tenders/{tender_id}",
        PUBLIC,
        "招标详情；未公告的仅中心、监督、招标人及代理可见",
    ),
    Rule("GET", "/api/v1/sections/{section_id}/tender.json", PUBLIC, "封标用招标文件，中心签名"),
    Rule("GET", "/api/v1/auctions", PUBLIC, "已公告竞价场次"),
    Rule("GET", "/api/v1/auctions/{session_id}", PUBLIC, "竞价场次详情；未公告的仅中心、监督可见"),
)

Viewer = Annotated[Actor | None, Depends(maybe_actor)]


def add(router: APIRouter, service: TradingService) -> None:
    """Add the routes of this file to a router."""

    @router.get("/centre")
    async def centre() -> CentreView:
        """Say who this centre is and what time it is."""
        settings = service.settings
        return CentreView(
            id=settings.centre,
            name=settings.centre_name,
            live=settings.live,
            ruleset=settings.ruleset,
            software=SOFTWARE,
            server_time=service.clock.now(),
            certificates=service.certificates,
            ledger_origin=service.ledger.origin,
            ledger_vkey=service.ledger.vkey,
        )

    @router.get("/access")
    async def access(request: Request) -> AccessTable:
        """Print the access table and the table of critical acts."""
        table: Access = request.app.state.access
        return AccessTable(
            rows=[Row(**row) for row in table.table()],
            acts=[
                ActRow(
                    act=act.name,
                    title=act.title,
                    proposers=sorted(act.proposers),
                    confirmers=sorted(act.confirmers),
                    source=act.source,
                )
                for act in service.proposals.acts
            ],
        )

    @router.get("/roster")
    async def roster() -> Roster:
        """List custodians and witnesses."""
        return Roster(
            custodians=[views.custodian(c) for c in service.state.custodians.values()],
            witnesses=[views.witness(w) for w in service.state.witnesses.values()],
        )

    @router.get("/tenders")
    async def tenders() -> list[TenderLine]:
        """List what is announced, newest first; nothing of bids or bidders."""
        announced = [t for t in service.state.tenders.values() if t.published_at is not None]
        announced.sort(key=lambda t: t.published_at or 0, reverse=True)
        return [views.tender_line(service, t) for t in announced]

    @router.get("/tenders/{tender_id}")
    async def tender(tender_id: str, who: Viewer) -> TenderView:
        """Show a tender with its sections; each has the signed file that sealers take."""
        item = service.tender(tender_id)
        if item.published_at is None and not may_see_draft(service, item.project, who):
            raise UnknownError("tender-unknown", "没有该招标", "There is no such tender.")
        return views.tender(service, item)

    @router.get("/sections/{section_id}/tender.json")
    async def tender_file(section_id: str) -> dict[str, Any]:
        """Return what `seal --tender` takes: one section's terms, signed by the centre."""
        item = service.section(section_id)
        if item.tender_file is None or item.stage is Stage.DRAFT:
            raise UnknownError(
                "tender-file-unknown", "尚无招标文件", "This section has not been announced."
            )
        return item.tender_file

    @router.get("/auctions")
    async def auctions() -> list[AuctionView]:
        """List announced auction sessions, newest first."""
        announced = [s for s in service.state.sessions.values() if s.published_at is not None]
        announced.sort(key=lambda s: s.published_at or 0, reverse=True)
        return [views.auction(service, s) for s in announced]

    @router.get("/auctions/{session_id}")
    async def auction(session_id: str, who: Viewer) -> AuctionView:
        """Show an auction session with its lots."""
        item = service.auction_session(session_id)
        insider = who is not None and who.role in CENTRE_STAFF | {Role.SUPERVISOR}
        if item.published_at is None and not insider:
            raise UnknownError("session-unknown", "没有该竞价场次", "There is no such session.")
        return views.auction(service, item)


def may_see_draft(service: TradingService, project_id: str, who: Actor | None) -> bool:
    """Whether somebody may see a tender before its notice: the centre, supervisor, its owners."""
    if who is None or who.role not in DRAFTS:
        return False
    project = service.state.projects[project_id]
    owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
    return who.role not in owners or owners[who.role] == who.organisation
