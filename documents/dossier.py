"""Writing a dossier 归档包: a BagIt bag in a public and a full rendition, from the same contents.

The public rendition has hashes, encapsulations, partials, proofs and results; the full one also the sealed files and
their plaintext, because a ciphertext with public proofs can be opened by anyone. `docs/spec/dossier-v1.md` is the
layout; `documents.bag` checks it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bagit
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.canonical import canonical
from crypto.encoding import b64
from documents import chain
from documents.bag import (
    ALGORITHMS,
    DECLARATION,
    FULL,
    NAME,
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
    from collections.abc import Iterable, Mapping, Sequence

    from cryptography.x509 import Certificate

    from documents.logproof import RecordProof
    from trading.ground.chain import Row

Source = bytes | Path
_GUIDE = Path(__file__).parent / "VERIFY.md"


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
    """A leaf of the ledger with its inclusion path under the dossier's checkpoint."""

    index: int
    leaf: dict[str, Any]
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Record:
    """A signed record with the proof that the ledger holds it; `name` without ending."""

    name: str
    pdf: bytes
    proof: RecordProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything of one section or session.

    Attributes:
        subject: id of the section or session; names the bag.
        made_at: ms UTC.
        events: journal rows of the streams concerned, each stream from its first row.
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
    leaves: Sequence[Leaf]
    checkpoint: bytes
    bids: Mapping[str, Bid] = field(default_factory=dict)
    custody: Mapping[str, Source] = field(default_factory=dict)
    trust: Sequence[Certificate] = ()
    more: Mapping[str, Source] = field(default_factory=dict)


def write_both(contents: Contents, folder: Path) -> tuple[Path, Path]:
    """Write `SUBJECT-public.bag` and `SUBJECT-full.bag` into a folder and return their paths.

    Raises:
        DocumentError: for names outside the layout, or when a bag is already there.
    """
    # Events are read once and kept: the two renditions must not differ in them.
    events = b"".join(event_line(row) for row in contents.events)
    public, full = (_write(contents, events, folder, rendition) for rendition in (PUBLIC, FULL))
    return public, full


def _write(contents: Contents, events: bytes, folder: Path, rendition: str) -> Path:
    target = folder / f"{contents.subject}-{rendition}.bag"
    if target.exists():
        raise DocumentError(f"{target.name} is there already; a dossier is written once")
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        for name, source in _payload(contents, events, rendition).items():
            _put(scratch / "data", name, source)
        _finish(scratch, contents, rendition)
        # A second opinion by the reference implementation before the name appears.
        bagit.Bag(str(scratch)).validate()
        scratch.rename(target)
    except bagit.BagError as error:
        raise DocumentError(f"{target.name} is no valid bag: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _payload(contents: Contents, events: bytes, rendition: str) -> dict[str, Source]:
    files: dict[str, Source] = {
        "VERIFY.md": _GUIDE,
        "trust.json": _trust(contents),
        "events.jsonl": events,
        "ledger/checkpoint": contents.checkpoint,
        "ledger/leaves.jsonl": b"".join(
            canonical(
                {"index": one.index, "leaf": one.leaf, "path": [b64(part) for part in one.path]}
            )
            + b"\n"
            for one in sorted(contents.leaves, key=lambda one: one.index)
        ),
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
    if not NAME.fullmatch(name):
        raise DocumentError(f"{name!r} is no name for a file of a dossier")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        path.write_bytes(source)
    else:
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
    info = {
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
