"""Published evidence that one key has signed two histories of this ledger 双史证据.

Whoever holds such evidence may bring it; it proves itself, so that nobody is asked who he is. It is
verified, then stands whole in a leaf of its own: everybody sees it, nobody can take it back. One leaf
for each accused key is enough, and is all that a flood of evidence can cause.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from crypto.errors import CryptoError
from crypto.tlog import note
from crypto.tlog.evidence import Evidence, accuse
from trading.ground.problems import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

KIND: Final = "evidence"
MARK: Final = b'"kind":"evidence"'


@dataclass(frozen=True, slots=True)
class Published:
    """Evidence in the ledger: its leaf, the SHA-256 that names it, the accused key's name, itself."""

    index: int
    sha256: str
    accused: str
    evidence: dict[str, Any]


class Contradictions:
    """What has been published; owned by the ledger, which tells it of every leaf."""

    def __init__(self) -> None:
        self._known: dict[str, Published] = {}
        self.turn = asyncio.Lock()

    def follow(self, index: int, body: dict[str, Any]) -> None:
        """Take a leaf of this kind."""
        if body["kind"] == KIND:
            key = body["evidence"]["key"]
            one = Published(index, body["sha256"], body["accused"], body["evidence"])
            self._known.setdefault(key, one)

    def of(self, key: str) -> Published | None:
        """Return what was published about a verifier key."""
        return self._known.get(key)

    def all(self) -> list[Published]:
        """Return everything published, oldest first."""
        return sorted(self._known.values(), key=lambda one: one.index)


def leaf_body(evidence: Evidence) -> dict[str, Any]:
    """Return the fields of the leaf that publishes it."""
    (key,) = note.parse_keys([evidence.key])
    return {"sha256": evidence.digest, "accused": key.name, "evidence": evidence.to_json()}


def admitted(value: Any, origin: str, keys: Iterable[note.VerifierKey]) -> list[Evidence]:
    """Return what a piece of evidence proves against keys of this log.

    Two notes that a witness cosigned usually bear the log's own signature too, and then accuse it
    as well.

    Args:
        value: JSON as brought.
        origin: of this ledger.
        keys: the log's own and all registered witnesses'.

    Raises:
        Invalid: it proves nothing about a key that counts here.
    """
    known = {str(key) for key in keys}
    try:
        brought = Evidence.from_json(value)
        first, _ = brought.verify()
    except CryptoError as error:
        raise _proves_nothing() from error
    if first.origin != origin or brought.key not in known:
        raise _proves_nothing()
    found = [brought.plain()]
    for key in sorted(known - {brought.key}):
        other = Evidence(key, brought.first, brought.second, brought.index, brought.places)
        try:
            other.verify()
        except CryptoError:
            continue  # that key has not signed both: nothing is said of it
        found.append(other.plain())
    return found


def of_one_size(
    key: note.VerifierKey, ours: Iterable[bytes], theirs: bytes
) -> dict[str, Any] | None:
    """Return evidence from two notes of one size, JSON, or nothing where it cannot be shown.

    Args:
        key: of the log or of a witness.
        ours: notes of this history.
        theirs: a note of another one.
    """
    for mine in ours:
        try:
            found = accuse(str(key), mine, theirs)
        except CryptoError:
            continue  # the key has not signed both
        if found is not None:
            return found.to_json()
    return None


def _proves_nothing() -> Invalid:
    return Invalid(
        "evidence-proves-nothing", "不构成双史证据",
        "Bring two notes of one key of this log's, of equal size and different roots, or with two "
        "inclusion proofs of one differing leaf.",
        rule="ledger-v1 6.5",
    )  # fmt: skip
