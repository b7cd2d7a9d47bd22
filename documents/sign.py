"""Signatures on records: PAdES B-T with RSA-3072 through pyHanko, behind this one adapter.

Here a file is taken apart and a room is reserved in it; what fills the room is made by `signer.py`, where the keys are.

Rules learnt the hard way: all signature fields exist before the first signature; the first
signature certifies (only filling in signatures stays allowed); P-256 would turn the file into PDF 2.0 and break PDF/A,
so RSA it is; the signing key is a function, kept loaded, and may live in another process or device.
"""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle

from crypto.encoding import sha256_hex
from documents.model import DocumentError
from documents.seal import round_seal, signature_line
from documents.signer import Prepared, fill, in_order
from documents.slots import CENTRE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from documents.signer import Signer
    from documents.slots import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROOM = 12_288  # hex digits left in the file for one signature with its time stamp


def sign(
    pdf: bytes,
    places: Sequence[Field],
    who: Sequence[Signer],
    stamp: Callable[[bytes], bytes],
    purpose: str,
    at: int,
) -> bytes:
    """Sign a finished record by everyone at once, in one process; the centre first, certifying.

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
    order, signing = in_order(places, who)
    for number, one in enumerate(signing):
        own = one.certificate.public_bytes(Encoding.DER)
        pdf = fill(prepare(pdf, order, number, one.name, own, purpose, at), one, stamp)
    return pdf


def prepare(
    pdf: bytes, order: Sequence[Field], number: int, name: str, certificate: bytes, purpose: str, at: int
) -> Prepared:  # fmt: skip
    """Reserve the room of one signature and tell the digest of everything else.

    Args:
        pdf: the record with the signatures before this one.
        order: where each slot lies, in the order of signing.
        number: which of them signs now; with the first, all fields are made.
        name: of the signer, for the appearance.
        certificate: its own, DER.
        purpose: what the centre's seal says beneath its star.
        at: for the file's own note, ms UTC.

    Raises:
        DocumentError: the file cannot be taken apart.
    """
    return asyncio.run(_prepare(pdf, order, number, name, certificate, purpose, at))


async def _prepare(
    pdf: bytes, order: Sequence[Field], number: int, name: str, certificate: bytes, purpose: str, at: int
) -> Prepared:  # fmt: skip
    place = order[number]
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        if number == 0:
            for other in order:
                fields.append_signature_field(
                    writer,
                    fields.SigFieldSpec(other.name, on_page=other.page, box=_whole(other.box)),
                )
        machine = _Machine(
            signers.PdfSignatureMetadata(
                field_name=place.name,
                md_algorithm="sha256",
                name=name,
                subfilter=fields.SigSeedSubFilter.PADES,
                certify=number == 0,
                docmdp_permissions=fields.MDPPerm.FILL_FORMS,
            ),
            signer=signers.ExternalSigner(x509.Certificate.load(certificate), None),
            stamp_style=_appearance(name, certificate, place, purpose),
        )
        machine.at = _EPOCH + timedelta(milliseconds=at)
        output = io.BytesIO()
        room, *_ = await machine.async_digest_doc_for_signing(
            writer, existing_fields_only=True, bytes_reserved=ROOM, output=output
        )
    except DocumentError:
        raise
    except Exception as error:
        # pyHanko and asn1crypto raise many families (ValueError for a rare name among them); none may leak.
        raise DocumentError(f"{name} could not sign this record: {error}") from error
    start, end = room.reserved_region_start, room.reserved_region_end
    return Prepared(output.getvalue(), room.document_digest, start, end)


def _appearance(name: str, certificate: bytes, place: Field, purpose: str) -> StaticStampStyle:
    left, bottom, right, top = _whole(place.box)
    if place.name == CENTRE.name:
        page = round_seal(name, purpose)
    else:
        page = signature_line(name, (right - left, top - bottom), sha256_hex(certificate))
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


class _Machine(signers.PdfSigner):
    """pyHanko's PDF signer, told the time instead of asking for it."""

    at = _EPOCH

    def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
        """Start a session whose own time note is `at`."""
        session = super().init_signing_session(*args, **kwargs)
        session.system_time = self.at
        return session
