"""The page of issued records: what was signed, when, with which hash, and how to verify it offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trading.access import PUBLIC, Rule
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from documents.service import DocumentService
    from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/records", PUBLIC, "已签发记录页面"),)


def router(service: DocumentService, pages: Pages) -> APIRouter:
    """Return the route of the page, newest record first."""
    made = APIRouter(include_in_schema=False)

    # `Request` is resolved by name when the route is added, so it is imported at run time.
    @made.get("/records", response_class=HTMLResponse)
    async def records(request: Request) -> HTMLResponse:
        language = pages.language(request)
        return pages.render(
            request,
            "records.html",
            here="records",
            records=[
                {
                    "id": one.record,
                    "title": pages.word(language, f"record.{one.kind}"),
                    "about": one.number,
                    "signed_at": beijing(one.at)[:19],
                    "sha256": one.blob.sha256,
                }
                for one in reversed(service.all())
            ],
        )

    return made
