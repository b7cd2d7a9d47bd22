"""COCKTAIL-DKG's Schnorr signatures over P-256, used for its proofs and certificates only.

They are neither ECDSA nor BIP-340: the prefixes keep them apart from any other use of a key.

Source: C2SP cocktail-dkg.md v0.2.1, "Schnorr Signature Scheme".
"""

import hashlib
from typing import Final

from crypto.errors import FormatError, SignatureError
from crypto.p256 import G, N, Point, Secret, multiply_sum, parse_scalar

SIGNATURE_SIZE: Final = 65
PREFIX_NONCE: Final = b"COCKTAIL-DKG-P256-SHA256-NONCE"
PREFIX_CHALLENGE: Final = b"COCKTAIL-DKG-P256-SHA256-H7"


def hash_to_scalar(data: bytes) -> int:
    """Hash to a scalar below N by way of 48 bytes, so that its bias stays below 2⁻¹²⁸."""
    high = hashlib.sha256(b"\x01" + data).digest()
    low = hashlib.sha256(b"\x02" + data).digest()[:16]
    return int.from_bytes(high + low) % N


def sign(secret: Secret, message: bytes) -> bytes:
    """Sign with a deterministic nonce.

    Returns:
        65 bytes: R compressed ‖ z.

    Raises:
        FormatError: the nonce is one of the three exceptional scalars (never, in practice).
    """
    nonce = Secret(hash_to_scalar(PREFIX_NONCE + secret.to_bytes() + message))
    commitment = nonce.public()
    challenge = _challenge(commitment, secret.public(), message)
    response = (nonce.scalar + challenge * secret.scalar) % N
    return commitment.compressed() + response.to_bytes(32)


def verify(public: Point, message: bytes, signature: bytes) -> None:
    """Check a signature; returning means it holds.

    Args:
        public: the signer's key, not infinity.
        message: the signed bytes.
        signature: 65 bytes.

    Raises:
        SignatureError: it does not hold, or is not of this form.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("a COCKTAIL-DKG signature has 65 bytes")
    try:
        commitment = Point.parse(signature[:33])
        response = parse_scalar(signature[33:])
    except FormatError as error:
        raise SignatureError("the signature is not a point and a scalar") from error
    challenge = _challenge(commitment, public, message)
    if multiply_sum([response, -challenge], [G, public]) != commitment:
        raise SignatureError("the signature does not hold for this key and text")


def _challenge(commitment: Point, public: Point, message: bytes) -> int:
    return hash_to_scalar(
        PREFIX_CHALLENGE + commitment.compressed() + public.compressed() + message
    )
