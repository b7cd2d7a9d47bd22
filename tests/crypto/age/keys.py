"""A section's key as a whole: what exists only in tests."""

from cryptography.hazmat.primitives.asymmetric import ec

from crypto.age.stanzas import P256TagIdentity
from crypto.hpke import load_point
from crypto.signature import SigningKey

SECTION = SigningKey.from_scalar(0x5EC7104)
OTHER = SigningKey.from_scalar(0x07E4)


def exchange(enc65: bytes, key: SigningKey = SECTION) -> bytes:
    """The value that custodians would bring together."""
    return key.private.exchange(ec.ECDH(), load_point(enc65))


IDENTITY = P256TagIdentity(SECTION.public65, exchange)
