"""The auction hall: what everybody may see, and only what is durable.

`view.py` draws the public state from a durable engine state; `Hall` publishes it: at once when it was
quiet, else at most four times a second with the newest state (a hall is state, so leaving frames
out loses nothing; every offer stands in the transcript). Identities are those that rows have made
public; quotes and draws show that they were made and not what they say.

Who bids comes first: an offer's answer, then the desks that follow the hall, then whoever looks on (reliability.md A8).

    GET /api/v1/lots              all auctions, newest last
    GET /api/v1/lots/{lot}        public state, rules and parcels
    WS  /api/v1/lots/{lot}/live   snapshot and deltas, the same bytes for everybody
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, WebSocket

from auction.model import CENTRE, Direction, Do, Phase, SecondItem, State
from auction.replay.book import Book
from auction.service import AuctionService, Desk
from auction.service.business import UnknownAuctionError
from auction.view import NAMES, view
from auction.writer import LotWriter
from trading.access import PUBLIC, WS, Rule
from trading.ground.chain import Row
from trading.ground.clock import rfc3339
from trading.ground.live import Hub

_BASE = "/api/v1/lots"

ACCESS = (
    Rule("GET", _BASE, PUBLIC, "竞价列表"),
    Rule("GET", _BASE + "/{lot}", PUBLIC, "竞价公开状态与规则"),
    Rule(WS, _BASE + "/{lot}/live", PUBLIC, "竞价大厅直播"),
)
"""The hall's rows of the access table."""

QUIET_MS = 250
"""Least distance of two frames of one hall."""

OFFERS = 40
FEED = 60

DOINGS = {
    Do.BID: ("报价", "offers"),
    Do.CONFIRM: ("确认参加限时竞价", "will go on"),
    Do.JOIN: ("参加", "joins"),
    Do.QUOTE: ("已提交一次报价", "has quoted"),
    Do.REVEAL: ("已揭示", "has revealed"),
    Do.MATCH: ("行使优先购买权", "uses its right of first refusal"),
    Do.DECLINE: ("放弃优先购买权", "gives it up"),
    Do.SUSPEND: ("中止竞价", "suspends"),
    Do.RESUME: ("恢复竞价", "resumes"),
    Do.TERMINATE: ("终止竞价", "terminates"),
}

UNNAMED = ("一位优先购买权人", "A holder of the right")
"""Who declines: the notice may name the holders, so a paddle here would say who sits there."""

WHY = {
    "outage": ("（服务中断，按规则顺延）", " (outage: the clock stands still by the rule)"),
    "clock-unfit": ("（服务器时钟误差超限或不明，按规则）", " (by the rule: the clock is unfit)"),
}
"""Why an act of the centre was done, where a rule did it."""

UNSEEN = {
    "auction.admitted", "auction.entitled", "auction.expelled", "auction.entered", "auction.unheard",
}  # fmt: skip
"""Rows that the public state says nothing of; a frame for one would tell that it was written."""


class Halls:
    """All halls; made before the service starts, which tells it of every auction.

    Args:
        service: the auctions.
        hub: carries the frames.
    """

    def __init__(self, service: AuctionService, hub: Hub) -> None:
        self.hub = hub
        self._halls: dict[str, Hall] = {}
        self._desks = service.desks
        service.watch(self)

    def __getitem__(self, lot: str) -> "Hall":
        """The hall of an auction. Raises `UnknownAuctionError` where there is none."""
        found = self._halls.get(lot)
        if found is None:
            raise UnknownAuctionError
        return found

    def all(self) -> list["Hall"]:
        """All halls, in the order of announcement."""
        return list(self._halls.values())

    def opened(self, writer: LotWriter, newest: Iterable[Row]) -> None:
        """Open a hall, or begin it anew after a recovery."""
        if writer.lot in self._halls:
            self._halls[writer.lot].close()
        hall = self._halls[writer.lot] = Hall(self.hub, writer.book, self._desks_of(writer.lot))
        for row in newest:
            hall.recall(row)
        hall.open()

    def shown(self, writer: LotWriter, rows: list[Row]) -> None:
        """Publish what has become durable."""
        self._halls[writer.lot].show(writer.durable, rows)

    def _desks_of(self, lot: str) -> Callable[[], list[Desk]]:
        return lambda: [desk for desk in self._desks if desk.lot == lot]

    def close(self) -> None:
        """Forget frames that wait."""
        for hall in self._halls.values():
            hall.close()


class Hall:
    """One auction's public channel, topic `lot:<id>` of the hub; `desks` are its bidders' open sockets."""

    def __init__(self, hub: Hub, book: Book, desks: Callable[[], list[Desk]] = list) -> None:
        self.topic = f"lot:{book.lot}"
        self._hub = hub
        self._desks = desks
        self._loop = asyncio.get_running_loop()
        self._book = book
        self._seen = book.live
        self._offers: deque[dict[str, Any]] = deque(maxlen=OFFERS)
        self._fresh: deque[dict[str, Any]] = deque(maxlen=OFFERS)
        self._feed: deque[dict[str, Any]] = deque(maxlen=FEED)
        self._extensions = book.extensions
        self._second = False
        self._due = False
        self._last: dict[str, Any] | None = None
        self._said = 0
        self._at = 0
        self._timer: asyncio.Handle | None = None
        self._quiet_from = 0.0
        self.state = self._view(book.live)

    def open(self) -> None:
        """Open the topic; the snapshot is what was published last."""
        self.state = self._view(self._seen)
        self._second |= self._seen.phase is Phase.SECOND_ITEM
        self._said = 0
        self._fresh.clear()
        self._hub.open(self.topic, lambda: self.state)

    def recall(self, row: Row) -> None:
        """Take a row from before this process into lists and feed."""
        self._take(row)

    def show(self, state: State, rows: list[Row]) -> None:
        """Publish what durable rows have changed."""
        before, self._seen = self._seen, state
        if all(row.kind in UNSEEN for row in rows):
            return  # a frame for it would also make the next offer wait for its turn
        for row in rows:
            self._take(row)
            self._at = row.at
        lasts = before.phase is state.phase and state.phase in (Phase.TIMED, Phase.SECOND_ITEM)
        self._extensions += lasts and (state.ends or 0) > (before.ends or 0)
        self._due = True
        if self._timer is None:
            wait = self._quiet_from - self._loop.time()
            if wait <= 0:  # soon: the answers of the same commit go first
                self._timer = self._loop.call_soon(self._publish)
            else:
                self._timer = self._loop.call_later(wait, self._publish)

    def flush(self) -> None:
        """Publish at once what waits for its turn."""
        self.close()
        self._publish()

    def close(self) -> None:
        """Forget the turn of a frame that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _publish(self) -> None:
        self._timer = None
        if not self._due:
            return
        self._due = False
        fresh = self._view(self._seen)
        changed = {name: value for name, value in fresh.items() if self.state.get(name) != value}
        changed.pop("offers", None)  # the new ones are enough; ten thousand watchers pay for it
        if self._said <= 1:
            changed.pop("feed", None)
        added = {"offers": list(self._fresh)} if self._fresh else None
        self._fresh.clear()
        self.state = fresh
        self._said = 0
        self._quiet_from = self._loop.time() + QUIET_MS / 1000
        for desk in self._desks():
            desk.look(fresh)
        self._hub.publish(self.topic, self._last, self._at, changed, added)
        self._last = None

    def _view(self, state: State) -> dict[str, Any]:
        rolls = {"offers": list(self._offers), "feed": list(self._feed)}
        return view(self._book, state) | rolls | {"extensions": self._extensions}

    def _take(self, row: Row) -> None:
        """Put a row into the list of offers and the feed; what stays closed is not looked at."""
        entered, done = row.body.get("entered", ()), row.kind == "auction.decided"
        # What was entered at the instant of an accepted act follows from it, and is told after it.
        follows = rfc3339(row.at) if done and row.body["verdict"]["ok"] else ""
        second = self._second
        self._say_phases(row.at, [item for item in entered if item["at"] != follows])
        if done:
            self._say_act(row, second=second)
        self._say_phases(row.at, [item for item in entered if item["at"] == follows])

    def _say_phases(self, at: int, entered: Iterable[dict[str, str]]) -> None:
        for item in entered:
            zh, en = NAMES[Phase(item["phase"])]
            self._second |= item["phase"] == Phase.SECOND_ITEM
            self._say(at, "phase", f"进入阶段：{zh}", f"Phase: {en}")

    def _say_act(self, row: Row, *, second: bool) -> None:
        body = row.body
        verdict, do = body["verdict"], Do(body["do"])
        amount = "" if "closed" in body else body.get("content", {}).get("amount", "")
        if do is Do.BID:
            code = None if verdict["ok"] else verdict["code"]
            by = {"paddle": body["by"], "parcel": self._parcel(body["by"])}
            ladder_of = {"second": True} if second else {}
            if self._falls(second=second):
                ladder_of["down"] = True
            self._offers.append({"t": row.at, **by, "amount": amount, "code": code} | ladder_of)
            self._fresh.append(self._offers[-1])
        if verdict["ok"]:
            zh, en = DOINGS[do]
            who_zh, who_en = UNNAMED if do is Do.DECLINE else self._who(body["by"])
            why_zh, why_en = WHY.get(body.get("reason", ""), ("", ""))
            said_zh, said_en = f"{who_zh} {zh} {amount}".strip(), f"{who_en} {en} {amount}".strip()
            self._say(row.at, do.value, said_zh + why_zh, said_en + why_en)

    def _falls(self, *, second: bool) -> bool:
        """Whether a ladder falls: then what is refused is too high, or below the limit."""
        rules = self._book.live.rules
        item = rules.on_cap if second and isinstance(rules.on_cap, SecondItem) else None
        return (item.ladder if item else rules.price).direction is Direction.DOWN

    def _parcel(self, paddle: str) -> str:
        """The parcel that a paddle bids for; public under quota (the notice maps them)."""
        seat = self._book.seats.get(paddle)
        return seat.parcel if seat is not None and self._book.mode == "quota" else ""

    def _who(self, by: str) -> tuple[str, str]:
        if by == CENTRE:
            return "交易中心", "The centre"
        if parcel := self._parcel(by):
            return f"{parcel}（{by} 号牌）", f"{parcel} (paddle {by})"
        return f"{by} 号牌", f"Paddle {by}"

    def _say(self, at: int, kind: str, zh: str, en: str) -> None:
        self._last = {"t": at, "kind": kind, "zh": zh, "en": en}
        self._feed.append(self._last)
        self._said += 1


def router(service: AuctionService, halls: Halls) -> APIRouter:
    """Build the public routes.

    Args:
        service: the auctions.
        halls: their public channels.
    """
    made = APIRouter(prefix=_BASE, tags=["auctions 网上竞价"])

    @made.get("")
    async def auctions() -> dict[str, Any]:
        """List all auctions 竞价."""
        names = ("lot", "title", "mode", "phase", "ends_at", "outcome")
        listed = [{name: hall.state[name] for name in names} for hall in halls.all()]
        return {"lots": listed, "server_now": service.clock.now()}

    @made.get("/{lot}")
    async def auction(lot: str) -> dict[str, Any]:
        """Give the public state and the rules of an auction."""
        book = service.writer(lot).book
        return {
            "state": halls[lot].state,
            "rules": dict(book.rules),
            "parcels": [dict(parcel) for parcel in book.parcels],
            "outage_min_s": book.outage_min_s,
            "server_now": service.clock.now(),
        }

    @made.websocket("/{lot}/live")
    async def live(websocket: WebSocket, lot: str, since: str | None = None) -> None:
        if lot not in service.writers:
            await websocket.close(1008, "auction-unknown")
            return
        await halls.hub.attend(websocket, halls[lot].topic, since)

    return made
