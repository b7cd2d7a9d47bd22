"""Checkpoints: a log's signed word on how many leaves it has and what their root is.

Source: C2SP tlog-checkpoint.md v1.0.0. Extension lines are refused: a cosignature says nothing
about them, so nothing of ours may depend on them.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.encoding import b64, unb64
from crypto.errors import FormatError
from crypto.tlog import note
from crypto.tlog.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE

MAX_DIGITS: Final = 19


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head.

    Attributes:
        origin: the log's identity, its key's name too.
        size: number of leaves.
        root: 32 bytes.

    Raises:
        FormatError: impossible values.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(char < " " for char in self.origin):
            raise FormatError("a checkpoint's origin is one line")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise FormatError("a checkpoint has a size and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise FormatError("the root of an empty tree is the hash of nothing")

    def to_bytes(self) -> bytes:
        """Return the note text: three lines."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n".encode()


def parse(text: bytes) -> Checkpoint:
    """Read the text of a verified note (`note.verify`).

    Raises:
        FormatError: not exactly the three lines of a checkpoint.
    """
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("a checkpoint is not UTF-8") from error
    if len(lines) != 4 or lines[3]:
        raise FormatError("a checkpoint has three lines")
    return Checkpoint(lines[0], parse_number(lines[1]), unb64(lines[2]))


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Return the checkpoint as a note signed by the log, whose key's name is the origin."""
    return note.sign(checkpoint.to_bytes(), key, checkpoint.origin)


def open_checkpoint(data: bytes, log: str | note.VerifierKey) -> Checkpoint:
    """Verify a checkpoint against the log's key and read it.

    Args:
        data: the note.
        log: the log's verifier key; its name must be the origin.

    Raises:
        SignatureError: the log has not signed it.
        FormatError: malformed, or of another origin.
    """
    (key,) = note.parse_keys([log])
    checkpoint = parse(note.verify(data, key))
    if checkpoint.origin != key.name:
        raise FormatError(f"the checkpoint is of {checkpoint.origin}, not of {key.name}")
    return checkpoint


def parse_number(text: str) -> int:
    """Read an ASCII decimal without leading zeroes, at most 2⁶³-1.

    Raises:
        FormatError: anything else.
    """
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        number = int(text)
        if str(number) == text and number <= MAX_SIZE:
            return number
    raise FormatError("a number is decimal, without leading zeroes, below 2^63")
