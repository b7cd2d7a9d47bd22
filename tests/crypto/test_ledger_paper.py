"""The example in docs/spec/ledger-v1.md is true, and other languages can read the same ledger."""

import json
import re

import pytest

from bidding.model import Entry
from crypto import section_tree, statement
from crypto.canonical import canonical
from crypto.encoding import sha256
from crypto.errors import CryptoError, ProofError, SignatureError
from crypto.section_tree import audit, slot_commitment, slot_salt, verify_path
from crypto.tlog import checkpoint, cosignature, merkle, note
from crypto.tlog.proof import LogProof
from tests.crypto.ledger_example import (
    CENTRE,
    CENTRE_KEY,
    LOG,
    ORIGIN,
    SECTION,
    SEED,
    SLOT,
    STATEMENT,
    WITNESSES,
    Example,
)
from tests.places import REPOSITORY

PAPER = (REPOSITORY / "docs" / "spec" / "ledger-v1.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", PAPER, re.DOTALL))
VECTOR = REPOSITORY / "tests" / "vectors" / "ledger-v1.json"
LOG_KEY = note.vkey(ORIGIN, LOG)
WITNESS_KEYS = [note.vkey(name, key, note.COSIGNATURE) for name, key in WITNESSES.items()]


@pytest.fixture(scope="module")
def example():
    return Example()


def test_the_paper_shows_the_ledger_byte_for_byte(example):
    assert BLOCKS["leaves"].encode() == b"".join(leaf + b"\n" for leaf in example.leaves)
    assert BLOCKS["checkpoint"].encode() == example.cosigned
    assert BLOCKS["entry"].encode() == example.entry.to_bytes(CENTRE) + b"\n"
    assert json.loads(BLOCKS["receipt"]) == example.receipt
    assert BLOCKS["proof"].encode() == example.proof.to_bytes()


def check_receipt(receipt, cosigned):
    """Section 5.2 of the paper, step by step, from published keys alone."""
    body = statement.verify(receipt, purpose="receipt", centre=CENTRE, key=CENTRE_KEY.public)  # 1
    head = checkpoint.open_checkpoint(body["checkpoint"].encode(), LOG_KEY)  # 2
    leaf = body["leaf"].encode()
    path = [bytes.fromhex(each) for each in body["inclusion"]]
    digest = merkle.leaf_hash(leaf)
    merkle.verify_inclusion(body["leaf_index"], head.size, digest, path, head.root)  # 3
    said = json.loads(leaf)
    assert (said["centre"], said["kind"], said["slot"]) == (CENTRE, "slot", body["entry"]["slot"])
    entry = Entry.from_body(body["entry"]).to_bytes(CENTRE)  # 5
    root = root_of(body["index"], entry, [bytes.fromhex(each) for each in body["path"]])
    commitment = slot_commitment(bytes.fromhex(body["salt"]), root).hex()
    if said["sections"][SECTION] != commitment:
        raise ProofError("the slot says something else")
    assert body["entry"]["statement"] == STATEMENT  # 6
    assert note.Note.parse(cosigned).text.decode() in body["checkpoint"]
    return {each.key.name for each in cosignature.verify(cosigned, WITNESS_KEYS)}  # 7


def root_of(index, entry, path):
    digest = section_tree.entry_hash(index, entry)
    for level, sibling in enumerate(path):
        pair = sibling + digest if index >> level & 1 else digest + sibling
        digest = sha256(b"\x01" + pair)
    verify_path(digest, index, entry, path)
    return digest


def test_the_shown_receipt_holds_by_the_papers_own_steps(example):
    assert check_receipt(example.receipt, example.cosigned) == set(WITNESSES)
    proof = LogProof.parse(BLOCKS["proof"].encode())
    assert proof.verify(merkle.leaf_hash(example.leaves[2]), LOG_KEY).size == 3


@pytest.mark.parametrize(
    "change",
    [
        {"index": 7},
        {"salt": "00" * 32},
        {"leaf_index": 1},
        {"path": ["00" * 32] * 12},
        {"inclusion": []},
        {"checkpoint": "x\n"},
    ],
)
def test_a_receipt_that_the_centre_signed_wrongly_does_not_hold(example, change):
    said = {**example.receipt["statement"], **change}
    body = {
        name: value
        for name, value in said.items()
        if name not in {"v", "suite", "purpose", "centre"}
    }
    with pytest.raises(CryptoError):
        check_receipt(statement.sign(CENTRE_KEY, "receipt", CENTRE, body), example.cosigned)
    with pytest.raises(SignatureError):
        check_receipt({**example.receipt, "statement": said}, example.cosigned)


def test_the_papers_node_rules_give_the_shown_roots(example):
    """Sections 4.2 and 4.5, computed without `SectionTree`."""
    import hmac

    def keyed(data):
        return hmac.digest(SEED, data, "sha256")

    index = example.receipt["statement"]["index"]
    leaves = [keyed(b"filler" + i.to_bytes(2)) for i in range(4096)]
    empty = levels_of(leaves)
    blind = keyed(b"blind" + (0).to_bytes(8) + bytes([12]) + (0).to_bytes(2))
    assert sha256(b"kaibiao/section-blind/v1\n" + blind + empty[12][0]) == example.roots[0]

    entry = example.entry.to_bytes(CENTRE)
    leaf = sha256(b"\x00kaibiao/section-entry/v1\n" + index.to_bytes(2) + entry)
    static = levels_of([*leaves[:index], leaf, *leaves[index + 1 :]])
    shown = leaf
    for level in range(12):
        place = index >> level ^ 1
        mask = keyed(b"blind" + SLOT.to_bytes(8) + bytes([level]) + place.to_bytes(2))
        sibling = sha256(b"kaibiao/section-blind/v1\n" + mask + static[level][place])
        shown = sha256(b"\x01" + (sibling + shown if index >> level & 1 else shown + sibling))
    assert shown == example.roots[1]
    assert slot_salt(SEED, SLOT) == keyed(b"salt" + SLOT.to_bytes(8))
    audit(SEED, {index: (SLOT, entry)}, shown)


def levels_of(leaves):
    levels = [leaves]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([sha256(b"\x01" + row[i] + row[i + 1]) for i in range(0, len(row), 2)])
    return levels


def test_other_languages_read_the_same_ledger(example):
    expected = {
        "about": "docs/spec/ledger-v1.md, made again with these secrets; hex unless it is text",
        "centre": CENTRE,
        "section": SECTION,
        "seed": SEED.hex(),
        "slot": SLOT,
        "log_secret": LOG.private_bytes_raw().hex(),
        "witness_secrets": {n: key.private_bytes_raw().hex() for n, key in WITNESSES.items()},
        "centre_secret": CENTRE_KEY.private.private_numbers().private_value.to_bytes(32).hex(),
        "entry": example.entry.to_bytes(CENTRE).decode(),
        "roots": [root.hex() for root in example.roots],
        "leaves": [leaf.decode() for leaf in example.leaves],
        "leaf_hashes": [example.tree.hash_at(0, i).hex() for i in range(3)],
        "root": example.tree.root().hex(),
        "cosigned": example.cosigned.decode(),
        "receipt": example.receipt,
        "proof": example.proof.to_bytes().decode(),
    }
    assert json.loads(VECTOR.read_bytes()) == expected
    assert canonical(expected)
