"""A bidder's own routes, and the transcript. What everybody may watch is in `hall.py`.

    GET /api/v1/lots/{lot}/participation   a bidder's own seat
    GET /api/v1/lots/{lot}/transcript      the rows, once the result stands
    WS  /api/v1/lots/{lot}/bid             signed offers and their answers

`lot` is the id of a lot, or of a quota session, in which all parcels are one auction.
"""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, WebSocket
from starlette.websockets import WebSocketDisconnect

from auction.model import AuctionError
from auction.service import AuctionService
from auction.service.bidding import BidderDesk, Bucket
from auction.writer.receipts import row_json
from trading.access import PUBLIC, WS, Rule, actor
from trading.ground.lines import Line, hear, open_line
from trading.ground.live import SUBPROTOCOL
from trading.ground.problems import Kind
from trading.model import Actor, Bidders, Scope

if TYPE_CHECKING:
    from trading.service.sessions import Login

RATE = 5
"""Messages a second that a seat may send for long; `BURST` at once."""

BURST = 20
WINDOWS = 8
"""Sockets that one seat may have open."""

_BASE = "/api/v1/lots"
_BIDDER = Bidders(Scope.OFFER)

ACCESS = (
    Rule("GET", _BASE + "/{lot}/participation", _BIDDER, "本单位的竞买号牌", own=True),
    Rule("GET", _BASE + "/{lot}/transcript", PUBLIC, "竞价过程数据", phases="结果产生后"),
    Rule(WS, _BASE + "/{lot}/bid", _BIDDER, "报价专用通道，逐条签名", own=True),
)
"""The room's rows of the access table."""


class NoSeatError(AuctionError):
    """The organisation has no seat in this auction."""

    def __init__(self) -> None:
        super().__init__(
            "no-seat",
            "本单位未取得竞买资格",
            "Your organisation has no seat here: its deposit is missing, or it holds no parcel.",
            kind=Kind.FORBIDDEN,
        )


class NotYetError(AuctionError):
    """What is asked for comes with the result."""

    def __init__(self) -> None:
        super().__init__(
            "result-pending",
            "竞价尚未结束",
            "The transcript is public once the result stands.",
            kind=Kind.TOO_EARLY,
        )


def router(service: AuctionService, rate: int | None = RATE, burst: int = BURST) -> APIRouter:
    """Build the routes.

    Args:
        service: the auctions.
        rate: messages a second of one seat; None for no limit (benchmarks).
        burst: messages at once.
    """
    made = APIRouter(prefix=_BASE, tags=["auctions 网上竞价"])
    buckets: dict[tuple[str, str], Bucket] = {}

    @made.get("/{lot}/participation")
    async def participation(lot: str, who: Annotated[Actor, Depends(actor)]) -> dict[str, Any]:
        """Give the caller's own seat: paddle 竞买号牌, parcel, whether it may bid and holds 优先购买权."""
        seat = service.seat_of(lot, who.organisation)
        if seat is None:
            raise NoSeatError
        return {
            "centre": service.centre,
            "lot": lot,
            "paddle": seat.paddle,
            "parcel": seat.parcel,
            "admitted": seat.admitted,
            "entitled": service.writer(lot).right(seat) != "",
            "server_now": service.clock.now(),
        }

    @made.get("/{lot}/transcript")
    async def transcript(lot: str) -> dict[str, Any]:
        """Give every row of the auction, for whoever recomputes it."""
        if service.writer(lot).durable.outcome is None:
            raise NotYetError
        rows = await asyncio.to_thread(service.rows, lot)
        return {"centre": service.centre, "lot": lot, "rows": [row_json(row) for row in rows]}

    @made.websocket("/{lot}/bid")
    async def bid(websocket: WebSocket, lot: str, who: Annotated[Actor, Depends(actor)]) -> None:
        seat = service.seat_of(lot, who.organisation) if lot in service.writers else None
        if seat is None:
            await websocket.close(1008, "no-seat")
            return
        bucket = None
        if rate is not None:
            bucket = buckets.setdefault((lot, seat.paddle), Bucket(rate, burst))
        await _serve(service, websocket, lot, seat.paddle, who, bucket)

    return made


async def _serve(
    service: AuctionService,
    websocket: WebSocket,
    lot: str,
    paddle: str,
    who: Actor,
    bucket: Bucket | None,
) -> None:
    """Serve one bidder's socket until either side ends it."""
    offered = websocket.scope.get("subprotocols") or []
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    line = open_line(websocket)
    ending = _Ending(line)

    def tell(message: bytes) -> None:
        if line.hopeless():
            ending.end(1008, "answers-not-read")
        else:
            line.write(message)

    desk = BidderDesk(service, lot, paddle, who, tell, ending.end, bucket)
    if len([d for d in service.desks if (d.lot, d.paddle) == (lot, paddle)]) >= WINDOWS:
        await line.end(1013, "too-many-windows")
        line.stop()
        return
    service.desks.add(desk)
    # A logout, a revoked key or a session that ran out ends its sockets at once (reliability.md I3, I11).
    login: Login = websocket.scope["state"]["login"]
    unwatch = login.watch(lambda: ending.end(1008, "session-ended"))

    def told(text: str) -> None:
        at = service.clock.now()  # the stamp, before anything is looked at
        if ending.begun:
            return
        if not login.touch(at):
            ending.end(1008, "session-ended")
            return
        desk.receive(text, at)
        if line.hopeless():
            ending.end(1008, "answers-not-read")

    try:
        desk.greet()
        hear(websocket, told)
        while not ending.begun:
            message = await websocket.receive()
            if message["type"] != "websocket.receive":
                break
            told(message.get("text") or "")
    except WebSocketDisconnect:
        pass  # it has gone; what it sent before is decided all the same
    finally:
        unwatch()
        service.desks.discard(desk)
        await ending.done()
        line.stop()


class _Ending:
    """Closes a socket once, from anywhere in the loop."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._task: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether it is closing."""
        return self._task is not None

    def end(self, code: int, reason: str) -> None:
        """Begin to close."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._line.end(code, reason))

    async def done(self) -> None:
        """Wait until it is closed, if that has begun."""
        if self._task is not None:
            await self._task
