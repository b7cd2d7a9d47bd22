"""Evidence that one key has signed two histories of one log, checkable by anyone offline.

Two trees contradict each other when they have the same size and different roots, or when one
leaf index holds different leaves in them. The latter is shown with two inclusion proofs, so the
evidence stays small however long the log is.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex, unb64
from crypto.errors import FormatError, ProofError, SignatureError
from crypto.tlog import checkpoint, cosignature, merkle, note
from crypto.tlog.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf in one of the two trees.

    Attributes:
        leaf_hash: 32 bytes.
        path: its audit path.
    """

    leaf_hash: bytes
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {"leaf_hash": b64(self.leaf_hash), "path": [b64(each) for each in self.path]}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote.

        Raises:
            FormatError: anything else.
        """
        match value:
            case {"leaf_hash": str(digest), "path": [*path]} if all(type(p) is str for p in path):
                return cls(unb64(digest), tuple(unb64(each) for each in path))
        raise FormatError("this is no leaf with its path")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two notes of one key about one log that cannot both be true.

    Attributes:
        key: the accused verifier key, a witness's or the log's own.
        first: a checkpoint note signed by it.
        second: another.
        index: the leaf that differs; None where sizes are equal and roots differ.
        places: that leaf in the first tree and in the second.
    """

    key: str
    first: bytes
    second: bytes
    index: int | None = None
    places: tuple[Place, Place] | None = None

    def verify(self) -> tuple[Checkpoint, Checkpoint]:
        """Check the accusation; returning means that the key has signed two histories.

        Returns:
            the two checkpoints.

        Raises:
            SignatureError: the key has not signed both.
            ProofError: the two do not contradict each other.
            FormatError: something is malformed.
        """
        first, second = (_signed(data, self.key) for data in (self.first, self.second))
        if first.origin != second.origin:
            raise ProofError("the two checkpoints are of different logs")
        if self.index is None or self.places is None:
            if first.size != second.size or first.root == second.root:
                raise ProofError("two checkpoints contradict each other by equal size only")
            return first, second
        for head, place in zip((first, second), self.places, strict=True):
            merkle.verify_inclusion(self.index, head.size, place.leaf_hash, place.path, head.root)
        if self.places[0].leaf_hash == self.places[1].leaf_hash:
            raise ProofError(f"both trees hold the same leaf {self.index}")
        return first, second

    def plain(self) -> Self:
        """Return it without what proves nothing: of each note only the lines of the accused key."""
        (key,) = note.parse_keys([self.key])
        first, second = (_lines_of(data, key) for data in (self.first, self.second))
        return replace(self, first=first, second=second)

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON, hex: what names it."""
        return sha256_hex(canonical(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """Return the evidence as a JSON value, fit to be published."""
        return {
            "v": 1,
            "key": self.key,
            "first": self.first.decode(),
            "second": self.second.decode(),
            "index": self.index,
            "places": None if self.places is None else [place.to_json() for place in self.places],
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote; nothing in it is verified yet.

        Raises:
            FormatError: anything else.
        """
        match value:
            case {
                "v": 1,
                "key": str(key),
                "first": str(first),
                "second": str(second),
                "index": index,
                "places": places,
            } if type(value["v"]) is int and (index is None or type(index) is int):
                pair = None
                if places is not None:
                    if not isinstance(places, list) or len(places) != 2:
                        raise FormatError("evidence has two places or none")
                    pair = Place.from_json(places[0]), Place.from_json(places[1])
                try:
                    made = cls(key, first.encode(), second.encode(), index, pair)
                    canonical(made.to_json())  # what has no canonical form has no digest either
                except UnicodeError as error:
                    raise FormatError("evidence holds a text without a UTF-8 form") from error
                return made
        raise FormatError("this is no evidence of version 1")


def accuse(
    key: str, first: bytes, second: bytes, trees: tuple[merkle.Tree, merkle.Tree] | None = None
) -> Evidence | None:
    """Build evidence from two notes, or say that there is none.

    Args:
        key: verifier key that signed both.
        first: a checkpoint note.
        second: another.
        trees: the leaves that each note stands on, as the accuser got them; needed where the
            sizes differ.

    Returns:
        verified evidence; None when the two histories agree, or nothing can be shown.

    Raises:
        SignatureError: the key has not signed both.
        FormatError: something is malformed.
        ProofError: a tree given is not the one its note signs.
    """
    heads = [_signed(data, key) for data in (first, second)]
    if heads[0].origin != heads[1].origin:
        return None
    if heads[0].size == heads[1].size:
        return Evidence(key, first, second) if heads[0].root != heads[1].root else None
    if trees is None:
        return None
    for head, tree in zip(heads, trees, strict=True):
        if tree.size < head.size or tree.root(head.size) != head.root:
            raise ProofError(f"these leaves are not those of the checkpoint of {head.size}")
    shared = min(head.size for head in heads)
    for index in range(shared):
        leaves = [tree.hash_at(0, index) for tree in trees]
        if leaves[0] != leaves[1]:
            places = [
                Place(leaf, tuple(tree.inclusion_proof(index, head.size)))
                for leaf, tree, head in zip(leaves, trees, heads, strict=True)
            ]
            return Evidence(key, first, second, index, (places[0], places[1]))
    return None


def _lines_of(data: bytes, key: note.VerifierKey) -> bytes:
    parsed = note.Note.parse(data)
    return note.Note(
        parsed.text, tuple(each for each in parsed.signatures if each.by(key))
    ).to_bytes()


def _signed(data: bytes, key: str) -> Checkpoint:
    (parsed,) = note.parse_keys([key])
    if parsed.kind == note.ED25519:
        return checkpoint.parse(note.verify(data, parsed))
    if not cosignature.verify(data, [parsed]):
        raise SignatureError(f"{parsed.name} has not cosigned this checkpoint")
    return checkpoint.parse(note.Note.parse(data).text)
