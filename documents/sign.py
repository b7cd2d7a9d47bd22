"""Signatures on records: PAdES B-T with RSA-3072 through pyHanko, behind this one adapter.

Rules learnt the hard way: all signature fields exist before the first signature; the first
signature certifies (only filling in signatures stays allowed); P-256 would turn the file into PDF 2.0 and break PDF/A,
so RSA it is; the signing key is a function, kept loaded, and may live in another process or device.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asn1crypto import cms as asn1_cms
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle

from crypto.encoding import sha256, sha256_hex
from documents import cms
from documents.model import DocumentError
from documents.page import CENTRE
from documents.seal import round_seal, signature_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from documents.page import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_BITS = 3072
ROOM = 12_288  # hex digits left in the file for one signature with its time stamp


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs in which slot.

    Attributes:
        slot: name of the slot (`page.SLOTS`): centre, supervisor, host …
        name: shown in the appearance.
        certificate: of an RSA key of at least 3072 bits.
        chain: certificates between it and the trust anchor, the anchor left out.
        sign: takes the bytes to be signed, returns an RSASSA-PKCS1-v1_5 signature over their SHA-256.
    """

    slot: str
    name: str
    certificate: Certificate
    sign: Callable[[bytes], bytes]
    chain: tuple[Certificate, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a key whose signature would not be PDF/A or would not last."""
        key = self.certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
            raise DocumentError(
                f"{self.name} must sign records with an RSA key of at least {_LEAST_BITS} bits"
            )


def signer(
    slot: str,
    name: str,
    certificate: Certificate,
    key: RSAPrivateKey,
    chain: tuple[Certificate, ...] = (),
) -> Signer:
    """Return a signer whose key is in this process."""
    return Signer(slot, name, certificate, lambda data: key.sign(data, PKCS1v15(), SHA256()), chain)


def sign(
    pdf: bytes,
    places: Sequence[Field],
    who: Sequence[Signer],
    stamp: Callable[[bytes], bytes],
    purpose: str,
    at: int,
) -> bytes:
    """Sign a finished record by everyone at once; the centre first, certifying.

    Args:
        pdf: output of `finish.finish`.
        places: where each slot lies; there must be exactly one signer for each.
        who: the signers.
        stamp: returns the RFC 3161 token (DER) of a SHA-256 digest, as `DevelopmentTsa.stamp`.
        purpose: what the centre's seal says beneath its star.
        at: signing time for the file's own note (/M), ms UTC; what counts is the token's time.

    Returns:
        The signed file. A pure event loop must not call this directly: some 30 ms of CPU per signature.

    Raises:
        DocumentError: when signers and places do not match, or a signature cannot be made.
    """
    by_slot = {one.slot: one for one in who}
    if len(by_slot) != len(who) or set(by_slot) != {place.name for place in places}:
        raise DocumentError("a record is signed by exactly the signers it has places for")
    order = sorted(places, key=lambda place: place.name != CENTRE.name)
    return asyncio.run(_sign_all(pdf, order, by_slot, stamp, purpose, at))


async def _sign_all(
    pdf: bytes,
    order: list[Field],
    by_slot: dict[str, Signer],
    stamp: Callable[[bytes], bytes],
    purpose: str,
    at: int,
) -> bytes:
    for number, place in enumerate(order):
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        if number == 0:
            for other in order:
                fields.append_signature_field(
                    writer,
                    fields.SigFieldSpec(other.name, on_page=other.page, box=_whole(other.box)),
                )
        one = by_slot[place.name]
        style = _appearance(one, place, purpose)
        machine = _Machine(
            signers.PdfSignatureMetadata(
                field_name=place.name,
                md_algorithm="sha256",
                name=one.name,
                subfilter=fields.SigSeedSubFilter.PADES,
                certify=number == 0,
                docmdp_permissions=fields.MDPPerm.FILL_FORMS,
            ),
            signer=_Composed(one, stamp),
            stamp_style=style,
        )
        machine.at = _EPOCH + timedelta(milliseconds=at)
        try:
            output = await machine.async_sign_pdf(
                writer, existing_fields_only=True, bytes_reserved=ROOM
            )
        except Exception as error:
            # pyHanko and asn1crypto raise many families (ValueError for a rare name among them); none may leak.
            raise DocumentError(f"{one.name} could not sign this record: {error}") from error
        pdf = output.getvalue()
    return pdf


def _appearance(one: Signer, place: Field, purpose: str) -> StaticStampStyle:
    left, bottom, right, top = _whole(place.box)
    if place.name == CENTRE.name:
        page = round_seal(one.name, purpose)
    else:
        fingerprint = sha256_hex(one.certificate.public_bytes(Encoding.DER))
        page = signature_line(one.name, (right - left, top - bottom), fingerprint)
    rule = layout.SimpleBoxLayoutRule(
        x_align=layout.AxisAlignment.ALIGN_MID,
        y_align=layout.AxisAlignment.ALIGN_MID,
        margins=layout.Margins(0, 0, 0, 0),
    )
    return StaticStampStyle(
        border_width=0, background=_OnePage(page), background_layout=rule, background_opacity=1
    )


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, bottom, right, top = box
    return round(left), round(bottom), round(right), round(top)


class _OnePage(PdfContent):
    """A one-page PDF in memory as the content of an appearance."""

    def __init__(self, pdf: bytes) -> None:
        super().__init__()
        self._pdf = pdf

    def render(self) -> bytes:
        """Import the page and return the operator that paints it."""
        page = self._ensure_writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._pdf)))
        self.resources.xobject["/Appearance"] = page
        left, bottom, right, top = (float(value) for value in page.get_object()["/BBox"])
        self.box = BoxConstraints(width=right - left, height=top - bottom)
        return b"/Appearance Do"


class _Composed(signers.Signer):
    """pyHanko's signer, whose CMS is composed by `documents.cms`: one shape, no encoder that guesses."""

    def __init__(self, one: Signer, stamp: Callable[[bytes], bytes]) -> None:
        own = one.certificate.public_bytes(Encoding.DER)
        super().__init__(signing_cert=x509.Certificate.load(own))
        self._one, self._stamp = one, stamp
        self._certificates = (own, *(other.public_bytes(Encoding.DER) for other in one.chain))

    async def async_sign(  # type: ignore[override] # its other arguments choose what is fixed here
        self, data_digest: bytes, digest_algorithm: str, **_: Any
    ) -> asn1_cms.ContentInfo:
        """Return the CMS over a digest, time stamp included (CAdES-T, RFC 3161 appendix A)."""
        if digest_algorithm != "sha256":
            raise DocumentError(f"records are signed over SHA-256, not {digest_algorithm}")
        signed = cms.attributes(cms.DATA, data_digest, self._certificates[0])
        value = self._one.sign(cms.to_sign(signed))
        token = self._stamp(sha256(value))
        encoded = cms.compose(
            cms.Signature(cms.DATA, None, self._certificates, signed, value, token)
        )
        if 2 * len(encoded) > ROOM:
            raise DocumentError(
                f"a signature of {len(encoded)} bytes does not fit the room left for it"
            )
        return asn1_cms.ContentInfo.load(encoded)


class _Machine(signers.PdfSigner):
    """pyHanko's PDF signer, told the time instead of asking for it."""

    at = _EPOCH

    def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
        """Start a session whose own time note is `at`."""
        session = super().init_signing_session(*args, **kwargs)
        session.system_time = self.at
        return session
