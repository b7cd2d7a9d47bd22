"""``bench restart``: from exec to serving on a home whose journal holds a hundred thousand rows.

Two homes: one whose rows belong to other business, which a start reads and verifies, and one whose rows are all
offers of one auction: it folds those behind that auction's snapshot through the engine too, and all of them
where there is none. Beside them: the same start on an empty journal, and the imports alone.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from clients.bench.report import ROOT, Result
from clients.verbs import verb

IMPORTS: Final = (
    "import main, uvicorn, fastapi, auction.api, auction.entry, auction.hall, auction.pages, bidding.api, "
    "bidding.pages, bidding.service, documents.api, documents.dossiers, documents.filing, documents.pages, "
    "documents.service, documents.timestamp, trading.api, trading.pages, trading.service, trading.access, "
    "trading.ground.ground, trading.ground.health, trading.ground.idempotency, trading.ground.web"
)
AGO_MS: Final = 600_000
BATCH: Final = 1_000


def imports() -> float:
    """Seconds from exec until all modules of a server are loaded."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, cwd=ROOT)
    return time.perf_counter() - begin


def start(home: Path) -> float:
    """Seconds from exec until the port answers."""
    from clients.bench.centre import serving

    with serving(home) as running:
        return running.started


async def play(home: Path, offers: int) -> None:
    """Writes a home whose one auction has decided so many offers, ten minutes ago.

    They pass the engine and the journal, not the socket and not the signature, which no start looks at again.
    """
    from auction import store
    from auction.model import Do
    from auction.service import AuctionService
    from clients.bench import arena
    from clients.bench.centre import CENTRE
    from crypto.signature import SigningKey
    from trading.ground.clock import FrozenClock, SystemClock
    from trading.ground.ground import open_ground
    from trading.ground.settings import Settings
    from trading.service import TradingService

    clock = FrozenClock(SystemClock().now() - AGO_MS)
    await arena.write_home(home, arena.bidders(2), 0, clock)
    ground = await open_ground(Settings(home=home, centre=CENTRE), clock)
    trading = TradingService(ground)
    await trading.start()
    auctions = AuctionService(
        ground.journal, clock, ground.timers, ground.private, SigningKey.generate(),
        lambda: trading.state,
    )  # fmt: skip
    await auctions.start()
    clock.advance(2 * arena.OPENS_MS)
    writer = auctions.writer(arena.LOT)
    paddles = list(writer.book.seats)
    for first in range(1, offers + 1, BATCH):
        decisions = []
        for number in range(first, min(first + BATCH, offers + 1)):
            amount = str(number * arena.INCREMENT)
            proof = {"offer": "x" * 300, "signature": "x" * 88}
            order = store.Order(
                paddles[number % 2],
                Do.BID,
                clock.now(),
                {"amount": amount},
                proof,
                f"bench-{number:012}",
            )
            decisions.append(writer.decide(order))
        await asyncio.gather(*decisions)
        clock.advance(100)
    await auctions.stop()
    await ground.close()


def measure(rows: int, rounds: int) -> Result:
    """Starts on each home in turn; the best of each counts.

    Args:
        rows: of the journal, besides those that make a centre.
        rounds: how often.
    """
    from clients.bench import arena

    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        homes = {name: Path(place) / name for name in ("empty", "rows", "offers")}
        arena.prepare(homes["empty"], arena.bidders(2))
        arena.prepare(homes["rows"], arena.bidders(2), rows)
        asyncio.run(play(homes["offers"], rows))
        unknown = start(homes["offers"])  # folds every row, and leaves a snapshot for the next
        best: dict[str, float] = {}
        for _ in range(rounds):
            best["imports"] = min(best.get("imports", 99.0), imports())
            for name, home in homes.items():
                best[name] = min(best.get(name, 99.0), start(home))
    return Result(
        name="restart",
        unit="s from exec to serving",
        value=best["rows"],
        yardsticks={
            "after imports": max(0.0, best["rows"] - best["imports"]),
            "imports alone": best["imports"],
            "the same start on an empty journal": best["empty"],
            "all rows offers of one auction": best["offers"],
            "the same without a snapshot of that auction, once": unknown,
            "all rows offers of one auction, after imports": max(
                0.0, best["offers"] - best["imports"]
            ),
        },
        ratios={
            "with rows / empty": best["rows"] / best["empty"],
            "with offers / empty": best["offers"] / best["empty"],
        },
        notes=f"{rows} rows of 700 bytes and more, best of {rounds} in turn",
    )


@verb
def command(
    rows: Annotated[int, typer.Option(min=1, help="of the journal")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="the best of so many counts")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """From exec to serving, with a journal of a hundred thousand rows."""
    measure(rows, rounds).tell(as_json=as_json)
