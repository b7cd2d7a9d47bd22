"""The page of one opening hall, and the custodians' board. The portal is told how far each opening is.

A hall's state comes over its own socket; the board is drawn from the ledger when it is asked for.
"""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bidding.opening import Phase
from bidding.service import BiddingService
from trading.access import PUBLIC, Rule
from trading.ground.clock import beijing
from trading.ground.problems import Problem
from trading.ground.web import Pages

ACCESS: Final = (
    Rule("GET", "/open/{section}", PUBLIC, "开标大厅页面"),
    Rule("GET", "/custody", PUBLIC, "托管人值守与双史证据"),
)
MARKS: Final = {
    "awake": ("ok", "●"),
    "answered": ("ok", "✓"),
    "stale": ("warn", "○"),
    "red": ("bad", "✕"),
    "refused": ("bad", "!"),
    "wrong": ("bad", "✕"),
}
"""A custodian's state → tone and icon of its chip; the word stands beside it."""

STATES: Final = {
    Phase.BIDDING: "state.bidding",
    Phase.SEALED: "state.opened",
    Phase.FAILED_FEWER_THAN_3: "state.too_few",
    Phase.FAILED_QUORUM: "state.no_quorum",
    Phase.TERMINATED: "state.terminated",
}
"""What the portal says of an opening; every phase between is `state.opening`."""


def router(service: BiddingService, pages: Pages) -> APIRouter:
    """Return the route of the hall's page."""
    made = APIRouter(include_in_schema=False)

    def opening(section: str) -> str | None:
        book = service.room.shelf.books.get(section)
        if book is None or book.opening is None:
            return None
        return STATES.get(book.opening.phase, "state.opening")

    pages.tell("opening", opening)

    @made.get("/custody", response_class=HTMLResponse)
    async def custody(request: Request) -> HTMLResponse:
        board = await service.board.show(service.room.clock.now())
        for section in board["sections"]:
            section["until"] = beijing(section["deadline"])[:19]
            for one in section["custodians"]:
                one["tone"], one["icon"] = MARKS[one["state"]]
                one["seen"] = beijing(one["seen_at"])[:19] if one["seen_at"] else "—"
        return pages.render(
            request,
            "custody.html",
            here="custody",
            sections=board["sections"],
            evidence=service.room.ledger.evidence(),
        )

    @made.get("/open/{section}", response_class=HTMLResponse)
    async def hall(request: Request, section: str) -> HTMLResponse:
        try:
            keyed = service.room.announced(section).keyed
        except Problem as problem:
            return pages.problem(request, problem)
        assert keyed is not None
        return pages.render(
            request,
            "opening.html",
            name=keyed.tender.name,
            section_name=keyed.tender.section_name,
            hall_path=f"/api/v1/openings/{section}/live",
            about=section,
        )

    return made
