"""What tests of the intake share: a receipt checked as its holder can, refusals, and a submission signed again."""

from dataclasses import replace
from typing import Any

from bidding.model import Receipt, Submission
from crypto import statement
from crypto.section_tree import slot_commitment, verify_path
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, note
from crypto.tlog.merkle import leaf_hash, verify_inclusion
from tests.bidding.centre import CENTRE_KEY, Bidder
from tests.trading.world import CENTRE


def read(receipt: dict[str, Any], bidder: Bidder | None = None) -> Receipt:
    """Check a receipt as its holder can, offline, from pinned keys alone."""
    body = statement.verify(receipt, purpose="receipt", centre=CENTRE, key=CENTRE_KEY.public)
    said = Receipt.from_body(body)
    path = [bytes.fromhex(node) for node in said.path]
    leaf = said.leaf.encode()
    from crypto.canonical import parse

    commitment = bytes.fromhex(parse(leaf)["sections"][said.section])
    entry = said.entry.to_bytes(CENTRE)
    # The root is not in the receipt: it follows from entry and path.
    root = root_of(said.index, entry, path)
    verify_path(root, said.index, entry, path)
    assert slot_commitment(bytes.fromhex(said.salt), root) == commitment
    head = checkpoint.parse(note.Note.parse(said.checkpoint.encode()).text)
    verify_inclusion(
        said.leaf_index, head.size, leaf_hash(leaf),
        [bytes.fromhex(node) for node in said.inclusion], head.root,
    )  # fmt: skip
    return said


def root_of(index: int, entry: bytes, path: list[bytes]) -> bytes:
    from hashlib import sha256

    from crypto.section_tree import entry_hash

    digest = entry_hash(index, entry)
    for level, sibling in enumerate(path):
        pair = sibling + digest if index >> level & 1 else digest + sibling
        digest = sha256(b"\x01" + pair).digest()
    return digest


def refusal(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:kaibiao:problem:{code}", problem
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


def resign(made: Bidder, key: SigningKey | None = None, **changes: Any) -> dict[str, Any]:
    """The submission with other content, honestly signed; its possession proof no longer fits."""
    body = made.submission["submission"]["statement"]
    kept = {k: v for k, v in body.items() if k not in ("v", "suite", "purpose", "centre")}
    said = replace(Submission.from_body(kept), **changes)
    signed = statement.sign(key or made.who.key, "submission", CENTRE, said.to_body())
    return {"submission": signed, "possession": made.submission["possession"]}
