"""HTTP of records and public dossiers: lists, PDF, the proof that the ledger holds a record, ZIP. All public.

Full dossiers are `documents.dossiers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from documents.dossiers import BASE as DOSSIERS
from documents.dossiers import zip_answer
from trading.access import PUBLIC, Rule

if TYPE_CHECKING:
    from documents.service import DocumentService
    from documents.shelf import Shelf
    from documents.store import IssuedRecord

BASE = "/api/v1/records"
ACCESS: tuple[Rule, ...] = (
    Rule("GET", BASE, PUBLIC, "已签发记录清单"),
    Rule("GET", f"{BASE}/{{record}}.pdf", PUBLIC, "签名记录"),
    Rule("GET", f"{BASE}/{{record}}.proof.json", PUBLIC, "记录在存证日志中的证明"),
    Rule("GET", DOSSIERS, PUBLIC, "归档包清单"),
    Rule("GET", f"{DOSSIERS}/{{subject}}.zip", PUBLIC, "归档包公开版"),
)


def router(service: DocumentService, shelf: Shelf) -> APIRouter:
    """Return the routes of records and dossiers."""
    routes = APIRouter(tags=["records"])

    @routes.get(BASE)
    def records(subject: str | None = None) -> dict[str, Any]:
        """List issued records in order of issue; `subject` is the id of a section or session."""
        return {"v": 1, "records": [_view(one) for one in service.all(subject)]}

    @routes.get(f"{BASE}/{{record}}.pdf", response_class=Response)
    async def pdf(record: str) -> Response:
        """Return a signed record; its SHA-256 is its entity tag."""
        one = service.get(record)
        return Response(
            await service.pdf(record),
            media_type="application/pdf",
            headers={
                "etag": f'"{one.blob.sha256}"',
                "content-disposition": f'inline; filename="{record}.pdf"',
            },
        )

    @routes.get(f"{BASE}/{{record}}.proof.json", response_class=Response)
    def proof(record: str) -> Response:
        """Return the record's proof file under the ledger's present checkpoint."""
        return Response(service.proof(record).to_bytes(), media_type="application/json")

    @routes.get(DOSSIERS)
    def dossiers() -> dict[str, Any]:
        """List the sections and sessions that have a dossier."""
        return {"v": 1, "dossiers": shelf.subjects()}

    @routes.get(f"{DOSSIERS}/{{subject}}.zip", response_class=StreamingResponse)
    def dossier(subject: str) -> StreamingResponse:
        """Return the public rendition of a dossier."""
        return zip_answer(shelf.public_zip(subject), f"{subject}-public.zip")

    return routes


def _view(one: IssuedRecord) -> dict[str, Any]:
    body = one.to_body()
    del body["blob"]  # where it lies is the centre's matter
    return {**body, "ledger_index": one.ledger_index, "issued_at": one.at}
