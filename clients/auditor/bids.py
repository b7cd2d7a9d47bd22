"""The full dossier's sealed files, opened again from the published values alone.

A bid is opened here exactly as the centre opened it: `bidding.package.unseal` with the combined point of the ledger.
The same file and the same point give the same files or the same error code, on any machine, in any year. So a bid
that did not open is its sealer's own doing, provable by whoever is given the file; there is no more to believe.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from bidding.model import DisclosedBid, PackageError
from bidding.opening import propose
from bidding.package import Expected, Unpacked, Unpacker, unseal, unseal_disclosed
from bidding.rules.outside import read_act
from clients.auditor.checklist import AuditError, Check, NotChecked, must, sentence
from clients.auditor.outcome import MISSING, leaf_of
from crypto.age.stanzas import parse_recipient
from crypto.encoding import unb64
from crypto.p256 import Point
from crypto.threshold import dh_x
from documents.bag import FULL
from documents.checks import run
from documents.model import DocumentError
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bidding.model import OpenedBid
    from bidding.package.unseal import SealedFile
    from bidding.rules.bids import Act
    from clients.auditor.section import Section

CHUNK: Final = 1 << 20
OPENED: Final = "opened"


class _Nowhere:
    """A sink: what is hashed on the way need not be kept."""

    def begin(self, name: str, size: int) -> None:
        """A file begins."""

    def write(self, data: memoryview) -> None:
        """Forget it."""

    def end(self) -> None:
        """A file ends."""


def check(section: Section, prefix: str) -> tuple[Check, ...]:
    """Open every sealed file of the dossier again.

    Args:
        section: audited so far.
        prefix: stands before every check's id.

    Returns:
        One check for each bid that was opened; in a public rendition one that says so.
    """
    bids = leaf_of(section).bids
    held = [bid for bid in bids if section.evidence.sealed(bid.submission)]
    if not held and section.evidence.info.get("Kaibiao-Rendition") != FULL:
        title = "密文重新开启 · sealed files open again"
        return (run(f"{prefix}.reopened", title, _absent, essential=False),)
    return tuple(
        run(
            f"{prefix}.bid.{bid.submission}",
            f"密文 {bid.submission} 重新开启 · the sealed file opens again",
            partial(_told, section, bid),
        )
        for bid in bids
    )


def _absent() -> str:
    raise NotChecked(
        "sealed files are in the full dossier only: with public proofs anybody could open them"
    )


def _told(section: Section, bid: OpenedBid | DisclosedBid) -> str:
    try:
        return _again(section, bid)
    except (Problem, AuditError) as error:
        raise DocumentError(sentence(error)) from error


def _again(section: Section, bid: OpenedBid | DisclosedBid) -> str:
    if isinstance(bid, DisclosedBid) and not bid.file_key:
        must(bid.result == MISSING, f"the ledger says {bid.result} and publishes no file key")
        return f"{MISSING}: its bidder pledged a file key and handed over none: {propose(MISSING)}"
    name = section.evidence.sealed(bid.submission)
    if name is None:
        raise AuditError("its sealed file is missing from this full dossier")
    act = _act(section, bid.submission)
    with section.evidence.open(name) as file:
        must(
            _sha256(iter(lambda: file.read(CHUNK), b"")) == act.sha256 == bid.sha256,
            f"{name} is not the file that was handed in",
        )
    expected = Expected(
        centre=section.centre,
        tender=section.tender.tender,
        section=section.id,
        bidder=act.bidder,
        parties=act.parties,
        key=act.key,
        fields=section.tender.summary_fields,
        limits=section.tender.limits,
    )
    try:
        with section.evidence.open(name) as file:
            found = _unsealed(section, bid, cast("SealedFile", file), expected)
    except PackageError as error:
        must(
            bid.result == error.code,
            f"{name}: it fails with {error.code} ({error.detail}), the ledger says {bid.result}",
        )
        return f"{error.code}: {error.detail} The same evidence shows it to anybody: {propose(error.code)}"
    must(bid.result == OPENED, f"{name} opens, the ledger says {bid.result}")
    _compare(section, bid, found)
    return f"{len(found.manifest.files)} files, manifest {found.manifest_sha256[:16]}…{_plain(section, bid, expected)}"


def _unsealed(
    section: Section, bid: OpenedBid | DisclosedBid, file: SealedFile, expected: Expected
) -> Unpacked:
    """With the published value: the combined point, or the file key that its bidder handed over."""
    if isinstance(bid, DisclosedBid):
        return unseal_disclosed(file, unb64(bid.file_key), expected, _Nowhere(), threads=2)
    recipient = parse_recipient(section.tender.recipient)
    dh = dh_x(Point.parse(unb64(bid.dh)))
    return unseal(file, recipient, dh, expected, _Nowhere(), threads=2)


def _compare(section: Section, bid: OpenedBid | DisclosedBid, found: Unpacked) -> None:
    must(found.manifest_sha256 == bid.manifest, "its manifest is another than the ledger's")
    known = section.state.bids[bid.submission]
    must(
        dict(known.summary) == found.summary,
        "the summary that was read out is not the one inside the sealed file",
    )


def _plain(section: Section, bid: OpenedBid | DisclosedBid, expected: Expected) -> str:
    """Hold the opened package that lies beside the sealed file against the ledger."""
    name = section.evidence.plain(bid.submission)
    if name is None:
        return ""
    reader = Unpacker(expected, _Nowhere())
    with section.evidence.open(name) as file:
        while chunk := file.read(CHUNK):
            reader.write(chunk)
    must(reader.finish().manifest_sha256 == bid.manifest, f"{name} is another package")
    return f", {name.rpartition('/')[2]} the same"


def _act(section: Section, submission: str) -> Act:
    for sealed in section.entries:
        if sealed.entry.id == submission:
            return read_act(sealed.entry, sealed.signed, section.centre)
    raise AuditError(f"no act {submission} is among the events")


def _sha256(chunks: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
