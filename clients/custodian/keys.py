"""One host secret, and every key of a custodian derived from it.

    host secret, 32 random bytes: the only thing to back up
    ├── static key      P-256, takes part in key ceremonies; sealers pin its public half (`HostKey`)
    ├── statement key   P-256, signs what the custodian says
    ├── note key        Ed25519, cosigns checkpoints of the log
    └── seal            ChaCha20-Poly1305, keeps shares shut in the home's memory

The derivation is `crypto.cocktail.HostKey.derive`: HKDF-SHA256 (RFC 5869) with one label a purpose.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from clients.custodian import sentences as say
from clients.errors import ClientError
from crypto.age import ScryptIdentity, ScryptRecipient, decrypt_bytes, encrypt_bytes
from crypto.cocktail import HostKey
from crypto.errors import CryptoError
from crypto.random import token
from crypto.signature import SigningKey, key_id
from crypto.tlog import note

SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Keys:
    """The keys of one home, derived on demand; the text form shows only the public id.

    Args:
        secret: the host secret, 32 bytes.
        witness_only: of a log witness that holds no share; its id begins ``wit_``.
    """

    def __init__(self, secret: bytes, *, witness_only: bool = False) -> None:
        if len(secret) != SECRET_BYTES:
            raise ClientError(say.SECRET_LENGTH(wanted=SECRET_BYTES, found=len(secret)))
        self.secret: Final = secret
        self._prefix = "wit_" if witness_only else "cus_"
        self.host: Final = HostKey(secret)

    @cached_property
    def statement(self) -> SigningKey:
        """The key that signs this custodian's statements."""
        return SigningKey.from_scalar(self.host.scalar("statement"))

    @cached_property
    def note(self) -> Ed25519PrivateKey:
        """The key that cosigns checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self.host.derive("note"))

    @cached_property
    def witness(self) -> str:
        """The note key as verifier text ``name+hash+base64``, type 0x04: what others pin."""
        return note.vkey(self.name, self.note, note.COSIGNATURE)

    @cached_property
    def name(self) -> str:
        """The id ``cus_<key id>``, which is also the name of the note key."""
        return self._prefix + key_id(self.statement.public)

    def seal(self, what: str, content: bytes) -> bytes:
        """Shuts bytes for the home's memory; ``what`` is bound to them.

        Returns:
            nonce (12) ‖ ciphertext with tag.
        """
        nonce = token(_NONCE_BYTES)
        cipher = ChaCha20Poly1305(self.host.derive("seal"))
        return nonce + cipher.encrypt(nonce, content, what.encode())

    def unseal(self, what: str, sealed: bytes) -> bytes:
        """Opens what `seal` shut.

        Raises:
            ClientError: other bytes, another name or another host secret.
        """
        cipher = ChaCha20Poly1305(self.host.derive("seal"))
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], what.encode())
        except (InvalidTag, ValueError) as error:
            raise ClientError(say.SEALED_BY_ANOTHER(what=what)) from error

    def shut(self, passphrase: str, work: int) -> bytes:
        """The host secret as an age file under a passphrase (age v1, scrypt stanza).

        Args:
            passphrase: UTF-8 text.
            work: log2 of scrypt's N.
        """
        return encrypt_bytes(self.secret, [ScryptRecipient(passphrase, work)])

    @classmethod
    def unshut(cls, sealed: bytes, passphrase: str, *, witness_only: bool = False) -> Self:
        """Opens what `shut` made.

        Raises:
            ClientError: the passphrase does not fit, or the file was changed.
        """
        try:
            secret = decrypt_bytes(sealed, [ScryptIdentity(passphrase)])
        except CryptoError as error:
            raise ClientError(say.SECRET_SHUT(error=error)) from error
        return cls(secret, witness_only=witness_only)

    def __repr__(self) -> str:
        return f"Keys({self.name})"
