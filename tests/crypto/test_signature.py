import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, FormatError, SignatureError
from crypto.signature import ORDER, SigningKey, key_id, verify

KEY = SigningKey.from_scalar(7)
OTHER = SigningKey.from_scalar(8)


@given(st.binary(max_size=300))
def test_a_signature_holds_for_its_key_and_text_only(message):
    signature = KEY.sign(message)
    verify(KEY.public, message, signature)
    with pytest.raises(SignatureError):
        verify(OTHER.public, message, signature)
    with pytest.raises(SignatureError):
        verify(KEY.public, message + b"\0", signature)


def test_signing_is_deterministic_as_rfc_6979_says():
    # RFC 6979 A.2.5, P-256, SHA-256, message "sample"
    key = SigningKey.from_scalar(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
    assert key.sign(b"sample").hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


@given(st.integers(0, 511))
def test_one_flipped_bit_of_a_signature_is_refused(bit):
    signature = int.from_bytes(KEY.sign(b"m")) ^ 1 << bit
    with pytest.raises(SignatureError):
        verify(KEY.public, b"m", signature.to_bytes(64))


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**256 - 1, 1)])
def test_numbers_outside_the_group_are_refused(r, s):
    with pytest.raises(SignatureError):
        verify(KEY.public, b"m", r.to_bytes(32) + s.to_bytes(32))


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_random_keys_and_signatures_raise_only_our_family(public, signature):
    with pytest.raises(CryptoError):
        verify(public, b"m", signature)


@pytest.mark.parametrize("public", [KEY.public65, b"\x02" + b"\xff" * 32, b"", b"\0" * 33])
def test_a_key_that_is_no_compressed_point_is_refused(public):
    with pytest.raises(FormatError):
        verify(public, b"m", KEY.sign(b"m"))


def test_a_key_survives_its_pem_with_and_without_passphrase():
    key = SigningKey.generate()
    assert SigningKey.from_pem(key.to_pem()).public == key.public
    locked = key.to_pem("开标")
    assert SigningKey.from_pem(locked, "开标").public == key.public
    for passphrase in (None, "", "开", "x"):
        with pytest.raises(FormatError):
            SigningKey.from_pem(locked, passphrase)


@given(st.binary(max_size=200))
def test_random_pem_raises_only_our_family(data):
    with pytest.raises(FormatError):
        SigningKey.from_pem(data)


@pytest.mark.parametrize("scalar", [0, -1, ORDER, ORDER + 1])
def test_a_scalar_outside_the_group_is_refused(scalar):
    with pytest.raises(FormatError):
        SigningKey.from_scalar(scalar)


def test_a_key_shown_in_a_log_is_only_its_id():
    assert repr(KEY) == f"SigningKey({key_id(KEY.public)})"
    assert len(key_id(KEY.public)) == 16
