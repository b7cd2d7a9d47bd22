"""The byte forms of COCKTAIL-DKG(P-256, SHA-256): first message, share bundle, transcript.

Nothing is decided here; every parser is strict and every writer deterministic, so that all
participants hash and sign the same bytes.

Source: C2SP cocktail-dkg.md v0.2.1, "Message Formats", "Round 3", "Share Recovery".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from crypto.errors import FormatError
from crypto.p256 import Point
from crypto.schnorr import SIGNATURE_SIZE

SUITE: Final = "COCKTAIL(P-256, SHA-256)"
"""The ciphersuite_id: consensus-critical, never altered in case or spacing."""
POINT_SIZE: Final = 33
MIN_CIPHERTEXT: Final = 32 + 16
"""A scalar and an AEAD tag."""
MAX_CIPHERTEXT: Final = 65_536
"""The specification's floor for interoperability; a payload has no business being larger."""
MAX_PARTICIPANTS: Final = 64
"""The protocol allows 2³²-1; a trading centre has 5 to 9 custodians, and a bound stops floods."""


class Reader:
    """Takes a byte string apart from the left; everything must be used up.

    Args:
        data: the bytes.
        name: what they are, for the error's sentence.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            FormatError: fewer are left.
        """
        end = self._at + size
        if end > len(self._data):
            raise FormatError(f"{self._name} ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def points(self, count: int) -> tuple[Point, ...]:
        """Return so many compressed points; infinity is refused by their parser."""
        return tuple(Point.parse(self.take(POINT_SIZE)) for _ in range(count))

    def frame(self) -> bytes:
        """Return one ciphertext with a 64-bit big-endian length before it.

        Raises:
            FormatError: shorter than any share or longer than the bound.
        """
        size = int.from_bytes(self.take(8))
        if not MIN_CIPHERTEXT <= size <= MAX_CIPHERTEXT:
            raise FormatError(f"{self._name} has a ciphertext of impossible length")
        return self.take(size)

    def text(self, limit: int = 65_536) -> bytes:
        """Return bytes with a 64-bit little-endian length before them."""
        size = int.from_bytes(self.take(8), "little")
        if size > limit:
            raise FormatError(f"{self._name} has a field above {limit} bytes")
        return self.take(size)

    def uint32(self) -> int:
        """Return a 32-bit little-endian integer."""
        return int.from_bytes(self.take(4), "little")

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises:
            FormatError: something is.
        """
        if self._at != len(self._data):
            raise FormatError(f"{self._name} has bytes after its end")


def frame(ciphertext: bytes) -> bytes:
    """Return a ciphertext with its 64-bit big-endian length before it."""
    return len(ciphertext).to_bytes(8) + ciphertext


def join_points(points: Sequence[Point]) -> bytes:
    """Return compressed points one after the other."""
    return b"".join(point.compressed() for point in points)


@dataclass(frozen=True, slots=True)
class Round1:
    """A participant's first message (msg₁).

    Attributes:
        commitment: t points, commitments to the coefficients of its polynomial, lowest first.
        proof: 65 bytes, proof of possession of the constant term.
        ephemeral: the ephemeral public key of this ceremony.
        ciphertexts: n encrypted shares, in roster order, its own among them.
    """

    commitment: tuple[Point, ...]
    proof: bytes
    ephemeral: Point
    ciphertexts: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the message as it is sent."""
        frames = b"".join(map(frame, self.ciphertexts))
        return join_points(self.commitment) + self.proof + self.ephemeral.compressed() + frames

    @classmethod
    def from_bytes(cls, data: bytes, n: int, t: int) -> Self:
        """Read a message of a ceremony of n participants and threshold t.

        Raises:
            FormatError: any other number of points or ciphertexts, or bytes left over. With
                another t the points do not fall into place, so a raised threshold fails here.
        """
        reader = Reader(data, "a first message")
        commitment = reader.points(t)
        proof = reader.take(SIGNATURE_SIZE)
        (ephemeral,) = reader.points(1)
        ciphertexts = tuple(reader.frame() for _ in range(n))
        reader.end()
        return cls(commitment, proof, ephemeral, ciphertexts)


def proof_message(context: bytes, commitment: Sequence[Point], ephemeral: Point) -> bytes:
    """Return what a proof of possession signs: context ‖ C ‖ E."""
    return context + join_points(commitment) + ephemeral.compressed()


def bundle_to_bytes(ciphertexts: Sequence[bytes]) -> bytes:
    """Return a recipient's share bundle C^rec: its framed ciphertexts in sender order."""
    return b"".join(map(frame, ciphertexts))


def bundle_from_bytes(data: bytes, n: int) -> tuple[bytes, ...]:
    """Read a share bundle of n ciphertexts.

    Raises:
        FormatError: another number, or bytes left over.
    """
    reader = Reader(data, "a share bundle")
    ciphertexts = tuple(reader.frame() for _ in range(n))
    reader.end()
    return ciphertexts


@dataclass(frozen=True, slots=True)
class Transcript:
    """The public outcome of a ceremony, the same for everybody, which everybody signs.

    Attributes:
        context: the session's context bytes.
        t: threshold.
        roster: n static public keys in agreed order; participant i is ``roster[i - 1]``.
        commitments: n tuples of t points.
        proofs: n proofs of possession.
        ephemerals: n ephemeral keys.
        extension: application bytes that all agree on.
    """

    context: bytes
    t: int
    roster: tuple[Point, ...]
    commitments: tuple[tuple[Point, ...], ...]
    proofs: tuple[bytes, ...]
    ephemerals: tuple[Point, ...]
    extension: bytes

    @property
    def n(self) -> int:
        """Number of participants."""
        return len(self.roster)

    def to_bytes(self) -> bytes:
        """Return T, the bytes that are signed (Round 3 step 1)."""
        suite = SUITE.encode()
        return b"".join([
            len(suite).to_bytes(8, "little") + suite,
            len(self.context).to_bytes(8, "little") + self.context,
            self.n.to_bytes(4, "little") + self.t.to_bytes(4, "little"),
            join_points(self.roster),
            *map(join_points, self.commitments),
            *self.proofs,
            join_points(self.ephemerals),
            len(self.extension).to_bytes(8, "little") + self.extension,
        ])  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read T.

        Raises:
            FormatError: another suite, impossible n or t, malformed points, bytes left over.
        """
        reader = Reader(data, "a ceremony transcript")
        if reader.text() != SUITE.encode():
            raise FormatError(f"the transcript's suite is not {SUITE}")
        context = reader.text()
        n, t = reader.uint32(), reader.uint32()
        if not 1 <= t <= n <= MAX_PARTICIPANTS:
            raise FormatError(f"a ceremony of {t} out of {n} is not possible here")
        roster = reader.points(n)
        commitments = tuple(reader.points(t) for _ in range(n))
        proofs = tuple(reader.take(SIGNATURE_SIZE) for _ in range(n))
        ephemerals = reader.points(n)
        extension = reader.text()
        reader.end()
        return cls(context, t, roster, commitments, proofs, ephemerals, extension)
