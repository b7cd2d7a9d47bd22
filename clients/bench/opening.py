"""``bench opening``: three hundred bids of 4 MiB, from the close to the reading-out, at the centre's own services.

The home is written as the centre writes it; bids are sealed, uploaded and handed in by the services themselves. Then
T comes: close list, price, float, names, the answers of three of five custodians (their proofs checked), the
combination, every bid opened to disk, the import. What custodians do at home is `bench unlock`'s to measure: here
their partials and proofs are made in the same process and are counted.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients.bench.report import Result, size_of, workplace
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bidding.opening import Phase
    from bidding.service import BiddingService
    from bidding.store import Book
    from clients.bench.arena import Bidder
    from clients.bench.stage import Stage
    from trading.ground.clock import FrozenClock
    from trading.ground.ground import Ground

T: Final = 2_000_000_000_000
AHEAD_MS: Final = 4_000
BAR_SECONDS: Final = 30
TOGETHER: Final = 8


def measure(bids: int, size: int) -> Result:
    """Opens a section.

    Args:
        bids: of so many bidders.
        size: bytes of the one file in each.
    """
    with workplace(bids * size) as folder:
        return asyncio.run(_measure(folder, bids, size))


async def _measure(folder: Path, bids: int, size: int) -> Result:
    from bidding.service import BiddingService
    from clients.bench import arena, stage
    from trading.ground.clock import FrozenClock
    from trading.ground.ground import open_ground
    from trading.ground.settings import Settings
    from trading.service import TradingService

    made = stage.build(T)
    them = arena.bidders(bids)
    clock = FrozenClock(T - AHEAD_MS)
    ground = await open_ground(Settings(home=folder / "home", centre=stage.CENTRE), clock)
    try:
        await _announce(ground, made, them)
        trading = TradingService(ground)
        await trading.start()
        service = BiddingService(ground, trading, None, made.centre)
        await service.start()
        await _hand_in(service, clock, made, them, folder, size)
        times = await _opened(service, clock, made)
        hall = service.room.book(stage.SECTION).opening
        assert hall is not None
        assert all(bid.result == "opened" for bid in hall.bids.values())
        assert len(hall.bids) == bids
        await service.stop()
    finally:
        await ground.close()
    total = sum(times.values())
    read = _read(folder / "home" / "opened")
    return Result(
        name="opening",
        unit="s from the close to the reading-out",
        value=total,
        yardsticks={
            **{f"{name}, s": took for name, took in times.items()},
            "reading and hashing the opened packages once, s": read,
        },
        ratios={"close to reading-out / bar of 30 s": total / BAR_SECONDS},
        notes=f"{bids} bids of {size} bytes, 3 of 5 custodians, services in one process, files in memory where it has room",
    )


def _read(folder: Path) -> float:
    """Seconds that reading and hashing every file of a folder once takes: the least that an opening could cost."""
    import hashlib

    begun = time.perf_counter()
    for path in sorted(folder.rglob("*.tar")):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
    return time.perf_counter() - begun


async def _announce(ground: Ground, made: Stage, them: Sequence[Bidder]) -> None:
    """Write what the centre knows before the first bid: keys, custodians, the tender, its section's key."""
    from bidding.model import KeyAssign, TenderFile
    from bidding.store import stream_of
    from clients.bench import arena, stage
    from crypto import statement
    from crypto.canonical import canonical
    from crypto.encoding import sha256_hex
    from crypto.random import token
    from trading import model
    from trading.ground.chain import Draft
    from trading.model.codec import to_json

    at, seed = ground.clock.now(), token(32)
    tender = stage.tender_file(made)
    signed = statement.sign(made.centre, TenderFile.PURPOSE, stage.CENTRE, tender.to_body())
    names = tuple(each.name for each in made.keys)
    section = model.Section(
        stage.SECTION, tender.tender, "bench", 100_000_000_00, "", 0, None, T, 3,
        model.Custody(names, 3, 1800, ""), model.Possession.REQUIRED, (),
        (model.SummaryField("total_price", "投标总价", "amount", "元"),),
    )  # fmt: skip
    project = model.Project("prj_bench", "bench", "org_0", "", "水利", model.Regime.WORKS, "A02")
    about = model.Tender(
        tender.tender, "prj_bench", "bench", "公开招标", "", "", at, at, (stage.SECTION,), at
    )
    key = model.SectionKey(tender.recipient, tender.ceremony, dict(tender.certificate), T, 3)
    drafts: list[Draft] = []
    for one in them:
        drafts += (arena.issued(one, at), ground.ledger.draft("key_issued", arena.leaf(one), at))
    for number, each in enumerate(made.keys, 1):
        who = model.Custodian(
            each.name, f"托管单位{number}", {}, each.statement.public, each.host.public,
            each.witness, "0" * 64, (), 0,
        )  # fmt: skip
        drafts.append(_row("custodian.registered", {"custodian": to_json(who)}, at))
    body = {
        "project": to_json(project), "tender": to_json(about), "sections": to_json([section]),
    }  # fmt: skip
    drafts += [
        _row("tender.created", body, at),
        _row("section.keyed", {"section": section.id, "key": to_json(key)}, at),
        _row("tender.filed", {"section": section.id, "file": signed}, at),
        _row("tender.published", {"tender": tender.tender, "ruleset": ["演示", "1"]}, at),
    ]
    assign = KeyAssign(
        section=section.id, tender=tender.tender, ceremony=tender.ceremony,
        recipient=tender.recipient, seed=sha256_hex(seed), use="live", earliest_t=T, deadline=T,
        certificate=sha256_hex(canonical(dict(tender.certificate))),
        proof_of_possession="required",
    )  # fmt: skip
    drafts.append(ground.ledger.draft(assign.PURPOSE, assign.to_body(), at))
    ref = (await ground.private.put(section.id, "bid-seed", seed.hex())).ref
    opened = {"file": signed, "seed_ref": ref, "confirm_ms": 600_000, "regime": "works"}
    drafts.append(Draft(stream_of(section.id), "bids_opened", opened, at))
    await ground.journal.append(*drafts)


def _row(kind: str, body: dict[str, Any], at: int) -> Any:
    from trading.ground.chain import Draft
    from trading.model import STREAM

    return Draft(STREAM, kind, body, at)


async def _hand_in(
    service: BiddingService,
    clock: FrozenClock,
    made: Stage,
    them: Sequence[Bidder],
    folder: Path,
    size: int,
) -> None:
    """Let everybody seal, upload and submit; the receipts follow when the second is over."""
    data = os.urandom(size)
    doors = asyncio.Semaphore(TOGETHER)

    async def one(bidder: Bidder) -> Any:
        async with doors:
            form, path = await asyncio.to_thread(_sealed, made, bidder, data, folder)
            return await _upload(service, clock, bidder, form, path)

    forms = await asyncio.gather(*(one(bidder) for bidder in them))
    submitted = [
        asyncio.ensure_future(
            service.intake.submit(
                _actor(bidder), _section(), form, service.intake.depart(clock.now())
            )
        )
        for bidder, form in zip(them, forms, strict=True)
    ]
    while not all(task.done() for task in submitted):
        await asyncio.sleep(0.02)
        if len(service.room.book(_section()).kept) == len(them) and clock.now() < T - 1000:
            clock.advance(1000)
            await service.room.slots.catch_up()
    await asyncio.gather(*submitted)


def _section() -> str:
    from clients.bench.stage import SECTION

    return SECTION


def _actor(bidder: Bidder) -> Any:
    from crypto.signature import key_id
    from trading.model import Actor, Role

    public = bidder.key.public
    return Actor(f"per_{bidder.number}", bidder.organisation, Role.BIDDER, key_id(public), public)


def _sealed(made: Stage, bidder: Bidder, data: bytes, folder: Path) -> tuple[dict[str, Any], Path]:
    """Pack and seal one bid; return its signed submission with the proof, and the file."""
    from bidding.model import Manifest, Submission, TenderFile
    from bidding.package import Source, pack
    from clients.bench.stage import CENTRE, tender_file
    from crypto import possession, statement
    from crypto.age import IterableSource, parse_recipient, seal_stream
    from crypto.canonical import canonical
    from crypto.encoding import b64

    tender = tender_file(made)
    file = statement.sign(made.centre, TenderFile.PURPOSE, CENTRE, tender.to_body())
    who = bidder.organisation
    common: dict[str, Any] = {
        "tender": tender.tender, "section": tender.section, "envelope": "whole", "bidder": who, "parties": (who,),
    }  # fmt: skip
    manifest = Manifest(**common, summary={"total_price": f"{bidder.number + 1}.00"}, files=())
    chunks = pack(
        [Source("投标文件.pdf", len(data), lambda: [data])],
        manifest,
        lambda body: statement.sign(bidder.key, Manifest.PURPOSE, CENTRE, body),
    )
    target = folder / f"{who}.age"
    sealed = seal_stream(
        IterableSource(chunks), target, parse_recipient(tender.recipient), threads=1
    )
    said = Submission(
        **common, version=tender.version, tender_file=statement.digest(file).hex(),
        recipient=tender.recipient, encapsulation=b64(sealed.enc65), sha256=sealed.sha256,
        size=sealed.size, supersedes="",
    )  # fmt: skip
    signed = statement.sign(bidder.key, Submission.PURPOSE, CENTRE, said.to_body())
    proof = possession.prove(sealed.ephemeral, canonical(signed["statement"]))
    return {"submission": signed, "possession": b64(proof)}, target


async def _upload(
    service: BiddingService, clock: FrozenClock, bidder: Bidder, form: dict[str, Any], path: Path
) -> dict[str, Any]:
    data = await asyncio.to_thread(path.read_bytes)
    await asyncio.to_thread(path.unlink)

    async def body() -> AsyncIterator[bytes]:
        yield data

    desk, owner = service.uploads, bidder.organisation
    upload = await desk.create(owner, len(data), clock.now())
    await desk.append(upload.id, owner, 0, body(), "")
    return {**form, "upload": upload.id}


async def _opened(service: BiddingService, clock: FrozenClock, made: Stage) -> dict[str, float]:
    """From T to the reading-out; seconds of each part."""
    from bidding.model import CloseList
    from bidding.opening import Phase

    room, times = service.room, dict[str, float]()
    book = room.book(_section())
    while clock.now() < T:
        clock.advance(1000)
        await room.slots.catch_up()
    begun = time.perf_counter()
    await service.run.drive(book.section)
    _require(book, Phase.UNLOCKING)
    times["close, price, float, names"] = time.perf_counter() - begun
    begun = time.perf_counter()
    listed = book.leaf(CloseList.PURPOSE)
    assert listed is not None
    answers = await asyncio.gather(
        *(asyncio.to_thread(_answer, service, made, number, listed[0]) for number in range(3))
    )
    times["three custodians' partials and proofs"] = time.perf_counter() - begun
    begun = time.perf_counter()
    for answer in answers[:2]:
        await service.custody.answer(book.section, answer, clock.now())
    times["two answers checked"] = time.perf_counter() - begun
    begun = time.perf_counter()
    await service.custody.answer(book.section, answers[2], clock.now())
    times["the third checked, combined, opened, imported"] = time.perf_counter() - begun
    _require(book, Phase.READING_OUT)
    return times


def _require(book: Book, phase: Phase) -> None:
    assert book.opening is not None
    assert book.opening.phase is phase, book.opening.phase


def _answer(service: BiddingService, made: Stage, number: int, index: int) -> dict[str, Any]:
    from bidding.model import Release
    from clients.bench.stage import CENTRE, CEREMONY
    from crypto import statement, threshold
    from crypto.encoding import b64, sha256_hex, unb64
    from crypto.p256 import Point

    room = service.room
    asked = service.custody.asked(room.book(_section()))
    points = [Point.parse(unb64(text)) for text in asked]
    share, keys, ledger = made.shares[number], made.keys[number], room.ledger
    partials, proof = threshold.partial(share.secret, points)
    body = Release(
        section=_section(), custodian=keys.name, ceremony=CEREMONY, index=share.index,
        close_list=sha256_hex(ledger.leaf(index)), encapsulations=asked,
        partials=tuple(b64(point.compressed()) for point in partials), proof=b64(proof),
        head_size=ledger.size, head_root=ledger.root(ledger.size).hex(),
    )  # fmt: skip
    return statement.sign(keys.statement, Release.PURPOSE, CENTRE, body.to_body())


@verb
def command(
    bids: Annotated[int, typer.Option(min=3, max=4000, help="bids in the section")] = 30,
    size: Annotated[str, typer.Option(help="of each bid's file: 256K, 4M, …")] = "1M",
    whole: Annotated[bool, typer.Option(help="300 bids of 4 MiB")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """From the close of a section to its reading-out."""
    bids, size = (300, "4M") if whole else (bids, size)
    measure(bids, size_of(size)).tell(as_json=as_json)
