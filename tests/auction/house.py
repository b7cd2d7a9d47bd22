"""The auction stage on a whole ground, with documents, paper and filing: what `main` puts together, without HTTP."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.hall import Halls
from auction.service import AuctionService
from auction.service.filing import Filing
from auction.service.paper import AuctionPaper
from crypto.signature import SigningKey, load_public
from crypto.tlog import cosignature, note
from documents.filing import Filer
from documents.service import DocumentService
from documents.shelf import Shelf
from documents.signer import signer
from documents.timestamp import DevelopmentTsa
from documents.trust import Trust
from tests.auction.stage import CENTRE, NOON, Stage
from trading.ground.ca import Profile, pem
from trading.ground.clock import FrozenClock
from trading.ground.ground import open_ground
from trading.ground.settings import Settings
from trading.model import State, evolve

WITNESS = "watching-office"
WITNESS_KEY = Ed25519PrivateKey.generate()


class House(Stage):
    """One process of a centre on a home; `wait_s` is the patience for witnesses."""

    def __init__(self, home: Path, now: int = NOON, wait_s: float = 0.01) -> None:
        self.home, self._now, self._wait_s = home, now, wait_s

    async def start(self) -> "House":
        await self.open()
        await self.service.start()
        await self.paper.start()
        await self.quiet()
        return self

    async def open(self) -> None:
        """Put everything together; nothing runs yet."""
        settings = Settings(home=self.home, centre=CENTRE, centre_name="中山市公共资源交易中心")
        self.clock = FrozenClock(self._now)
        self.ground = ground = await open_ground(settings, self.clock)
        self.journal, self.timers, self.hub = ground.journal, ground.timers, ground.hub
        self.key = SigningKey.from_scalar(77)
        self.state = State()
        for row in self.journal.rows():
            evolve(self.state, row)
        self.journal.listen(lambda row: evolve(self.state, row) and None)
        self.register(6)
        self.service = AuctionService(
            self.journal, self.clock, self.timers, ground.private, self.key, lambda: self.state
        )
        self.halls = Halls(self.service, self.hub)
        ground.slots.register(self.service, "lots")
        seal, stamp = ground.ca.sealing(), ground.ca.timestamp()
        self.workers = ThreadPoolExecutor(1)
        self.documents = DocumentService(
            ground.journal, ground.ledger, ground.database, ground.blobs,
            DevelopmentTsa(stamp.certificate, stamp.key, self.clock.now).stamp,
            signer("centre", settings.centre_name, seal.certificate, seal.key), self.workers,
        )  # fmt: skip
        self.shelf = Shelf(self.home / "dossiers")
        self.paper = AuctionPaper(self.service, self.documents, ground, lambda _: "")
        certificates = {"root": pem(ground.ca.root), "seal": seal.pem}
        trading: Any = SimpleNamespace(certificates=certificates, state=self.state)
        self.filer = Filer(ground, trading, self.documents, self.shelf, self._wait_s)
        self.filing = Filing(self.service, self.paper, self.filer, ground)

    async def later(self, ms: int) -> None:
        """As `at`; then the ledger gets the slots that are over."""
        await self.at(ms)
        await self.ground.slots.catch_up()

    async def filed(self) -> None:
        """Let paper and dossiers be finished; a second passes for the last slot."""
        await self.paper.idle()
        await self.later(self.clock.now() - NOON + 1000)
        await self.filer.idle()

    async def witness(self) -> None:
        """Register a witness."""
        vkey = note.vkey(WITNESS, WITNESS_KEY, note.COSIGNATURE)
        await self.ground.ledger.register_witness(vkey, "auditor", self.clock.now())

    async def cosign(self) -> int:
        """Let the witness sign the newest checkpoint; return its size."""
        size = self.ground.ledger.size
        head = self.ground.ledger.checkpoint(size)
        signed = cosignature.add(head, WITNESS_KEY, WITNESS, self.clock.now() // 1000)
        await self.ground.ledger.add_cosignature(signed)
        return size

    def trust(self) -> Trust:
        """What a verifier would have pinned of this centre."""
        ca = self.ground.ca
        witness = ca.issue(Profile.OUTSIDE, WITNESS_KEY.public_key(), WITNESS)
        said = ca.issue(Profile.ORGANISATION, load_public(self.key.public), CENTRE)
        return Trust((ca.root, ca.log_certificate(self.ground.ledger.origin), witness, said))

    async def stop(self) -> None:
        await self.paper.stop()
        await self.filing.stop()
        await self.service.stop()
        self.halls.close()
        await asyncio.to_thread(self.workers.shutdown)
        await self.ground.close()


def kinds(house: House, lot: str) -> list[str]:
    """The kinds of records of an auction, in order of issue."""
    return [one.kind for one in house.documents.all(lot)]


def crashed(house: House) -> None:
    """Forget what runs beside requests, as a killed process does."""
    paper, filer = cast("Any", house.paper), cast("Any", house.filer)
    for task in (*paper._tasks.values(), *filer._tasks.values()):
        task.cancel()
