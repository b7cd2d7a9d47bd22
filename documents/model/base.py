"""What the four kinds of record share: heading, parties, officials, and JSON in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from crypto.canonical import canonical
from documents.model import codec
from documents.model.codec import DocumentError

VERSION = 1
RECORD = "record.json"
SUITE = "PAdES-RSA3072-SHA256"


class Attachment(NamedTuple):
    """A file inside the PDF: its name, its bytes, and what it is for whoever finds it there."""

    name: str
    data: bytes
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What every record says about itself.

    Attributes:
        centre: id of the trading centre, as in every statement and leaf.
        centre_name: its name as printed and on the seal.
        ruleset: name of the RuleSet in force; 演示 is printed large enough to be seen.
        number: printed number of the record (编号), unique in the centre.
        issued_at: time of the last event the record speaks of, ms UTC.
        ledger_origin: origin line of the ledger ("<centre>/ledger/<log_id>").
        ledger_size: size of the ledger's checkpoint the facts were taken under.
        ledger_root: root hash of that checkpoint, hex.
    """

    centre: str
    centre_name: str
    ruleset: str
    number: str
    issued_at: int
    ledger_origin: str
    ledger_size: int
    ledger_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One party of a bidder; a consortium (联合体) is several, with one lead. `role`: lead or member."""

    name: str
    credit_code: str
    role: str = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person with a part in the session. `role`: host, opening_witness or recorder."""

    role: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One line of a rules table: what is ruled, and how, both as printed."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the four kinds share: a heading, and JSON in both directions under one version."""

    KIND: ClassVar[str] = ""

    heading: Heading

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `record.json` holds (see the module text for units)."""
        body: dict[str, Any] = codec.to_json(self)
        centre = body["heading"]["centre"]
        return {
            "v": VERSION,
            "purpose": "record",
            "suite": SUITE,
            "centre": centre,
            "kind": self.KIND,
            **body,
        }

    def record_json(self) -> bytes:
        """Return the bytes of `record.json`: these facts in canonical JSON."""
        return canonical(self.to_json())

    def attachments(self) -> tuple[Attachment, ...]:
        """Return what the PDF carries, in the order of names."""
        about = "The facts this record was drawn from, canonical JSON (RFC 8785)"
        return (Attachment(RECORD, self.record_json(), about),)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read facts of this kind back.

        Raises:
            DocumentError: when version, purpose, suite, kind or centre differ, or any field does not fit.
        """
        if not isinstance(data, dict):
            raise DocumentError("a record's facts are one JSON object")
        body = dict(data)
        outer = {name: body.pop(name, None) for name in ("v", "purpose", "suite", "kind", "centre")}
        facts = codec.from_json(cls, body, cls.KIND)
        if outer != {name: facts.to_json()[name] for name in outer} or outer["v"] is True:
            raise DocumentError(
                f"this is not a record of kind {cls.KIND}, version {VERSION}: {outer}"
            )
        return facts
