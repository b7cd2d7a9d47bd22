"""The bidding centre with documents and filing: what `main` puts together, in one process on a frozen clock."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from bidding.api import ACCESS, router
from bidding.service import BiddingService
from bidding.service.filing import Filing
from crypto.tlog.note import VerifierKey
from documents import api as documents_api
from documents import dossiers
from documents.filing import Filer
from documents.service import DocumentService
from documents.shelf import Shelf
from documents.signer import signer
from documents.timestamp import DevelopmentTsa
from tests.bidding.centre import CENTRE_KEY, Centre
from tests.clients.auditor.certificates import Maker
from tests.documents.pki import Pki
from tests.trading.world import CENTRE
from trading.access import guard
from trading.api import ACCESS as TRADING_ACCESS
from trading.api.ledger import ACCESS as LEDGER_ACCESS
from trading.api.ledger import router as ledger_router
from trading.ground.http import Edge, install_handlers
from trading.model import Role


class Office(Centre):
    """`wait_s`: patience for witnesses, seconds."""

    wait_s = 0.01

    async def _open_bidding(self) -> None:
        ground, ca = self.ground, self.ground.ca
        seal, stamp = ca.sealing(), ca.timestamp()
        self.workers = ThreadPoolExecutor(1)
        self.documents = DocumentService(
            ground.journal, ground.ledger, ground.database, ground.blobs,
            DevelopmentTsa(stamp.certificate, stamp.key, self.clock.now).stamp,
            signer("centre", self.settings.centre_name, seal.certificate, seal.key), self.workers,
        )  # fmt: skip
        self.shelf = Shelf(self.settings.home / "dossiers")
        self.bidding = BiddingService(
            ground, self.service, self.documents, CENTRE_KEY, confirm_s=60
        )
        self.filer = Filer(ground, self.service, self.documents, self.shelf, self.wait_s)
        self.filing = Filing(self.bidding, self.filer)
        await self.bidding.start()
        await self.filing.start()
        for made in (
            router(self.bidding),
            ledger_router(ground.ledger),
            documents_api.router(self.documents, self.shelf),
            dossiers.router(self.shelf, lambda: self.service.state),
        ):
            self.app.include_router(made)
        install_handlers(self.app, self.clock)
        rooms = (TRADING_ACCESS, ACCESS, LEDGER_ACCESS, documents_api.ACCESS, dossiers.ACCESS)
        rows = [row for room in rooms for row in room]
        gate = guard(self.app, rows, self.service.sessions, self.clock)
        transport = httpx.ASGITransport(Edge(gate, self.clock), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://centre.test", timeout=None
        )

    def close(self) -> None:
        self.runner.run(self.filing.stop())
        super().close()
        self.workers.shutdown()

    def awaited(self, holds: Callable[[], bool]) -> None:
        """Let the loop run until something holds; 20 s at most."""

        async def go() -> None:
            async with asyncio.timeout(20):
                while not holds():  # noqa: ASYNC110 (what is waited for tells nobody)
                    await asyncio.sleep(0.01)

        self.runner.run(go())

    def filed(self) -> None:
        """Let the record be issued and the dossier written."""
        self.awaited(lambda: "opening" in self.bidding.room.shelf.books[self.section].records)
        self.runner.run(self.filer.idle())

    def sealed(self) -> None:
        """From the deadline to the sealed hall: two custodians answer, one answers wrongly."""
        self.until(self.deadline + 20)
        self.cosign()
        assert self.release("custodian-1").json()["status"] == "answered"
        self.keepers["custodian-2"].lies = True
        assert self.release("custodian-2").json()["status"] == "wrong"
        assert self.release("custodian-3").json()["status"] == "answered"
        assert self.pace("read_all").status_code == 200
        self.decided()
        assert self.pace("confirm").status_code == 200
        self.until(self.clock.now() + 60_000)
        assert self.pace("seal").status_code == 200

    def trust(self, pki: Pki) -> bytes:
        """What a verifier would have pinned: the centre's root, and one certificate for each key."""
        made = Maker(pki)
        made.add(self.ground.ca.root)
        made.statement(CENTRE, CENTRE_KEY.public)
        made.statement("水务行政监督处", self.one(Role.SUPERVISOR).key.public)
        made.note(self.ground.ledger.origin, VerifierKey.parse(self.ground.ledger.vkey).public)
        for keeper in self.keepers.values():
            made.custodian(keeper.id, keeper.key.public, keeper.host.public, keeper.note)
        return made.pem.encode()
