"""The proof that a record is in the ledger: a leaf with the final file's SHA-256 and number of signatures.

A signature alone cannot show that later signatures were cut off; the leaf can. The proof is one JSON file beside
the record (`NAME.proof.json`):

    {"v": 1, "purpose": "record-proof", "suite": "RFC6962-SHA256", "centre": …, "leaf": {…}, "proof": "c2sp.org/tlog-proof@v1…"}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crypto.canonical import canonical, parse
from crypto.encoding import sha256_hex
from crypto.tlog import cosignature
from crypto.tlog.merkle import leaf_hash
from crypto.tlog.note import Note
from crypto.tlog.proof import LogProof
from documents.checks import NotChecked
from documents.model import DocumentError
from documents.trust import LEDGER

if TYPE_CHECKING:
    from documents.model import Facts
    from documents.trust import Trust

PURPOSE = "record-proof"
SUITE = "RFC6962-SHA256"


@dataclass(frozen=True, slots=True)
class RecordProof:
    """A leaf with its proof; `proof` is the C2SP tlog-proof text."""

    centre: str
    leaf: dict[str, Any]
    proof: LogProof

    def to_bytes(self) -> bytes:
        """Return the file's bytes: canonical JSON."""
        return canonical(
            {
                "v": 1,
                "purpose": PURPOSE,
                "suite": SUITE,
                "centre": self.centre,
                "leaf": self.leaf,
                "proof": self.proof.to_bytes().decode(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> RecordProof:
        """Read a proof file strictly.

        Raises:
            DocumentError: when it is anything else than canonical JSON of this form.
        """
        value = parse(data)
        head = {"v": 1, "purpose": PURPOSE, "suite": SUITE}
        fields = {*head, "centre", "leaf", "proof"}
        if not isinstance(value, dict) or value.keys() != fields or canonical(value) != data:
            raise DocumentError("this is no record proof in canonical form")
        if any(value[name] != wanted for name, wanted in head.items()) or not isinstance(
            value["leaf"], dict
        ):
            raise DocumentError("this record proof has an unknown version, purpose or suite")
        proof = LogProof.parse(str(value["proof"]).encode())
        if proof.to_bytes() != str(value["proof"]).encode():
            raise DocumentError("the log proof is not in its exact form")
        return cls(str(value["centre"]), value["leaf"], proof)


def check(proof: RecordProof, trust: Trust) -> str:
    """Check that the leaf is in the log, under a checkpoint that the log signed.

    Returns:
        What was found, with the number of witnesses who cosigned.

    Raises:
        NotChecked: when the log's key is not trusted.
        DocumentError, CryptoError: when anything does not fit.
    """
    if proof.leaf.get("centre") != proof.centre:
        raise DocumentError("the leaf is of another centre")
    origin = Note.parse(proof.proof.checkpoint).text.split(b"\n", 1)[0].decode()
    if not origin.startswith(proof.centre + LEDGER):
        raise DocumentError(f"{origin} is no ledger of {proof.centre}")
    key = trust.log(origin)
    if key is None:
        raise NotChecked(f"the key of the log {origin} is not in the trust file")
    head = proof.proof.verify(leaf_hash(canonical(proof.leaf)), key)
    seen = cosignature.verify(proof.proof.checkpoint, trust.witnesses(origin))
    names = sorted({one.key.name for one in seen})
    return f"leaf {proof.proof.index} of {head.size}, cosigned by {len(names)} witnesses"


def check_alone(proof: RecordProof, trust: Trust) -> str:
    """Check a proof file for itself: as `check`, and no signature line may be of an unknown key.

    Raises:
        NotChecked: also when a line can be checked by nobody with this trust file.
    """
    if proof.leaf.get("kind") != "record":
        raise DocumentError("the leaf is not of a record")
    detail = check(proof, trust)
    note = Note.parse(proof.proof.checkpoint)
    origin = note.text.split(b"\n", 1)[0].decode()
    keys = [trust.log(origin), *trust.witnesses(origin)]
    unknown = [
        line.name for line in note.signatures if not any(key and line.by(key) for key in keys)
    ]
    if unknown:
        raise NotChecked(f"{detail}; the trust file has no key for {', '.join(unknown)}")
    return detail


def check_record(
    proof: RecordProof, pdf: bytes, signatures: int, trust: Trust, facts: Facts | None = None
) -> str:
    """Check that the ledger holds exactly this file with this many signatures, and names it as it is.

    Raises:
        DocumentError: when the file is another one, an earlier revision for instance.
    """
    leaf = proof.leaf
    if leaf.get("kind") != "record" or leaf.get("sha256") != sha256_hex(pdf):
        raise DocumentError(
            "the ledger holds another file for this record: it was changed, or cut back to an earlier state"
        )
    if leaf.get("signatures") != signatures:
        raise DocumentError(
            f"the ledger says {leaf.get('signatures')} signatures, the file has {signatures}"
        )
    said = {} if facts is None else {"type": facts.KIND, "number": facts.heading.number}
    for name, value in said.items():
        if leaf.get(name, value) != value:
            raise DocumentError(f"the ledger says {name} {leaf.get(name)}, the record {value}")
    return check(proof, trust)
