"""Timestamped cosignatures of witnesses, and the evidence when one key signs two histories.

A cosignature says: at this time, this was the largest consistent checkpoint of that log that I
had seen. Enough of them make a clock and a single history that the centre cannot fake alone.

Source: C2SP tlog-cosignature.md v1.1.0, Ed25519 (type 0x04).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.errors import FormatError, SignatureError
from crypto.tlog import checkpoint
from crypto.tlog.merkle import MAX_SIZE
from crypto.tlog.note import COSIGNATURE, Note, Signature, VerifierKey, parse_keys, verifier

DATA_SIZE: Final = 8 + 64


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature.

    Attributes:
        key: the witness's verifier key.
        timestamp: POSIX seconds, by the witness's clock.
    """

    key: VerifierKey
    timestamp: int


def message(text: bytes, timestamp: int) -> bytes:
    """Return what a witness signs for a checkpoint's text."""
    return f"cosignature/v1\ntime {timestamp}\n".encode() + text


def line(text: bytes, key: Ed25519PrivateKey, name: str, timestamp: int) -> Signature:
    """Return a witness's signature line for a checkpoint's text.

    Args:
        text: the checkpoint's three lines.
        key: the witness's Ed25519 key, used for nothing else.
        name: the witness's name.
        timestamp: POSIX seconds > 0.

    Raises:
        FormatError: the text is no checkpoint, or the time is impossible.
    """
    checkpoint.parse(text)
    if not 0 < timestamp <= MAX_SIZE:
        raise FormatError("a cosignature needs a time")
    key_id = verifier(name, key, COSIGNATURE).key_id
    signed = key.sign(message(text, timestamp))
    return Signature(name, key_id, timestamp.to_bytes(8) + signed)


def add(signed: bytes, key: Ed25519PrivateKey, name: str, timestamp: int) -> bytes:
    """Return a checkpoint note with one cosignature more at its end; arguments as in `line`."""
    note = Note.parse(signed)
    cosigned = line(note.text, key, name, timestamp)
    return Note(note.text, (*note.signatures, cosigned)).to_bytes()


def merge(notes: Iterable[bytes]) -> bytes:
    """Return one note with the signatures of several notes of the same text, none twice.

    Raises:
        FormatError: no note, or different texts.
    """
    parsed = [Note.parse(data) for data in notes]
    if len({note.text for note in parsed}) != 1:
        raise FormatError("only notes of one text can be merged")
    lines = dict.fromkeys(signature for note in parsed for signature in note.signatures)
    return Note(parsed[0].text, tuple(lines)).to_bytes()


def check(text: bytes, signature: Signature, key: VerifierKey) -> Cosignature:
    """Verify one line by a witness's key.

    Raises:
        SignatureError: it does not hold.
    """
    if key.kind != COSIGNATURE or not signature.by(key) or len(signature.data) != DATA_SIZE:
        raise SignatureError(f"this is no cosignature of {key.name}")
    timestamp = int.from_bytes(signature.data[:8])
    if not 0 < timestamp <= MAX_SIZE:
        raise SignatureError(f"the cosignature of {key.name} bears no time")
    key.verify(message(text, timestamp), signature.data[8:])
    return Cosignature(key, timestamp)


def verify(data: bytes, keys: Iterable[str | VerifierKey]) -> list[Cosignature]:
    """Return the cosignatures on a checkpoint that known witnesses made.

    Unknown lines are ignored. Whoever counts witnesses counts distinct keys, for one witness may
    have signed the same checkpoint at several times.

    Args:
        data: the checkpoint note; the log's own signature is not checked here.
        keys: known witnesses' verifier keys (type 4).

    Raises:
        SignatureError: a line bears a known witness's name and key id and does not hold.
        FormatError: the note or a key is malformed.
    """
    note = Note.parse(data)
    checkpoint.parse(note.text)
    return [
        check(note.text, signature, key)
        for key in parse_keys(keys)
        for signature in note.signatures
        if signature.by(key)
    ]
