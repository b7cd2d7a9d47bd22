"""A whole centre with its bidding room, custodians and bidders, in one process on a frozen clock.

Custodians here are thirty lines over `crypto` and `bidding.release`; the real processes have their
own tests. Bids are sealed files made with `crypto.age`, small but whole.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bidding.api import ACCESS, router
from bidding.model import Manifest, Release, ReleaseRefusal, Submission
from bidding.package import Source, pack
from bidding.release import CustodianView, ReleaseRequest, decide
from bidding.service import BiddingService
from crypto import possession, statement, threshold
from crypto.age import IterableSource, parse_recipient, seal_stream
from crypto.canonical import canonical
from crypto.certificate import verify_certificate
from crypto.encoding import b64, sha256_hex, unb64
from crypto.p256 import Point
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature, note
from tests.bidding.keeper import Keeper
from tests.trading.world import CENTRE, Someone, World
from trading.access import guard
from trading.api.ledger import ACCESS as LEDGER_ACCESS
from trading.api.ledger import router as ledger_router
from trading.ground.http import Edge, install_handlers
from trading.model import Role, code_for_tests

CENTRE_KEY = SigningKey.from_scalar(424242)


@dataclass
class Bidder:
    """A bidder with its key and what it has handed in."""

    who: Someone
    name: str
    file: Path | None = None
    submission: dict[str, Any] = field(default_factory=dict)
    upload: str = ""
    file_key: bytes = b""
    receipts: list[dict[str, Any]] = field(default_factory=list)


class Centre(World):
    """World with the bidding room. Custodians 3, threshold 2."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.keepers: dict[str, Keeper] = {}
        self.bidders: dict[str, Bidder] = {}
        self.section = ""
        super().__init__(home, **settings)

    def open(self) -> None:
        super().open()
        self.runner.run(self.client.aclose())
        self.runner.run(self._open_bidding())

    async def _open_bidding(self) -> None:
        self.bidding = BiddingService(self.ground, self.service, None, CENTRE_KEY, confirm_s=60)
        await self.bidding.start()
        self.app.include_router(router(self.bidding))
        self.app.include_router(ledger_router(self.ground.ledger))
        install_handlers(self.app, self.clock)
        from trading.api import ACCESS as TRADING_ACCESS

        rows = (*TRADING_ACCESS, *ACCESS, *LEDGER_ACCESS)
        gate = guard(self.app, rows, self.service.sessions, self.clock)
        transport = httpx.ASGITransport(Edge(gate, self.clock), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://centre.test", timeout=None
        )

    def close(self) -> None:
        self.runner.run(self.bidding.stop())
        super().close()

    # Time.

    def live(self, work: Coroutine[Any, Any, Any], seconds: int = 4) -> Any:
        """Run something while seconds pass, as slots need them to."""

        async def both() -> Any:
            task = asyncio.ensure_future(work)
            for _ in range(40):
                if task.done():
                    break
                await asyncio.sleep(0.002)
            passed = 0
            while not task.done() and passed < seconds:
                self.clock.advance(1000 - self.clock.now() % 1000)
                passed += 1
                await self.ground.slots.catch_up()
                for _ in range(50):
                    await asyncio.sleep(0.002)
                    if task.done():
                        break
            return await asyncio.wait_for(task, 60)

        return self.runner.run(both())

    def until(self, ms: int) -> None:
        """Let time pass to an instant, slot by slot, timers included."""

        async def go() -> None:
            while self.clock.now() < ms:
                nxt = min(ms, self.clock.now() // 1000 * 1000 + 1000)
                self.clock.set(nxt)
                await self.ground.slots.catch_up()
                self.ground.timers.fire()
                await asyncio.sleep(0.001)
            await self.settle()

        self.runner.run(go())

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0.002)
        await self.ground.timers.settle()
        async with asyncio.timeout(60):
            while self.ground.journal.busy:  # noqa: ASYNC110 (it has a flag, no event)
                await asyncio.sleep(0.002)
        for _ in range(10):
            await asyncio.sleep(0.002)

    # Parties.

    def custodian(self, number: int) -> dict[str, Any]:
        keeper = Keeper(number)
        self.keepers[keeper.id] = keeper
        return keeper.card(number)

    def bidder(self, number: int, name: str = "") -> Bidder:
        name = name or f"投标单位{number}"
        if name not in self.bidders:
            who = self.hire(Role.BIDDER, code_for_tests(number), name)
            self.bidders[name] = Bidder(who, name)
        return self.bidders[name]

    # The section.

    def set_up(self, **changes: Any) -> str:
        """A published section with a key made by a real ceremony."""
        form = self.tender_form(**{"deadline": self.clock.now() // 1000 * 1000 + 30_000, **changes})
        made = self.carry("tender.create", form)
        self.section = made["sections"][0]
        answer = self.call(
            "POST", f"/sections/{self.section}/ceremony", {}, self.one(Role.OPERATOR)
        )
        assert answer.status_code == 201, answer.text
        for _ in range(3):
            self.ceremony_round()
        self.carry("tender.publish", {"tender": made["tender"]})
        return self.section

    def ceremony_round(self) -> None:
        for keeper in self.keepers.values():
            for task in self.get(f"/custody/tasks?custodian={keeper.id}")["tasks"]:
                if task["kind"] == "ceremony":
                    signed = keeper.ceremony(task)
                    path = f"/custody/ceremonies/{task['ceremony']}/messages"
                    answer = self.call("POST", path, signed)
                    assert answer.status_code == 202, answer.text

    @property
    def deadline(self) -> int:
        return self.bidding.room.keyed(self.section).deadline

    def tender_file(self) -> dict[str, Any]:
        return self.get(f"/sections/{self.section}/tender.json")["statement"]

    # Bidding.

    def seal(self, bidder: Bidder, price: str, supersedes: str = "", **changes: Any) -> Bidder:
        """Pack and seal a bid; `damage` breaks the package before sealing, `times` makes it larger."""
        file = self.get(f"/sections/{self.section}/tender.json")
        tender = file["statement"]
        who = bidder.who
        base = Manifest(
            tender=tender["tender"],
            section=self.section,
            envelope="whole",
            bidder=who.organisation,
            parties=(who.organisation,),
            summary={"total_price": price},
            files=(),
        )
        data = f"{bidder.name} {price} {supersedes}".encode() * changes.get("times", 300)
        chunks = b"".join(
            pack(
                [Source("投标函.pdf", len(data), lambda: [data])],
                base,
                lambda body: statement.sign(who.key, Manifest.PURPOSE, CENTRE, body),
            )
        )
        if changes.get("damage"):
            chunks = chunks[:600] + b"\x01" + chunks[601:]
        target = self.settings.home / f"{who.organisation}-{price}.age"
        sealed = seal_stream(
            IterableSource([chunks]), target, parse_recipient(tender["recipient"]), threads=1
        )
        said = Submission(
            tender=tender["tender"],
            section=self.section,
            envelope="whole",
            version=tender["version"],
            tender_file=statement.digest(file).hex(),
            recipient=tender["recipient"],
            bidder=who.organisation,
            parties=(who.organisation,),
            encapsulation=b64(sealed.enc65),
            sha256=sealed.sha256,
            size=sealed.size,
            supersedes=supersedes,
        )
        signed = statement.sign(who.key, Submission.PURPOSE, CENTRE, said.to_body())
        proof = possession.prove(sealed.ephemeral, canonical(signed["statement"]))
        bidder.file, bidder.file_key = target, sealed.file_key
        bidder.submission = {"submission": signed, "possession": b64(proof)}
        return bidder

    def send_file(self, bidder: Bidder) -> str:
        data = bidder.file.read_bytes()
        made = self.raw("POST", "/uploads", bidder.who, **{"Upload-Length": str(len(data))})
        assert made.status_code == 201, made.text
        bidder.upload = made.headers["location"].rsplit("/", 1)[1]
        done = self.patch(bidder, 0, data)
        assert done.status_code == 204, done.text
        return bidder.upload

    def patch(self, bidder: Bidder, offset: int, data: bytes, **headers: str) -> httpx.Response:
        base = {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        path = f"/uploads/{bidder.upload}"
        return self.raw("PATCH", path, bidder.who, data, **{**base, **headers})

    def raw(
        self, method: str, path: str, who: Someone, content: bytes = b"", **headers: str
    ) -> httpx.Response:
        every = {"Tus-Resumable": "1.0.0", "authorization": f"Bearer {who.token}", **headers}
        return self.runner.run(
            self.client.request(method, f"/api/v1{path}", content=content, headers=every)
        )

    def post(self, path: str, body: Any, who: Someone | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        return self.live(self.client.request("POST", f"/api/v1{path}", json=body, headers=headers))

    def submit(self, bidder: Bidder) -> httpx.Response:
        body = {**bidder.submission, "upload": bidder.upload}
        answer = self.post(f"/sections/{self.section}/submissions", body, bidder.who)
        if answer.status_code == 201:
            bidder.receipts.append(answer.json())
        return answer

    def hand_in(self, number: int, price: str, **changes: Any) -> Bidder:
        bidder = self.bidder(number)
        self.seal(bidder, price, **changes)
        self.send_file(bidder)
        answer = self.submit(bidder)
        assert answer.status_code == 201, answer.text
        return bidder

    def withdraw(self, bidder: Bidder) -> httpx.Response:
        entry = bidder.receipts[-1]["statement"]["entry"]
        tender = self.tender_file()["tender"]
        body = {
            "tender": tender,
            "section": self.section,
            "bidder": bidder.who.organisation,
            "submission": entry["id"],
        }
        signed = statement.sign(bidder.who.key, "withdrawal", CENTRE, body)
        path = f"/sections/{self.section}/withdrawals"
        return self.post(path, {"withdrawal": signed}, bidder.who)

    # Custodians at the hour.

    def cosign(self, *ids: str) -> None:
        """Let custodians witness the newest checkpoint by the clock now."""
        for id_ in ids or self.keepers:
            keeper = self.keepers[id_]
            head = self.call("GET", "/ledger/checkpoint").content
            signed = cosignature.add(head, keeper.note, keeper.id, self.clock.now() // 1000)
            answer = self.call("POST", "/ledger/cosignatures", {"note": signed.decode()})
            assert answer.status_code == 200, answer.text

    def view(self, keeper: Keeper, **changes: Any) -> CustodianView:
        certificate = keeper.certificate
        pinned = {each.host.public for each in self.keepers.values()}
        base: dict[str, Any] = {
            "centre": CENTRE,
            "centre_keys": frozenset({CENTRE_KEY.public}),
            "supervisor_keys": frozenset({self.one(Role.SUPERVISOR).key.public}),
            "custodian": keeper.id,
            "host_key": keeper.host.public,
            "group": verify_certificate(certificate, pinned),
            "certificate": sha256_hex(canonical(certificate.to_json())),
            "now": self.clock.now(),
            "last_time": self.clock.now(),
            "log": self.ground.ledger.vkey,
            "witnesses": tuple(
                other.vkey for other in self.keepers.values() if other is not keeper
            ),
        }
        return CustodianView(**{**base, **changes})

    def request(self) -> tuple[ReleaseRequest, list[bytes]]:
        found = self.get(f"/custody/sections/{self.section}/release-request")
        request = ReleaseRequest.from_body(found)
        size = checkpoint.parse(note.Note.parse(request.head.encode()).text).size
        leaves: list[bytes] = []
        while request.start + len(leaves) < size:
            start = request.start + len(leaves)
            part = self.get(f"/ledger/leaves?from={start}&to={size}")["leaves"]
            leaves += map(unb64, part)
        return request, leaves

    def release(self, id_: str, **changes: Any) -> httpx.Response:
        """Let one custodian judge the centre's request and answer."""
        path = f"/custody/sections/{self.section}/partials"
        return self.post(path, self.answer_of(id_, *self.request(), **changes))

    def answer_of(
        self, id_: str, request: ReleaseRequest, leaves: list[bytes], **changes: Any
    ) -> dict[str, Any]:
        """What a custodian signs about a request; `speaker` signs it in another's stead."""
        keeper = self.keepers[id_]
        speaker = changes.pop("speaker", keeper)
        view = self.view(keeper, **changes)
        keeper.verdict = decide(view, request, leaves)
        answer = keeper.verdict.answer
        if answer is None:
            body = ReleaseRefusal(
                section=self.section, custodian=id_, close_list="",
                check=keeper.verdict.refusal.id, detail=keeper.verdict.refusal.detail,
                at=self.clock.now(),
            )  # fmt: skip
            return statement.sign(keeper.key, body.PURPOSE, CENTRE, body.to_body())
        points = [Point.parse(unb64(text)) for text in answer.encapsulations]
        share = keeper.share.secret
        if keeper.lies:
            from crypto.p256 import Secret

            share = Secret(share.scalar + 1)
        partials, proof = threshold.partial(share, points)
        body = Release(
            section=self.section, custodian=speaker.id, ceremony=request.ceremony,
            index=keeper.share.index, close_list=answer.close_list,
            encapsulations=answer.encapsulations,
            partials=tuple(b64(p.compressed()) for p in partials), proof=b64(proof),
            head_size=answer.head.size, head_root=answer.head.root.hex(),
        )  # fmt: skip
        return statement.sign(speaker.key, body.PURPOSE, CENTRE, body.to_body())

    # The hall.

    def hall(self) -> dict[str, Any]:
        return self.get(f"/openings/{self.section}")

    def pace(self, action: str) -> httpx.Response:
        host = self.one(Role.OPERATOR)
        return self.post(f"/openings/{self.section}/phase", {"action": action}, host)

    def decided(self) -> int:
        """Let the supervisor decide about every bid that did not open, as proposed; how many there were."""
        supervisor = self.one(Role.SUPERVISOR)
        desk = self.get(f"/openings/{self.section}/desk", supervisor)
        for one in desk["undecided"]:
            known = one["proposed"] != "undetermined"
            body = {
                "section": self.section, "submission": one["submission"], "reason": "已核对证据",
                "verdict": one["proposed"] if known else "deemed_withdrawn", "at": self.clock.now(),
            }  # fmt: skip
            signed = statement.sign(supervisor.key, "decision", CENTRE, body)
            path = f"/openings/{self.section}/decisions"
            assert self.post(path, signed, supervisor).status_code == 201
        return len(desk["undecided"])

    def confirm_reading(self, bidder: Bidder) -> httpx.Response:
        body = {
            "section": self.section,
            "bidder": bidder.who.organisation,
            "reading": self.hall()["reading"],
        }
        signed = statement.sign(bidder.who.key, "confirmation", CENTRE, body)
        path = f"/openings/{self.section}/confirmations"
        return self.post(path, signed, bidder.who)
