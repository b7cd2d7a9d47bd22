"""XAES-256-GCM: AES-256-GCM with a nonce of 24 bytes, as COCKTAIL-DKG wants it for shares.

The first half of the nonce derives a key of its own, the second is the nonce under that key.

Source: C2SP XAES-256-GCM.md v1.0.1, "Detailed key derivation algorithm".
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.errors import AuthenticationError, FormatError

TAG_SIZE: Final = 16


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """Return ciphertext ‖ 16-byte tag.

    Args:
        key: 32 bytes.
        nonce: 24 bytes, never twice with one key.
        plaintext: any bytes.
        aad: authenticated, not encrypted.

    Raises:
        FormatError: wrong length of key or nonce.
    """
    return AESGCM(derive_key(key, nonce)).encrypt(nonce[12:], plaintext, aad)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes = b"") -> bytes:
    """Return the plaintext of what `encrypt` made.

    Raises:
        AuthenticationError: key, nonce, ciphertext or aad differ from those of encryption.
        FormatError: wrong length of key or nonce.
    """
    try:
        return AESGCM(derive_key(key, nonce)).decrypt(nonce[12:], ciphertext, aad)
    except InvalidTag as error:
        raise AuthenticationError("the ciphertext does not belong to this key") from error


def derive_key(key: bytes, nonce: bytes) -> bytes:
    """Return the 32-byte AES-GCM key for the first 12 bytes of the nonce.

    It is NIST SP 800-108's counter KDF over CMAC-AES-256; since every CMAC input is one block,
    three block encryptions do.

    Raises:
        FormatError: wrong length of key or nonce.
    """
    if len(key) != 32 or len(nonce) != 24:
        raise FormatError("XAES-256-GCM takes a key of 32 bytes and a nonce of 24")
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - single blocks of CMAC
    seed = int.from_bytes(block.update(bytes(16)))
    # CMAC's first subkey: doubling in GF(2^128), without a branch on the secret's top bit.
    mask = (seed << 1 & (1 << 128) - 1) ^ (seed >> 127) * 0x87
    blocks = [
        int.from_bytes(bytes([0, counter, 0x58, 0]) + nonce[:12]) ^ mask for counter in (1, 2)
    ]
    return b"".join(block.update(value.to_bytes(16)) for value in blocks)
