"""Full dossiers over HTTP: with them bids can be read, so only tenderer, supervisor and auditor have them.

    GET /api/v1/dossiers/{subject}/full.zip

What is public of dossiers is in `documents.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from trading.access import Rule, actor
from trading.ground.problems import Forbidden
from trading.model import Actor, Role, State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from documents.shelf import Shelf

BASE = "/api/v1/dossiers"
_READERS = frozenset({Role.TENDERER, Role.SUPERVISOR, Role.AUDITOR})
ACCESS: tuple[Rule, ...] = (
    Rule(
        "GET",
        f"{BASE}/{{subject}}/full.zip",
        _READERS,
        "归档包完整版，含投标文件；招标人限本单位项目",
        phases="归档后",
        own=True,
    ),
)


def router(shelf: Shelf, state: Callable[[], State]) -> APIRouter:
    """Return the route of full dossiers.

    Args:
        shelf: where they stand.
        state: the centre's business as of now: whose project a section belongs to.
    """
    routes = APIRouter(tags=["records"])

    @routes.get(f"{BASE}/{{subject}}/full.zip", response_class=StreamingResponse)
    def full(subject: str, who: Annotated[Actor, Depends(actor)]) -> StreamingResponse:
        """Return the full rendition of a dossier.

        Raises:
            NotFound: there is no dossier of this section or session.
            Forbidden: it is of another tenderer's project.
        """
        content = shelf.full_zip(subject)
        if who.role == Role.TENDERER and tenderer_of(state(), subject) != who.organisation:
            raise Forbidden(
                "dossier-foreign",
                "不是本单位的项目",
                "A tenderer has the full dossiers of its own projects; the public one is open to all.",
            )
        return zip_answer(content, f"{subject}-full.zip")

    return routes


def tenderer_of(state: State, subject: str) -> str:
    """Return the organisation id of a section's tenderer; "" for a session, which has none."""
    section = state.sections.get(subject)
    return "" if section is None else state.projects[state.tenders[section.tender].project].tenderer


def zip_answer(content: Iterator[bytes], name: str) -> StreamingResponse:
    """Return a ZIP file that is made, in a thread, as fast as it is taken."""
    return StreamingResponse(
        _closing(content),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _closing(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Give the pieces; when the client goes away, give the open files free at once."""
    try:
        async for piece in iterate_in_threadpool(content):
            yield piece
    finally:
        close = getattr(content, "close", None)
        if close is not None:
            close()
