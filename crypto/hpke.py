"""HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256) with HKDF-SHA256.

Written out here, short as it is, for two things no library offers: the sealer keeps the ephemeral
key (it signs the proof of possession), and the opener brings the Diffie-Hellman value that
custodians computed in shares, since the private key exists nowhere.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from crypto import hkdf
from crypto.errors import AuthenticationError, FormatError
from crypto.signature import SigningKey

AES_128_GCM: Final = 1
AES_256_GCM: Final = 2
CHACHA20_POLY1305: Final = 3
"""AEAD identifiers (RFC 9180 §7.3); the age stanza uses the last."""

POINT_BYTES: Final = 65
DH_BYTES: Final = 32
TAG_BYTES: Final = 16

_KEM_ID: Final = (0x0010).to_bytes(2)
_KDF_ID: Final = (0x0001).to_bytes(2)
_KEY_BYTES: Final = {AES_128_GCM: 16, AES_256_GCM: 32, CHACHA20_POLY1305: 32}
_NONCE_BYTES: Final = 12
_VERSION: Final = b"HPKE-v1"
_BASE_MODE: Final = b"\x00"


def load_point(point65: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key object of an uncompressed P-256 point (RFC 9180 §7.1.1, §7.1.4).

    Raises:
        FormatError: not 65 bytes beginning with 4, or not a point of the curve.
    """
    if len(point65) != POINT_BYTES or point65[0] != 4:
        raise FormatError("an HPKE key is an uncompressed P-256 point of 65 bytes")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point65)
    except ValueError as error:
        raise FormatError("the HPKE key is not a point on P-256") from error


class Context:
    """Key, base nonce and sequence number of one encapsulation (RFC 9180 §5.1, §5.2)."""

    def __init__(
        self, dh32: bytes, enc65: bytes, recipient65: bytes, info: bytes, aead: int
    ) -> None:
        """Run the key schedule.

        Args:
            dh32: x coordinate of the Diffie-Hellman point.
            enc65: the encapsulation, uncompressed.
            recipient65: the recipient's key, uncompressed.
            info: HPKE info string.
            aead: one of the three identifiers above.
        """
        kem = b"KEM" + _KEM_ID
        prk = _extract(kem, b"", b"eae_prk", dh32)
        shared = _expand(kem, prk, b"shared_secret", enc65 + recipient65, 32)
        suite = b"HPKE" + _KEM_ID + _KDF_ID + aead.to_bytes(2)
        schedule = (
            _BASE_MODE
            + _extract(suite, b"", b"psk_id_hash", b"")
            + _extract(suite, b"", b"info_hash", info)
        )
        secret = _extract(suite, shared, b"secret", b"")
        key = _expand(suite, secret, b"key", schedule, _KEY_BYTES[aead])
        self._base = int.from_bytes(_expand(suite, secret, b"base_nonce", schedule, _NONCE_BYTES))
        self._aead = ChaCha20Poly1305(key) if aead == CHACHA20_POLY1305 else AESGCM(key)
        self._sequence = 0

    def seal(self, aad: bytes, plaintext: bytes) -> bytes:
        """Encrypt the next message; the result is 16 bytes longer."""
        return self._aead.encrypt(self._next(), plaintext, aad)

    def open(self, aad: bytes, ciphertext: bytes) -> bytes:
        """Decrypt the next message.

        Raises:
            AuthenticationError: the ciphertext was not made under this context.
        """
        if len(ciphertext) < TAG_BYTES:
            raise AuthenticationError("the HPKE ciphertext is shorter than its tag")
        try:
            return self._aead.decrypt(self._next(), ciphertext, aad)
        except InvalidTag as error:
            raise AuthenticationError("the HPKE ciphertext does not open with this key") from error

    def _next(self) -> bytes:
        nonce = (self._base ^ self._sequence).to_bytes(_NONCE_BYTES)
        self._sequence += 1
        return nonce


def seal(
    recipient65: bytes,
    info: bytes,
    aad: bytes,
    plaintext: bytes,
    ephemeral: SigningKey | None = None,
    aead: int = CHACHA20_POLY1305,
) -> tuple[bytes, bytes, SigningKey]:
    """Encrypt one message to a key (SealBase, RFC 9180 §6.1).

    Args:
        recipient65: the recipient's key, uncompressed.
        info: what the message is for.
        aad: bytes that are authenticated and not sent.
        plaintext: the message.
        ephemeral: only tests give one; a key must never serve two messages.
        aead: AEAD identifier.

    Returns:
        The encapsulation (65 bytes), the ciphertext, and the ephemeral key, which the caller
        either uses for a proof of possession or forgets.

    Raises:
        FormatError: the recipient is not a point on P-256.
    """
    public = load_point(recipient65)
    key = ephemeral or SigningKey.generate()
    enc = key.public65
    dh = key.private.exchange(ec.ECDH(), public)
    return enc, Context(dh, enc, recipient65, info, aead).seal(aad, plaintext), key


def open_with_dh(
    dh32: bytes,
    enc65: bytes,
    recipient65: bytes,
    info: bytes,
    aad: bytes,
    ciphertext: bytes,
    aead: int = CHACHA20_POLY1305,
) -> bytes:
    """Decrypt one message with the Diffie-Hellman value that the custodians brought together.

    Args:
        dh32: x coordinate of (recipient's secret) · enc, 32 bytes.
        enc65: the encapsulation, uncompressed.
        recipient65: the recipient's key, uncompressed.
        info: as at sealing.
        aad: as at sealing.
        ciphertext: as sealed.
        aead: AEAD identifier.

    Raises:
        FormatError: a point or the value has a wrong form.
        AuthenticationError: the message does not open.
    """
    if len(dh32) != DH_BYTES:
        raise FormatError("a Diffie-Hellman value has 32 bytes")
    load_point(enc65)
    load_point(recipient65)
    return Context(dh32, enc65, recipient65, info, aead).open(aad, ciphertext)


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    """LabeledExtract (RFC 9180 §4)."""
    return hkdf.extract(salt, _VERSION + suite + label + ikm)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand (RFC 9180 §4)."""
    return hkdf.expand(prk, length.to_bytes(2) + _VERSION + suite + label + info, length)
