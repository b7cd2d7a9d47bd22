import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age.bid import seal_file, seal_stream
from crypto.age.file import (
    decrypt_bytes,
    decrypt_file,
    encrypt_bytes,
    encrypt_file,
    open_file,
    open_payload,
)
from crypto.age.header import read_header
from crypto.age.output import whole_file
from crypto.age.stanzas import (
    P256TagRecipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    check_tag,
    unwrap_p256tag,
)
from crypto.age.stream import CHUNK_BYTES, IterableSource, PayloadReader
from crypto.encoding import sha256_hex
from crypto.errors import AuthenticationError, CryptoError, FormatError, NoMatchError
from crypto.possession import check, prove
from tests.crypto.age.keys import IDENTITY, OTHER, SECTION, exchange

CONTENT = bytes(i * 7 % 253 for i in range(2 * CHUNK_BYTES + 1000))
X = X25519Identity(bytes(range(32)))


@pytest.fixture
def sealed(tmp_path):
    """A sealed bid with what sealing left, and the folder it lies in."""
    (tmp_path / "package.tar").write_bytes(CONTENT)
    left = seal_file(tmp_path / "package.tar", tmp_path / "bid.age", SECTION.public65)
    (tmp_path / "package.tar").unlink()
    return tmp_path, left


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_bid_opens_with_the_value_of_the_custodians(sealed):
    folder, left = sealed
    with (folder / "bid.age").open("rb") as file:
        header = read_header(file)
        bid = header.bid_stanza()
        check_tag(bid, SECTION.public65)
        assert bid.enc == left.enc65
        file_key = unwrap_p256tag(bid, SECTION.public65, exchange(bid.enc))
        header.check_mac(file_key)
        out = io.BytesIO()
        open_payload(file, file_key, out.write)
    assert out.getvalue() == CONTENT
    assert file_key == left.file_key


def test_sealing_measures_what_it_writes_and_keeps_its_secrets_out_of_sight(sealed):
    folder, left = sealed
    data = (folder / "bid.age").read_bytes()
    assert (left.sha256, left.size) == (sha256_hex(data), len(data))
    assert data.startswith(left.header)
    assert left.file_key.hex() not in repr(left)
    assert repr(left.file_key) not in repr(left)
    assert (folder / "bid.age").stat().st_mode & 0o777 == 0o600


def test_the_kept_ephemeral_key_proves_possession(sealed):
    _, left = sealed
    statement = b'{"section":"sec_1"}'
    check(left.enc65, statement, prove(left.ephemeral, statement))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("digest", [True, False])
def test_a_producer_is_sealed_in_one_pass(tmp_path, threads, digest):
    parts = [CONTENT[:5], b"", CONTENT[5:100_000], CONTENT[100_000:]]
    left = seal_stream(
        IterableSource(parts),
        tmp_path / "b",
        SECTION.public65,
        threads=threads,
        digest=digest,
    )
    assert open_file(tmp_path / "b", tmp_path / "p", left.file_key).raw == left.header
    assert (tmp_path / "p").read_bytes() == CONTENT
    assert bool(left.sha256) == digest


def test_two_sealings_of_one_content_share_nothing(tmp_path):
    (tmp_path / "c").write_bytes(b"same")
    first, second = (
        seal_file(tmp_path / "c", tmp_path / name, SECTION.public65) for name in ("1", "2")
    )
    assert first.file_key != second.file_key
    assert first.enc65 != second.enc65
    assert first.sha256 != second.sha256


@given(st.data())
@settings(max_examples=150)
def test_one_damaged_byte_anywhere_leaves_no_output_file(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    (folder / "c").write_bytes(CONTENT)
    left = seal_file(folder / "c", folder / "bid.age", SECTION.public65)
    damaged = bytearray((folder / "bid.age").read_bytes())
    place = data.draw(
        st.integers(0, len(damaged) - 1) | st.integers(0, len(left.header) + 20), label="place"
    )
    damaged[place] ^= data.draw(st.integers(1, 255), label="change")
    (folder / "bid.age").write_bytes(damaged)
    before = names(folder)
    threads = data.draw(st.sampled_from([1, 2]))
    with pytest.raises(CryptoError):
        open_file(folder / "bid.age", folder / "opened", left.file_key, threads=threads)
    with pytest.raises(CryptoError):
        decrypt_file(folder / "bid.age", folder / "opened", [IDENTITY], threads=threads)
    assert names(folder) == before


@given(st.data())
@settings(max_examples=60)
def test_a_file_cut_off_anywhere_leaves_no_output_file(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cut")
    whole = encrypt_bytes(CONTENT, [P256TagRecipient(SECTION.public65)])
    size = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 300))
    (folder / "bid.age").write_bytes(whole[:size])
    with pytest.raises(CryptoError):
        decrypt_file(folder / "bid.age", folder / "opened", [IDENTITY])
    assert names(folder) == ["bid.age"]


def test_a_continued_or_spliced_file_leaves_no_output_file(tmp_path):
    one, two = (encrypt_bytes(CONTENT, [P256TagRecipient(SECTION.public65)]) for _ in range(2))
    cut = len(one) - 1000
    for data in (one + b"\0", one + two, one[:cut] + two[cut:], one[:220] + two[220:]):
        (tmp_path / "bid.age").write_bytes(data)
        with pytest.raises(AuthenticationError):
            decrypt_file(tmp_path / "bid.age", tmp_path / "opened", [IDENTITY])
        assert names(tmp_path) == ["bid.age"]


def test_an_existing_target_survives_every_error(sealed):
    folder, left = sealed
    (folder / "opened").write_text("as it was")
    with pytest.raises(AuthenticationError):
        open_file(folder / "bid.age", folder / "opened", bytes(16))
    assert (folder / "opened").read_text() == "as it was"
    open_file(folder / "bid.age", folder / "opened", left.file_key)
    assert (folder / "opened").read_bytes() == CONTENT


class ExpectedError(Exception):
    pass


def test_a_failing_producer_and_a_full_disk_leave_nothing(tmp_path, monkeypatch):
    def failing():
        yield CONTENT
        raise ExpectedError

    with pytest.raises(ExpectedError):
        seal_stream(IterableSource(failing()), tmp_path / "b", SECTION.public65)
    assert names(tmp_path) == []

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        seal_stream(IterableSource([CONTENT]), tmp_path / "b", SECTION.public65)
    assert names(tmp_path) == []


def test_nothing_appears_under_the_final_name_before_the_end(tmp_path):
    def watching():
        for _ in range(40):
            assert "b" not in names(tmp_path)
            yield CONTENT

    seal_stream(IterableSource(watching()), tmp_path / "b", SECTION.public65)
    assert names(tmp_path) == ["b"]


def test_a_file_that_cannot_be_sealed_for_is_refused_before_a_byte_is_read(tmp_path):
    def never():
        raise AssertionError
        yield b""

    with pytest.raises(FormatError):
        seal_stream(IterableSource(never()), tmp_path / "b", b"\4" + bytes(64))
    assert names(tmp_path) == []


def test_an_interrupt_inside_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "x") as out:
        out.write(b"half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("armor", [False, True])
@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_what_is_encrypted_is_decrypted_by_every_kind_of_key(armor, size):
    kinds = [
        ([X.recipient], X),
        ([P256TagRecipient(SECTION.public65)], IDENTITY),
        ([ScryptRecipient("p", work=4)], ScryptIdentity("p")),
        ([X25519Identity.generate().recipient, X.recipient], X),
    ]
    for recipients, identity in kinds:
        data = encrypt_bytes(CONTENT[:size], recipients, armor=armor)
        assert decrypt_bytes(data, [ScryptIdentity("wrong"), identity]) == CONTENT[:size]


def test_a_key_that_does_not_fit_is_told_from_a_file_that_was_changed():
    data = encrypt_bytes(b"x", [P256TagRecipient(OTHER.public65)])
    with pytest.raises(NoMatchError):
        decrypt_bytes(data, [X, IDENTITY])


def test_a_passphrase_beside_another_key_is_not_written():
    with pytest.raises(FormatError):
        encrypt_bytes(b"x", [ScryptRecipient("p", work=4), X.recipient])
    with pytest.raises(ValueError, match="at least one"):
        encrypt_bytes(b"x", [])


def test_files_go_there_and_back(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    encrypt_file(tmp_path / "a", tmp_path / "b", [X.recipient], armor=True)
    assert (tmp_path / "b").read_bytes().isascii()
    decrypt_file(tmp_path / "b", tmp_path / "c", [X])
    assert (tmp_path / "c").read_bytes() == CONTENT


@given(st.binary(max_size=300))
def test_random_bytes_raise_only_our_family(data):
    with pytest.raises(CryptoError):
        decrypt_bytes(data, [X, IDENTITY])


def test_a_reader_believes_nothing_before_the_end(sealed):
    folder, left = sealed
    with (folder / "bid.age").open("rb") as file:
        read_header(file)
        reader = PayloadReader(file, left.file_key)
        parts = iter(reader)
        assert next(parts) == CONTENT[:CHUNK_BYTES]
        assert not reader.verified
        assert b"".join(parts) == CONTENT[CHUNK_BYTES:]
        assert reader.verified
