"""Real PDF files of a given size, the same bytes for the same seed.

The demo's bidders hand in what bidders hand in: PDF files of some megabytes that do not compress. Each file has one
page with a line of text and a grey picture of keystream bytes that fills it up to the size asked for.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_WIDTH = 1024
BLOCK = 1 << 20


def write_pdf(target: Path, size: int, title: str, seed: str) -> None:
    """Write a valid one-page PDF.

    Args:
        target: where to; an existing file is replaced.
        size: about how many bytes (the result differs by less than 2 KiB), at least 4,096.
        title: ASCII text on the page.
        seed: equal seeds give equal bytes.
    """
    rows = max(1, (size - 1024) // PICTURE_WIDTH)
    text = f"BT /F1 24 Tf 72 760 Td ({title}) Tj ET q 451 0 0 600 72 100 cm /P Do Q".encode("ascii")
    objects: list[bytes | tuple[bytes, int]] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>"
        % b"<< /Font << /F1 5 0 R >> /XObject << /P 6 0 R >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        (
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray"
            b" /BitsPerComponent 8 /Length %d >>" % (PICTURE_WIDTH, rows, rows * PICTURE_WIDTH),
            rows * PICTURE_WIDTH,
        ),
    ]
    with target.open("wb") as out:
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        offsets = []
        for number, body in enumerate(objects, 1):
            offsets.append(out.tell())
            out.write(b"%d 0 obj\n" % number)
            if isinstance(body, bytes):
                out.write(body)
            else:
                out.write(body[0] + b"\nstream\n")
                _keystream(out, body[1], seed)
                out.write(b"\nendstream")
            out.write(b"\nendobj\n")
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
        out.write(
            b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (len(objects) + 1, start)
        )


def _keystream(out: BinaryIO, length: int, seed: str) -> None:
    """Write `length` pseudorandom bytes; a stream cipher makes a gigabyte a second, `random` does not."""
    cipher = Cipher(ChaCha20(hashlib.sha256(seed.encode()).digest(), bytes(16)), mode=None)
    encryptor, zeros = cipher.encryptor(), bytes(BLOCK)
    while length > 0:
        part = encryptor.update(zeros if length >= BLOCK else zeros[:length])
        out.write(part)
        length -= len(part)
