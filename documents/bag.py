"""A dossier 归档包 checked offline: a BagIt bag (RFC 8493) with nothing extra, nothing missing, no byte free.

Every tag file is computed again from the payload and compared whole, so that even a changed letter case in a manifest
is found. What the records mean is checked by `documents.paper`; what follows from the events is re-derived by the
auditor, who composes this with the pure files of bidding and auction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cryptography import x509

from crypto.canonical import canonical, parse
from crypto.tlog import checkpoint, cosignature
from crypto.tlog.note import Note
from documents import logproof, places
from documents.checks import Check, NotChecked, Report, run
from documents.folder import ALGORITHMS, Directory, Folder, digests, read_whole
from documents.leaves import Leaves
from documents.model import ConfirmationFacts, DocumentError, OpeningFacts, TranscriptFacts
from documents.trust import LEDGER
from trading.ground.chain import ZERO, Row, verify_row

if TYPE_CHECKING:
    from documents.model import Facts
    from documents.trust import Trust

__all__ = [
    "ALGORITHMS",
    "Directory",
    "Folder",
    "check",
    "digests",
    "event_line",
    "event_lines",
    "manifest",
    "parse_event",
    "proof_name",
]

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAGS = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt")
TAG_MANIFEST = "tagmanifest-sha256.txt"
NEEDED = (
    "data/VERIFY.md",
    "data/events.jsonl",
    "data/ledger/checkpoint",
    "data/ledger/leaves.jsonl",
    "data/trust.json",
)
PUBLIC, FULL = "public", "full"
# What lets a bid be read stands in the full rendition only: a ciphertext with public proofs opens.
SEALED, PLAIN = "bid.age", "bid.tar"
GUIDE = Path(__file__).parent / "VERIFY.md"


@dataclass(slots=True)
class Bag:
    """A dossier being checked."""

    folder: Folder
    names: list[str]
    info: dict[str, str]
    records: dict[str, Facts]
    sha256: dict[str, str]

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            NotChecked: when it is not there; its absence is reported once, by the check of the layout.
        """
        if name not in self.names:
            raise NotChecked(f"{name} is missing")
        return self.folder.open(name)

    def read(self, name: str) -> bytes:
        """Return a small file whole; errors as `open`."""
        with self.open(name) as file:
            return read_whole(file, name)


def manifest(sums: dict[str, str]) -> bytes:
    """Return a manifest's bytes: digest, two spaces, path; sorted by path."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def check(folder: Folder, trust: Trust, at: int) -> tuple[Check, ...]:
    """Check a dossier.

    Args:
        folder: the bag.
        trust: what the verifier trusts; `data/trust.json` is read by nobody but people.
        at: the time of the check, ms UTC.
    """
    bag = Bag(folder, [], {}, {}, {})
    checks = [
        run("bag.form", "归档包完整，无多无缺 · complete, nothing extra", lambda: _form(bag)),
        run(
            "bag.rendition",
            "公开或完整版本的内容相符 · fits its rendition",
            lambda: _rendition(bag),
        ),
    ]
    records = [
        name for name in bag.names if name.startswith("data/records/") and name.endswith(".pdf")
    ]
    for name in records or ["data/records"]:
        stem = name.rpartition("/")[2]
        work = partial(_record, bag, name, trust, at)
        checks.append(run(f"bag.record.{stem}", f"记录 {stem} · record", work))
    checks += [
        run(
            "bag.ledger",
            "日志条目与检查点相符 · leaves are in the log",
            lambda: _ledger(bag, trust),
        ),
        run(
            "bag.witnesses",
            "见证人联署 · cosigned by witnesses",
            lambda: _witnesses(bag, trust),
            essential=False,
        ),
        run("bag.events", "事件链连续 · the chain of events holds", lambda: _events(bag)),
        run(
            "bag.aside",
            "供人阅读的说明 · what is there for people only",
            lambda: _aside(bag, trust),
            essential=False,
        ),
    ]
    return tuple(checks)


def _form(bag: Bag) -> str:
    names = bag.folder.names()
    payload = [name for name in names if name.startswith("data/")]
    odd = places.strange(payload)
    extra = sorted(set(names) - set(payload) - {*TAGS, TAG_MANIFEST})
    missing = sorted({*TAGS, TAG_MANIFEST, *NEEDED} - set(names))
    bag.names = payload
    if odd or extra or missing:
        raise DocumentError(
            f"extra: {', '.join(odd + extra) or '—'}; missing: {', '.join(missing) or '—'}"
        )
    sums: dict[str, dict[str, str]] = {algorithm: {} for algorithm in ALGORITHMS}
    total = 0
    for name in payload:
        with bag.folder.open(name) as file:
            found, size = digests(file)
        total += size
        for algorithm, digest in found.items():
            sums[algorithm][name] = digest
    bag.sha256 = sums["sha256"]
    tags = {name: _tag(bag, name) for name in (*TAGS, TAG_MANIFEST)}
    for algorithm in ALGORITHMS:
        _compare(f"manifest-{algorithm}.txt", tags[f"manifest-{algorithm}.txt"], sums[algorithm])
    _compare(
        TAG_MANIFEST,
        tags[TAG_MANIFEST],
        {name: hashlib.sha256(tags[name]).hexdigest() for name in TAGS},
    )
    if tags["bagit.txt"] != DECLARATION:
        raise DocumentError("bagit.txt is not that of BagIt 1.0")
    bag.info = places.read_info(tags["bag-info.txt"])
    if bag.info["Payload-Oxum"] != f"{total}.{len(payload)}":
        raise DocumentError("the payload's size or number of files is not what bag-info.txt says")
    return f"{len(payload)} files, {total} bytes"


def _tag(bag: Bag, name: str) -> bytes:
    with bag.folder.open(name) as file:
        return read_whole(file, name)


def _compare(name: str, found: bytes, wanted: dict[str, str]) -> None:
    """Compare a manifest with what the files say; name the first path that differs."""
    if found == manifest(wanted):
        return
    lines = [line.partition("  ") for line in found.decode("utf-8", "replace").splitlines()]
    listed = {path: digest for digest, _, path in lines}
    paths = sorted(path for path in {*listed, *wanted} if listed.get(path) != wanted.get(path))
    raise DocumentError(f"{name} does not fit: {', '.join(paths[:3]) or 'its form differs'}")


def _rendition(bag: Bag) -> str:
    rendition = bag.info.get("Kaibiao-Rendition")
    if rendition not in {PUBLIC, FULL}:
        raise (
            NotChecked("bag-info.txt could not be read")
            if not bag.info
            else DocumentError("bag-info.txt names no rendition")
        )
    bids = sorted({name.split("/")[2] for name in bag.names if name.startswith("data/bids/")})
    for bid in bids:
        said = _json(bag, f"data/bids/{bid}/bid.json")
        inside = [name for name in (SEALED, PLAIN) if f"data/bids/{bid}/{name}" in bag.names]
        if rendition == PUBLIC and inside:
            raise DocumentError(f"the public rendition must not hold {inside[0]} of {bid}")
        if rendition == FULL:
            if SEALED not in inside:
                raise DocumentError(f"the full rendition lacks the sealed file of {bid}")
            if bag.sha256.get(f"data/bids/{bid}/{SEALED}") != said.get("sha256"):
                raise DocumentError(f"the sealed file of {bid} is not the one that was received")
    return f"{rendition}, {len(bids)} bids"


def _json(bag: Bag, name: str) -> dict[str, Any]:
    if name not in bag.names:
        raise DocumentError(f"{name} is missing")
    data = bag.read(name)
    value = parse(data)
    if not isinstance(value, dict) or canonical(value) != data:
        raise DocumentError(f"{name} is not canonical JSON")
    return value


def _record(bag: Bag, name: str, trust: Trust, at: int) -> str:
    pdf = bag.read(name)
    beside = proof_name(name)
    if beside not in bag.names:
        raise DocumentError(f"{beside} is missing: nothing shows that the ledger holds this record")
    proof = logproof.RecordProof.parse(bag.read(beside))
    from documents import paper  # brings pyHanko; who only lays or serves bags does without

    record, checks = paper.check(pdf, trust, at, proof)
    report = Report(name, checks)
    wrong = [one for one in checks if one.status == "failed"]
    undone = [one for one in checks if one.essential and one.status == "not_checked"]
    if wrong:
        raise DocumentError(f"{wrong[0].id}: {wrong[0].detail}")
    if undone:
        raise NotChecked(f"{undone[0].id}: {undone[0].detail}")
    if record.facts is None or record.facts.heading.centre != bag.info.get("Kaibiao-Centre"):
        raise DocumentError("the record is of another centre than the dossier")
    if record.facts.heading.centre_name != bag.info.get("Source-Organization"):
        raise DocumentError("the record's centre has another name than the dossier's")
    bag.records[name] = record.facts
    return f"{record.facts.KIND} {record.facts.heading.number}, {len(record.signatures)} signatures, {report.verdict}"


def proof_name(name: str) -> str:
    """Return the name of the proof beside a record: `NAME.proof.json` for `NAME.pdf`."""
    return f"{name.removesuffix('.pdf')}.proof.json"


def _ledger(bag: Bag, trust: Trust) -> str:
    signed = bag.read("data/ledger/checkpoint")
    origin = Note.parse(signed).text.split(b"\n", 1)[0].decode()
    centre = bag.info.get("Kaibiao-Centre", "")
    if centre and not origin.startswith(centre + LEDGER):
        raise DocumentError(f"{origin} is no ledger of {centre}")
    key = trust.log(origin)
    if key is None:
        raise NotChecked(f"the key of the log {origin} is not in the trust file")
    head = checkpoint.open_checkpoint(signed, key)
    proved = Leaves(head.size, head.root)
    with bag.open("data/ledger/leaves.jsonl") as lines:
        for line in lines:
            proved.add(line)
    return f"{proved.end()} leaves under the checkpoint of {head.size}"


def _witnesses(bag: Bag, trust: Trust) -> str:
    signed = bag.read("data/ledger/checkpoint")
    origin = Note.parse(signed).text.split(b"\n", 1)[0].decode()
    names = sorted({one.key.name for one in cosignature.verify(signed, trust.witnesses(origin))})
    if not names:
        raise NotChecked("no cosignature of a trusted witness on this checkpoint")
    return ", ".join(names)


def _events(bag: Bag) -> str:
    centre = bag.info.get("Kaibiao-Centre")
    if centre is None:
        raise NotChecked("bag-info.txt could not be read")
    heads: dict[str, tuple[int, bytes]] = {}
    seen: set[tuple[int, str]] = set()
    position = count = 0
    for line in event_lines(bag.read("data/events.jsonl")):
        row = parse_event(line)
        seq, chain = heads.get(row.stream, (0, ZERO))
        if row.position <= position or row.seq != seq + 1 or not verify_row(row, chain, centre):
            raise DocumentError(
                f"event {row.seq} of {row.stream} does not follow the one before it"
            )
        heads[row.stream] = (row.seq, row.chain)
        seen.add((row.seq, row.chain.hex()))
        position, count = row.position, count + 1
    for name, facts in bag.records.items():
        if isinstance(facts, (OpeningFacts, TranscriptFacts)) and facts.chain_head:
            known = (facts.last_seq, facts.chain_head) in seen
        elif isinstance(facts, ConfirmationFacts):
            known = any(facts.chain_head == chain for _, chain in seen)
        else:
            continue
        if not known:
            raise DocumentError(f"{name} speaks of events that are not in events.jsonl")
    return f"{count} events of {len(heads)} streams"


def _aside(bag: Bag, trust: Trust) -> str:
    """Say whether people may follow the guide and look at the certificates; no check rests on either.

    Raises:
        NotChecked: the guide is of another version, or of another hand.
        DocumentError: `trust.json` is no list of certificates.
    """
    listed = _json(bag, "data/trust.json")
    given = (
        x509.load_pem_x509_certificates(
            "".join(one["pem"] for one in listed["certificates"]).encode()
        )
        if listed["certificates"]
        else []
    )
    strange = [one for one in given if one not in trust.anchors]
    if bag.read("data/VERIFY.md") != GUIDE.read_bytes():
        raise NotChecked("VERIFY.md is not the guide that this version writes: follow your own")
    return (
        f"{len(given)} certificates, {len(strange)} of them not among yours; believe your own only"
    )


def event_lines(data: bytes) -> list[bytes]:
    """Return the lines of `events.jsonl`; each ends with one line feed and nothing else.

    Raises:
        DocumentError: the last line is not ended.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise DocumentError("the last line of events.jsonl is not ended")
    return lines


def parse_event(line: bytes) -> Row:
    """Read one line of `events.jsonl`.

    Raises:
        DocumentError: when it is not the canonical form of a journal row.
    """
    value = parse(line)
    fields = {"at", "body", "chain", "kind", "position", "seq", "stream"}
    if not isinstance(value, dict) or value.keys() != fields or canonical(value) != line:
        raise DocumentError("a line of events.jsonl is not a journal row in canonical form")
    numbers = ("at", "position", "seq")
    if any(type(value[name]) is not int for name in numbers) or not isinstance(value["body"], dict):
        raise DocumentError("a line of events.jsonl has values of wrong types")
    return Row(
        value["position"], value["stream"], value["seq"], value["at"], value["kind"], value["body"],
        bytes.fromhex(value["chain"]),
    )  # fmt: skip


def event_line(row: Row) -> bytes:
    """Return one line of `events.jsonl`, line end included."""
    value = {**row._asdict(), "chain": row.chain.hex()}
    return canonical(value) + b"\n"
