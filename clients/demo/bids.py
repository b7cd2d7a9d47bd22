"""Step 2: seven bidders act out their stories, each sealing on its own machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from clients import handing_in, sealing, tenders
from clients import trust as pinned
from clients.demo import sentences as say
from clients.demo.files import write_pdf
from clients.demo.stage import Told, must, refused, tell
from clients.demo.world import CENTRE, Person, World, case, write_private
from clients.sdk import uploads
from clients.sdk.wire import RefusedError
from crypto import possession, statement
from crypto.age import IterableSource, seal_stream
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.signature import SigningKey
from documents.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATE_MS: Final = 20
LAST_BYTES: Final = 4096
TRIAL_MIB: Final = 12
THREADS: Final = 6  # bidders mostly wait: for the network, and for their slot
SLOTS_MS: Final = 3_000  # a receipt comes with the next slot; one bidder needs two of them
PROCESSES: Final = 6  # that steps 2 to 4 start before T


@dataclass
class Bidder:
    """One bidder: what the case says, who it is, what it holds."""

    told: dict[str, Any]
    who: Person
    folder: Path
    files: list[Path] = field(default_factory=list)
    receipts: list[Path] = field(default_factory=list)

    @property
    def acts(self) -> str:
        """The story's name in the case."""
        return str(self.told["acts"])

    @property
    def summary(self) -> sealing.Summary:
        """Its 开标一览表."""
        names = case("water")["section"]["summary_fields"]
        return sealing.Summary(
            bidder=self.who.id,
            parties=(self.who.id,),
            values={name: str(self.told[name]) for name in names},
        )


def enrol(world: World) -> Told:
    """Keys for the bidders, each issued by two people; their files; a measured trial."""
    bidders = {}
    for number, told in enumerate(case("water")["bidders"], 1):
        who = world.join(
            f"bidder-{number}",
            name=told["authorised_representative"],
            organisation=told["name"],
            credit_code=told["credit_code"],
            role="bidder",
        )
        bidders[told["acts"]] = Bidder(told, who, world.keep / "bidders" / str(number))
    world.facts["bidders"] = bidders
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = list(pool.map(lambda one: _files(world, one), bidders.values()))
    speed = _trial(world, bidders["early"])
    world.facts["total"] = sum(sizes)
    world.facts["trial_ms"] = (
        int(sum(sizes) / speed * 1000) + SLOTS_MS + PROCESSES * world.facts["start_ms"]
    )
    return tell(say.ENROLLED, n=len(bidders), size=sum(sizes) >> 20, speed=f"{speed / 1e6:.0f}")


def _files(world: World, bidder: Bidder) -> int:
    bidder.folder.mkdir(parents=True)
    for number, mib in enumerate(bidder.told["files_mib"], 1):
        path = bidder.folder / f"{number}-{'commercial' if number == 1 else 'technical'}.pdf"
        seed = f"{world.seed}/{bidder.who.id}/{number}"
        write_pdf(path, world.size(mib), f"Bid document {number}", seed)
        bidder.files.append(path)
    return sum(path.stat().st_size for path in bidder.files)


def _trial(world: World, bidder: Bidder) -> float:
    """Bytes a second of sealing and uploading on this machine now; the upload is given up again."""
    plain, sealed = world.keep / "trial.bin", world.keep / "trial.age"
    write_pdf(plain, TRIAL_MIB << 20, "Trial", "trial")
    started = time.monotonic()
    size = plain.stat().st_size
    with plain.open("rb", buffering=0) as source:
        seal_stream(source, sealed, SigningKey.generate().public65)
    handing_in.digest_of(sealed)
    path = uploads.create(bidder.who.centre, sealed.stat().st_size, {"filename": "trial.age"})
    uploads.send(bidder.who.centre, sealed, path)
    uploads.delete(bidder.who.centre, path)
    took = time.monotonic() - started
    plain.unlink()
    sealed.unlink()
    return size / took / 2  # seven bidders at once share what the trial had for itself


def act(world: World) -> Told:
    """Everything before the deadline but the late bid."""
    bidders: dict[str, Bidder] = world.facts["bidders"]
    (world.out / "receipts").mkdir(exist_ok=True)
    _slipped_in(world, bidders["early"])
    tender = tenders.check(world.facts["section"]["file"], pinned.read(world.trust))
    world.facts["checked"] = tender
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: _story(world, bidders[name]), STORIES))
    for bidder in bidders.values():
        bidder.who.centre.close()
    left = world.facts["deadline"] - world.clock.now()
    must(left > 0, "an honest bid came late")
    receipts = list((world.out / "receipts").iterdir())
    return tell(
        say.HANDED_IN,
        n=len(STORIES),
        size=world.facts["total"] >> 20,
        receipts=len(receipts),
        left=f"{left / 1000:.1f}",
    )


STORIES: Final = ("by_hand", "early", "replaces", "offline", "damaged", "withdraws")


def _story(world: World, bidder: Bidder) -> None:
    _deposit(world, bidder)
    match bidder.acts:
        case "by_hand":
            _by_hand(world, bidder)
        case "damaged":
            _hand_in(world, bidder, _seal_damaged(world, bidder))
        case "replaces":
            first = _hand_in(world, bidder, _seal(world, bidder, "first"))
            _hand_in(world, bidder, _seal(world, bidder, "second", supersedes=first))
        case "withdraws":
            _hand_in(world, bidder, _seal(world, bidder, "bid"))
            handed = handing_in.withdraw(
                bidder.who.centre,
                bidder.receipts[-1],
                bidder.who.key,
                trust=_trust(world),
                clock=world.clock,
            )
            _keep(world, bidder, handed.path)
        case _:
            _hand_in(world, bidder, _seal(world, bidder, "bid"))


def _deposit(world: World, bidder: Bidder) -> None:
    section = case("water")["section"]
    body = {
        "target": world.facts["section"]["section"],
        "form": bidder.told["deposit"],
        "amount": section["bid_deposit"],
    }
    signed = _command(world, bidder.who, "deposit", body)
    form = {"statement": signed, "reference": f"BG-{bidder.who.id[-6:]}"}
    bidder.who.centre.call("POST", "/deposits", form)


def _command(world: World, who: Person, purpose: str, body: dict[str, Any]) -> dict[str, Any]:
    from clients.sdk.acts import command

    return command(who.key, purpose, CENTRE, body, world.clock)


def _trust(world: World) -> Trust:
    return Trust.from_pem(world.trust.read_bytes())


def _seal(world: World, bidder: Bidder, name: str, supersedes: str = "") -> Path:
    target = bidder.folder / f"{name}.age"
    sealing.seal(
        world.facts["checked"], bidder.summary, bidder.who.key, bidder.files, target,
        supersedes=supersedes, threads=1,
    )  # fmt: skip
    return target


def _hand_in(world: World, bidder: Bidder, sealed: Path) -> str:
    """Upload, submit, check the receipt; returns the submission's id."""
    with world.stage.bar(bidder.told["name"], sealed.stat().st_size) as progress:
        handed = handing_in.submit(
            bidder.who.centre, sealed, bidder.who.key,
            trust=_trust(world), clock=world.clock, progress=progress,
        )  # fmt: skip
    _keep(world, bidder, handed.path)
    return handed.receipt.entry.id


def _keep(world: World, bidder: Bidder, receipt: Path) -> None:
    bidder.receipts.append(receipt)
    name = f"{bidder.acts}-{len(bidder.receipts)}.json"
    shutil.copy(receipt, world.out / "receipts" / name)


def _seal_damaged(world: World, bidder: Bidder) -> Path:
    """What a broken tool would do: one byte of the package is wrong before it is sealed."""
    tender = world.facts["checked"]
    target = bidder.folder / "bid.age"

    def spoiled() -> Iterator[bytes]:
        at = 0
        for part in sealing.package(
            tender, bidder.summary, bidder.who.key, bidder.files, lambda _: None
        ):
            piece = bytearray(part)
            if at <= SPOILED_AT < at + len(piece):
                piece[SPOILED_AT - at] ^= 1
            at += len(piece)
            yield bytes(piece)

    sealed = seal_stream(IterableSource(spoiled()), target, tender.recipient, threads=1)
    signed = sealing.sign_submission(
        tender, bidder.summary, bidder.who.key, b64(sealed.enc65), sealed.sha256, sealed.size, ""
    )
    proof = possession.prove(sealed.ephemeral, canonical(signed["statement"]))
    told = {"submission": signed, "possession": b64(proof)}
    sealing.submission_path(target).write_bytes(canonical(told))
    return target


SPOILED_AT: Final = 100_000


def _by_hand(world: World, bidder: Bidder) -> None:
    """By command line on a machine without network; two files are carried over and submitted."""
    away, carried = bidder.folder / "away", bidder.folder / "carried"
    away.mkdir()
    carried.mkdir()
    write_private(away / "key.pem", bidder.who.key.to_pem().encode())
    summary = {"bidder": bidder.who.id, "summary": dict(bidder.summary.values)}
    (away / "summary.json").write_text(json.dumps(summary, ensure_ascii=False), "utf-8")
    shutil.copy(world.keep / "tender.json", away)
    alone = ("unshare", "-n") if os.geteuid() == 0 and shutil.which("unshare") else ()
    done = world.cast.run(
        "seal", "seal", "--tender", str(away / "tender.json"), "--trust", str(world.trust),
        "--key", str(away / "key.pem"), "--summary", str(away / "summary.json"),
        *map(str, bidder.files), "-o", str(away / "BID.age"), "--json", prefix=alone,
    )  # fmt: skip
    must(done.returncode == 0, f"seal ended with {done.returncode}: {done.stderr[-500:]}")
    for name in ("BID.age", "BID.submission.json"):
        shutil.copy(away / name, carried)
    done = world.cast.run(
        "submit", "submit", str(carried / "BID.age"), "--server", world.server,
        "--key", str(away / "key.pem"), "--trust", str(world.trust), "--json",
    )  # fmt: skip
    must(done.returncode == 0, f"submit ended with {done.returncode}: {done.stderr[-500:]}")
    _keep(world, bidder, carried / "BID.receipt.json")


def _slipped_in(world: World, bidder: Bidder) -> None:
    """A dishonest centre prints a recipient of its own, under its own true signature: sealers refuse."""
    from crypto.age import recipient_text
    from crypto.p256 import Point

    body = {
        name: value
        for name, value in world.facts["section"]["file"]["statement"].items()
        if name not in {"v", "suite", "purpose", "centre"}
    }
    own = SigningKey.generate()
    body["recipient"] = recipient_text(Point.parse(own.public).uncompressed())
    pem = (world.home / "keys" / "statements.key.pem").read_bytes()
    forged = statement.sign(SigningKey.from_pem(pem), "tender", CENTRE, body)
    (bidder.folder / "forged.json").write_bytes(canonical(forged))
    with refused(tenders.TenderRefusedError, saying="recipient") as reason:
        tenders.check(forged, pinned.read(world.trust))
    world.stage.say(tell(say.SLIPPED_IN, error=reason[0]))


def late(world: World) -> Told:
    """The last byte arrives 20 ms after T: a signed refusal that states the arrival."""
    bidder: Bidder = world.facts["bidders"]["late"]
    centre = bidder.who.centre
    sealed = _seal(world, bidder, "bid")
    size = sealed.stat().st_size
    path = uploads.create(centre, size, {"filename": sealed.name})
    piece = size - LAST_BYTES
    uploads.send_until(centre, sealed, path, piece)
    told = json.loads(sealing.submission_path(sealed).read_text("utf-8"))
    form = {**told, "upload": path.rsplit("/", 1)[-1]}
    deadline = world.facts["deadline"]
    world.sleep_until(deadline + LATE_MS)
    uploads.send(centre, sealed, path)
    with refused(RefusedError) as reason:
        centre.call("POST", f"/sections/{world.facts['section']['section']}/submissions", form)
    centre.close()
    error = reason[0]
    must(isinstance(error, RefusedError), "the refusal is no problem document")
    signed = error.body.get("refusal") if isinstance(error, RefusedError) else None
    must(isinstance(signed, dict), f"the refusal is not signed: {error}")
    said = statement.verify(signed or {}, purpose="refusal", centre=CENTRE)
    must(said["arrival"] >= deadline, "the refusal states an arrival before T")
    (world.out / "receipts" / "late-refusal.json").write_bytes(canonical(signed) + b"\n")
    return tell(say.LATE, after=said["arrival"] - deadline, code=said["code"])
