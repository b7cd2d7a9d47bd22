"""The bid that docs/spec/sealed-bid-v1.md shows, made again from its published test secrets."""

import io
from dataclasses import dataclass, field

from bidding.model import Manifest, Submission
from bidding.package import Source, pack
from crypto import possession, statement
from crypto.age.header import Header
from crypto.age.stanzas import recipient_text, wrap_p256tag
from crypto.age.stream import IterableSource, encrypt_payload
from crypto.canonical import canonical
from crypto.encoding import b64, sha256, sha256_hex
from crypto.signature import SigningKey

CENTRE = "centre-demo"
SECTION = SigningKey.from_scalar(int.from_bytes(sha256(b"sealed-bid-v1 example: section")))
BIDDER = SigningKey.from_scalar(int.from_bytes(sha256(b"sealed-bid-v1 example: bidder")))
EPHEMERAL = SigningKey.from_scalar(int.from_bytes(sha256(b"sealed-bid-v1 example: ephemeral")))
FILE_KEY = sha256(b"sealed-bid-v1 example: file key")[:16]
NONCE = sha256(b"sealed-bid-v1 example: nonce")[:16]
LETTER = "投标函：我方愿以人民币 48,650,000.00 元承包本标段。\n".encode()


@dataclass(frozen=True)
class Example:
    """Everything a bidder makes for one bid, in the order it is made."""

    recipient: str = recipient_text(SECTION.public)
    package: bytes = field(init=False)
    header: bytes = field(init=False)
    sealed: bytes = field(init=False)
    submission: dict = field(init=False)
    proof: bytes = field(init=False)

    def __post_init__(self):
        """Pack, seal, state, prove."""
        put = object.__setattr__
        manifest = Manifest(
            tender="tnd_bridge",
            section="sec_bridge_1",
            envelope="whole",
            bidder="org_north",
            parties=("org_north", "org_south"),
            summary={"total_price": "48650000.00", "duration_days": "365"},
            files=(),
        )
        source = Source(name="投标函.txt", size=len(LETTER), chunks=lambda: [LETTER])
        sign = lambda body: statement.sign(BIDDER, Manifest.PURPOSE, CENTRE, body)  # noqa: E731
        put(self, "package", b"".join(pack([source], manifest, sign)))
        stanza, _ = wrap_p256tag(FILE_KEY, SECTION.public65, EPHEMERAL)
        put(self, "header", Header.make([stanza], FILE_KEY).raw)
        out = io.BytesIO(self.header)
        out.seek(len(self.header))
        encrypt_payload(IterableSource([self.package]), FILE_KEY, NONCE, out.write)
        put(self, "sealed", out.getvalue())
        body = Submission(
            tender=manifest.tender,
            section=manifest.section,
            envelope="whole",
            version=1,
            tender_file=sha256_hex(b"sealed-bid-v1 example: tender file"),
            recipient=self.recipient,
            bidder=manifest.bidder,
            parties=manifest.parties,
            encapsulation=b64(EPHEMERAL.public65),
            sha256=sha256_hex(self.sealed),
            size=len(self.sealed),
            supersedes="",
        )
        signed = statement.sign(BIDDER, Submission.PURPOSE, CENTRE, body.to_body())
        put(self, "submission", signed)
        proof = possession.prove(EPHEMERAL, canonical(signed["statement"]))
        put(self, "proof", proof)
