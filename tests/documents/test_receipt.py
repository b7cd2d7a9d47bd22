import pytest

from crypto import section_tree, statement
from crypto.canonical import canonical, parse
from crypto.section_tree import SectionTree
from crypto.signature import SigningKey
from crypto.tlog import checkpoint
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from documents.trust import Trust
from documents.verify import NOTHING, verify_file
from tests.documents import pki, samples
from tests.documents.conftest import NOW

SECTION = "sec_7n5c3a2d4e6f7g2h3i4j5k6l7m"
SLOT = samples.T // 1000 - 3600


@pytest.fixture(scope="module")
def key(world):
    return SigningKey.generate()


@pytest.fixture(scope="module")
def believers(world, trust, key) -> Trust:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.public)
    certificate = pki.certificate(
        "岐江市公共资源交易中心", public, world.root.subject, world.root_key
    )
    return Trust((*trust.anchors, certificate))


@pytest.fixture(scope="module")
def body(log):
    seed = bytes(range(32))
    tree = SectionTree(seed)
    entry = {
        "section": SECTION,
        "kind": "submission",
        "id": "sub_1",
        "slot": SLOT,
        "arrival": SLOT * 1000 + 314,
        "statement": samples.digest("statement"),
        "replaces": "",
    }
    text = canonical({"v": 1, "purpose": "entry", "centre": samples.CENTRE, **entry})
    place = tree.place(b"sub_1")
    tree.put(place, text, SLOT)
    salt = section_tree.slot_salt(seed, SLOT)
    commitment = section_tree.slot_commitment(salt, tree.root()).hex()
    index = log.add("slot", slot=SLOT, sections={SECTION: commitment}, lots={})
    log.add("slot", slot=SLOT + 1, sections={}, lots={})
    return {
        "tender": "ten_1",
        "section": SECTION,
        "bidder": "org_1",
        "sha256": samples.digest("file"),
        "size": 4096,
        "entry": entry,
        "index": place,
        "path": [one.hex() for one in tree.path(place)],
        "salt": salt.hex(),
        "leaf": canonical(log.leaves[index]).decode(),
        "leaf_index": index,
        "inclusion": [one.hex() for one in log.tree.inclusion_proof(index)],
        "checkpoint": log.checkpoint(cosigned=False).decode(),
        "issued": SLOT * 1000 + 1_200,
    }


def slip(key, body, purpose="receipt") -> bytes:
    return canonical(statement.sign(key, purpose, samples.CENTRE, body))


def failed(report) -> set[str]:
    return {check.id for check in report.checks if check.status == "failed"}


def test_a_receipt_proves_that_the_bid_is_in(key, body, believers):
    report = verify_file("receipt.json", slip(key, body), believers, NOW)
    assert report.verdict == "valid", report
    undone = [check.id for check in report.checks if check.status == "not_checked"]
    assert undone == ["slip.witnesses"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"salt": "00" * 32}, "slip.tree"),
        ({"index": 7}, "slip.tree"),
        ({"section": "sec_other"}, "slip.tree"),
        ({"leaf_index": 99}, "slip.log"),
        ({"inclusion": []}, "slip.log"),
        ({"issued": 1}, "slip.times"),
        ({"issued": NOW + 1}, "slip.times"),
    ],
)
def test_a_receipt_that_does_not_add_up_is_invalid(key, body, believers, changes, wrong):
    report = verify_file("receipt.json", slip(key, {**body, **changes}), believers, NOW)
    assert wrong in failed(report), report


def test_a_receipt_of_another_act_is_invalid(key, body, believers):
    other = {**body, "entry": {**body["entry"], "arrival": body["entry"]["arrival"] + 1}}
    assert "slip.tree" in failed(verify_file("receipt.json", slip(key, other), believers, NOW))


@pytest.mark.parametrize("trick", ["escape", "later slot", "another centre's ledger"])
def test_a_receipt_over_a_leaf_that_custodians_read_otherwise_is_invalid(
    log, key, body, believers, trick
):
    """Everything adds up, yet the leaf is none in which custodians look for this act."""
    leaf, sections = parse(body["leaf"]), parse(body["leaf"])["sections"]
    text = body["leaf"].replace(
        '"sec_', '"sec\\u005f'
    )  # JSON alike, and no search for the id finds it
    if trick == "later slot":
        text = canonical({**leaf, "slot": leaf["slot"] + 7, "sections": sections}).decode()
    tree = Tree()
    for one in (text, "more"):
        tree.add(one.encode())
    origin = log.origin if trick != "another centre's ledger" else "other/ledger/1"
    head = checkpoint.sign(Checkpoint(origin, 2, tree.root()), log.key)
    shown = {
        "leaf": text if trick != "another centre's ledger" else body["leaf"],
        "leaf_index": 0,
        "inclusion": [one.hex() for one in tree.inclusion_proof(0)],
        "checkpoint": head.decode(),
    }
    report = verify_file("receipt.json", slip(key, {**body, **shown}), believers, NOW)
    assert failed(report) == {"slip.log" if trick == "another centre's ledger" else "slip.tree"}, (
        report
    )


def test_a_receipt_signed_by_a_stranger_is_invalid(body, believers):
    report = verify_file("receipt.json", slip(SigningKey.generate(), body), believers, NOW)
    assert failed(report) == {"slip.signature"}


def test_without_trust_a_receipt_is_incomplete(key, body):
    assert verify_file("receipt.json", slip(key, body), NOTHING, NOW).verdict == "incomplete"


def test_no_single_byte_of_a_receipt_is_free(key, body, believers):
    data = slip(key, body) + b"\n"
    assert verify_file("receipt.json", data, believers, NOW).verdict == "valid"
    for position in range(0, len(data), 11):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 7
        report = verify_file("receipt.json", bytes(changed), believers, NOW)
        assert report.verdict == "invalid", position


def test_a_refusal_states_when_the_bid_arrived(key, believers):
    body = {
        "tender": "ten_1",
        "section": SECTION,
        "statement": samples.digest("late"),
        "code": "late",
        "reason": "20 ms after the deadline",
        "arrival": samples.T + 20,
        "deadline": samples.T,
    }
    report = verify_file("refusal.json", slip(key, body, "refusal"), believers, NOW)
    assert report.verdict == "valid"
    assert str(samples.T + 20) in report.checks[-1].detail
    early = verify_file("refusal.json", slip(key, body, "refusal"), believers, samples.T)
    assert failed(early) == {"slip.arrival"}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"statement":{}}', b"\xff", b"null", b"{" * 500]
)
def test_what_is_no_statement_is_invalid(believers, data):
    assert verify_file("receipt.json", data, believers, NOW).verdict == "invalid"
