"""A custodian's one secret, and every key derived from it.

Source: RFC 5869 (HKDF); the custom of one backup per participant is ChillDKG's.
"""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import FormatError
from crypto.p256 import N, Secret


class HostKey:
    """A custodian's host secret and everything derived from it.

    One host secret is one epoch: destroying it makes every share of that epoch unrecoverable.

    Args:
        seed: 32 random bytes. Never print or log them.

    Raises:
        FormatError: another length.
    """

    __slots__ = ("_seed", "static")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise FormatError("a host secret has 32 bytes")
        self._seed = seed
        self.static: Final = Secret(self.scalar("dkg"))

    def __repr__(self) -> str:
        return f"HostKey({self.public.hex()})"

    @property
    def public(self) -> bytes:
        """The static public key (33 bytes) by which others know and pin this custodian."""
        return self.static.public().compressed()

    def derive(self, label: str, size: int = 32, salt: bytes = b"") -> bytes:
        """Return secret bytes for one purpose (RFC 5869, SHA-256).

        Args:
            label: the purpose; different labels give independent keys.
            size: number of bytes.
            salt: distinguishes uses of one label.
        """
        info = b"kaibiao/host-key/v1\n" + label.encode()
        return HKDF(hashes.SHA256(), size, salt or None, info).derive(self._seed)

    def scalar(self, label: str, salt: bytes = b"") -> int:
        """Return a secret scalar 2 ≤ k ≤ N-2 for one purpose, from 48 bytes (bias < 2⁻¹²⁸)."""
        return int.from_bytes(self.derive(label, 48, salt)) % (N - 3) + 2
