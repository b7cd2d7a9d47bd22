"""The half of signing that has the keys: it knows nothing of PDF, only of a room to be filled.

The other half (`sign.py`, in a worker) reserves the room and tells the digest of all the rest; here the digest is
signed, composed with its time stamp (`cms.py`), and written into the room. So keys stay in the centre's process and
pyHanko out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.encoding import sha256
from documents import cms
from documents.model import DocumentError
from documents.slots import CENTRE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from documents.slots import Field

_LEAST_BITS = 3072


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs in which slot.

    Attributes:
        slot: name of the slot (`slots.SLOTS`): centre, supervisor, host …
        name: shown in the appearance.
        certificate: of an RSA key of at least 3072 bits.
        chain: certificates between it and the trust anchor, the anchor left out.
        sign: takes the bytes to be signed, returns an RSASSA-PKCS1-v1_5 signature over their SHA-256.
    """

    slot: str
    name: str
    certificate: Certificate
    sign: Callable[[bytes], bytes]
    chain: tuple[Certificate, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a key whose signature would not be PDF/A or would not last."""
        key = self.certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
            raise DocumentError(
                f"{self.name} must sign records with an RSA key of at least {_LEAST_BITS} bits"
            )


def signer(
    slot: str,
    name: str,
    certificate: Certificate,
    key: RSAPrivateKey,
    chain: tuple[Certificate, ...] = (),
) -> Signer:
    """Return a signer whose key is in this process."""
    return Signer(slot, name, certificate, lambda data: key.sign(data, PKCS1v15(), SHA256()), chain)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file with room for one signature.

    Attributes:
        pdf: the file; the room is filled with zeros.
        digest: SHA-256 of all of it but the room.
        start, end: of the room, its angle brackets included.
    """

    pdf: bytes
    digest: bytes
    start: int
    end: int


def in_order(
    places: Sequence[Field], who: Sequence[Signer]
) -> tuple[tuple[Field, ...], list[Signer]]:
    """Return places and signers in the order of signing: the centre first, who certifies.

    Raises:
        DocumentError: when there is not exactly one signer for each place.
    """
    by_slot = {one.slot: one for one in who}
    if len(by_slot) != len(who) or set(by_slot) != {place.name for place in places}:
        raise DocumentError("a record is signed by exactly the signers it has places for")
    order = tuple(sorted(places, key=lambda place: place.name != CENTRE.name))
    return order, [by_slot[place.name] for place in order]


def fill(room: Prepared, one: Signer, stamp: Callable[[bytes], bytes]) -> bytes:
    """Sign, and return the file with the signature in its room (PAdES B-T: CAdES with an RFC 3161 token).

    Args:
        room: from `sign.prepare`.
        one: who signs.
        stamp: returns the token (DER) of a SHA-256 digest, as `DevelopmentTsa.stamp`.

    Raises:
        DocumentError: the signature cannot be made, or does not fit.
    """
    certificates = tuple(
        certificate.public_bytes(Encoding.DER) for certificate in (one.certificate, *one.chain)
    )
    try:
        signed = cms.attributes(cms.DATA, room.digest, certificates[0])
        value = one.sign(cms.to_sign(signed))
        token = stamp(sha256(value))
        encoded = cms.compose(cms.Signature(cms.DATA, None, certificates, signed, value, token))
    except Exception as error:
        # A device or an authority may raise anything; nothing of it may leak.
        raise DocumentError(f"{one.name} could not sign this record: {error}") from error
    text = encoded.hex().upper().encode()
    if len(text) > room.end - room.start - 2:
        raise DocumentError(
            f"a signature of {len(encoded)} bytes does not fit the room left for it"
        )
    first = room.start + 1
    return room.pdf[:first] + text + room.pdf[first + len(text) :]
