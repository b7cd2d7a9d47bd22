"""Writing a dossier 归档包: a BagIt bag in a public and a full rendition, from the same contents.

The public rendition has hashes, encapsulations, partials, proofs and results; the full one also the sealed files and
their plaintext, because a ciphertext with public proofs can be opened by anyone. `docs/spec/dossier-v1.md` is the
layout; `documents.bag` checks it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bagit
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.canonical import canonical
from crypto.encoding import b64
from documents import chain, places
from documents.bag import (
    ALGORITHMS,
    DECLARATION,
    FULL,
    GUIDE,
    PLAIN,
    PUBLIC,
    SEALED,
    TAG_MANIFEST,
    TAGS,
    Directory,
    digests,
    event_line,
    manifest,
    proof_name,
)
from documents.model import DocumentError
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cryptography.x509 import Certificate

    from documents.logproof import RecordProof
    from trading.ground.chain import Row

Source = bytes | Path
SCRATCH = ".writing-"  # prefix of what is not finished
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}  # another volume, or no links


@dataclass(frozen=True, slots=True)
class Bid:
    """What a dossier holds of one bid.

    Attributes:
        evidence: becomes `bid.json`; must say `sha256` of the sealed file, hex; public.
        sealed / plain: the sealed file and the opened package; full rendition only.
        proofs: further public files (receipt, partials …) by name.
    """

    evidence: dict[str, Any]
    sealed: Source | None = None
    plain: Source | None = None
    proofs: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the ledger with its inclusion path under the dossier's checkpoint.

    A leaf without a path belongs to the run that ends at the checkpoint: that run is proved by the path of its first
    leaf and by folding the others on top.
    """

    index: int
    leaf: dict[str, Any]
    path: Sequence[bytes] | None


@dataclass(frozen=True, slots=True)
class Record:
    """A signed record with the proof that the ledger holds it; `name` without ending."""

    name: str
    pdf: bytes
    proof: RecordProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything of one section or session. Events and leaves are read once, and may be many.

    Attributes:
        subject: id of the section or session; names the bag.
        made_at: ms UTC.
        events: journal rows of the streams concerned, each stream from its first row.
        leaves: in the order of their index.
        checkpoint: cosigned note that all `leaves` are proved under.
        bids: by submission id.
        custody: files of `data/custody/` (ceremony certificate, close list, partials …) by name.
        trust: certificates that a verifier would want; for people, a verifier brings its own.
        more: further public files under `data/`.
    """

    subject: str
    centre: str
    centre_name: str
    made_at: int
    records: Sequence[Record]
    events: Iterable[Row]
    leaves: Iterable[Leaf]
    checkpoint: bytes
    bids: Mapping[str, Bid] = field(default_factory=dict)
    custody: Mapping[str, Source] = field(default_factory=dict)
    trust: Sequence[Certificate] = ()
    more: Mapping[str, Source] = field(default_factory=dict)


def write_both(contents: Contents, folder: Path) -> tuple[Path, Path]:
    """Write `SUBJECT-public.bag` and `SUBJECT-full.bag` into a folder and return their paths.

    Files that `contents` names by path are linked where the volume allows it, else copied: nobody
    may change them in place afterwards. The public rendition appears last, and so says that both are
    there and durable; a full one alone was left by a crash and is written anew.

    Raises:
        DocumentError: for names outside the layout, leaves out of order, or when a dossier is
            already there.
    """
    public, full = (folder / bag_name(contents.subject, one) for one in (PUBLIC, FULL))
    if public.exists():
        raise DocumentError(f"{public.name} is there already; a dossier is written once")
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    try:
        # Spooled once: the two renditions must not differ in them, and they need not fit in memory.
        events, leaves = scratch / "events.jsonl", scratch / "leaves.jsonl"
        _spool(events, (event_line(row) for row in contents.events))
        _spool(leaves, _leaf_lines(contents.leaves))
        for rendition in (FULL, PUBLIC):
            files = _payload(contents, events, leaves, rendition)
            _write(contents, files, scratch / rendition, rendition)
        if full.exists():
            shutil.rmtree(full)
        for target, rendition in ((full, FULL), (public, PUBLIC)):
            (scratch / rendition).rename(target)
            _sync(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return public, full


def bag_name(subject: str, rendition: str) -> str:
    """Return the name of a dossier's folder."""
    return f"{subject}-{rendition}.bag"


def _write(contents: Contents, files: Mapping[str, Source], root: Path, rendition: str) -> None:
    """Write one rendition, durable when it returns."""
    try:
        for name, source in files.items():
            _put(root / "data", name, source)
        _finish(root, contents, rendition)
        # A second opinion by the reference implementation before the name appears. Of the full rendition
        # on its completeness only: the sealed files were read a moment ago for the manifests.
        bagit.Bag(str(root)).validate(completeness_only=rendition == FULL)
    except bagit.BagError as error:
        name = bag_name(contents.subject, rendition)
        raise DocumentError(f"{name} is no valid bag: {error}") from error
    for path in (root, *root.rglob("*")):
        _sync(path)


def _spool(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        file.writelines(lines)


def _leaf_lines(leaves: Iterable[Leaf]) -> Iterator[bytes]:
    last = -1
    for one in leaves:
        if one.index <= last:
            raise DocumentError(f"leaf {one.index} does not follow leaf {last}")
        last = one.index
        line: dict[str, Any] = {"index": one.index, "leaf": one.leaf}
        if one.path is not None:
            line["path"] = [b64(part) for part in one.path]
        yield canonical(line) + b"\n"


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _payload(contents: Contents, events: Path, leaves: Path, rendition: str) -> dict[str, Source]:
    files: dict[str, Source] = {
        "VERIFY.md": GUIDE,
        "trust.json": _trust(contents),
        "events.jsonl": events,
        "ledger/checkpoint": contents.checkpoint,
        "ledger/leaves.jsonl": leaves,
    }
    for record in contents.records:
        files[f"records/{record.name}.pdf"] = record.pdf
        files[f"records/{proof_name(record.name)}"] = record.proof.to_bytes()
    for name, source in contents.custody.items():
        files[f"custody/{name}"] = source
    for id_, bid in contents.bids.items():
        files[f"bids/{id_}/bid.json"] = canonical(bid.evidence)
        for name, source in bid.proofs.items():
            files[f"bids/{id_}/{name}"] = source
        if rendition == FULL:
            if bid.sealed is not None:
                files[f"bids/{id_}/{SEALED}"] = bid.sealed
            if bid.plain is not None:
                files[f"bids/{id_}/{PLAIN}"] = bid.plain
    return {**contents.more, **files}


def _trust(contents: Contents) -> bytes:
    return canonical(
        {
            "v": 1,
            "purpose": "dossier-trust",
            "suite": "X509",
            "centre": contents.centre,
            "note": "For people. Whoever verifies brings certificates obtained elsewhere.",
            "certificates": [
                {
                    "name": chain.name(one),
                    "sha256": hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest(),
                    "pem": one.public_bytes(Encoding.PEM).decode(),
                }
                for one in contents.trust
            ],
        }
    )


def _put(root: Path, name: str, source: Source) -> None:
    if not places.PLACE.fullmatch(name):
        raise DocumentError(f"{name!r} has no place in a dossier (docs/spec/dossier-v1.md §2)")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        path.write_bytes(source)
    elif source == GUIDE:
        shutil.copyfile(source, path)
    else:
        _link(source, path)


def _link(source: Path, path: Path) -> None:
    try:
        path.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, path)


def _finish(root: Path, contents: Contents, rendition: str) -> None:
    """Write the tag files over the payload that now lies in `data/`."""
    sums: dict[str, dict[str, str]] = {algorithm: {} for algorithm in ALGORITHMS}
    total = 0
    folder = Directory(root)
    names = folder.names()
    for name in names:
        with folder.open(name) as file:
            found, size = digests(file)
        total += size
        for algorithm in ALGORITHMS:
            sums[algorithm][name] = found[algorithm]
    info = {  # the labels of `places.INFO`
        "Source-Organization": contents.centre_name,
        "External-Identifier": contents.subject,
        "Bagging-Date": beijing(contents.made_at).split(" ")[0],
        "Payload-Oxum": f"{total}.{len(names)}",
        "Bag-Software-Agent": "Kaibiao",
        "Kaibiao-Dossier": "1",
        "Kaibiao-Centre": contents.centre,
        "Kaibiao-Rendition": rendition,
    }
    if any("\n" in value or "\r" in value for value in info.values()):
        raise DocumentError("a line break cannot stand in bag-info.txt")
    tags = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": "".join(f"{key}: {value}\n" for key, value in info.items()).encode(),
        **{f"manifest-{algorithm}.txt": manifest(sums[algorithm]) for algorithm in ALGORITHMS},
    }
    tags[TAG_MANIFEST] = manifest({name: hashlib.sha256(tags[name]).hexdigest() for name in TAGS})
    for name, content in tags.items():
        (root / name).write_bytes(content)
