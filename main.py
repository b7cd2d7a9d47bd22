"""The front door of Kaibiao 开标: the command line, and the only place where a centre is put together.

    python main.py VERB …

A verb's module is imported only when that verb is called, so that `seal` and `verify` stay small and quick: they load
neither the server nor the database. `centre` below reads like the house: ground → trading → documents → bidding | auction,
then one application from every room's routes and rows of the access table.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import io
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients import usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from bidding.service import BiddingService
    from trading.ground.clock import FrozenClock, SystemClock
    from trading.ground.settings import Settings
    from trading.ground.web import Pages
    from trading.service import TradingService

HERE: Final = Path(__file__).resolve().parent
DEBUG: Final = "--debug"

VERBS: Final[dict[str, tuple[str, str]]] = {
    "serve": ("main:serve", "启动交易中心 the centre's server"),
    "custodian": ("clients.custodian.cli:group", "密钥托管人 an escrow custodian's own process"),
    "witness": ("clients.witness:group", "日志见证人 a log witness that holds no share"),
    "seal": ("clients.seal:seal", "密封投标 pack and seal a bid, offline"),
    "pack": ("clients.seal:pack", "打包投标 pack a bid without sealing it"),
    "submit": (
        "clients.submit:submit",
        "递交投标 resumable upload and submission, then the receipt",
    ),
    "withdraw": ("clients.submit:withdraw", "撤回投标 withdraw before the deadline"),
    "disclose": (
        "clients.disclose:disclose",
        "交出文件密钥 one's own file key, only after a declared quorum failure",
    ),
    "order": ("clients.order:group", "双签决定 orders signed by supervisor and centre"),
    "draw": ("clients.draw:group", "浮动点 a party commits to the float draw and reveals"),
    "drill": ("clients.drill:app", "演练 rehearse ceremony and opening, offline"),
    "verify": ("clients.auditor.command:verify", "离线核验 signed records, receipts, dossiers"),
    "replay": ("clients.replay:command", "竞价回放 run auction scenarios offline"),
    "demo": ("clients.demo.command:demo", "演示 the whole job on a fresh home"),
    "bench": ("clients.bench.cli:group", "性能测试 benchmarks, each beside its yardstick"),
    "backup": ("clients.keeping:backup", "备份 one archive of a home, consistent while serving"),
    "restore": ("clients.keeping:restore", "恢复 a home from an archive, under a new log"),
    "doctor": ("clients.doctor:doctor", "体检 what this machine lacks and how to get it"),
}
"""Verb → where it lives, and its line in `--help`. What is not built is not here."""


@asynccontextmanager
async def centre(settings: Settings, clock: SystemClock | FrozenClock) -> AsyncIterator[ASGIApp]:
    """Put a centre together on its home, serve while the block lasts, take it apart in order.

    Args:
        settings: what centre this is.
        clock: asked once an act by every room.

    Yields:
        The application, for a server or a test.
    """
    from fastapi import FastAPI

    from auction import api as auction_api
    from auction import entry as auction_entry
    from auction import hall as auction_hall
    from auction import pages as auction_pages
    from auction.service import AuctionService
    from auction.service.filing import Filing as AuctionFiling
    from auction.service.letters import Letters
    from auction.service.paper import AuctionPaper
    from auction.service.participation import Participation
    from auction.service.reserve import Reserves
    from bidding import api as bidding_api
    from bidding import pages as bidding_pages
    from bidding.service import BiddingService
    from bidding.service.filing import Filing as BiddingFiling
    from crypto.signature import SigningKey
    from documents import api as documents_api
    from documents import dossiers
    from documents import pages as documents_pages
    from documents.filing import Filer
    from documents.service import DocumentService
    from documents.shelf import Shelf
    from documents.signer import signer
    from documents.timestamp import DevelopmentTsa
    from documents.workers import end_with_parent
    from trading import api as trading_api
    from trading import pages as trading_pages
    from trading.api import ledger as ledger_api
    from trading.api.shapes import PROBLEMS
    from trading.ground import health
    from trading.ground.ca import pem
    from trading.ground.ground import open_ground
    from trading.ground.web import Pages
    from trading.service import TradingService

    ground = await open_ground(settings, clock)
    # Spawned, not forked: a fork would inherit the listening socket and outlive a killed centre with it.
    workers = ProcessPoolExecutor(1, get_context("spawn"), initializer=end_with_parent)
    try:
        seal, stamp, said = ground.ca.sealing(), ground.ca.timestamp(), ground.ca.statements()
        key = SigningKey(said.key)
        trading = TradingService(ground)
        await trading.start()
        trading.certificates |= {
            "seal": seal.pem,
            "timestamp": stamp.pem,
            "statements": said.pem,
            "log": pem(ground.ca.log_certificate(ground.ledger.origin)),
        }
        documents = DocumentService(
            ground.journal,
            ground.ledger,
            ground.database,
            ground.blobs,
            DevelopmentTsa(stamp.certificate, stamp.key, clock.now).stamp,
            signer("centre", settings.centre_name, seal.certificate, seal.key),
            workers,
        )
        bidding = BiddingService(ground, trading, documents, key, confirm_s=_confirm_s(trading))
        auctions = AuctionService(
            *(ground.journal, clock, ground.timers, ground.private, key),
            lambda: trading.state,
            settings.home / "auctions",
        )
        trading.auctions.judged_by(auctions.judge)
        halls = auction_hall.Halls(auctions, ground.hub)
        paper = AuctionPaper(auctions, documents, ground, trading.person_name)
        entrants = Participation(auctions, trading, key)
        shelf = Shelf(settings.home / "dossiers")
        filer = Filer(ground, trading, documents, shelf)
        parts = (
            bidding,
            auctions,
            BiddingFiling(bidding, filer),
            AuctionFiling(auctions, paper, filer, ground),
            paper,
        )
        for part in parts:
            await part.start()
        ground.slots.register(auctions, "lots")

        def recover() -> None:  # by the timers, which try again, later and later, until it is done
            ground.timers.at(clock.now(), auctions.recover, "auctions-recover")

        ground.journal.on_resume(recover)
        ground.journal.on_resume(bidding.resume)
        pages = Pages(HERE / "clients" / "web", settings, clock)
        rooms = (
            (health.router(clock, ground.journal), _open_rows()),
            (trading_api.router(trading), trading_api.ACCESS),
            (ledger_api.router(ground.ledger), ledger_api.ACCESS),
            (documents_api.router(documents, shelf), documents_api.ACCESS),
            (dossiers.router(shelf, lambda: trading.state), dossiers.ACCESS),
            (bidding_api.router(bidding), bidding_api.ACCESS),
            (auction_api.router(auctions, settings.offer_rate or None), auction_api.ACCESS),
            (
                auction_entry.router(
                    Reserves(trading, ground.private),
                    entrants,
                    Letters(entrants, documents, ground),
                ),
                auction_entry.ACCESS,
            ),
            (auction_hall.router(auctions, halls), auction_hall.ACCESS),
            (trading_pages.router(trading, pages), trading_pages.ACCESS),
            (documents_pages.router(documents, pages, shelf), documents_pages.ACCESS),
            (bidding_pages.router(bidding, pages), bidding_pages.ACCESS),
            (auction_pages.router(auctions, pages), auction_pages.ACCESS),
        )
        app = FastAPI(
            title="Kaibiao 开标",
            version="1",
            docs_url=None,
            redoc_url=None,
            openapi_url=OPENAPI,
            redirect_slashes=False,  # the address of a redirection would be built from the Host header
        )
        for router, _ in rooms:  # any route can meet a refusal of edge, gate or ground
            app.include_router(router, responses=PROBLEMS)
        rows = tuple(row for _, access in rooms for row in access)
        served = _edge(app, rows, trading, ground, bidding, pages)
        ground.start()
        try:
            yield served
        finally:
            for part in reversed(parts):
                await part.stop()
    finally:
        workers.shutdown(cancel_futures=True)
        await ground.close()


WS_MAX_BYTES: Final = 64 * 1024
COLLECT_AFTER: Final = (10_000, 20, 50)
OPENAPI: Final = "/api/v1/openapi.json"


def _open_rows() -> tuple[Any, ...]:
    """Rows of the routes that belong to no room."""
    from trading.access import PUBLIC, Rule

    return (
        Rule("GET", "/healthz", PUBLIC, "存活"),
        Rule("GET", "/readyz", PUBLIC, "就绪"),
        Rule("GET", "/metrics", PUBLIC, "运行指标；不含任何与项目有关的数字"),
        Rule("GET", "/api/v1/time", PUBLIC, "服务器时间"),
        Rule("GET", OPENAPI, PUBLIC, "接口说明"),
    )


def _edge(
    app: Any,
    rows: tuple[Any, ...],
    trading: TradingService,
    ground: Any,
    bidding: BiddingService,
    pages: Pages,
) -> ASGIApp:
    """The application as it is served: arrival stamp and headers, take-off, gate, idempotency keys."""
    from bidding.api import Departures
    from trading.access import Access, Gate, known
    from trading.api.people import TOKENS
    from trading.ground.http import UPLOADS, Edge, install_handlers
    from trading.ground.idempotency import Idempotency

    clock, origins = ground.clock, ground.settings.origins
    install_handlers(app, clock, pages.problem)
    access = Access(rows)
    access.check(app)
    app.state.access = access
    exempt = (UPLOADS, UPLOADS.rstrip("/"))
    commands = Idempotency(app, ground.database, clock, exempt, TOKENS, known)
    gate = Gate(commands, access, trading.sessions, clock, origins)
    return Edge(Departures(gate, bidding.intake), clock, origins)


def _confirm_s(trading: TradingService) -> int:
    """Seconds bidders have to confirm what was read out: the rule set's own, where it has a rule."""
    from bidding.service.core import CONFIRM_SECONDS

    for ruleset in trading.desk.rulesets:
        if ruleset.name == trading.settings.ruleset and "open.confirm" in ruleset.rules:
            return ruleset["open.confirm"].n
    return CONFIRM_SECONDS


def serve(
    home: Annotated[Path | None, typer.Option(help="数据目录 the centre's home")] = None,
    host: Annotated[str | None, typer.Option(help="监听地址 address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="端口 TCP port")] = None,
    database: Annotated[
        str | None, typer.Option(help="数据库 URL；默认 SQLite embedded default needs none")
    ] = None,
) -> None:
    """启动交易中心 Run the centre's server; a fresh home is made and its first invitations are written."""
    gc.disable()  # nothing that a start makes is garbage, and looking for it takes a third of its time
    from uvicorn.loops.auto import auto_loop_factory

    from trading.ground import discipline
    from trading.ground.clock import SystemClock
    from trading.ground.problems import Problem
    from trading.ground.settings import read_settings

    given: dict[str, Any] = {"home": home, "host": host, "port": port, "database": database}
    try:
        settings = read_settings(given)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:  # uvloop where it is
            clock = SystemClock(discipline.read, must_be_known=settings.clock_must_be_known)
            runner.run(_serve(settings, clock))
    except Problem as problem:
        print(problem, file=sys.stderr)
        raise typer.Exit(4) from problem
    except OSError as error:
        print(f"{error.strerror}: {error.filename or home or ''}", file=sys.stderr)
        raise typer.Exit(4) from error
    except KeyboardInterrupt:
        print("已停止 stopped", file=sys.stderr)


def _own(home: Path) -> None:
    """Make the home, for its owner only: it holds seeds, personal data, sealed files and opened bids."""
    os.umask(0o077)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if home.stat().st_mode & 0o077:
        print(f"他人可进入数据目录 others may enter the home: chmod 700 {home}", file=sys.stderr)


async def _serve(settings: Settings, clock: SystemClock) -> None:
    import uvicorn

    from trading.ground.clockwatch import watched
    from trading.ground.heads import Heads
    from trading.ground.logs import configure
    from trading.ground.sockets import Socket

    configure(settings.log_level, clock)
    _own(settings.home)
    async with centre(settings, clock) as app, watched(clock):
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                http=Heads,
                ws=Socket,
                ws_per_message_deflate=False,
                ws_max_size=WS_MAX_BYTES,
                timeout_graceful_shutdown=3,
            )
        )
        _settle_memory()
        print(f"http://{settings.host}:{settings.port}/", flush=True)
        await server.serve()


def _settle_memory() -> None:
    """Let the collector of cycles leave alone what the start has made, and from now on come seldom.

    What is built at start stays for good; walking it again held the event loop for half a second
    in the middle of an auction (`bench auction`).
    """
    gc.freeze()  # without a collection before: it takes 0.2 s and finds next to nothing
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def front(names: list[str]) -> typer.Typer:
    """The command line with just these verbs."""
    app = typer.Typer(
        name="main.py",
        help="开标 Kaibiao: sealed-bid openings and online auctions that anyone can verify offline.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(lambda: None)
    for name in names:
        place, line = VERBS[name]
        module, attribute = place.split(":")
        found = sys.modules[__name__] if module == "main" else importlib.import_module(module)
        verb = getattr(found, attribute)
        if isinstance(verb, typer.Typer):
            app.add_typer(verb, name=name, help=line)
        else:
            app.command(name=name, short_help=line)(verb)
    return app


def main(arguments: list[str]) -> None:
    """Run one verb; `--debug` anywhere shows tracebacks, without it whatever happens is one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a console of another code page (GBK) lacks some signs
            stream.reconfigure(errors="backslashreplace")
    if DEBUG in arguments:
        os.environ["KAIBIAO_DEBUG"] = "1"
        arguments = [argument for argument in arguments if argument != DEBUG]
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    names = [called] if called in VERBS else list(VERBS)
    try:
        usage.run(front(names), arguments)
    except Exception as error:
        if os.environ.get("KAIBIAO_DEBUG"):
            raise
        # A fault of ours that no verb foresaw: neither 0 nor a verdict.
        told = f"{type(error).__name__}: {error}".split("\n", 1)[0][:500]
        print(f"程序出错 an error of the program, {DEBUG} shows where: {told}", file=sys.stderr)
        sys.exit(4)


if __name__ == "__main__":
    main(sys.argv[1:])
