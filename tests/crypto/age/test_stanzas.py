import contextlib
import io

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from crypto import hkdf
from crypto.age.header import Header, P256Tag, Stanza, read_header
from crypto.age.stanzas import (
    MAX_WORK,
    P256TAG_INFO,
    P256TagIdentity,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    check_mixture,
    check_tag,
    compress,
    p256tag_tag,
    parse_recipient,
    recipient_text,
    unwrap_p256tag,
    wrap_p256tag,
)
from crypto.bech32 import encode
from crypto.encoding import b64raw
from crypto.errors import AuthenticationError, CryptoError, FormatError, NoMatchError
from crypto.signature import SigningKey
from tests.crypto.age.keys import IDENTITY, OTHER, SECTION, exchange

FILE_KEY = bytes(range(16))
PREFIXES = ["age", "age1tag", "AGE-SECRET-KEY-", "age1pq"]
# Recipient and stanza that the age specification itself shows, made by another implementation.
SPECIFIED_RECIPIENT = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e"
SPECIFIED_STANZA = (
    b"age-encryption.org/v1\n"
    b"-> p256tag CXBuUw BOqTylUtZFwkMTxd6UENg8kopiMhRJBOUXMv5w2xVOmJu7eezoALGXiNtq5Vka+UQvaYbQvA"
    b"dwjIJEDaoBaq7So\n"
    b"bZQpLsV8uGqGPs70J6dVodiHejsZ5BODjaRsB0RcBqI\n"
    b"--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
)


def test_the_recipient_that_the_specification_prints_is_read_and_written():
    recipient = parse_recipient(SPECIFIED_RECIPIENT)
    assert recipient_text(recipient) == recipient_text(compress(recipient)) == SPECIFIED_RECIPIENT


def test_the_stanza_that_the_specification_prints_is_read_but_names_nobody():
    """Its tag was made by an earlier rule (the whole point instead of four bytes of its hash).

    The specification's text and the stock tools agree on the newer rule (see test_interop).
    """
    recipient = parse_recipient(SPECIFIED_RECIPIENT)
    stanza = read_header(io.BytesIO(SPECIFIED_STANZA)).bid_stanza()
    assert stanza.tag == hkdf.extract(P256TAG_INFO, stanza.enc + recipient)[:4]
    for key in (recipient, SECTION.public65):
        with pytest.raises(NoMatchError):
            check_tag(stanza, key)


@pytest.mark.parametrize(
    "text",
    [
        SPECIFIED_RECIPIENT[:-1] + "q",
        SPECIFIED_RECIPIENT.upper(),
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "",
        "age1tag1",
    ],
)
def test_a_recipient_that_is_no_section_key_is_refused(text):
    with pytest.raises(FormatError):
        parse_recipient(text)


@given(st.binary(min_size=16, max_size=16))
def test_a_wrapped_key_opens_with_the_exchanged_value(file_key):
    stanza, ephemeral = wrap_p256tag(file_key, SECTION.public65)
    bid = stanza.p256tag()
    assert bid.enc == ephemeral.public65
    assert unwrap_p256tag(bid, SECTION.public65, exchange(bid.enc)) == file_key


def test_another_hpke_implementation_reads_our_stanza():
    stanza, _ = wrap_p256tag(FILE_KEY, SECTION.public65)
    bid = stanza.p256tag()
    suite = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    info = b"age-encryption.org/p256tag"
    assert suite.decrypt(bid.enc + bid.body, SECTION.private, info) == FILE_KEY


def test_a_stanza_for_another_section_is_told_apart_without_any_secret():
    bid = wrap_p256tag(FILE_KEY, OTHER.public65)[0].p256tag()
    for judge in (
        lambda: check_tag(bid, SECTION.public65),
        lambda: unwrap_p256tag(bid, SECTION.public65, exchange(bid.enc)),
    ):
        with pytest.raises(NoMatchError):
            judge()


def test_a_forged_tag_shows_at_the_opening_as_the_sealers_fault():
    bid = wrap_p256tag(FILE_KEY, OTHER.public65)[0].p256tag()
    lying = P256Tag(p256tag_tag(bid.enc, SECTION.public65), bid.enc, bid.body)
    check_tag(lying, SECTION.public65)
    with pytest.raises(AuthenticationError) as caught:
        unwrap_p256tag(lying, SECTION.public65, exchange(bid.enc))
    assert not isinstance(caught.value, NoMatchError)


def test_an_identity_passes_over_what_is_not_for_it():
    mine, _ = wrap_p256tag(FILE_KEY, SECTION.public65)
    others, _ = wrap_p256tag(FILE_KEY, OTHER.public65)
    parsed = others.p256tag()
    fitting_by_chance = Stanza(
        "p256tag",
        (b64raw(p256tag_tag(parsed.enc, SECTION.public65)), others.arguments[1]),
        others.body,
    )
    unknown = Stanza("foreign", (), b"")
    assert IDENTITY.unwrap([unknown, others, fitting_by_chance, mine]) == FILE_KEY
    assert IDENTITY.unwrap([unknown, others, fitting_by_chance]) is None


def test_a_wrong_value_from_the_custodians_does_not_open():
    wrong = P256TagIdentity(SECTION.public65, lambda enc: exchange(enc, OTHER))
    assert wrong.unwrap([wrap_p256tag(FILE_KEY, SECTION.public65)[0]]) is None


def test_x25519_keys_come_back_from_their_texts():
    identity = X25519Identity.generate()
    assert X25519Identity.parse(identity.text) == identity
    assert X25519Recipient.parse(identity.recipient_text) == identity.recipient
    assert identity.unwrap([identity.recipient.wrap(FILE_KEY)]) == FILE_KEY
    assert X25519Identity.generate().unwrap([identity.recipient.wrap(FILE_KEY)]) is None
    assert identity.text not in repr(identity)


@pytest.mark.parametrize("text", ["", "age1qqqq", SPECIFIED_RECIPIENT])
def test_texts_of_other_keys_are_refused(text):
    for parse in (X25519Identity.parse, X25519Recipient.parse):
        with pytest.raises(FormatError):
            parse(text)


def test_a_passphrase_opens_only_with_itself_and_stands_alone():
    stanza = ScryptRecipient("密码 correct", work=4).wrap(FILE_KEY)
    assert ScryptIdentity("密码 correct").unwrap([stanza]) == FILE_KEY
    assert ScryptIdentity("密码 wrong").unwrap([stanza]) is None
    assert "correct" not in repr(ScryptIdentity("密码 correct"))
    with pytest.raises(FormatError):
        check_mixture([stanza, stanza])
    with pytest.raises(FormatError):
        check_mixture([stanza, Stanza("x-grease", (), b"")])


@pytest.mark.parametrize("work", ["21", "99", "0", "04", "4 ", "+4", "", "1e1", "100000000000"])
def test_a_work_factor_beyond_the_bound_is_refused_before_any_work(work):
    stanza = ScryptRecipient("p", work=4).wrap(FILE_KEY)
    assert MAX_WORK == 20
    with pytest.raises(FormatError):
        ScryptIdentity("p").unwrap([Stanza("scrypt", (stanza.arguments[0], work), stanza.body)])


KINDS = st.sampled_from(["X25519", "p256tag"])
ARGUMENTS = st.lists(st.binary(max_size=70).map(lambda b: b.hex()) | st.just("A" * 43), max_size=3)


@given(KINDS, ARGUMENTS, st.binary(max_size=40) | st.just(bytes(32)))
def test_random_stanzas_raise_only_our_family(kind, arguments, body):
    header = Header.make([Stanza(kind, tuple(arguments), body)], FILE_KEY)
    for identity in (IDENTITY, X25519Identity(bytes(31) + b"\1")):
        with contextlib.suppress(CryptoError):
            assert identity.unwrap(header.stanzas) is None


def test_sealing_for_something_that_is_no_key_is_refused():
    with pytest.raises(FormatError):
        wrap_p256tag(FILE_KEY, SigningKey.from_scalar(3).public)


@given(st.text(max_size=80) | st.builds(encode, st.sampled_from(PREFIXES), st.binary(max_size=40)))
def test_random_key_texts_raise_only_our_family(text):
    for parse in (parse_recipient, X25519Identity.parse, X25519Recipient.parse):
        with contextlib.suppress(FormatError):
            parse(text)


@given(st.binary(max_size=66))
def test_random_points_have_no_recipient_text_unless_they_are_on_the_curve(point):
    with contextlib.suppress(FormatError):
        assert compress(parse_recipient(recipient_text(point))) == point
