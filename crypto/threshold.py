"""Opening with t of n custodians, who never bring their shares together.

Each custodian multiplies every encapsulation E by its share and proves it; t such answers
combine, by Lagrange interpolation in the exponent, to x·E for the key x that exists nowhere.

Source: Desmedt and Frankel, "Threshold cryptosystems", CRYPTO '89; proofs: RFC 9497.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod
from typing import Any, Final, Self

from crypto import dleq, jacobian
from crypto.certificate import GroupKey
from crypto.encoding import b64, unb64
from crypto.errors import FormatError, ProofError
from crypto.p256 import N, Point, Secret

POINT_SIZE: Final = 33


class WrongAnswerError(ProofError):
    """A custodian's answer does not hold.

    Attributes:
        index: 1 to n, the custodian whose answer it is.
    """

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(f"custodian {index}: {sentence}")
        self.index = index


@dataclass(frozen=True, slots=True)
class Answer:
    """What a custodian sends for one release.

    Attributes:
        partials: share·E for each encapsulation E, in the order asked.
        proof: 64 bytes that cover them all.
    """

    partials: tuple[Point, ...]
    proof: bytes

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value: 33 bytes per encapsulation and the proof, in base64."""
        joined = b"".join(point.compressed() for point in self.partials)
        return {"v": 1, "partials": b64(joined), "proof": b64(self.proof)}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote.

        Raises:
            FormatError: anything else.
        """
        match value:
            case {"v": 1, "partials": str(text), "proof": str(proof)} if (
                type(value["v"]) is int and len(value) == 3
            ):
                data = unb64(text)
            case _:
                raise FormatError("this is not an answer of version 1")
        starts = range(0, len(data), POINT_SIZE)
        points = tuple(Point.parse(data[start : start + POINT_SIZE]) for start in starts)
        return cls(points, unb64(proof))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What the answers of a release came to.

    Attributes:
        points: key·E for each encapsulation, in order.
        used: the t custodians whose answers were combined.
        wrong: custodians whose answers failed, each with its error.
    """

    points: tuple[Point, ...]
    used: tuple[int, ...]
    wrong: dict[int, WrongAnswerError]


def partial(share: Secret, points: Sequence[Point]) -> tuple[list[Point], bytes]:
    """Answer a release: multiply every encapsulation by the share and prove it.

    The answer to the same question is the same, byte for byte.

    Args:
        share: the custodian's share of the key.
        points: 1 to 65,535 encapsulations.

    Returns:
        the products in order, and one proof of 64 bytes.

    Raises:
        FormatError: no points or too many.
    """
    products = share.mul_many(points)
    return products, dleq.prove(share, points, products)


def check_partial(
    verification_share: Point,
    points: Sequence[Point],
    partials: Sequence[Point],
    proof: bytes,
    index: int = 0,
) -> None:
    """Check one custodian's answer; returning means every product in it is right.

    Args:
        verification_share: the custodian's public verification share.
        points: the encapsulations that were asked.
        partials: the products it sent.
        proof: the proof it sent, 64 bytes.
        index: the custodian's number, for the error.

    Raises:
        WrongAnswerError: (a ProofError) the proof fails or the number of products is wrong.
    """
    if len(partials) != len(points):
        raise WrongAnswerError(index, f"{len(partials)} products for {len(points)} bids")
    try:
        dleq.verify(verification_share, points, partials, proof)
    except ProofError as error:
        raise WrongAnswerError(index, f"its partial decryptions are wrong: {error}") from error


def combine(partials: Mapping[int, Sequence[Point]], t: int) -> list[Point]:
    """Combine checked answers to key·E for each encapsulation.

    The Lagrange coefficients at zero are small fractions: with their common denominator L the
    sum needs only small integers, and one multiplication by 1/L brings it home (none where
    L = 1, as for custodians 1, 2, 3).

    Args:
        partials: custodian's number → its products, all of one length; the t lowest numbers
            are used. They must have been checked: a wrong one gives a wrong point here.
        t: the threshold.

    Raises:
        ProofError: fewer than t answers.
        FormatError: an impossible number, or answers of different length.
    """
    indices = sorted(partials)[:t]
    if len(indices) < t or t < 1:
        raise ProofError(f"{len(partials)} of the {t} custodians needed have answered")
    if indices[0] < 1:
        raise FormatError("custodians are numbered from 1")
    rows = [partials[index] for index in indices]
    if len({len(row) for row in rows}) != 1:
        raise FormatError("the custodians' answers have different lengths")
    factors, denominator = coefficients(indices)
    sums = []
    for column in zip(*rows, strict=True):
        # A negative factor stays small when its point is mirrored instead.
        pairs = [
            (q.x, q.y if f > 0 else jacobian.P - q.y) for q, f in zip(column, factors, strict=True)
        ]
        sums.append(jacobian.straus([abs(f) for f in factors], [[pair] for pair in pairs], 2))
    affine = jacobian.to_affine(sums)
    if None in affine:
        raise ProofError("the answers cancel out; at least one was not checked")
    points = [Point(*pair) for pair in affine if pair is not None]
    if denominator == 1:
        return points
    return Secret(pow(denominator, -1, N)).mul_many(points)  # public, but quickest this way


def coefficients(indices: Sequence[int]) -> tuple[list[int], int]:
    """Return the Lagrange coefficients at zero as integers over one positive denominator.

    Args:
        indices: distinct custodian numbers, e.g. [1, 3, 5] → ([15, -10, 3], 8).
    """
    fractions = [prod(Fraction(j, j - i) for j in indices if j != i) for i in indices]
    denominator = lcm(*(Fraction(each).denominator for each in fractions))
    return [int(each * denominator) for each in fractions], denominator


def unlock(group: GroupKey, points: Sequence[Point], answers: Mapping[int, Answer]) -> Unlocked:
    """Check answers in the order given until t of them hold, and combine those.

    Args:
        group: the section's key.
        points: the encapsulations that were asked.
        answers: custodian's number → answer.

    Raises:
        ProofError: fewer than t hold; the sentence names those that are wrong.
    """
    good: dict[int, tuple[Point, ...]] = {}
    wrong: dict[int, WrongAnswerError] = {}
    for index, answer in answers.items():
        if len(good) == group.t:
            break
        try:
            check_partial(group.share(index), points, answer.partials, answer.proof, index)
        except WrongAnswerError as error:
            wrong[index] = error
        else:
            good[index] = answer.partials
    if len(good) < group.t:
        reasons = "".join(f"; {error}" for error in wrong.values())
        raise ProofError(f"{len(good)} of the {group.t} custodians needed have answered{reasons}")
    return Unlocked(tuple(combine(good, group.t)), tuple(sorted(good)), wrong)


def dh_x(point: Point) -> bytes:
    """Return the Diffie-Hellman value that HPKE wants: the x coordinate, 32 bytes.

    Source: RFC 9180 §7.1, NIST SP 800-56A §5.7.1.2.
    """
    return point.compressed()[1:]
