"""A true signature by a pinned key is not enough: it has to be the key of whoever may say this."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from clients import tenders
from clients.auditor import receipts
from clients.auditor.checklist import NotChecked
from clients.auditor.keys import OVERSEES, Keys
from clients.custodian.card import HOST_OU, STATEMENT_OU
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.signature import SigningKey, load_public
from crypto.tlog import checkpoint
from crypto.tlog.checkpoint import Checkpoint
from documents.checks import Report
from documents.trust import Trust
from tests.bidding.centre import CENTRE
from tests.clients.auditor.certificates import Maker
from tests.clients.auditor.forge import CHECKPOINT, Memory
from tests.clients.auditor.forgeries import resign
from tests.clients.auditor.test_without_keys import rebag
from tests.documents.pki import START

if TYPE_CHECKING:
    from tests.clients.auditor.opening_world import Made
    from tests.documents.pki import Pki

OTHER = SigningKey.from_scalar(2)
NAMES = {"centre": 1, "other": 2, "supervisor": 3, "custodian": 4, "host": 5}
KEYS = {name: SigningKey.from_scalar(number) for name, number in NAMES.items()}


def certificate(issuer: str, name: str, public: Any, unit: str = "") -> str:
    """A certificate as another authority would issue it."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if unit:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=3650))
        .sign(Ed25519PrivateKey.generate(), None)
    )
    return made.public_bytes(Encoding.PEM).decode()


def note() -> Any:
    return Ed25519PrivateKey.generate().public_key()


@pytest.fixture(scope="module")
def two() -> Keys:
    """Two centres, each with a root of its own, in one trust file."""
    public = {name: load_public(key.public) for name, key in KEYS.items()}
    pem = certificate("A Root", "甲中心 声明签名", public["centre"])
    pem += certificate("B Root", "乙中心 声明签名", public["other"])
    pem += certificate("A Root", "centre-a/ledger/1", note())
    pem += certificate("B Root", "centre-b/ledger/1", note())
    pem += certificate("C Root", "水务行政监督处", public["supervisor"])
    pem += certificate("D", "cus_1", public["custodian"], STATEMENT_OU)
    pem += certificate("D", "cus_1", public["host"], HOST_OU)
    return Keys(Trust.from_pem(pem.encode()))


def test_a_centre_speaks_for_itself_and_for_no_other(two: Keys) -> None:
    assert two.centres("centre-a") == {KEYS["centre"].public}
    assert two.centres("centre-b") == {KEYS["other"].public}
    assert two.centres("centre-c") == frozenset()


def test_of_several_centres_a_supervisor_names_its_own_or_counts_for_none(two: Keys) -> None:
    supervisor = KEYS["supervisor"].public
    for centre in ("centre-a", "centre-b"):
        assert two.supervisors(centre) == frozenset()
    with pytest.raises(NotChecked, match="OU 'kaibiao supervisor of CENTRE-ID'"):
        two.whose(supervisor)
    named = Keys(
        Trust.from_pem(
            (
                certificate("A Root", "centre-a/ledger/1", note())
                + certificate("B Root", "centre-b/ledger/1", note())
                + certificate("C", "甲监督", load_public(supervisor), f"{OVERSEES}centre-a")
                + certificate("C", "乙监督", load_public(OTHER.public), f"{OVERSEES}centre-b")
            ).encode()
        )
    )
    named.whose(supervisor)
    assert named.supervisors("centre-a") == {supervisor}
    assert named.supervisors("centre-b") == {OTHER.public}
    assert named.supervisors("centre-c") == frozenset()


@pytest.mark.parametrize(
    ("who", "purpose", "verdict"),
    [
        ("centre", "tender", "valid"),
        ("other", "tender", "invalid"),
        ("supervisor", "tender", "invalid"),
        ("custodian", "tender", "invalid"),
        ("custodian", "release", "valid"),
        ("host", "release", "invalid"),
        ("centre", "release", "invalid"),
        ("supervisor", "late_witness", "incomplete"),
        ("centre", "late_witness", "invalid"),
        ("other", "postponement", "invalid"),
        ("custodian", "receipt ", "incomplete"),
        ("centre", "Receipt", "incomplete"),
        ("centre", "login", "incomplete"),
    ],
)
def test_a_statement_is_the_word_of_whoever_may_say_it(
    who: str, purpose: str, verdict: str, two: Keys
) -> None:
    signed = statement.sign(KEYS[who], purpose, "centre-a", {"section": "sec_a"})
    assert Report("x", receipts.check(canonical(signed), two, 1)).verdict == verdict


def test_another_centres_receipt_is_not_this_ones(opened: Made, authority: Pki) -> None:
    """It needs only to sign the true receipt again, with another bidder in it: no tree proves that."""
    pem = opened.trust.read_text()
    pem += certificate("B Root", "乙中心 声明签名", load_public(OTHER.public))
    pem += certificate("B Root", "centre-b/ledger/1", note())
    keys = Keys(Trust.from_pem(pem.encode()))
    forged = resign(opened.receipts[0], OTHER, bidder="org_x")
    found = Report("x", receipts.check(canonical(forged), keys, opened.at))
    assert {c.id for c in found.checks if c.status == "failed"} == {"receipt.issuer"}


def test_a_witness_is_no_log(opened: Made) -> None:
    """Its key signs notes too; a history under its name is nobody's ledger."""
    from documents import bag

    folder = Memory.of(opened.public)
    key = opened.notes["custodian-1"]
    size, root = 3, b"\0" * 32
    folder.files[CHECKPOINT] = checkpoint.sign(Checkpoint("custodian-1", size, root), key)
    rebag(folder.files)
    trust = Trust.from_pem(opened.trust.read_bytes())
    assert trust.log("custodian-1") is None
    assert trust.log(opened.origin) is not None
    found = {check.id: check for check in bag.check(folder, trust, opened.at)}
    assert found["bag.ledger"].status == "failed"
    assert "no ledger of" in found["bag.ledger"].detail


def test_a_record_proof_of_something_else_is_none(opened: Made) -> None:
    from documents.logproof import RecordProof
    from documents.verify import verify_proof

    name = "data/records/opening.proof.json"
    data = Memory.of(opened.public).files[name]
    trust = Trust.from_pem(opened.trust.read_bytes())
    assert verify_proof("x.proof.json", data, trust).verdict == "valid"
    value = parse(data)
    value["centre"] = value["leaf"]["centre"] = "centre-b"
    assert verify_proof("x.proof.json", canonical(value), trust).verdict == "invalid"
    value = parse(data)
    value["leaf"]["kind"] = "slot"
    found = verify_proof("x.proof.json", canonical(value), trust)
    assert "not of a record" in found.checks[0].detail
    assert RecordProof.parse(data).leaf["kind"] == "record"


def test_a_sealer_takes_no_tender_file_of_the_supervisor(opened: Made, authority: Pki) -> None:
    file = parse(Memory.of(opened.public).files["data/custody/tender.json"])
    made = Maker(authority)
    made.statement("水务行政监督处", KEYS["supervisor"].public)
    keys = Keys(Trust.from_pem((opened.trust.read_text() + made.pem).encode()))
    assert tenders.check(file, keys.sealer()).tender.section == opened.section
    with pytest.raises(tenders.TenderRefusedError, match="tender-signature"):
        tenders.check(resign(file, KEYS["supervisor"]), keys.sealer())
    assert file["statement"]["centre"] == CENTRE
