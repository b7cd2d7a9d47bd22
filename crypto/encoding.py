"""Base64 and SHA-256 in the few forms this house uses, strict in what they accept.

One byte string has exactly one text form: padded base64 in JSON and notes, unpadded in age
headers. A decoder that took two texts for the same bytes would let a stranger change a signed
file's hash without changing its meaning.
"""

import base64
import binascii
import hashlib

from crypto.errors import FormatError

Bytes = bytes | bytearray | memoryview
"""Whatever can be hashed or written without a copy."""


def b64(data: Bytes) -> str:
    """Return padded standard base64 (RFC 4648 §4) of `data`."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Decode padded standard base64; only the canonical form is accepted.

    Args:
        text: what `b64` made: no line ends, no spaces, zero trailing bits (RFC 4648 §3.5).

    Raises:
        FormatError: for any other text.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise FormatError("not padded standard base64") from error
    if b64(data) != text:
        raise FormatError("base64 is not in its canonical form")
    return data


def b64raw(data: Bytes) -> str:
    """Return unpadded standard base64 of `data`, as age headers want it (age.md, Conventions)."""
    return b64(data).rstrip("=")


def unb64raw(text: str) -> bytes:
    """Decode unpadded standard base64; only the canonical form without `=` is accepted.

    Raises:
        FormatError: for padding, foreign characters, wrong length or non-zero trailing bits.
    """
    if "=" in text:
        raise FormatError("base64 padding where none may be")
    return unb64(text + "=" * (-len(text) % 4))


def sha256(data: Bytes) -> bytes:
    """Return the 32 bytes of SHA-256 of `data`."""
    return hashlib.sha256(data).digest()


def sha256_hex(data: Bytes) -> str:
    """Return SHA-256 of `data` as 64 lower-case hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()
