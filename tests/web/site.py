"""Pages on a real server beside a real Chromium: one thread owns the loop of the centre, tests talk to it in turns."""

import asyncio
import os
import queue
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import uvicorn
from fastapi import FastAPI

from auction import hall as auction_hall
from auction import pages as auction_pages
from bidding import pages as bidding_pages
from bidding.api import ACCESS
from documents import api as documents_api
from documents import dossiers
from documents import pages as documents_pages
from tests.auction.house import House
from tests.auction.stage import QUOTA_RULES
from tests.bidding.office import Office
from trading import pages as trading_pages
from trading.access import PUBLIC, Rule, guard
from trading.api import ACCESS as TRADING_ACCESS
from trading.api.ledger import ACCESS as LEDGER_ACCESS
from trading.ground import health
from trading.ground.http import Edge, install_handlers
from trading.ground.settings import Settings
from trading.ground.sockets import Socket
from trading.ground.web import Pages

WEB = Path(__file__).resolve().parents[2] / "clients" / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
HEALTH = tuple(Rule("GET", path, PUBLIC, "存活") for path in ("/healthz", "/readyz", "/metrics", "/api/v1/time"))  # fmt: skip


KEPT: list[socket.socket] = []


def free_port() -> int:
    """A port that is kept until the process ends: bound and never listening, so that only a server that asks gets it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    KEPT.append(held)
    return int(held.getsockname()[1])


class Turns(threading.Thread):
    """The one thread in which a centre's loop runs: always serving, and in between what a test asks for."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.runner = asyncio.Runner()
        self._jobs: queue.Queue[tuple[Callable[[], Any], Future[Any]]] = queue.Queue()
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                job, done = self._jobs.get_nowait()
            except queue.Empty:
                self.runner.run(asyncio.sleep(0.01))
                continue
            try:
                done.set_result(job())
            except BaseException as error:  # noqa: BLE001 (it is the asker's, in the other thread)
                done.set_exception(error)
        self.runner.close()

    def do(self, job: Callable[[], Any]) -> Any:
        """Let something be done in the loop's thread and give its result."""
        done: Future[Any] = Future()
        self._jobs.put((job, done))
        return done.result(60)

    def end(self) -> None:
        self._over.set()
        self.join(10)


class Site:
    """Something served on a port; `stop` and `serve` are a restart as the browser sees it."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.port = free_port()
        self.server: uvicorn.Server | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, app: Any) -> Self:
        async def go() -> None:
            config = uvicorn.Config(
                app, host="127.0.0.1", port=self.port, lifespan="off", log_config=None, access_log=False,
                ws=Socket, ws_per_message_deflate=False, timeout_graceful_shutdown=1,
            )  # fmt: skip
            self.server = uvicorn.Server(config)
            self.task = asyncio.ensure_future(self.server.serve())
            while not self.server.started:  # noqa: ASYNC110 (uvicorn tells nobody)
                await asyncio.sleep(0.005)

        self.turns.do(lambda: self.turns.runner.run(go()))
        return self

    def stop(self) -> None:
        async def go() -> None:
            assert self.server is not None
            self.server.should_exit = True
            with suppress(asyncio.CancelledError):
                await self.task

        if self.server is not None:
            self.turns.do(lambda: self.turns.runner.run(go()))
            self.server = None


class Rooms(Office):
    """The bidding office with its pages, as `main` wires them; its loop is that of `Turns`."""

    def __init__(self, home: Path, turns: Turns, **settings: Any) -> None:
        self.turns = turns
        super().__init__(home, **settings)

    def open(self) -> None:
        self.runner = self.turns.runner
        super().open()
        pages = Pages(WEB, self.settings, self.clock)
        made = (
            health.router(self.clock, self.ground.journal),
            trading_pages.router(self.service, pages),
            documents_pages.router(self.documents, pages, self.shelf),
            bidding_pages.router(self.bidding, pages),
        )
        for router in made:
            self.app.include_router(router)
        rooms = (
            TRADING_ACCESS, ACCESS, LEDGER_ACCESS, documents_api.ACCESS, dossiers.ACCESS, HEALTH,
            trading_pages.ACCESS, documents_pages.ACCESS, bidding_pages.ACCESS,
        )  # fmt: skip
        rows = [row for room in rooms for row in room]
        self.served = Edge(guard(self.app, rows, self.service.sessions, self.clock), self.clock)

    def __exit__(self, *_error: object) -> None:
        self.close()  # the runner is that of `Turns`


@contextmanager
def opening(home: Path, name: str = "岐江市公共资源交易中心") -> Iterator[tuple[Rooms, Site]]:
    """A section that takes bids, three of them handed in, served with all pages."""
    turns = Turns()
    rooms: Rooms = turns.do(lambda: Rooms(home, turns, centre_name=name))
    site = Site(turns)
    try:

        def prepare() -> None:
            rooms.first_people()
            rooms.set_up(minimum=3)
            for number, price in enumerate(("46382715.40", "47105600.00", "45998800.88"), 1):
                rooms.hand_in(number, price)

        turns.do(prepare)
        yield rooms, site.serve(rooms.served)
    finally:
        site.stop()
        turns.do(rooms.close)
        turns.end()


@contextmanager
def auction(
    home: Path, rules: dict[str, Any] | None = None
) -> Iterator[tuple[House, Site, list[Any]]]:
    """A quota session of three parcels in its timed phase, or a lot by other rules, served with its hall and page."""
    turns = Turns()

    async def prepare() -> tuple[House, list[Any]]:
        house = await House(home).start()
        _, desks = await (house.listed(rules) if rules else house.quota(QUOTA_RULES))
        return house, desks

    house, desks = turns.do(lambda: turns.runner.run(prepare()))
    site = Site(turns)
    try:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        settings = Settings(home=home, centre_name="中山市公共资源交易中心")
        pages = Pages(WEB, settings, house.clock)
        for router in (
            health.router(house.clock, house.journal),
            auction_hall.router(house.service, house.halls),
            auction_pages.router(house.service, pages),
            documents_api.router(house.documents, house.shelf),
            pages.router(),
        ):
            app.include_router(router)
        install_handlers(app, house.clock)
        yield house, site.serve(Edge(app, house.clock)), desks
    finally:
        site.stop()
        turns.do(lambda: turns.runner.run(house.stop()))
        turns.end()
