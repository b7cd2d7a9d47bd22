"""How a file key is wrapped and unwrapped: p256tag, X25519, scrypt.

A recipient turns a file key into a stanza; an identity looks through all stanzas and returns the
file key, or None when none is for it. A stanza of its own type that breaks the rules is an error
of the whole file (age.md: "MUST otherwise reject").
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crypto import bech32, hkdf, hpke
from crypto.age.header import FILE_KEY_BYTES, P256TAG, P256Tag, Stanza
from crypto.encoding import b64raw, sha256, unb64raw
from crypto.errors import AuthenticationError, FormatError, NoMatchError
from crypto.random import token
from crypto.signature import SigningKey, load_public

P256TAG_INFO: Final = b"age-encryption.org/p256tag"
X25519_INFO: Final = b"age-encryption.org/v1/X25519"
SCRYPT_SALT: Final = b"age-encryption.org/v1/scrypt"

DEFAULT_WORK: Final = 16
"""log2 of scrypt's work factor for new files: 64 MiB and about 0.2 s."""

MAX_WORK: Final = 20
"""Refused beyond: 1 GiB of memory at the word of whoever made the file."""

_X25519: Final = "X25519"
_SCRYPT: Final = "scrypt"
_WRAPPED_BYTES: Final = FILE_KEY_BYTES + 16
_WORK: Final = re.compile(r"[1-9][0-9]?")


class Recipient(Protocol):
    """Whoever a file is sealed for."""

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a fresh stanza holding `file_key`."""
        ...


class Identity(Protocol):
    """Whoever can open some files."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None when no stanza is for this identity.

        Raises:
            FormatError: a stanza of the identity's own type breaks the rules.
        """
        ...


# --- p256tag: a section's key ---------------------------------------------------------------


def recipient_text(point: bytes) -> str:
    """Return the text form `age1tag1…` of a P-256 key.

    Args:
        point: 33 bytes compressed or 65 bytes uncompressed.

    Raises:
        FormatError: not a point on P-256.
    """
    compressed = compress(point) if len(point) == hpke.POINT_BYTES else point
    load_public(compressed)
    return bech32.encode("age1tag", compressed)


def parse_recipient(text: str) -> bytes:
    """Read `age1tag1…` and return the key, 65 bytes uncompressed.

    Raises:
        FormatError: not Bech32, another kind of key, or not a point on P-256.
    """
    hrp, data = bech32.decode(text)
    if hrp != "age1tag":
        raise FormatError("a section's key is written age1tag1…")
    numbers = load_public(data).public_numbers()
    return b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def compress(point65: bytes) -> bytes:
    """Return the 33-byte form of an uncompressed point.

    Raises:
        FormatError: not an uncompressed point on P-256.
    """
    hpke.load_point(point65)
    return bytes([2 + (point65[64] & 1)]) + point65[1:33]


def p256tag_tag(enc65: bytes, recipient65: bytes) -> bytes:
    """Return the 4-byte tag that names `recipient65` in a stanza with this encapsulation."""
    short = sha256(compress(recipient65))[:4]
    return hkdf.extract(P256TAG_INFO, enc65 + short)[:4]


def check_tag(stanza: P256Tag, recipient65: bytes) -> None:
    """Check that a stanza claims to be for this recipient; costs no secret.

    It catches honest mistakes (another section's key). A maker of lies can write any tag; that
    shows at the opening and is the bidder's fault.

    Raises:
        NoMatchError: the stanza names another recipient.
    """
    if stanza.tag != p256tag_tag(stanza.enc, recipient65):
        raise NoMatchError("the file is sealed for another key than this section's")


def wrap_p256tag(
    file_key: bytes, recipient65: bytes, ephemeral: SigningKey | None = None
) -> tuple[Stanza, SigningKey]:
    """Wrap a file key for a section's key.

    Args:
        file_key: 16 bytes.
        recipient65: the section's key, uncompressed.
        ephemeral: only tests give one.

    Returns:
        The stanza, and the ephemeral key that proves possession.

    Raises:
        FormatError: the recipient is not a point on P-256.
    """
    enc, body, key = hpke.seal(recipient65, P256TAG_INFO, b"", file_key, ephemeral)
    arguments = (b64raw(p256tag_tag(enc, recipient65)), b64raw(enc))
    return Stanza(P256TAG, arguments, body), key


def unwrap_p256tag(stanza: P256Tag, recipient65: bytes, dh32: bytes) -> bytes:
    """Return the file key, given the Diffie-Hellman value that the custodians brought together.

    Args:
        stanza: from `Header.bid_stanza`.
        recipient65: the section's key, uncompressed.
        dh32: x coordinate of (section's secret) · enc.

    Raises:
        NoMatchError: the tag names another recipient.
        AuthenticationError: the body was not made for this value: with proved partials, the
            sealer's fault.
    """
    check_tag(stanza, recipient65)
    return hpke.open_with_dh(dh32, stanza.enc, recipient65, P256TAG_INFO, b"", stanza.body)


@dataclass(frozen=True)
class P256TagRecipient:
    """A section's key in the general `encrypt`; `crypto.age.bid` keeps the ephemeral key too."""

    point65: bytes

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a p256tag stanza; its ephemeral key is forgotten."""
        return wrap_p256tag(file_key, self.point65)[0]


@dataclass(frozen=True)
class P256TagIdentity:
    """Opens p256tag files through whoever can compute the Diffie-Hellman value.

    Attributes:
        point65: the section's key.
        exchange: from an encapsulation (65 bytes) to the value's 32 bytes.
    """

    point65: bytes
    exchange: Callable[[bytes], bytes]

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Try every p256tag stanza whose tag fits."""
        for stanza in stanzas:
            if stanza.type != P256TAG:
                continue
            parsed = stanza.p256tag()
            if parsed.tag != p256tag_tag(parsed.enc, self.point65):
                continue
            try:
                return unwrap_p256tag(parsed, self.point65, self.exchange(parsed.enc))
            except AuthenticationError:
                continue  # four bytes of tag can fit by chance; the next stanza may be ours
        return None


# --- X25519: any age user's key -------------------------------------------------------------


@dataclass(frozen=True)
class X25519Recipient:
    """A stock age recipient, `age1…`."""

    point: bytes

    @classmethod
    def parse(cls, text: str) -> "X25519Recipient":
        """Read `age1…`.

        Raises:
            FormatError: not an X25519 recipient.
        """
        hrp, data = bech32.decode(text)
        if hrp != "age" or len(data) != 32:
            raise FormatError("an X25519 recipient is written age1… and has 32 bytes")
        return cls(data)

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a fresh X25519 stanza."""
        ephemeral = X25519PrivateKey.from_private_bytes(token(32))
        share = ephemeral.public_key().public_bytes_raw()
        secret = _x25519(ephemeral, self.point)
        key = hkdf.derive(secret, share + self.point, X25519_INFO)
        return Stanza(_X25519, (b64raw(share),), _wrap(key, file_key))


@dataclass(frozen=True)
class X25519Identity:
    """A stock age identity, `AGE-SECRET-KEY-1…`."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "X25519Identity":
        """Make a fresh identity."""
        return cls(token(32))

    @classmethod
    def parse(cls, text: str) -> "X25519Identity":
        """Read `AGE-SECRET-KEY-1…`.

        Raises:
            FormatError: not an X25519 identity.
        """
        hrp, data = bech32.decode(text)
        if hrp != "AGE-SECRET-KEY-" or len(data) != 32:
            raise FormatError("an X25519 identity is written AGE-SECRET-KEY-1… and has 32 bytes")
        return cls(data)

    @property
    def text(self) -> str:
        """The identity in its text form: a secret."""
        return bech32.encode("AGE-SECRET-KEY-", self.secret)

    @property
    def recipient(self) -> X25519Recipient:
        """The public half."""
        private = X25519PrivateKey.from_private_bytes(self.secret)
        return X25519Recipient(private.public_key().public_bytes_raw())

    @property
    def recipient_text(self) -> str:
        """The public half as `age1…`."""
        return bech32.encode("age", self.recipient.point)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Try every X25519 stanza."""
        private = X25519PrivateKey.from_private_bytes(self.secret)
        point = self.recipient.point
        for stanza in stanzas:
            if stanza.type != _X25519:
                continue
            if len(stanza.arguments) != 1:
                raise FormatError("an X25519 stanza has one argument")
            share = unb64raw(stanza.arguments[0])
            if len(share) != 32 or len(stanza.body) != _WRAPPED_BYTES:
                raise FormatError("the share or the body of an X25519 stanza has a wrong length")
            key = hkdf.derive(_x25519(private, share), share + point, X25519_INFO)
            file_key = _unwrap(key, stanza.body)
            if file_key is not None:
                return file_key
        return None


def _x25519(private: X25519PrivateKey, share: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:  # the library refuses the all-zero secret of a low-order share
        raise FormatError("the share of an X25519 stanza has low order") from error


# --- scrypt: a passphrase, for custodians' homes --------------------------------------------


@dataclass(frozen=True)
class ScryptRecipient:
    """Seals with a passphrase."""

    passphrase: str = field(repr=False)
    work: int = DEFAULT_WORK

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a fresh scrypt stanza, which must stay the only one of its file."""
        salt = token(16)
        key = _scrypt(self.passphrase, salt, self.work)
        return Stanza(_SCRYPT, (b64raw(salt), str(self.work)), _wrap(key, file_key))


@dataclass(frozen=True)
class ScryptIdentity:
    """Opens with a passphrase; `max_work` bounds the memory a foreign file may cost."""

    passphrase: str = field(repr=False)
    max_work: int = MAX_WORK

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Try the one scrypt stanza, if the file has one."""
        if [stanza.type for stanza in stanzas] != [_SCRYPT]:
            return None
        (stanza,) = stanzas
        if len(stanza.arguments) != 2:
            raise FormatError("an scrypt stanza has a salt and a work factor")
        salt, work = unb64raw(stanza.arguments[0]), stanza.arguments[1]
        if len(salt) != 16 or len(stanza.body) != _WRAPPED_BYTES:
            raise FormatError("the salt or the body of an scrypt stanza has a wrong length")
        if _WORK.fullmatch(work) is None or int(work) > self.max_work:
            raise FormatError(f"scrypt's work factor must be a number from 1 to {self.max_work}")
        return _unwrap(_scrypt(self.passphrase, salt, int(work)), stanza.body)


def check_mixture(stanzas: Sequence[Stanza]) -> None:
    """Refuse a header in which a passphrase stands beside any other stanza (age.md, scrypt).

    Raises:
        FormatError: it does.
    """
    if len(stanzas) > 1 and any(stanza.type == _SCRYPT for stanza in stanzas):
        raise FormatError("an scrypt stanza must be the only one of its file")


def _scrypt(passphrase: str, salt: bytes, work: int) -> bytes:
    kdf = Scrypt(salt=SCRYPT_SALT + salt, length=32, n=1 << work, r=8, p=1)
    return kdf.derive(passphrase.encode("utf-8"))


def _wrap(key: bytes, file_key: bytes) -> bytes:
    # The nonce may be fixed because every wrap key serves once.
    return ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)


def _unwrap(key: bytes, body: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None  # not for us; the caller looks at the next stanza
