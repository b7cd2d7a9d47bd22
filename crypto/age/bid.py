"""Sealing a bid: one pass over the package, one age file, everything a submission needs.

The age file has exactly one p256tag stanza to the section's key. While it is written its SHA-256
and size are taken, so no byte is read twice. Form: docs/spec/sealed-bid-v1.md §2.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from crypto.age.header import FILE_KEY_BYTES, Header
from crypto.age.output import Output, whole_file
from crypto.age.stanzas import wrap_p256tag
from crypto.age.stream import NONCE_BYTES, Source, encrypt_payload
from crypto.encoding import Bytes
from crypto.random import token
from crypto.signature import SigningKey


@dataclass(frozen=True)
class Sealed:
    """What sealing leaves in the sealer's hands.

    Attributes:
        enc65: the encapsulation, 65 bytes uncompressed.
        file_key: 16 bytes; a secret that stays with the sealer (`BID.secret.json`).
        ephemeral: signs the proof of possession; a secret, to be forgotten once submitted.
        header: the age header's bytes, up to and including the MAC line.
        sha256: SHA-256 of the whole age file in hexadecimal; empty when not asked for.
        size: bytes of the whole age file.
    """

    enc65: bytes
    file_key: bytes = field(repr=False)
    ephemeral: SigningKey = field(repr=False)
    header: bytes
    sha256: str
    size: int


def seal_stream(
    source: Source,
    target: Path,
    recipient65: bytes,
    *,
    threads: int = 2,
    digest: bool = True,
) -> Sealed:
    """Seal what a producer yields; the target appears only when whole.

    Args:
        source: anything with `readinto`; `IterableSource` makes one of a generator. An error it
            raises leaves no target. With two threads it is read by either, one at a time.
        target: path of the age file.
        recipient65: the section's key, uncompressed.
        threads: 1 or 2.
        digest: take SHA-256 on the way; measurements of encryption alone switch it off.

    Raises:
        FormatError: the recipient is not a point on P-256.
        OSError: the target cannot be written.
    """
    file_key = token(FILE_KEY_BYTES)
    stanza, ephemeral = wrap_p256tag(file_key, recipient65)
    header = Header.make([stanza], file_key).raw
    with whole_file(target) as out:
        meter = _Meter(out, digest)
        meter.write(header)
        encrypt_payload(source, file_key, token(NONCE_BYTES), meter.write, threads)
    return Sealed(ephemeral.public65, file_key, ephemeral, header, meter.sha256, meter.size)


def seal_file(
    source: Path, target: Path, recipient65: bytes, *, threads: int = 2, digest: bool = True
) -> Sealed:
    """Seal one file as it is; for bids the package is streamed by `seal_stream` instead.

    Raises:
        FormatError: the recipient is not a point on P-256.
        OSError: a file cannot be read or written.
    """
    with source.open("rb", buffering=0) as plain:
        return seal_stream(plain, target, recipient65, threads=threads, digest=digest)


class _Meter:
    """Writes on, hashing and counting what passes."""

    def __init__(self, out: Output, digest: bool) -> None:
        self._out = out
        self._hash = hashlib.sha256() if digest else None
        self.size = 0

    def write(self, data: Bytes) -> None:
        self._out.write(data)
        self.size += len(data)
        if self._hash:
            self._hash.update(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest() if self._hash else ""
