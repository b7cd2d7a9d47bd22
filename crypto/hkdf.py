"""HKDF with SHA-256 (RFC 5869): extract and expand, on the standard library's HMAC."""

import hmac
from typing import Final

HASH_BYTES: Final = 32


def extract(salt: bytes, ikm: bytes) -> bytes:
    """Return the 32-byte pseudorandom key of `ikm` (RFC 5869 §2.2); an empty salt is allowed."""
    return hmac.digest(salt, ikm, "sha256")


def expand(prk: bytes, info: bytes, length: int = HASH_BYTES) -> bytes:
    """Return `length` bytes (1 to 8,160) of key material (RFC 5869 §2.3)."""
    assert 0 < length <= 255 * HASH_BYTES
    blocks: list[bytes] = []
    for counter in range(1, -(-length // HASH_BYTES) + 1):
        previous = blocks[-1] if blocks else b""
        blocks.append(hmac.digest(prk, previous + info + bytes([counter]), "sha256"))
    return b"".join(blocks)[:length]


def derive(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    """Extract, then expand to 32 bytes: the form age.md uses throughout."""
    return expand(extract(salt, ikm), info)
