"""P-256 ECDSA signatures with SHA-256, the form of every signed statement.

Signing is deterministic (RFC 6979), so it draws no randomness. An ECDSA signature is not unique
(s and n - s both verify, and browsers make either), so nothing is ever identified or counted by
its signature; statements are identified by their hash.
"""

from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from crypto.encoding import sha256_hex
from crypto.errors import FormatError, SignatureError
from crypto.random import token

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order n of the P-256 group (FIPS 186-5, SEC 2)."""

PUBLIC_BYTES: Final = 33
SIGNATURE_BYTES: Final = 64

_CURVE: Final = ec.SECP256R1()
_SIGN: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_VERIFY: Final = ec.ECDSA(hashes.SHA256())


class SigningKey:
    """A P-256 private key; its text form never shows the scalar.

    The same class serves as HPKE ephemeral key, because a proof of possession is a signature by it.
    """

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        """Hold `private`, a P-256 key of the `cryptography` package."""
        if not isinstance(private.curve, ec.SECP256R1):
            raise FormatError("the key is not on P-256")
        self.private = private

    @classmethod
    def generate(cls) -> Self:
        """Make a fresh key.

        48 random bytes modulo n - 1 leave a bias below 2^-128 (FIPS 186-5 §A.2.1).
        """
        return cls.from_scalar(int.from_bytes(token(48)) % (ORDER - 1) + 1)

    @classmethod
    def from_scalar(cls, scalar: int) -> Self:
        """Hold the key with this scalar.

        Raises:
            FormatError: unless 1 ≤ scalar < n.
        """
        if not 1 <= scalar < ORDER:
            raise FormatError("a private scalar must lie in [1, n)")
        return cls(ec.derive_private_key(scalar, _CURVE))

    @property
    def public(self) -> bytes:
        """The public key, 33 bytes compressed (SEC 1 §2.3.3)."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    @property
    def public65(self) -> bytes:
        """The public key, 65 bytes uncompressed."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, message: bytes) -> bytes:
        """Sign `message`: 64 bytes r‖s (IEEE P1363, as WebCrypto makes them)."""
        r, s = decode_dss_signature(self.private.sign(message, _SIGN))
        return r.to_bytes(32) + s.to_bytes(32)

    def to_pem(self, passphrase: str | None = None) -> str:
        """Return PKCS #8 PEM, encrypted when a passphrase is given."""
        protection = (
            NoEncryption()
            if passphrase is None
            else BestAvailableEncryption(passphrase.encode("utf-8"))
        )
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode()

    @classmethod
    def from_pem(cls, pem: str | bytes, passphrase: str | None = None) -> Self:
        """Read what `to_pem` wrote.

        Raises:
            FormatError: not a PEM private key on P-256, or the passphrase does not fit.
        """
        data = pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
        password = None if passphrase is None else passphrase.encode("utf-8")
        try:
            private = load_pem_private_key(data, password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise FormatError("not a readable private key, or the passphrase is wrong") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise FormatError("the key is not on P-256")
        return cls(private)

    def __repr__(self) -> str:
        """Show the key id only, so that no log ever holds the scalar."""
        return f"SigningKey({key_id(self.public)})"


def verify(public33: bytes, message: bytes, signature64: bytes) -> None:
    """Check one signature; returning means it holds.

    Args:
        public33: compressed public key.
        message: the signed bytes.
        signature64: r‖s, 32 bytes each, big endian.

    Raises:
        SignatureError: the signature does not hold, or is not of this form.
        FormatError: the public key is not a compressed P-256 point.
    """
    key = load_public(public33)
    if len(signature64) != SIGNATURE_BYTES:
        raise SignatureError("a signature has 64 bytes")
    r, s = int.from_bytes(signature64[:32]), int.from_bytes(signature64[32:])
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise SignatureError("a signature's numbers lie outside [1, n)")
    try:
        key.verify(encode_dss_signature(r, s), message, _VERIFY)
    except InvalidSignature as error:
        raise SignatureError("the signature does not hold for this key and text") from error


@lru_cache(maxsize=4096)
def load_public(public33: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key object of a compressed point; remembered, as finding y costs a square root.

    Raises:
        FormatError: not a compressed point on P-256.
    """
    if len(public33) != PUBLIC_BYTES or public33[0] not in (2, 3):
        raise FormatError("a public key is a compressed P-256 point of 33 bytes")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public33)
    except ValueError as error:
        raise FormatError("the point is not on P-256") from error


def key_id(public33: bytes) -> str:
    """Return the name of a key: the first 16 hexadecimal characters of its SHA-256."""
    return sha256_hex(public33)[:16]
