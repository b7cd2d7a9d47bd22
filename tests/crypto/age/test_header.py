import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age.header import MAX_HEADER_BYTES, Header, Stanza, read_header
from crypto.age.stanzas import wrap_p256tag
from crypto.encoding import b64raw
from crypto.errors import AuthenticationError, CryptoError, FormatError
from crypto.signature import SigningKey
from tests.crypto.age.keys import SECTION

FILE_KEY = bytes(range(16))
BID, _ = wrap_p256tag(FILE_KEY, SECTION.public65, SigningKey.from_scalar(77))
GREASE = Stanza("Xy-grease", ("a", "b"), b"nothing")
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
STANZAS = st.lists(
    st.builds(Stanza, WORD, st.lists(WORD, max_size=4).map(tuple), st.binary(max_size=200)),
    min_size=1,
    max_size=5,
)


def read(data):
    return read_header(io.BytesIO(data))


@given(STANZAS, st.binary(max_size=50))
def test_a_header_is_read_as_it_was_written_and_not_a_byte_further(stanzas, rest):
    header = Header.make(stanzas, FILE_KEY)
    file = io.BytesIO(header.raw + rest)
    again = read_header(file)
    assert again == header
    assert again.raw == header.raw
    assert file.read() == rest
    again.check_mac(FILE_KEY)
    with pytest.raises(AuthenticationError):
        again.check_mac(bytes(16))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_of_a_header_is_found(place, change):
    raw = bytearray(Header.make([BID, GREASE], FILE_KEY).raw)
    raw[place % len(raw)] ^= change
    with pytest.raises(CryptoError):
        read(bytes(raw)).check_mac(FILE_KEY)


@given(STANZAS, st.data())
def test_a_header_cut_off_anywhere_is_refused(stanzas, data):
    raw = Header.make(stanzas, FILE_KEY).raw
    with pytest.raises(FormatError):
        read(raw[: data.draw(st.integers(0, len(raw) - 1))])


HEADER_BYTES = st.lists(
    st.sampled_from([b"age-encryption.org/v1\n", b"-> ", b"---", b" ", b"\n", b"\r", b"=", b"A"])
    | st.binary(max_size=10)
    | st.just(b"A" * 64),
    max_size=20,
).map(b"".join)


@given(st.binary(max_size=100) | HEADER_BYTES)
def test_any_bytes_are_a_header_or_a_format_error(data):
    try:
        header = read(data)
    except FormatError:
        return
    assert data.startswith(header.raw)


def test_a_header_without_end_costs_bounded_memory():
    class Endless:
        taken = 0

        def readline(self, size):
            line = b"age-encryption.org/v1\n" if not self.taken else b"-> x\n"
            self.taken += len(line)
            return (line if self.taken < 100 else b"A" * 64 + b"\n")[:size]

    source = Endless()
    with pytest.raises(FormatError):
        read_header(source)
    assert source.taken <= 2 * MAX_HEADER_BYTES


def test_a_bid_has_one_stanza_and_stock_grease_is_ignored():
    for stanzas in ([BID], [BID, GREASE], [GREASE, BID, GREASE]):
        bid = Header.make(stanzas, FILE_KEY).bid_stanza()
        assert len(bid.tag) == 4
        assert bid.enc == SigningKey.from_scalar(77).public65


@pytest.mark.parametrize(
    "stanzas",
    [
        [GREASE],
        [BID, BID],
        [BID, Stanza("X25519", ("A" * 43,), bytes(32))],
        [BID, Stanza("scrypt", ("A" * 22, "10"), bytes(32))],
        [BID, Stanza("p256TAG", (), b"")],
        [BID, Stanza("mlkem768p256tag", (), b"")],
        [BID, Stanza("grease", (), b"")],
        [BID, Stanza("x-greasex", (), b"")],
    ],
    ids=range(8),
)
def test_a_bid_with_no_second_or_foreign_key_only(stanzas):
    with pytest.raises(FormatError):
        Header.make(stanzas, FILE_KEY).bid_stanza()


TAG, ENC = BID.arguments


@pytest.mark.parametrize(
    "stanza",
    [
        Stanza("p256tag", (TAG,), BID.body),
        Stanza("p256tag", (TAG, ENC, "x"), BID.body),
        Stanza("p256tag", (TAG + "=", ENC), BID.body),
        Stanza("p256tag", (b64raw(b"123"), ENC), BID.body),
        Stanza("p256tag", (TAG, b64raw(SECTION.public)), BID.body),
        Stanza("p256tag", (TAG, b64raw(b"\4" + bytes(64))), BID.body),
        Stanza("p256tag", (TAG, ENC), BID.body[:-1]),
        Stanza("p256tag", (TAG, ENC), BID.body + b"x"),
    ],
    ids=range(8),
)
def test_a_malformed_bid_stanza_is_refused_by_form(stanza):
    with pytest.raises(FormatError):
        Header.make([stanza], FILE_KEY).bid_stanza()
