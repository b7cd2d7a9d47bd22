"""The portal: what is announced, with the way into each hall. Nothing of bids or bidders is known on this floor."""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trading.access import PUBLIC, Rule
from trading.ground.clock import beijing
from trading.ground.web import Pages
from trading.model import Section, Session, Stage, Tender
from trading.service import TradingService

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCESS: Final = (
    Rule("GET", "/", PUBLIC, "门户：公告中的招标与竞价"),
    Rule("GET", "/static.json", PUBLIC, "静态文件及其哈希"),
    Rule("GET", "/static/{name:path}", PUBLIC, "静态文件"),
    Rule("GET", "/i18n/{language}.json", PUBLIC, "界面文字"),
)


def router(service: TradingService, pages: Pages) -> APIRouter:
    """Build the portal and what every page loads."""
    made = APIRouter(include_in_schema=False)

    @made.get("/", response_class=HTMLResponse)
    async def portal(request: Request) -> HTMLResponse:
        language = pages.language(request)
        now = service.clock.now()

        def word(key: str) -> str:
            return pages.word(language, key)

        return pages.render(
            request,
            "portal.html",
            here="portal",
            sections=[
                _section(service, tender, section, now, word(_state_of_section(section, now)))
                for tender, section in _announced(service)
            ],
            lots=[
                _session(session, now, word(_state_of_session(session, now)), word("portal.quota"))
                for session in reversed(service.state.sessions.values())
                if session.published_at is not None
            ],
        )

    made.include_router(pages.router())
    return made


def _announced(service: TradingService) -> "Iterator[tuple[Tender, Section]]":
    """Announced sections, newest tender first."""
    for tender in reversed(service.state.tenders.values()):
        if tender.published_at is not None:
            for section_id in tender.sections:
                yield tender, service.section(section_id)


def _state_of_section(section: Section, now: int) -> str:
    if section.stage is Stage.TERMINATED:
        return "state.terminated"
    if section.suspended:
        return "state.suspended"
    return "state.bidding" if now < section.deadline else "state.closed"


def _state_of_session(session: Session, now: int) -> str:
    if session.stage is Stage.TERMINATED:
        return "state.terminated"
    return "state.announced" if now < session.opens_at else "state.running"


TONES: Final = {
    "state.bidding": "ok",
    "state.running": "ok",
    "state.suspended": "warn",
    "state.terminated": "bad",
}


def _section(
    service: TradingService, tender: Tender, section: Section, now: int, state: str
) -> dict[str, Any]:
    project = service.state.projects[tender.project]
    return {
        "id": section.id,
        "tender": tender.name,
        "tenderer": service.state.organisations[project.tenderer].name,
        "section": section.name,
        "deadline": beijing(section.deadline)[:19],
        "state": state,
        "tone": TONES.get(_state_of_section(section, now), ""),
    }


def _session(session: Session, now: int, state: str, rule: str) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.name,
        "lot": f"{len(session.lots)}",
        "rule": rule,
        "starts": beijing(session.listing_ends_at or session.opens_at)[:19],
        "state": state,
        "tone": TONES.get(_state_of_session(session, now), ""),
    }
