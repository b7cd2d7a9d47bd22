"""The float point 浮动点, drawn by commit and reveal before any price is known.

Each party commits itself before T to 32 random bytes, by a statement that it signs. After the close list all
reveal, signed again; the value follows from every nonce, so one honest party makes it even. It is fixed with the
last commitment: nobody can choose any more, for without every reveal there is no draw. Whoever keeps its nonce
back stops the section, by name, and moves nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bidding.model import FloatCommitment, FloatReveal, MalformedError
from crypto import statement
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LABEL = b"kaibiao/float/v1\n"
CENTRE_PARTY: Final = "centre"
S = TypeVar("S", FloatCommitment, FloatReveal)


@dataclass(frozen=True, slots=True)
class Bound:
    """A commitment whose signature holds: what it says, and by which key, 33 bytes."""

    said: FloatCommitment
    key: bytes


def commitment(nonce: bytes) -> str:
    """Return the hex digest that binds a party to a nonce of 32 bytes."""
    return sha256(nonce).hexdigest()


def draw(section: str, points: Sequence[str], nonces: Mapping[str, str]) -> str:
    """Return the drawn point, or "" where there are none to draw from.

    Args:
        section: id of the section.
        points: the set from the tender document, in its order.
        nonces: party → nonce, hex, of all parties that committed; taken in the order of their ids.

    The bias of 256 bits modulo len(points) is below 2^-240.
    """
    if not points:
        return ""
    digest = sha256(LABEL + section.encode())
    for party in sorted(nonces):
        digest.update(sha256(f"{party}={nonces[party]}".encode()).digest())
    return points[int.from_bytes(digest.digest()) % len(points)]


def bound(
    signed: Iterable[Mapping[str, Any]], section: str, ceremony: str, centre: str
) -> dict[str, Bound]:
    """Return party → commitment of one section's draw, in the order of the ledger.

    1. each is signed, for this section and this key;
    2. the centre's is the first and names the parties, itself among them; each other names the same;
    3. each is of one of them, and each commits once.

    To whom a key was issued is not looked at here.

    Raises:
        MalformedError: `float-commits-wrong`.
    """
    found: dict[str, Bound] = {}
    for one in signed:
        said, key = _read(one, FloatCommitment, centre)
        first = next(iter(found.values())).said if found else said
        fits = (said.section, said.ceremony) == (section, ceremony)  # 1
        fits = fits and first.party == CENTRE_PARTY and said.parties == first.parties  # 2
        fits = fits and said.party in first.parties and said.party not in found  # 3
        if not fits:
            raise MalformedError(
                "float-commits-wrong",
                "浮动点承诺不符",
                f"{said.party} commits for another opening, twice, or is none of the parties named before.",
            )
        found[said.party] = Bound(said, key)
    return found


def nonce_of(signed: Mapping[str, Any], commits: Mapping[str, Bound], centre: str) -> FloatReveal:
    """Return what a signed reveal says; it is that of a commitment, by the same key.

    Raises:
        MalformedError: `float-nonce`, or the signature does not hold.
    """
    said, key = _read(signed, FloatReveal, centre)
    by = commits.get(said.party)
    if (
        by is None
        or key != by.key
        or (said.section, said.ceremony) != (by.said.section, by.said.ceremony)
        or commitment(bytes.fromhex(said.nonce)) != by.said.digest
    ):
        raise MalformedError(
            "float-nonce", "与承诺不符", "It is not what was committed to, by that key."
        )
    return said


def check_draw(
    points: Sequence[str],
    commits: Mapping[str, Bound],
    reveals: Sequence[Mapping[str, Any]],
    value: str,
    *,
    section: str,
    centre: str,
) -> None:
    """Check a draw from public data.

    1. exactly those who committed reveal, in the order of their ids, each what it committed to;
    2. there is one at least, where there is something to draw;
    3. the value follows.

    Raises:
        MalformedError: `float-draw-wrong`, `float-nonce`.
    """
    said = [nonce_of(one, commits, centre) for one in reveals]
    fits = [one.party for one in said] == sorted(commits)  # 1
    fits = fits and bool(said or not points)  # 2
    nonces = {one.party: one.nonce for one in said}
    if not fits or draw(section, points, nonces) != value:  # 3
        raise MalformedError(
            "float-draw-wrong",
            "浮动点抽取结果不符",
            "The value does not follow from all commitments.",
        )


def _read(signed: Mapping[str, Any], kind: type[S], centre: str) -> tuple[S, bytes]:
    try:
        body = statement.verify(signed, purpose=kind.PURPOSE, centre=centre)
        return kind.from_body(body), statement.signer(signed)
    except CryptoError as error:
        raise MalformedError("statement-invalid", "声明签名无效", f"{error}.") from error
