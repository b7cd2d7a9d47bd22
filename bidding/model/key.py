"""Whom a section's key belongs to, and from when it may be used: the context of its ceremony."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bidding.model.errors import MalformedError
from bidding.model.shapes import Body, Envelope, Ident, Positive, SlotMs, Use
from crypto.canonical import canonical, parse

SUITE: Final = "P256-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyContext(Body):
    """What a key is born with; it goes into the DKG context, hence into the success certificate.

    Attributes:
        tender: id of the tender.
        section: id of the section 标段; the key serves no other.
        envelope: `whole`; two-envelope tenders would have one key each.
        use: live, or rehearsal: a rehearsal opens only keys born for it.
        earliest_t: no partial before this instant, ms UTC, on a slot boundary; T moves only later.
        minimum_bidders: with fewer distinct bidders nothing is opened (招标投标法 Art. 28).
    """

    PURPOSE: ClassVar[str] = "key_context"

    tender: Ident
    section: Ident
    envelope: Envelope
    use: Use
    earliest_t: SlotMs
    minimum_bidders: Positive

    def to_bytes(self, centre: str) -> bytes:
        """Return the context bytes for the ceremony: canonical JSON with v, purpose, suite, centre."""
        head = {"v": 1, "purpose": self.PURPOSE, "suite": SUITE, "centre": centre}
        return canonical({**head, **self.to_body()})

    @classmethod
    def from_bytes(cls, data: bytes, centre: str) -> KeyContext:
        """Read context bytes out of a certificate.

        Raises:
            MalformedError: other bytes than `to_bytes` writes for this centre.
            CryptoError: no JSON at all.
        """
        value: Any = parse(data)
        body = dict(value) if isinstance(value, dict) else {}
        for name in ("v", "purpose", "suite", "centre"):
            body.pop(name, None)
        context = cls.from_body(body)
        if context.to_bytes(centre) != data:
            raise MalformedError(
                "key-context-foreign",
                "密钥语境不符",
                "This key was made for another centre or purpose.",
            )
        return context
