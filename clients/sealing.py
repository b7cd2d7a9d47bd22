"""Packing and sealing a bid on the bidder's own machine, with no network.

One pass: each file is read once, hashed for the manifest, put into the tar, sealed and hashed again on its
way to the disk, at constant memory. What comes out: the sealed file, the signed submission with its proof of
possession, and the bidder's own secret, which nobody else ever needs unless the custodians' quorum fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError, Manifest, Receipt, Submission
from bidding.package import Source, check_summary, pack
from clients import sentences as say
from clients.errors import ClientError, UsageError
from clients.files import read_json, write_json
from crypto import possession, statement
from crypto.age import IterableSource, read_header, seal_stream, whole_file
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from pathlib import Path

    from clients.tenders import CheckedTender
    from crypto.signature import SigningKey

BLOCK: Final = 1 << 20
SECRET_PURPOSE: Final = "file_key"  # noqa: S105 (a name, not a secret)
KEEP_SHUT: Final = (
    "Whoever holds this can read the sealed bid. It is needed only if the custodians' quorum fails "
    "and centre and supervisor have declared so. 仅在依法宣布密钥托管失效后使用，切勿提前交给任何人。"
)

Progress = Callable[[int], None]
"""Called with the bytes of the bid read since the last call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """``SUMMARY.json``: who bids, and the bid summary 开标一览表.

    Attributes:
        bidder: id of the (lead) organisation.
        parties: ids of all organisations, lead first; one for a single bidder.
        values: field name to value, as text.
    """

    bidder: str
    parties: tuple[str, ...]
    values: Mapping[str, str]


def read_summary(path: Path) -> Summary:
    """Reads ``{"bidder": id, "parties": [id, …], "summary": {field: value}}``; parties may be left out.

    Raises:
        UsageError: no such file, or another form.
    """
    value = read_json(path)
    match value:
        case {"bidder": str(bidder), "summary": dict(values)} if set(value) <= {
            "bidder",
            "parties",
            "summary",
        } and all(type(each) is str for each in values.values()):
            parties = value.get("parties", [bidder])
            if isinstance(parties, list) and parties and all(type(p) is str for p in parties):
                if parties[0] != bidder:
                    raise UsageError(say.LEAD_FIRST(path=path))
                return Summary(bidder=bidder, parties=tuple(parties), values=values)
    raise UsageError(say.SUMMARY_FORM(path=path))


def superseded(path: Path | None, section: str) -> str:
    """The id of the submission that a receipt is for; empty without a receipt.

    Raises:
        UsageError: the receipt is of another section.
    """
    if path is None:
        return ""
    value = read_json(path)
    signed = value.get("receipt", value) if isinstance(value, dict) else value
    try:
        body = statement.verify(
            signed, purpose=Receipt.PURPOSE, centre=str(signed["statement"]["centre"])
        )
        receipt = Receipt.from_body(body)
    except (CryptoError, BiddingError, KeyError, TypeError) as error:
        raise UsageError(say.NO_RECEIPT(path=path, error=error)) from error
    if receipt.section != section or receipt.entry.kind != "submission":
        raise UsageError(say.OTHER_RECEIPT(path=path, section=section))
    return receipt.entry.id


def sources(files: Sequence[Path], progress: Progress) -> list[Source]:
    """The files of a bid, in their order, under their own names.

    Raises:
        UsageError: a path that is no readable file.
    """
    made = []
    for file in files:
        if not file.is_file():
            raise UsageError(say.NO_FILE(path=file))
        made.append(
            Source(
                name=file.name,
                size=file.stat().st_size,
                chunks=lambda file=file: _chunks(file, progress),  # type: ignore[misc]
            )
        )
    return made


def _chunks(file: Path, progress: Progress) -> Iterator[bytes]:
    """The file through one reused buffer: whoever takes a piece is done with it before the next."""
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    with file.open("rb", buffering=0) as opened:
        while count := opened.readinto(buffer):
            progress(count)
            yield view[:count]  # type: ignore[misc]


def package(
    tender: CheckedTender,
    summary: Summary,
    key: SigningKey,
    files: Sequence[Path],
    progress: Progress,
) -> Iterator[bytes]:
    """The bytes of the bid's package, manifest last.

    Raises:
        PackageError: names, sizes or the summary break the tender's rules.
        UsageError: a path that is no file.
    """
    told = tender.tender
    manifest = Manifest(
        tender=told.tender,
        section=told.section,
        envelope=told.envelope,
        bidder=summary.bidder,
        parties=summary.parties,
        summary=check_summary(summary.values, told.summary_fields),
        files=(),
    )
    return pack(
        sources(files, progress),
        manifest,
        lambda body: statement.sign(key, Manifest.PURPOSE, tender.centre, body),
        told.limits,
    )


def write_package(
    tender: CheckedTender,
    summary: Summary,
    key: SigningKey,
    files: Sequence[Path],
    target: Path,
    progress: Progress,
) -> int:
    """Writes the package unsealed, for a stock age tool; returns its size in bytes."""
    size = 0
    with whole_file(target) as out:
        for part in package(tender, summary, key, files, progress):
            size += out.write(part)
    return size


def seal(
    tender: CheckedTender,
    summary: Summary,
    key: SigningKey,
    files: Sequence[Path],
    target: Path,
    *,
    supersedes: str = "",
    progress: Progress = lambda _: None,
    threads: int = 2,
) -> dict[str, Any]:
    """Packs, seals and signs a bid.

    Args:
        tender: a tender file that held.
        summary: who bids and what is read out.
        key: the bidder's signing key.
        files: the bid's files in their order.
        target: ``BID.age``; ``BID.submission.json`` and ``BID.secret.json`` come beside it.
        supersedes: id of the submission this one replaces, or empty.
        progress: called while files are read.
        threads: 1 or 2.

    Returns:
        The content of ``BID.submission.json``.

    Raises:
        PackageError, UsageError: see `package`; nothing is left behind.
    """
    parts = package(tender, summary, key, files, progress)
    sealed = seal_stream(IterableSource(parts), target, tender.recipient, threads=threads)
    signed = sign_submission(
        tender, summary, key, b64(sealed.enc65), sealed.sha256, sealed.size, supersedes
    )
    proof = possession.prove(sealed.ephemeral, canonical(signed["statement"]))
    secret = {
        "v": 1,
        "purpose": SECRET_PURPOSE,
        "centre": tender.centre,
        "tender": tender.tender.tender,
        "section": tender.tender.section,
        "sha256": sealed.sha256,
        "encapsulation": b64(sealed.enc65),
        "file_key": b64(sealed.file_key),
        "warning": KEEP_SHUT,
    }
    write_json(secret_path(target), secret, 0o600)
    submission = {"submission": signed, "possession": b64(proof)}
    write_json(submission_path(target), submission)
    return submission


def sign_submission(
    tender: CheckedTender,
    summary: Summary,
    key: SigningKey,
    encapsulation: str,
    sha256: str,
    size: int,
    supersedes: str,
) -> dict[str, Any]:
    """The signed submission statement."""
    told = tender.tender
    body = Submission(
        tender=told.tender,
        section=told.section,
        envelope=told.envelope,
        version=told.version,
        tender_file=statement.digest(tender.signed).hex(),
        recipient=told.recipient,
        bidder=summary.bidder,
        parties=summary.parties,
        encapsulation=encapsulation,
        sha256=sha256,
        size=size,
        supersedes=supersedes,
    )
    return statement.sign(key, Submission.PURPOSE, tender.centre, body.to_body())


def submission_path(sealed: Path) -> Path:
    """``BID.submission.json`` beside ``BID.age``."""
    return sealed.with_suffix(".submission.json")


def secret_path(sealed: Path) -> Path:
    """``BID.secret.json`` beside ``BID.age``."""
    return sealed.with_suffix(".secret.json")


def encapsulation_of(sealed: Path) -> bytes:
    """The encapsulation in a sealed bid's header, 65 bytes.

    Raises:
        ClientError: it is no sealed bid of this form.
    """
    try:
        with sealed.open("rb") as source:
            return read_header(source).bid_stanza().enc
    except CryptoError as error:
        raise ClientError(say.NO_SEALED_BID(sealed=sealed, error=error)) from error
