"""The page of issued records: what was signed, when, with which hash, and how to verify it offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trading.access import PUBLIC, Rule
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from documents.service import DocumentService
    from documents.shelf import Shelf
    from documents.store import IssuedRecord
    from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/records", PUBLIC, "已签发记录页面"),)
NEWEST: Final = 6
"""Records that the portal shows."""


def router(service: DocumentService, pages: Pages, shelf: Shelf | None = None) -> APIRouter:
    """Return the route of the page, newest record first.

    Args:
        service: the issued records.
        pages: draws them; the portal may ask it for the newest.
        shelf: the dossiers 归档包; without it the page lists none.
    """
    made = APIRouter(include_in_schema=False)

    def row(one: IssuedRecord) -> dict[str, Any]:
        return {
            "id": one.record,
            "kind": f"record.{one.kind}",
            "number": one.number,
            "about": pages.ask("name", one.subject) or "",
            "signed_at": beijing(one.at)[:19],
            "sha256": one.blob.sha256,
            "index": one.ledger_index,
            "kib": (one.blob.size + 1023) // 1024,
        }

    pages.tell("records", lambda _: [row(one) for one in reversed(service.all()[-NEWEST:])])

    pages.tell(
        "notices", lambda subject: [o.record for o in service.all(subject) if o.kind == "notice"]
    )

    # `Request` is resolved by name when the route is added, so it is imported at run time.
    @made.get("/records", response_class=HTMLResponse)
    def records(request: Request) -> HTMLResponse:
        subjects = shelf.subjects() if shelf is not None else []
        return pages.render(
            request,
            "records.html",
            here="records",
            records=[row(one) for one in reversed(service.all())],
            dossiers=[{"id": id_, "about": pages.ask("name", id_) or id_} for id_ in subjects],
        )

    return made
