"""The bidder's self-test 自检 before the opening: the whole way of a bid with a dummy, opened by the centre at once.

The dummy is random bytes. The real content is never sealed to anything but the section's key; what is sealed here goes
to a key born for rehearsal, of a section that does not exist, and this side checks that it is one.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Manifest
from bidding.package import Source, pack
from clients import sentences as say
from clients.errors import ClientError
from crypto import statement
from crypto.age import IterableSource, parse_recipient, seal_stream
from crypto.certificate import SuccessCertificate, verify_certificate
from crypto.cocktail_wire import Transcript
from crypto.encoding import b64, sha256_hex
from crypto.errors import CryptoError
from crypto.random import token

if TYPE_CHECKING:
    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey

DUMMY_BYTES: Final = 16 * 1024
DUMMY: Final = "自检.bin"
PRICE: Final = "1.00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What was proved: size of the sealed dummy, SHA-256 of its content, whose bidder's key signed it."""

    sealed: int
    sha256: str
    bidder: str


def run(centre: Centre, key: SigningKey) -> Tested:
    """Seals a dummy to the centre's drill key, lets the centre open it, and compares.

    Args:
        centre: with a session of the bidder.
        key: the bidder's signing key, as it will sign the bid.

    Raises:
        RefusedError: it does not open; the code is the one a bid would have failed with.
        ClientError: the key shown is no drill key, or what was opened is not what was sealed.
        WireError: the centre does not answer.
    """
    told = centre.call("GET", "/custody/drill")
    recipient = drill_key(told)
    bidder = str(centre.call("GET", "/organisations/me")["organisation"]["id"])
    dummy = token(DUMMY_BYTES)
    sealed = _seal(told, recipient, key, bidder, dummy)
    found = centre.call("POST", "/custody/drill", {"sealed": b64(sealed)})
    digest = sha256_hex(dummy)
    wanted = [{"name": DUMMY, "sha256": digest, "size": len(dummy)}]
    if found.get("files") != wanted or found.get("summary") != {"total_price": PRICE}:
        raise ClientError(say.OPENED_ELSE())
    return Tested(sealed=len(sealed), sha256=digest, bidder=bidder)


def drill_key(told: Any) -> bytes:
    """The recipient, 65 bytes, if it is a key for drills and nothing else.

    Raises:
        ClientError: it is not certified, live, or of a section.
    """
    try:
        certificate = SuccessCertificate.from_json(told["certificate"])
        recipient = parse_recipient(told["recipient"])
        hosts = {
            point.compressed() for point in Transcript.from_bytes(certificate.transcript).roster
        }
        group = verify_certificate(certificate, hosts)  # whose they are does not matter here
        context = group.key_context
    except (CryptoError, KeyError, TypeError, AttributeError) as error:
        raise ClientError(say.NO_DRILL_KEY(error=error)) from error
    if (context.purpose, context.section) != ("rehearsal", "drill"):
        raise ClientError(say.KEY_OF_SECTION())
    if group.recipient != recipient:
        raise ClientError(say.OTHER_DRILL_KEY())
    return recipient


def _seal(told: Any, recipient: bytes, key: SigningKey, bidder: str, dummy: bytes) -> bytes:
    manifest = Manifest(
        tender=str(told["tender"]),
        section=str(told["section"]),
        envelope="whole",
        bidder=bidder,
        parties=(bidder,),
        summary={"total_price": PRICE},
        files=(),
    )
    centre = str(told["centre"])
    parts = pack(
        [Source(DUMMY, len(dummy), lambda: [dummy])],
        manifest,
        lambda body: statement.sign(key, Manifest.PURPOSE, centre, body),
    )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "dummy.age"
        seal_stream(IterableSource(parts), target, recipient)
        return target.read_bytes()
