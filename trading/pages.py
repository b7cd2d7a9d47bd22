"""The portal: what is announced and how far it is, with the way into each hall, and the newest signed records.

Nothing of bids or bidders is known on this floor; how far an opening or an auction is, the rooms above tell `Pages`.
"""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trading.access import POWER, PUBLIC, Access, Rule
from trading.api.announcements import AnnouncementView, view
from trading.ground.clock import beijing
from trading.ground.problems import Problem
from trading.ground.web import Pages
from trading.model import Section, Session, Stage, Tender
from trading.service import TradingService

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCESS: Final = (
    Rule("GET", "/", PUBLIC, "门户：公告中的招标与竞价"),
    Rule("GET", "/access", PUBLIC, "权限表：谁可以做什么，哪些事项须两人"),
    Rule("GET", "/section/{section}", PUBLIC, "标段：公告、补遗、招标文件、答疑、异议"),
    Rule("GET", "/static.json", PUBLIC, "静态文件及其哈希"),
    Rule("GET", "/static/{name:path}", PUBLIC, "静态文件"),
    Rule("GET", "/i18n/{language}.json", PUBLIC, "界面文字"),
)

MARKS: Final = {
    "state.announced": ("", "◷"),
    "state.bidding": ("ok", "▣"),
    "state.closed": ("", "▪"),
    "state.opening": ("now", "▶"),
    "state.opened": ("ok", "✓"),
    "state.running": ("now", "▶"),
    "state.sold": ("ok", "✓"),
    "state.unsold": ("warn", "—"),
    "state.suspended": ("warn", "‖"),
    "state.held": ("warn", "‖"),
    "state.too_few": ("warn", "—"),
    "state.no_quorum": ("bad", "✕"),
    "state.terminated": ("bad", "✕"),
}
"""State → tone and icon of its chip; the word stands beside the icon, nothing is told by colour alone."""


def router(service: TradingService, pages: Pages) -> APIRouter:
    """Build the portal and what every page loads."""
    made = APIRouter(include_in_schema=False)
    pages.tell("name", lambda subject: _name(service, subject))

    @made.get("/", response_class=HTMLResponse)
    async def portal(request: Request) -> HTMLResponse:
        now = service.clock.now()
        sections = [
            _section(service, pages, tender, section, now)
            for tender, section in _announced(service)
        ]
        auctions = [
            row
            for session in reversed(service.state.sessions.values())
            if session.published_at is not None
            for row in _auctions(pages, session, now)
        ]
        return pages.render(
            request,
            "portal.html",
            here="portal",
            sections=sections,
            auctions=auctions,
            records=pages.ask("records", "") or [],
        )

    @made.get("/access", response_class=HTMLResponse)
    async def table(request: Request) -> HTMLResponse:
        enforced: Access = request.app.state.access
        return pages.render(
            request,
            "access.html",
            here="access",
            rows=[
                row | {"english": _note(pages, row["note"]), "when": pages.english(row["phases"])}
                for row in enforced.table()
            ],
            acts=[
                {
                    "name": act.name,
                    "title": act.title,
                    "english": pages.english(act.title),
                    "proposers": sorted(act.proposers),
                    "confirmers": sorted(act.confirmers),
                    "source": _articles(act.source),
                }
                for act in service.proposals.acts
            ],
        )

    @made.get("/section/{section}", response_class=HTMLResponse)
    async def about(request: Request, section: str) -> HTMLResponse:
        try:
            said = view(service, section, None)
        except Problem as problem:
            return pages.problem(request, problem)
        item = service.section(section)
        row = _section(service, pages, service.tender(item.tender), item, service.clock.now())
        return pages.render(
            request,
            "portal_section.html",
            said=said,
            versions=_versions(service, pages, said),
            objections=[
                {
                    **one.model_dump(),
                    "at": beijing(one.at)[:19],
                    "answer_by": beijing(one.answer_by)[:19],
                    "answered_at": beijing(one.answered_at or 0)[:19],
                }
                for one in said.objections
            ],
            objections_end=beijing(said.objections_end)[:19],
            **row,
        )

    made.include_router(pages.router())
    return made


def _versions(
    service: TradingService, pages: Pages, said: AnnouncementView
) -> list[dict[str, Any]]:
    """Every version of the notice, the newest first, each with its signed paper where it is made."""
    records = pages.ask("notices", said.section) or []
    published = service.tender(service.section(said.section).tender).published_at or 0
    first: dict[str, Any] = {
        "version": 1,
        "at": published,
        "title": "",
        "text": "",
        "affects": False,
    }
    rows = [first | {"previous": 0, "deadline": 0}]
    rows += [
        {
            "version": one.version,
            "at": one.at,
            "title": one.title,
            "text": one.text,
            "affects": one.affects_bids,
            "previous": one.previous,
            "deadline": one.deadline,
        }
        for one in said.addenda
    ]
    return [
        {
            **row,
            "at": beijing(row["at"])[:19],
            "text": [line for line in row["text"].split("\n") if line.strip()],
            "moved": row["previous"] != row["deadline"],
            "previous": beijing(row["previous"])[:19],
            "deadline": beijing(row["deadline"])[:19],
            "record": records[number] if number < len(records) else "",
        }
        for number, row in enumerate(rows)
    ][::-1]


def _note(pages: Pages, note: str) -> str:
    """The note of a row in English, with what it says of a delegate's power."""
    plain, mark, power = note.partition(POWER)
    return pages.english(plain) + pages.english(mark + power)


def _articles(source: str) -> str:
    """The articles of law in a source; our own papers tell a supervisor nothing."""
    return "；".join(part for part in source.split("; ") if ".md" not in part)


def _name(service: TradingService, subject: str) -> str | None:
    """What a section or a session is called; None for another id."""
    state = service.state
    for tender in state.tenders.values():
        if subject in tender.sections:
            return f"{tender.name} · {service.section(subject).name}"
    session = state.sessions.get(subject)
    if session is not None:
        return session.name
    lot = state.lots.get(subject)
    return lot.name if lot is not None else None


def _announced(service: TradingService) -> "Iterator[tuple[Tender, Section]]":
    """Announced sections, newest tender first."""
    for tender in reversed(service.state.tenders.values()):
        if tender.published_at is not None:
            for section_id in tender.sections:
                yield tender, service.section(section_id)


def _section(
    service: TradingService, pages: Pages, tender: Tender, section: Section, now: int
) -> dict[str, Any]:
    project = service.state.projects[tender.project]
    held = service.state.announcement(section.id).held
    state = _state_of_section(section, pages.ask("opening", section.id), now, held=held)
    tone, icon = MARKS[state]
    return {
        "id": section.id,
        "tender": tender.name,
        "tenderer": service.state.organisations[project.tenderer].name,
        "section": section.name,
        "deadline": beijing(section.deadline)[:19],
        "until": section.deadline if now < section.deadline else None,
        "state": state,
        "tone": tone,
        "icon": icon,
        "over": state in {"state.opened", "state.too_few", "state.no_quorum", "state.terminated"},
    }


def _state_of_section(section: Section, opening: str | None, now: int, *, held: bool) -> str:
    if section.stage is Stage.TERMINATED:
        return "state.terminated"
    if section.suspended:
        return "state.suspended"
    if held and opening in {None, "state.bidding"}:
        return "state.held"
    if opening is not None and opening != "state.bidding":
        return opening
    return "state.bidding" if now < section.deadline else "state.closed"


def _auctions(pages: Pages, session: Session, now: int) -> list[dict[str, Any]]:
    """One row for each auction of a session; before its auctions are made, one for the session."""
    starts = session.listing_ends_at or session.opens_at
    rule = "mode.quota" if "quota" in session.rules else "mode.listing"
    plain = {"id": session.id, "title": session.name, "rule": rule}
    told = pages.ask("auctions", session.id) or [{**plain, "state": "state.announced"}]
    rows = []
    for one in told:
        terminated = session.stage is Stage.TERMINATED
        state = "state.terminated" if terminated else one["state"]
        tone, icon = MARKS[state]
        rows.append(
            {
                **one,
                "lots": len(session.lots) if one["id"] == session.id else 1,
                "starts": beijing(starts)[:19],
                "until": starts if now < starts else None,
                "state": state,
                "tone": tone,
                "icon": icon,
                "over": state in {"state.sold", "state.unsold", "state.terminated"},
            }
        )
    return rows
