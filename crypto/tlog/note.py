"""Signed notes: a text of lines with signatures of named Ed25519 keys below it.

The form every checkpoint has on the wire::

    kaibiao.example/ledger/01
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — kaibiao.example/ledger/01 Az3grlgtzPICa5OS8npVmf1M…

Source: C2SP signed-note.md v1.0.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto.encoding import b64, unb64
from crypto.errors import FormatError, SignatureError

ED25519: Final = 0x01
"""Plain Ed25519 over the note text: the log's own signature."""
COSIGNATURE: Final = 0x04
"""Timestamped cosignature of a checkpoint (`crypto.tlog.cosignature`)."""
MAX_SIZE: Final = 65_536
MAX_SIGNATURES: Final = 64
"""The specification asks for at least 16; a bound keeps a note from costing much to read."""

DASH: Final = "— "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that verifies note signatures.

    Attributes:
        name: of the key; no spaces, no plus.
        public: 32 bytes, Ed25519.
        kind: signature type, `ED25519` or `COSIGNATURE`.

    Raises:
        FormatError: another type, length or an impossible name.
    """

    name: str
    public: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in {ED25519, COSIGNATURE} or len(self.public) != 32:
            raise FormatError("a verifier key is Ed25519, of type 1 or 4")

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, tell whose signature a line is."""
        typed = bytes([self.kind]) + self.public
        return sha256(self.name.encode() + b"\n" + typed).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+hex(key id)+base64(type ‖ public key)``.

        Raises:
            FormatError: anything else, or a key id that is not this key's.
        """
        name, _, rest = text.partition("+")
        key_id, _, material = rest.partition("+")
        data = unb64(material)
        if not data:
            raise FormatError("a verifier key has three parts")
        key = cls(name, data[1:], data[0])
        if str(key) != text:
            raise FormatError(f"the key id {key_id!r} is not that of this verifier key")
        return key

    def __str__(self) -> str:
        """Return the text form."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.kind]) + self.public)}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check an Ed25519 signature (RFC 8032).

        Raises:
            SignatureError: it does not hold.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise SignatureError(f"the signature of {self.name} does not hold") from error


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: of the key that is said to have signed.
        key_id: four bytes.
        data: what follows them; its meaning depends on the key's type.
    """

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        """Return the line without its newline."""
        return f"{DASH}{self.name} {b64(self.key_id + self.data)}"

    def by(self, key: VerifierKey) -> bool:
        """Say whether this line claims to be by that key."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing in it is verified yet.

    Attributes:
        text: the signed bytes, including the last newline.
        signatures: at least one.
    """

    text: bytes
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note strictly.

        Raises:
            FormatError: not UTF-8, control characters, no signatures, a malformed line, or more
                than the bounds allow.
        """
        if len(data) > MAX_SIZE:
            raise FormatError(f"a note of more than {MAX_SIZE} bytes")
        try:
            content = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError("a note is not UTF-8") from error
        if any(char < " " and char != "\n" for char in content):
            raise FormatError("a note has control characters")
        text, blank, lines = content.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise FormatError("a note has no signatures after an empty line")
        parsed = tuple(parse_line(line) for line in lines[:-1].split("\n"))
        if len(parsed) > MAX_SIGNATURES:
            raise FormatError(f"a note with more than {MAX_SIGNATURES} signatures")
        return cls(f"{text}\n".encode(), parsed)

    def to_bytes(self) -> bytes:
        """Return the note's bytes."""
        return self.text + b"\n" + b"".join(f"{each}\n".encode() for each in self.signatures)


def parse_line(line: str) -> Signature:
    """Read one signature line, without its newline.

    Raises:
        FormatError: not of the form ``— name base64``.
    """
    name, space, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not space:
        raise FormatError("a signature line is not of the form '— name base64'")
    check_name(name)
    data = unb64(encoded)
    if len(data) < 5:
        raise FormatError("a note signature is too short")
    return Signature(name, data[:4], data[4:])


def check_name(name: str) -> None:
    """Refuse impossible key names.

    Raises:
        FormatError: empty, or with a space of any kind or a plus.
    """
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise FormatError("a key name is not empty and has no spaces and no plus")


def vkey(name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> str:
    """Return the verifier key text of a private key: what others pin."""
    return str(verifier(name, key, kind))


def verifier(name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> VerifierKey:
    """Return the verifier key of a private key."""
    return VerifierKey(name, key.public_key().public_bytes_raw(), kind)


def sign(text: bytes, key: Ed25519PrivateKey, name: str) -> bytes:
    """Return a note of this text signed by one key.

    Args:
        text: UTF-8 without control characters, ending in a newline.
        key: Ed25519.
        name: of the key.

    Raises:
        FormatError: the text cannot be a note.
    """
    if not text.endswith(b"\n"):
        raise FormatError("a note's text ends in a newline")
    signature = Signature(name, verifier(name, key).key_id, key.sign(text))
    data = Note(text, (signature,)).to_bytes()
    if Note.parse(data).text != text:
        raise FormatError("this text cannot be a note")
    return data


def verify(data: bytes, *keys: str | VerifierKey) -> bytes:
    """Return a note's text after checking it against known keys of type 1.

    Signatures of unknown keys are ignored; one that fails spoils the whole note.

    Args:
        data: the note.
        keys: known keys, as text or parsed.

    Raises:
        SignatureError: no known key has signed, or one's signature does not hold.
        FormatError: the note or a key is malformed.
    """
    note = Note.parse(data)
    verified = 0
    for key in parse_keys(keys):
        for signature in note.signatures:
            if key.kind == ED25519 and signature.by(key):
                key.verify(note.text, signature.data)
                verified += 1
    if not verified:
        raise SignatureError("none of the known keys has signed this note")
    return note.text


def parse_keys(keys: Iterable[str | VerifierKey]) -> list[VerifierKey]:
    """Return keys given as text or parsed, parsed."""
    return [key if isinstance(key, VerifierKey) else VerifierKey.parse(key) for key in keys]
