"""The group P-256: points, secret scalars, and sums of public multiples.

Two kinds of multiplication live here and must not be confused. A secret scalar is a `Secret`;
its multiplications run inside OpenSSL, in constant time. ``scalar * point`` and
`multiply_sum` take public integers, in variable time, for checking what others claim.

Source: SEC 1 §2.3 (encodings), SEC 2 §2.4.2 (the curve), RFC 9591 §6.4 (scalar encoding).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from crypto import jacobian
from crypto.errors import FormatError, ProofError
from crypto.jacobian import N, P

__all__ = ["INFINITY", "G", "N", "P", "Point", "Secret", "multiply_sum", "parse_scalar", "total"]

CURVE: Final = ec.SECP256R1()
ECDH: Final = ec.ECDH()


@dataclass(frozen=True, slots=True)
class Point:
    """A point of P-256 in affine coordinates; always on the curve.

    Attributes:
        x: integer below P; 0 together with y = 0 stands for the point at infinity, which no
            encoding here can carry.
        y: integer below P.

    Raises:
        FormatError: the coordinates are not on the curve.
    """

    x: int
    y: int

    def __post_init__(self) -> None:
        if not jacobian.on_curve(self.x, self.y) and (self.x or self.y):
            raise FormatError("these coordinates are not a point of P-256")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a SEC 1 encoding: 65 bytes uncompressed (04…) or 33 compressed (02…, 03…).

        Each point has exactly one encoding of each length; coordinates ≥ P, points off the
        curve, infinity and the hybrid forms (06, 07) are refused.

        Raises:
            FormatError: anything else. Source: SEC 1 §2.3.4.
        """
        if len(data) == 65 and data[0] == 4:
            x, y = int.from_bytes(data[1:33]), int.from_bytes(data[33:])
            if x or y:
                return cls(x, y)
        elif len(data) == 33 and data[0] in {2, 3} and int.from_bytes(data[1:]) < P:
            try:
                # OpenSSL takes the square root three times faster than pow() would.
                numbers = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, data).public_numbers()
            except (ValueError, UnsupportedAlgorithm) as error:
                raise FormatError("these 33 bytes are not a point of P-256") from error
            return cls(numbers.x, numbers.y)
        raise FormatError("a point of P-256 is 65 bytes beginning 04 or 33 beginning 02 or 03")

    @property
    def is_infinity(self) -> bool:
        """Whether this is the neutral element."""
        return not (self.x or self.y)

    def compressed(self) -> bytes:
        """Return 33 bytes: 02 or 03 by the parity of y, then x."""
        self._refuse_infinity()
        return bytes([2 + (self.y & 1)]) + self.x.to_bytes(32)

    def uncompressed(self) -> bytes:
        """Return 65 bytes: 04, x, y."""
        self._refuse_infinity()
        return b"\x04" + self.x.to_bytes(32) + self.y.to_bytes(32)

    def _refuse_infinity(self) -> None:
        if self.is_infinity:
            raise FormatError("the point at infinity has no encoding")

    def jacobian(self) -> jacobian.Jacobian:
        """Return Jacobian coordinates for `crypto.jacobian`."""
        return jacobian.INFINITY if self.is_infinity else (self.x, self.y, 1)

    def __add__(self, other: "Point") -> "Point":
        return _from_jacobian([jacobian.add(self.jacobian(), other.jacobian())])[0]

    def __neg__(self) -> "Point":
        return self if self.is_infinity else Point(self.x, P - self.y)

    def __sub__(self, other: "Point") -> "Point":
        return self + -other

    def __rmul__(self, scalar: int) -> "Point":
        """Multiply by a *public* integer, in variable time."""
        return multiply_sum([scalar], [self])


INFINITY: Final = Point(0, 0)
"""The neutral element: a result to test for, never a value to send."""
G: Final = Point(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""The base point, which COCKTAIL's specification calls B."""


class Secret:
    """A secret scalar whose multiplications run in OpenSSL's constant-time P-256.

    OpenSSL's ECDH gives only the x coordinate of k·Q. A second ECDH with k + 1 gives that of
    D + Q, where D = k·Q. With yD² known from the curve equation, the addition law

        x(D+Q)·(xD-xQ)² = (yD-yQ)² - (xD+xQ)·(xD-xQ)²

    is linear in yD; all it takes is one inversion of 2·yQ, which is public.
    (No point has y = 0: the order is odd.)

    Args:
        scalar: 2 ≤ scalar ≤ N-2. The three scalars outside, 0, 1 and N-1, are those for which
            k or k+1 has no ECDH or D = ±Q; a random scalar meets them once in 2²⁵⁴.

    Raises:
        FormatError: the scalar is outside that range.
    """

    __slots__ = ("_key", "_next", "_public", "_scalar")

    def __init__(self, scalar: int) -> None:
        if not 2 <= scalar <= N - 2:
            raise FormatError("a secret scalar lies between 2 and N-2")
        self._scalar = scalar
        self._key = ec.derive_private_key(scalar, CURVE)
        self._next = ec.derive_private_key(scalar + 1, CURVE)
        numbers = self._key.public_key().public_numbers()
        self._public = Point(numbers.x, numbers.y)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 32 big-endian bytes.

        Raises:
            FormatError: wrong length or a scalar outside the range.
        """
        return cls(parse_scalar(data))

    def __repr__(self) -> str:
        return "Secret(…)"  # a secret never reaches a log through a format string

    @property
    def scalar(self) -> int:
        """The scalar itself, for the linear algebra of shares and proofs. Never print it."""
        return self._scalar

    def to_bytes(self) -> bytes:
        """Return the scalar as 32 big-endian bytes."""
        return self._scalar.to_bytes(32)

    def public(self) -> Point:
        """Return scalar·G."""
        return self._public

    def mul(self, point: Point) -> Point:
        """Return scalar·point, both coordinates.

        Raises:
            FormatError: the point is infinity.
            ProofError: OpenSSL's two answers do not fit each other (faulty hardware).
        """
        return self.mul_many([point])[0]

    def mul_many(self, points: Sequence[Point]) -> list[Point]:
        """Return scalar·point for each point: as `mul`, with one inversion in all."""
        encoded = [q.uncompressed() for q in points]  # refuses infinity, which has no inverse
        halves = jacobian.inverses([2 * q.y % P for q in points])
        return [self._mul(*each) for each in zip(points, encoded, halves, strict=True)]

    def _mul(self, q: Point, encoded: bytes, half: int) -> Point:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, encoded)
        x = int.from_bytes(self._key.exchange(ECDH, peer))
        x_next = int.from_bytes(self._next.exchange(ECDH, peer))
        if x == q.x:
            raise ProofError("OpenSSL answered with the point it was given")
        square = ((x * x - 3) * x + jacobian.B) % P
        slope = (x - q.x) * (x - q.x) % P
        y = (square + q.y * q.y - (x_next + x + q.x) * slope) * half % P
        if y * y % P != square:
            raise ProofError("OpenSSL's two multiplications do not fit each other")
        return Point(x, y)


def parse_scalar(data: bytes) -> int:
    """Read a scalar: 32 big-endian bytes below N (RFC 9591 §6.4).

    Raises:
        FormatError: another length, or not reduced.
    """
    scalar = int.from_bytes(data)
    if len(data) != 32 or scalar >= N:
        raise FormatError("a scalar of P-256 is 32 bytes, big-endian, below the group order")
    return scalar


def multiply_sum(scalars: Sequence[int], points: Sequence[Point]) -> Point:
    """Return Σ scalar·point for *public* scalars, in variable time.

    Args:
        scalars: integers of any sign; short ones (below 2²⁵⁵ in absolute value) cost less.
        points: as many points; infinity is allowed.
    """
    short, affine = [], []
    for scalar, point in zip(scalars, points, strict=True):
        if not point.is_infinity:
            reduced = scalar % N
            # A small negative scalar stays small when its point is negated instead.
            flip = N - reduced < reduced
            short.append(N - reduced if flip else reduced)
            affine.append((point.x, P - point.y if flip else point.y))
    return _from_jacobian([jacobian.sum_of_multiples(short, affine)])[0]


def total(points: Iterable[Point]) -> Point:
    """Return the sum of points; INFINITY for none."""
    result = jacobian.INFINITY
    for point in points:
        result = jacobian.add(result, point.jacobian())
    return _from_jacobian([result])[0]


def _from_jacobian(points: Sequence[jacobian.Jacobian]) -> list[Point]:
    return [INFINITY if q is None else Point(*q) for q in jacobian.to_affine(points)]
