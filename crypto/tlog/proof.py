"""`.tlog-proof`: a text that proves offline that a leaf is in the log; the form of receipts.

Source: C2SP tlog-proof.md (v1).
"""

from dataclasses import dataclass
from typing import Final, Self

from crypto.encoding import b64, unb64
from crypto.errors import FormatError
from crypto.tlog import checkpoint, merkle, note
from crypto.tlog.checkpoint import Checkpoint, parse_number

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_PATH: Final = 63


@dataclass(frozen=True, slots=True)
class LogProof:
    """A proof that a leaf is in a log.

    Attributes:
        index: of the leaf, zero-based.
        path: its audit path, hashes of 32 bytes.
        checkpoint: the note, with any cosignatures, verbatim.
        extra: opaque bytes, authenticated by nothing; None when there are none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """Return the text as a file's bytes."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64(self.extra)}")
        lines += [f"index {self.index}", *map(b64, self.path), ""]
        return "".join(f"{each}\n" for each in lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a proof strictly; nothing in it is verified yet.

        Raises:
            FormatError: anything else.
        """
        head, blank, signed = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise FormatError("a log proof's head is ASCII") from error
        if not blank or lines.pop(0) != HEADER:
            raise FormatError(f"a log proof begins with {HEADER}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = unb64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise FormatError("a log proof names the index of its leaf")
        index = parse_number(lines.pop(0).removeprefix("index "))
        path = tuple(map(unb64, lines))
        if len(path) > MAX_PATH or any(len(digest) != merkle.HASH_SIZE for digest in path):
            raise FormatError("a log proof's path is at most 63 hashes of 32 bytes")
        note.Note.parse(signed)
        return cls(index, path, signed, extra)

    def verify(self, leaf_hash: bytes, log: str | note.VerifierKey) -> Checkpoint:
        """Check the log's signature and the leaf's place under it.

        Which witnesses must have cosigned is the caller's policy (`cosignature.verify`).

        Args:
            leaf_hash: computed by the caller from what the leaf must say (`merkle.leaf_hash`).
            log: the log's verifier key.

        Returns:
            the checkpoint under which the leaf was proved.

        Raises:
            SignatureError: the log has not signed the checkpoint.
            ProofError: the leaf is not there.
            FormatError: the checkpoint is malformed.
        """
        head = checkpoint.open_checkpoint(self.checkpoint, log)
        merkle.verify_inclusion(self.index, head.size, leaf_hash, self.path, head.root)
        return head
