"""Whether the centre lives, is ready, and keeps its clock: for operators and load balancers.

No figure here may depend on what bidders do. A counter of requests, of journal rows or of open files
would tell how many bids there are before the opening (招标投标法 art. 22), so `/metrics` has the same
bytes for three bidders and for thirty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel

from trading.ground.clock import fit_to_open, rfc3339
from trading.ground.problems import StorageFailed

if TYPE_CHECKING:
    from trading.ground.clock import Clock
    from trading.ground.journal import Journal


class Health(BaseModel):
    """The answer of `/healthz` and `/readyz`."""

    status: str


class Readiness(Health):
    """The answer of `/readyz`. The clock says nothing about taking bids: only beginnings wait for it."""

    clock: Literal["fit", "unknown", "unfit"]
    clock_offset_ms: int | None
    beginnings: Literal["go", "wait"]


class ServerTime(BaseModel):
    """The server's clock, for a client's offset: it shows, the server decides; and what is known of it."""

    server_now: int
    server_time: str
    clock: Literal["fit", "unknown", "unfit"]


def router(clock: Clock, journal: Journal) -> APIRouter:
    """Return `/healthz`, `/readyz`, `/metrics` and `/api/v1/time`; open to everybody."""
    routes = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    ready = Gauge("kaibiao_ready", "1 while the journal takes events", registry=registry)
    fit = Gauge("kaibiao_clock_fit", "1 while the clock may open", registry=registry)
    step = Gauge("kaibiao_clock_step_ms", "Step of the wall clock since start", registry=registry)
    known = Gauge("kaibiao_clock_known", "1 while the offset is known", registry=registry)
    offset = Gauge("kaibiao_clock_offset_ms", "Known offset, 0 if none", registry=registry)

    @routes.get("/healthz")
    def healthz() -> Health:
        """The process answers."""
        return Health(status="alive")

    @routes.get("/readyz", responses={503: {"description": "The journal has stopped."}})
    def readyz() -> Readiness:
        """The process accepts commands; whether openings and auctions may begin by its clock."""
        if journal.stopped:
            raise StorageFailed
        told = clock.health()
        return Readiness(
            status="ready",
            clock=told.standing,
            clock_offset_ms=told.offset_ms,
            beginnings="go" if fit_to_open(told) else "wait",
        )

    @routes.get("/metrics", response_class=Response, include_in_schema=False)
    def metrics() -> Response:
        """Prometheus text; nothing in it counts what people do."""
        health = clock.health()
        ready.set(int(not journal.stopped))
        fit.set(int(fit_to_open(health)))
        step.set(health.step_ms)
        known.set(int(health.offset_ms is not None))
        offset.set(health.offset_ms or 0)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/api/v1/time")
    def time() -> ServerTime:
        """The server's clock now."""
        now = clock.now()
        return ServerTime(server_now=now, server_time=rfc3339(now), clock=clock.health().standing)

    return routes
