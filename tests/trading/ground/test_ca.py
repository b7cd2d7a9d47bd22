"""The embedded authority: what it certifies, for whom, with which names."""

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.ground import ca as ca_module
from trading.ground.ca import Authority, Profile, issued_by, ledger_entry, pem
from trading.ground.clock import FrozenClock, moment
from trading.ground.problems import Invalid, Unavailable

NINE = 1_795_482_000_000
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(
        tmp_path_factory.mktemp("ca"), "wuzhou", "梧州市公共资源交易中心", FrozenClock(NINE)
    )


def test_the_root_is_p256_and_certifies_nothing_but_end_entities(authority):
    root = authority.root
    assert isinstance(root.public_key().curve, ec.SECP256R1)
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert issued_by(root, root)


def test_the_centres_own_credentials_are_what_their_users_need(authority):
    sealing, stamp = authority.sealing(), authority.timestamp()
    for credential in (sealing, stamp):
        assert isinstance(credential.key, rsa.RSAPrivateKey)
        assert credential.key.key_size == 3072
        assert issued_by(credential.certificate, authority.root)
    usage = stamp.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    assert (
        "Development"
        in stamp.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    )
    key_usage = sealing.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert key_usage.content_commitment
    assert not key_usage.key_cert_sign
    assert authority.sealing().pem == sealing.pem  # made once
    name = "wuzhou/ledger/0123456789abcdef"
    log = authority.log_certificate(name)
    assert log.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name
    assert log.public_key() == authority.log_key().public_key()


def test_a_reopened_authority_is_the_same(authority):
    again = Authority(authority._folder, "wuzhou", "x", FrozenClock(NINE))
    assert again.root == authority.root
    assert again.log_key().public_key() == authority.log_key().public_key()


def test_private_keys_are_for_their_owner_only(authority):
    authority.sealing()
    keys = list(authority._folder.glob("*.key.pem"))
    assert len(keys) >= 2
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys)
    assert authority._folder.stat().st_mode & 0o077 == 0


def test_validity_is_dated_by_the_given_clock_and_ends_with_the_root(authority):
    certificate = authority.issue(Profile.PERSON, KEY.public_key(), "张三", code="per_x", days=10)
    assert certificate.not_valid_after_utc == moment(NINE) + timedelta(days=10)
    assert certificate.not_valid_before_utc <= moment(NINE)
    long = authority.issue(Profile.PERSON, KEY.public_key(), "张三", days=99_999)
    assert long.not_valid_after_utc == authority.root.not_valid_after_utc


@settings(max_examples=150, deadline=None)
@given(
    st.text(
        st.one_of(
            st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF),
            st.characters(min_codepoint=0x20000, max_codepoint=0x323AF),
            st.sampled_from("𬭚𬍛𣲗𫖯𬱖㛃䶮·（）〇&<>\"'"),
        ),
        min_size=1,
        max_size=500,
    )
)
def test_rare_characters_and_long_names_survive(authority, name):
    for profile in (Profile.PERSON, Profile.ORGANISATION):
        certificate = authority.issue(profile, KEY.public_key(), name)
        loaded = x509.load_pem_x509_certificate(pem(certificate).encode())
        values = [attribute.value for attribute in loaded.subject]
        assert name in values
        common = loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        assert name.startswith(common)
        assert len(common.encode()) > 60 or common == name
        assert issued_by(loaded, authority.root)


@pytest.mark.parametrize(
    "name", ["", "   ", "a\nb", "a\x00", "a\u202eb", "a\u200bb", "\ud800", "x" * 501, "\ufeffx"]
)
def test_invisible_names_are_refused(authority, name):
    with pytest.raises(Invalid):
        authority.issue(Profile.PERSON, KEY.public_key(), name)


def test_another_roots_certificate_is_not_ours(authority, tmp_path):
    other = Authority(tmp_path, "wuzhou", "梧州市公共资源交易中心", FrozenClock(NINE))
    foreign = other.issue(Profile.PERSON, KEY.public_key(), "张三")
    assert foreign.issuer == authority.root.subject  # the same name proves nothing
    assert not issued_by(foreign, authority.root)
    assert issued_by(foreign, other.root)


def test_the_ledger_learns_hashes_and_no_name(authority):
    certificate = authority.issue(Profile.PERSON, KEY.public_key(), "张三丰", code="per_x")
    entry = ledger_entry(certificate, Profile.PERSON)
    assert set(entry) == {"profile", "serial", "certificate", "public_key"}
    assert "张三丰" not in str(entry)
    assert len(entry["certificate"]) == 64


def test_serial_numbers_are_random_and_positive(authority):
    serials = {
        authority.issue(Profile.PERSON, KEY.public_key(), "a").serial_number for _ in range(20)
    }
    assert len(serials) == 20
    assert all(0 < serial < 2**127 for serial in serials)


def test_openssl_accepts_the_chain_and_the_revocation_list(authority, tmp_path):
    certificate = authority.issue(
        Profile.ORGANISATION, KEY.public_key(), "万绵市𬭚水务有限公司", code="91X"
    )
    ed = authority.issue(
        Profile.OUTSIDE, ed25519.Ed25519PrivateKey.generate().public_key(), "witness"
    )
    (tmp_path / "root.pem").write_text(pem(authority.root))
    (tmp_path / "crl.pem").write_bytes(authority.revocations([(ed.serial_number, NINE)]))
    verdicts = []
    for number, one in enumerate((certificate, ed, authority.sealing().certificate)):
        path = tmp_path / f"{number}.pem"
        path.write_text(pem(one))
        command = ["openssl", "verify", "-x509_strict", "-crl_check", "-attime", str(NINE // 1000)]
        command += ["-CRLfile", tmp_path / "crl.pem", "-CAfile", tmp_path / "root.pem", path]
        verdicts.append(subprocess.run(command, capture_output=True, text=True, check=False))
    assert verdicts[0].returncode == 0, verdicts[0].stderr
    assert verdicts[2].returncode == 0, verdicts[2].stderr
    assert "revoked" in verdicts[1].stderr


def test_damaged_or_exchanged_keys_are_named(authority, tmp_path):
    made = Authority(tmp_path, "wuzhou", "中心", FrozenClock(NINE))
    (tmp_path / "root.key.pem").write_bytes((authority._folder / "root.key.pem").read_bytes())
    with pytest.raises(Unavailable, match="root"):
        Authority(tmp_path, "wuzhou", "中心", FrozenClock(NINE))
    (tmp_path / "root.key.pem").write_text("junk")
    with pytest.raises(Unavailable, match="root"):
        Authority(tmp_path, "wuzhou", "中心", FrozenClock(NINE))
    assert made.root


def test_a_crash_between_key_and_certificate_leaves_no_half_credential(tmp_path, monkeypatch):
    real = ca_module._write

    def crash_at_certificate(path, content):
        if path.name == "root.pem":
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(ca_module, "_write", crash_at_certificate)
    with pytest.raises(KeyboardInterrupt):
        Authority(tmp_path, "wuzhou", "中心", FrozenClock(NINE))
    monkeypatch.undo()
    assert issued_by(Authority(tmp_path, "wuzhou", "中心", FrozenClock(NINE)).root, Authority(
        tmp_path, "wuzhou", "中心", FrozenClock(NINE)).root)  # fmt: skip
