"""The float point 浮动点, drawn by commit and reveal before any price is known.

Each party commits itself before T to 32 random bytes. After the close list all reveal; the value
follows from every nonce, so one honest party makes it even. A party that does not reveal in time
is named, and its nonce counts as empty: it may choose between two blind values, no more, for no
partial of any key exists yet.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from bidding.model import FloatReveal, MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL = b"kaibiao/float/v1\n"


def commitment(nonce: bytes) -> str:
    """Return the hex digest that binds a party to a nonce of 32 bytes."""
    return sha256(nonce).hexdigest()


def draw(section: str, points: Sequence[str], reveals: Sequence[FloatReveal]) -> str:
    """Return the drawn point, or "" where there are none to draw from.

    Args:
        section: id of the section.
        points: the set from the tender document, in its order.
        reveals: of all parties that committed, in the order of their ids.

    The bias of 256 bits modulo len(points) is below 2^-240.
    """
    if not points:
        return ""
    digest = sha256(LABEL + section.encode())
    for reveal in reveals:
        digest.update(sha256(f"{reveal.party}={reveal.nonce}".encode()).digest())
    return points[int.from_bytes(digest.digest()) % len(points)]


def check_draw(
    section: str,
    points: Sequence[str],
    commits: Mapping[str, str],
    reveals: Sequence[FloatReveal],
    value: str,
) -> None:
    """Check a draw from public data.

    1. exactly those who committed reveal, in the order of their ids;
    2. each nonce is the one committed to, or empty;
    3. at least one is not empty, where there is something to draw;
    4. the value follows.

    Raises:
        MalformedError: `float-draw-wrong`.
    """
    parties = [reveal.party for reveal in reveals]
    fits = parties == sorted(commits)  # 1
    fits = fits and all(not r.nonce or _opens(r.nonce, commits[r.party]) for r in reveals)  # 2
    fits = fits and (not points or any(r.nonce for r in reveals))  # 3
    if not fits or draw(section, points, reveals) != value:  # 4
        raise MalformedError(
            "float-draw-wrong",
            "浮动点抽取结果不符",
            "The value does not follow from the commitments.",
        )


def _opens(nonce: str, digest: str) -> bool:
    try:
        data = bytes.fromhex(nonce)
    except ValueError:
        return False
    return len(data) == 32 and commitment(data) == digest
