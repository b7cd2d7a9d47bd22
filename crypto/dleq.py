"""Batched proofs that many points were multiplied by one and the same secret.

A custodian's answer D = x·E for a thousand encapsulations E carries a single proof of 64 bytes
that its x is the one behind its public verification share. Whoever checks it knows that a bid
which then does not open is the bidder's fault, and a failing proof the custodian's.

Source: RFC 9497 §2.2.1 and §2.2.2 with P256-SHA256 (§4.3), hashing by RFC 9380 §5.2 and §5.3.1,
under a context string of our own, so that a proof for one protocol is none for another.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from crypto.encoding import sha256
from crypto.errors import FormatError, ProofError
from crypto.p256 import G, N, Point, Secret, multiply_sum, parse_scalar

CONTEXT: Final = b"kaibiao/dleq/v1-P256-SHA256"
PROOF_SIZE: Final = 64
MAX_BATCH: Final = 65_535
"""The transcript counts with two bytes."""


def prove(
    secret: Secret,
    points: Sequence[Point],
    products: Sequence[Point],
    *,
    context: bytes = CONTEXT,
    nonce: Secret | None = None,
) -> bytes:
    """Prove that ``products[i] = secret·points[i]`` for all i and the public key secret·G.

    Args:
        secret: the multiplier.
        points: 1 to 65,535 points, none infinity.
        products: their products, as many.
        context: domain separation; the default for everything but foreign vectors.
        nonce: the proof's secret randomness. When absent it is derived from the secret and all
            of the transcript, so that a repeated answer is identical to the first.

    Returns:
        64 bytes: challenge ‖ response.

    Raises:
        FormatError: no points, too many, or lists of different length.
    """
    public = secret.public()
    scalars = _weights(public, points, products, context)
    composite = multiply_sum(scalars, points)
    product = secret.mul(composite)  # RFC 9497's ComputeCompositesFast
    if nonce is None:
        seed = secret.to_bytes() + composite.compressed() + product.compressed()
        nonce = Secret(hash_to_scalar(seed, b"Nonce-" + context))
    commitments = nonce.public(), nonce.mul(composite)
    challenge = _challenge(public, composite, product, commitments, context)
    # Python's integers are not constant-time; it is one multiplication per proof, and the nonce
    # that hides it is used once.
    response = (nonce.scalar - challenge * secret.scalar) % N
    return challenge.to_bytes(32) + response.to_bytes(32)


def verify(
    public: Point,
    points: Sequence[Point],
    products: Sequence[Point],
    proof: bytes,
    *,
    context: bytes = CONTEXT,
) -> None:
    """Check a proof made by `prove`; returning means it holds.

    Args:
        public: secret·G.
        points: as given to `prove`.
        products: the claimed products.
        proof: 64 bytes.
        context: as given to `prove`.

    Raises:
        ProofError: it does not hold, or is not of this form.
        FormatError: no points, too many, or lists of different length.
    """
    if len(proof) != PROOF_SIZE:
        raise ProofError("a proof of equal logarithms has 64 bytes")
    try:
        challenge, response = parse_scalar(proof[:32]), parse_scalar(proof[32:])
    except FormatError as error:
        raise ProofError("a number of the proof is not below the group order") from error
    scalars = _weights(public, points, products, context)
    composite, product = multiply_sum(scalars, points), multiply_sum(scalars, products)
    commitments = (
        multiply_sum([response, challenge], [G, public]),
        multiply_sum([response, challenge], [composite, product]),
    )
    values = (composite, product, *commitments)
    if any(value.is_infinity for value in values):
        raise ProofError("the proof collapses to the point at infinity")
    if _challenge(public, composite, product, commitments, context) != challenge:
        raise ProofError("the products were not all made with the secret of this public key")


def hash_to_scalar(message: bytes, domain: bytes) -> int:
    """Hash to a scalar below N with negligible bias (RFC 9380 hash_to_field, L = 48).

    Args:
        message: any bytes.
        domain: domain separation tag of at most 255 bytes.
    """
    suffix = domain + bytes([len(domain)])
    first = sha256(bytes(64) + message + b"\x00\x30\x00" + suffix)
    second = sha256(first + b"\x01" + suffix)
    mixed = int.from_bytes(first) ^ int.from_bytes(second)
    third = sha256(mixed.to_bytes(32) + b"\x02" + suffix)
    return int.from_bytes(second + third[:16]) % N


def _weights(
    public: Point, points: Sequence[Point], products: Sequence[Point], context: bytes
) -> list[int]:
    """Return the random weight of each pair (RFC 9497 §2.2.1, ComputeComposites)."""
    if not 1 <= len(points) == len(products) <= MAX_BATCH:
        raise FormatError(f"{len(products)} products for {len(points)} points cannot be one batch")
    seed = hashlib.sha256(_prefixed(public.compressed()) + _prefixed(b"Seed-" + context)).digest()
    head, domain = _prefixed(seed), b"HashToScalar-" + context
    return [
        hash_to_scalar(
            head
            + index.to_bytes(2)
            + _prefixed(point.compressed())
            + _prefixed(product.compressed())
            + b"Composite",
            domain,
        )
        for index, (point, product) in enumerate(zip(points, products, strict=True))
    ]


def _challenge(
    public: Point,
    composite: Point,
    product: Point,
    commitments: tuple[Point, Point],
    context: bytes,
) -> int:
    points = (public, composite, product, *commitments)
    transcript = b"".join(_prefixed(point.compressed()) for point in points)
    return hash_to_scalar(transcript + b"Challenge", b"HashToScalar-" + context)


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data
