"""One section on one home, with bidders and custodians who write down what they were told.

The process of the centre is ground, trading and bidding on the stored journal: no HTTP. What an
outsider was told is what was said on the pipe; all the rest is in doubt until the same statement is
handed in again. What is wrong with a home after all that, `section_faults` says.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bidding.model import Release
from bidding.opening import Phase
from bidding.release import CustodianView, ReleaseRequest, decide
from bidding.service import BiddingService
from crypto import statement, threshold
from crypto.canonical import canonical
from crypto.certificate import verify_certificate
from crypto.encoding import b64, sha256_hex, unb64
from crypto.p256 import Point
from crypto.signature import key_id
from crypto.tlog import cosignature
from documents.service import DocumentService
from documents.signer import signer
from documents.timestamp import DevelopmentTsa
from tests.bidding.centre import CENTRE_KEY, Bidder, Centre
from tests.trading.world import CENTRE
from trading.ground.clock import FrozenClock
from trading.ground.ground import open_ground
from trading.ground.settings import Settings
from trading.model import Actor, Role
from trading.service import TradingService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from tests.bidding.keeper import Keeper

PIECES = 3  # of an upload
ANSWERING = ("custodian-1", "custodian-3")
PRICES = ("46382715.40", "47105600.00", "45998800.88", "46000000.00")


@dataclass
class Cast:
    """Who takes part, and what is theirs: sealed files, keys, what the centre's clock said."""

    section: str
    now: int
    bidders: list[Bidder]
    files: list[bytes]
    keepers: dict[str, Keeper]
    supervisor: bytes

    def actor(self, number: int) -> Actor:
        """A bidder as its session names it."""
        who = self.bidders[number].who
        public = who.key.public
        return Actor(who.person, who.organisation, Role.BIDDER, key_id(public), public)


def prepare(home: Path, *, received: bool) -> Cast:
    """Make a home with a section that takes bids, and sealed bids beside it.

    Args:
        home: not yet there.
        received: all bids are in, two of them replaced and withdrawn, and the clock stands before T.
    """
    with Centre(home) as centre:
        centre.first_people()
        ahead = 30_000 if received else 3_600_000
        centre.set_up(deadline=centre.clock.now() // 1000 * 1000 + ahead)
        made = [centre.seal(centre.bidder(n + 1), price) for n, price in enumerate(PRICES)]
        files = [bidder.file.read_bytes() for bidder in made if bidder.file]
        if received:
            for bidder in made:
                centre.send_file(bidder)
                assert centre.submit(bidder).status_code == 201
            assert centre.withdraw(made[3]).status_code == 201
            first = made[0].receipts[0]["statement"]["entry"]["id"]
            assert centre.submit(_sent(centre, made[0], first)).status_code == 201
            centre.ground.ca.sealing()  # RSA keys take long to make; a centre makes them once
            centre.ground.ca.timestamp()
        for bidder in made:
            assert bidder.file is not None
            bidder.file.unlink()  # a bidder's own disk is no part of the home
        return Cast(
            centre.section,
            centre.clock.now(),
            made,
            files,
            dict(centre.keepers),
            centre.one(Role.SUPERVISOR).key.public,
        )


def _sent(centre: Centre, bidder: Bidder, supersedes: str) -> Bidder:
    centre.seal(bidder, PRICES[0], supersedes)
    centre.send_file(bidder)
    return bidder


@dataclass
class Told:
    """What everybody outside together remembers, whatever becomes of the centre.

    Attributes:
        uploads: bidder → id of its upload; `offsets`: the last offset it was told.
        receipts: bidder → receipt.
        answers: custodian → its signed answer, as it was sent.
        acts: what else was acknowledged: custodians' answers, confirmations, the host's steps.
    """

    uploads: dict[int, str] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)
    receipts: dict[int, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)

    def hear(self, line: bytes) -> None:
        """Take down what a process said."""
        kind, *said = json.loads(line)
        match kind:
            case "upload":
                self.uploads[said[0]], self.offsets[said[0]] = said[1], 0
            case "offset":
                self.offsets[said[0]] = max(self.offsets[said[0]], said[1])
            case "receipt":
                before = self.receipts.setdefault(said[0], said[1])
                assert before == said[1], "two receipts of one submission"
            case "answer":
                self.answers[said[0]] = said[1]
            case "act":
                self.acts.append(said[0])


class Process:
    """One process of the centre on a home, with the outsiders of its time."""

    def __init__(self, cast: Cast, told: Told, say: Callable[[Any], None]) -> None:
        self.cast, self.told, self.say = cast, told, say

    async def open(self, home: Path, *, paper: bool = False) -> Process:
        """Take up the home as the last process left it; a second has passed since its last stamp."""
        settings = Settings(home=home, centre=CENTRE)
        self.clock = FrozenClock(self.cast.now)
        self.ground = await open_ground(settings, self.clock)
        self.clock.not_before(self.ground.journal.last_at + 1000)
        self.trading = TradingService(self.ground)
        await self.trading.start()
        self.workers = ThreadPoolExecutor(1)
        documents = self._documents() if paper else None
        self.bidding = BiddingService(
            self.ground, self.trading, documents, CENTRE_KEY, confirm_s=60
        )
        await self.bidding.start()
        return self

    def _documents(self) -> DocumentService:
        ground, ca = self.ground, self.ground.ca
        seal, stamp = ca.sealing(), ca.timestamp()
        return DocumentService(
            ground.journal, ground.ledger, ground.database, ground.blobs,
            DevelopmentTsa(stamp.certificate, stamp.key, self.clock.now).stamp,
            signer("centre", "中心", seal.certificate, seal.key), self.workers,
        )  # fmt: skip

    async def close(self) -> None:
        """End in peace."""
        await self.bidding.stop()
        self.workers.shutdown()
        await self.ground.close()

    async def through(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await something while seconds pass, as slots need them to."""
        task = asyncio.ensure_future(work)
        for _ in range(200):
            await asyncio.wait({task}, timeout=0.01)
            if task.done():
                return task.result()
            self.clock.advance(1000 - self.clock.now() % 1000)
            await self.ground.slots.catch_up()
        raise AssertionError("it does not end")

    # Bidders.

    async def hand_in(self, number: int) -> None:
        """Upload from where the centre stands, submit; the receipt is told."""
        who, data = self.cast.actor(number), self.cast.files[number]
        desk = self.bidding.uploads
        if number not in self.told.uploads:
            made = await desk.create(who.organisation, len(data), self.clock.now())
            self._tell("upload", number, made.id)
        id_ = self.told.uploads[number]
        upload = desk.find(id_, who.organisation)
        assert upload.offset >= self.told.offsets[number], "acknowledged bytes are lost"
        while upload.offset < len(data):
            start = upload.offset
            piece = data[start : start + -(-len(data) // PIECES)]
            upload = await desk.append(id_, who.organisation, start, _body(piece), "")
            self._tell("offset", number, upload.offset)
        form = {**self.cast.bidders[number].submission, "upload": id_}
        flight = self.bidding.intake.depart(self.clock.now())
        submitting = self.bidding.intake.submit(who, self.cast.section, form, flight)
        self._tell("receipt", number, await self.through(submitting))

    def _tell(self, kind: str, *said: Any) -> None:
        self.say([kind, *said])
        self.told.hear(json.dumps([kind, *said]).encode())

    # The hour.

    @property
    def phase(self) -> Phase:
        """Where the opening stands."""
        opening = self.bidding.room.keyed(self.cast.section).opening
        assert opening is not None
        return opening.phase

    async def hold(self) -> None:
        """From T to the record: the rule closes, custodians answer, the host paces, a bidder confirms."""
        section, bidding = self.cast.section, self.bidding
        self.clock.set(bidding.room.keyed(section).deadline)
        await self.through(bidding.run.drive(section))
        if self.phase is Phase.UNLOCKING and not self.told.answers:
            await self._cosign()
        for id_ in ANSWERING:
            if id_ not in self.told.answers:
                self._tell("answer", id_, await self._release(id_))
            signed = self.told.answers[id_]
            digest = statement.digest(signed).hex()
            if digest not in self.told.acts:
                await self.through(bidding.custody.answer(section, signed, self.clock.now()))
                self._tell("act", digest)
        if self.phase is Phase.READING_OUT:
            await bidding.act(section, "read_all", self.clock.now())
            self._tell("act", "read_all")
            await bidding.act(section, "confirm", self.clock.now())
        if self.phase is Phase.CONFIRMING:
            await self._confirm(1)
            opening = bidding.room.keyed(section).opening
            assert opening is not None
            if opening.confirm is not None:
                self.clock.set(opening.confirm.end)
            await bidding.act(section, "seal", self.clock.now())
            self._tell("act", "sealed")
        assert self.phase is Phase.SEALED
        if bidding.room.documents is not None:
            self._tell("act", await bidding.paper.opening(bidding.room.keyed(section)))

    async def _confirm(self, number: int) -> None:
        who, section = self.cast.actor(number), self.cast.section
        reading = self.bidding.reading(self.bidding.room.keyed(section))
        body = {"section": section, "bidder": who.organisation, "reading": reading}
        key = self.cast.bidders[number].who.key
        signed = statement.sign(key, "confirmation", CENTRE, body)
        await self.bidding.confirm(who, section, signed, self.clock.now())
        self._tell("act", "confirmed")

    async def _cosign(self) -> None:
        head = self.ground.ledger.checkpoint()
        for keeper in self.cast.keepers.values():
            signed = cosignature.add(head, keeper.note, keeper.id, self.clock.now() // 1000)
            await self.ground.ledger.add_cosignature(signed)

    async def _release(self, id_: str) -> dict[str, Any]:
        """A custodian judges the centre's request and answers; its home keeps what it said."""
        keeper, section = self.cast.keepers[id_], self.cast.section
        body = await self.bidding.custody.request(section, 0)
        request, ledger = ReleaseRequest.from_body(body), self.ground.ledger
        assert keeper.certificate is not None
        assert keeper.share is not None
        view = CustodianView(
            centre=CENTRE,
            centre_keys=frozenset({CENTRE_KEY.public}),
            supervisor_keys=frozenset({self.cast.supervisor}),
            custodian=id_,
            host_key=keeper.host.public,
            group=verify_certificate(
                keeper.certificate, {each.host.public for each in self.cast.keepers.values()}
            ),
            certificate=sha256_hex(canonical(keeper.certificate.to_json())),
            now=self.clock.now(),
            last_time=self.clock.now(),
            log=ledger.vkey,
            witnesses=tuple(
                one.vkey for one in self.cast.keepers.values() if one is not keeper
            ),
        )  # fmt: skip
        leaves = [ledger.leaf(index) for index in range(request.start, ledger.size)]
        answer = decide(view, request, leaves).answer
        assert answer is not None
        points = [Point.parse(unb64(text)) for text in answer.encapsulations]
        partials, proof = threshold.partial(keeper.share.secret, points)
        said = Release(
            section=section, custodian=id_, ceremony=request.ceremony, index=keeper.share.index,
            close_list=answer.close_list, encapsulations=answer.encapsulations,
            partials=tuple(b64(point.compressed()) for point in partials), proof=b64(proof),
            head_size=answer.head.size, head_root=answer.head.root.hex(),
        )  # fmt: skip
        return statement.sign(keeper.key, Release.PURPOSE, CENTRE, said.to_body())


async def _body(data: bytes) -> AsyncIterator[bytes]:
    half = len(data) // 2
    yield data[:half]
    yield data[half:]
