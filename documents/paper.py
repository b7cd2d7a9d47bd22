"""A signed record checked offline: every byte of the file, every signature, every certificate, and what it says.

Signatures cover bytes, readers show pages, and between them lie known gaps (cut-back revisions, overlays, spare bytes
in a signature's own container). Each check below closes one of them; nothing here asks a clock or a network.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields

from crypto.canonical import canonical, parse
from crypto.encoding import sha256, sha256_hex
from documents import chain, cms, logproof, stamped
from documents.checks import Check, NotChecked, run
from documents.model import DocumentError, Facts, facts_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

    from documents.logproof import RecordProof
    from documents.trust import Trust

RECORD = "record.json"
CENTRE_FIELD = "centre"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class One:
    """One signature of the file, as far as it has been read."""

    field: str
    embedded: EmbeddedPdfSignature
    covered: tuple[int, int, int, int]
    parts: cms.Signature
    certificate: x509.Certificate
    stamp: stamped.Stamp | None = None
    chain: tuple[x509.Certificate, ...] = ()


@dataclass(slots=True)
class Paper:
    """A record being checked; filled by the checks in their order."""

    pdf: bytes
    reader: PdfFileReader | None = None
    signatures: list[One] = field(default_factory=list)
    facts: Facts | None = None

    def needed(self) -> list[One]:
        """Return the signatures, once they have been read.

        Raises:
            NotChecked: when an earlier check failed, so that there is nothing to check here.
        """
        if not self.signatures:
            raise NotChecked("the signatures could not be read")
        return self.signatures


def check(
    pdf: bytes, trust: Trust, at: int, proof: RecordProof | None = None
) -> tuple[Paper, tuple[Check, ...]]:
    """Check one record.

    Args:
        pdf: the file.
        trust: what the verifier trusts.
        at: the time of the check, ms UTC (an argument: nothing here reads a clock).
        proof: the proof that the ledger holds this file, when it is at hand.

    Returns:
        The record as read, and the checks in their order.
    """
    paper = Paper(pdf)

    def check_one(
        id_: str, title: str, work: Callable[[], str], *, essential: bool = True
    ) -> Check:
        return run(f"pdf.{id_}", title, work, essential=essential)

    checks = [
        check_one("file", "文件可读且有签名 · readable, with signatures", lambda: _file(paper)),
        check_one(
            "fields", "应签的都已签 · every place for a signature is signed", lambda: _fields(paper)
        ),
        check_one("bytes", "签名覆盖全部字节 · signatures cover every byte", lambda: _bytes(paper)),
        check_one("signatures", "签名成立 · signatures verify", lambda: _verify(paper)),
        check_one("times", "时间戳成立 · time stamps verify", lambda: _times(paper, at)),
        check_one(
            "chain",
            "证书可信 · certificates lead to trusted ones",
            lambda: _chain(paper, trust, at),
        ),
        check_one(
            "changes", "签名后无改动 · nothing changed after a signature", lambda: _changes(paper)
        ),
        check_one(
            "facts", "附带的事实完整 · the facts inside are whole", lambda: _facts(paper, at)
        ),
        check_one(
            "seal", "由该中心盖章 · sealed by the centre it names", lambda: _seal(paper, trust)
        ),
        check_one(
            "ledger",
            "在存证日志中 · the ledger holds this file",
            lambda: _ledger(paper, trust, proof),
            essential=proof is not None,
        ),
        check_one(
            "revocation", "证书未吊销 · no certificate was revoked", _revocation, essential=False
        ),
    ]
    return paper, tuple(checks)


def _file(paper: Paper) -> str:
    reader = PdfFileReader(io.BytesIO(paper.pdf), strict=True)
    embedded = list(reader.embedded_regular_signatures)
    if not embedded or len(embedded) != len(list(reader.embedded_signatures)):
        raise DocumentError("the file has no signature of a record, or one of another kind")
    paper.reader = reader
    for one in embedded:
        start, length, resume, rest = (int(number) for number in one.byte_range)
        covered = (start, length, resume, rest)
        parts = cms.take_apart(_contents(paper.pdf, covered))
        certificate = cms.load(parts.certificates[0])
        paper.signatures.append(One(str(one.field_name), one, covered, parts, certificate))
    return f"{len(embedded)} signatures: " + ", ".join(
        f"{one.field} = {chain.name(one.certificate)}" for one in paper.signatures
    )


def _contents(pdf: bytes, covered: tuple[int, int, int, int]) -> bytes:
    """Return the CMS in the gap of a byte range, which must be `<upper-case hex, padded with zeros>`."""
    start, length, resume, rest = covered
    gap = pdf[length:resume]
    if start != 0 or rest < 0 or resume + rest > len(pdf) or gap[:1] != b"<" or gap[-1:] != b">":
        raise DocumentError("a signature's byte range is not of the usual form")
    digits = gap[1:-1]
    if digits.strip(b"0123456789ABCDEF"):
        raise DocumentError("a signature's container holds other characters than its hex digits")
    padded = bytes.fromhex(digits.decode())
    # Only the room after the outermost DER value may be zeros; everything before is the value itself.
    size = _outermost(padded)
    if padded[size:].strip(b"\0"):
        raise DocumentError("bytes that no signature covers are hidden behind a signature")
    return padded[:size]


def _outermost(data: bytes) -> int:
    if data[:2] != b"\x30\x82":
        raise DocumentError("a signature's container holds no CMS")
    return 4 + int.from_bytes(data[2:4], "big")


def _fields(paper: Paper) -> str:
    reader = paper.reader
    if reader is None:
        raise NotChecked("the file could not be read")
    names = [name for name, _, _ in enumerate_sig_fields(reader)]
    signed = [one.field for one in paper.needed()]
    if len(reader.root["/AcroForm"]["/Fields"]) != len(names) or len(set(names)) != len(names):
        raise DocumentError("the file has other form fields than signatures, or one twice")
    missing = sorted(set(names) - set(signed))
    if missing or len(signed) != len(names):
        raise DocumentError(f"not signed, or cut off: {', '.join(missing)}")
    first = paper.signatures[0]
    if first.field != CENTRE_FIELD or first.embedded.docmdp_level != MDPPerm.FILL_FORMS:
        raise DocumentError(
            "the first signature must be the centre's, allowing only further signatures"
        )
    return ", ".join(names)


def _bytes(paper: Paper) -> str:
    _, length, resume, rest = paper.needed()[-1].covered
    if resume + rest != len(paper.pdf):
        raise DocumentError(
            f"{len(paper.pdf) - resume - rest} bytes follow after the last signed one"
        )
    ends = [sum(one.covered[2:]) for one in paper.signatures]
    if ends != sorted(set(ends)):
        raise DocumentError("the signatures do not lie one after the other")
    return (
        f"{len(paper.pdf)} bytes, {resume - length - 2} of them the last signature's own container"
    )


def _verify(paper: Paper) -> str:
    for one in paper.needed():
        _, length, resume, rest = one.covered
        covered = sha256(paper.pdf[:length] + paper.pdf[resume : resume + rest])
        if one.parts.content_type != cms.DATA or one.parts.content is not None:
            raise DocumentError(f"the signature of {one.field} is of another type")
        cms.check(one.parts, covered)
    return "RSA over SHA-256, certificate named in the signature (PAdES)"


def _times(paper: Paper, at: int) -> str:
    told, last = [], 0
    for one in paper.needed():
        if one.parts.token is None:
            raise DocumentError(f"the signature of {one.field} has no time stamp")
        one.stamp = stamped.check(one.parts.token, sha256(one.parts.value))
        if one.stamp.at < last or one.stamp.at > at:
            raise DocumentError(
                f"the time stamp of {one.field} ({_time(one.stamp.at)}) is earlier than one before it, or in the future"
            )
        last = one.stamp.at
        told.append(
            f"{one.field} {_time(last)}{' (development authority)' * one.stamp.development}"
        )
    return ", ".join(told)


def _chain(paper: Paper, trust: Trust, at: int) -> str:
    signatures = paper.needed()
    if not trust.anchors:
        raise NotChecked("no trusted certificates were given (--trust FILE)")
    for one in signatures:
        if one.stamp is None:
            raise NotChecked("without a time stamp there is no time to judge a certificate by")
        others = [cms.load(der) for der in one.parts.certificates[1:]]
        one.chain = chain.path(one.certificate, others, trust.anchors, one.stamp.at)
        if not chain.may_sign(one.certificate):
            raise DocumentError(
                f"the certificate of {chain.name(one.certificate)} is not for signatures"
            )
        # The authority's own certificate must stand now: whoever holds an expired key could stamp any past time.
        chain.path(one.stamp.certificate, one.stamp.others, trust.anchors, at)
        if not chain.may_stamp(one.stamp.certificate):
            raise DocumentError(f"{chain.name(one.stamp.certificate)} is no time-stamp authority")
    return "; ".join(" ← ".join(chain.name(c) for c in one.chain) for one in signatures)


def _changes(paper: Paper) -> str:
    for one in paper.needed():
        one.embedded.compute_integrity_info()  # type: ignore[no-untyped-call]
        result: object = one.embedded.diff_result
        if not isinstance(result, DiffResult):
            raise DocumentError(f"after the signature of {one.field}: {result}")
        if result.modification_level > ModificationLevel.FORM_FILLING:
            raise DocumentError(
                f"after the signature of {one.field} more was changed than signatures added"
            )
    return "only signatures were added"


def _facts(paper: Paper, at: int) -> str:
    if paper.reader is None:
        raise NotChecked("the file could not be read")
    names = paper.reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    # By index: a slice of pyHanko's array holds references, not what they refer to.
    inside = [
        (str(names[place]), bytes(names[place + 1]["/EF"]["/F"].data))
        for place in range(0, len(names), 2)
    ]
    data = dict(inside).get(RECORD, b"")
    value = parse(data)
    if canonical(value) != data:
        raise DocumentError(f"{RECORD} is not in canonical form")
    facts = facts_from_json(value)
    if inside != sorted((one.name, one.data) for one in facts.attachments()):
        raise DocumentError("the file carries other attachments than its facts say")
    paper.facts = facts
    head = paper.facts.heading
    first = paper.signatures[0].stamp if paper.signatures else None
    if head.issued_at > at or (first is not None and first.at < head.issued_at):
        raise DocumentError("the record speaks of a time after its first signature")
    return f"{paper.facts.KIND} {head.number}, rules {head.ruleset}, SHA-256 {sha256_hex(data)}"


def _seal(paper: Paper, trust: Trust) -> str:
    one = paper.needed()[0]
    if paper.facts is None:
        raise NotChecked("the facts could not be read, so no centre is named")
    if not trust.anchors or not one.chain:
        raise NotChecked("without a trusted certificate nobody vouches for the seal")
    centre = paper.facts.heading.centre_name
    if not chain.may_seal(one.chain, centre):
        raise DocumentError(f"{chain.name(one.certificate)} may not seal for {centre}")
    return centre


def _ledger(paper: Paper, trust: Trust, proof: RecordProof | None) -> str:
    if proof is None:
        raise NotChecked(
            "no proof file was given; the centre hands it out, and dossiers contain it"
        )
    if paper.facts is not None and proof.centre != paper.facts.heading.centre:
        raise DocumentError("the proof is of another centre")
    return logproof.check_record(proof, paper.pdf, len(paper.signatures), trust, paper.facts)


def _revocation() -> str:
    raise NotChecked(
        "issuing and withdrawing keys are entries of the ledger; a dossier or the centre shows them"
    )


def _time(ms: int) -> str:
    return (
        (_EPOCH + timedelta(milliseconds=ms))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
