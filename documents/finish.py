"""From a drawn page to an archive file: PDF/A-3b with its facts attached, validated before it is used.

A pure function: the dates come from the facts, so the same facts give the same bytes. The validator is pikepdf's own
allow-list (ISO 19005-3 level B); say "checked by pikepdf's validator", not more.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import pdfa

from documents import glyphs
from documents.model import DocumentError

if TYPE_CHECKING:
    from documents.model import Facts
    from documents.page import Drawn

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_XMP = "{http://ns.adobe.com/xap/1.0/}"
# reportlab writes a code point where a ToUnicode map wants UTF-16: <2CB5A> instead of <D872DF5A>.
_BEYOND_BMP = re.compile(rb"<([0-9A-F]{5,6})>")
glyphs.register()


def finish(drawn: Drawn, facts: Facts) -> bytes:
    """Return the record as a validated PDF/A-3b file, still unsigned.

    Args:
        drawn: what a template drew from `facts`.
        facts: attached as `record.json` in canonical JSON, with what else they bring (relationship Data).

    Raises:
        DocumentError: when the file does not pass the validator; the finding is in the text.
    """
    moment = _EPOCH + timedelta(milliseconds=facts.heading.issued_at)
    stamp = moment.strftime("D:%Y%m%d%H%M%S+00'00'")
    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn.pdf)) as pdf:
        for page in pdf.pages:
            if "/Trans" in page:  # an empty transition, which PDF/A does not know
                del page["/Trans"]
        _mend_unicode_maps(pdf)
        for name in ("/CreationDate", "/ModDate"):
            pdf.docinfo[name] = stamp
        for name in ("/Subject", "/Keywords"):
            pdf.docinfo[name] = f"kaibiao {facts.KIND} {facts.heading.number}"
        pdf.docinfo["/Creator"] = "Kaibiao 开标"
        pdf.Root.Lang = pikepdf.String("zh-CN")
        for one in facts.attachments():
            pdf.attachments[one.name] = pikepdf.AttachedFileSpec(
                pdf,
                one.data,
                filename=one.name,
                description=one.about,
                mime_type="application/json",
                creation_date=stamp,
                mod_date=stamp,
                relationship=pikepdf.Name.Data,
            )
        try:
            pdfa.prepare(pdf, "3b")
            with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
                metadata[f"{_XMP}MetadataDate"] = moment.isoformat()
            pdfa.save(pdf, result, "3b", repair=False, deterministic_id=True)
        except pdfa.PdfaError as error:
            found = "; ".join(str(finding) for finding in error.report.findings[:3])
            raise DocumentError(f"{drawn.title} does not pass as PDF/A-3b: {found}") from error
    return result.getvalue()


def _mend_unicode_maps(pdf: pikepdf.Pdf) -> None:
    """Write characters beyond the BMP as UTF-16 in every ToUnicode map, so that rare names can be copied out."""
    for item in pdf.objects:
        if isinstance(item, pikepdf.Dictionary) and "/ToUnicode" in item:
            stream = item.ToUnicode
            stream.write(_BEYOND_BMP.sub(_utf16, stream.read_bytes()))


def _utf16(match: re.Match[bytes]) -> bytes:
    return b"<%s>" % chr(int(match[1], 16)).encode("utf-16-be").hex().upper().encode()
