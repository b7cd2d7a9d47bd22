"""Offers read in two ways: the quick one says only what the long one says."""

import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.service import offers
from crypto.canonical import canonical
from crypto.statement import make

SOUND = make("offer", "zs", {"lot": "lot_1", "paddle": "107", "do": "bid", "key": "k" * 16})
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUE = SCALAR | st.sampled_from(["offer", "bid", "suspend", "zs", "1", "107", "é", "\ud800", 1.0])
NAMES = st.sampled_from([*SOUND, "amount", "commit", "nonce", "seen", "x"])


def judged(text):
    """What comes of an offer: itself, or the code and the reason of its refusal."""
    try:
        return offers.read_offer(text, "", "zs", "lot_1", "107")
    except offers.UnheardError as refusal:
        return refusal.heard_as, refusal.detail


def both(text):
    quick = judged(text)
    with mock.patch.object(offers, "_read_quickly", return_value=None):
        assert judged(text) == quick
    return quick


@given(st.dictionaries(NAMES, VALUE, max_size=3), st.sets(NAMES, max_size=1), st.booleans())
def test_both_ways_agree_on_altered_members(more, less, ascii_only):
    said = {name: value for name, value in {**SOUND, **more}.items() if name not in less}
    both(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only))


@given(st.data())
def test_both_ways_agree_on_altered_text(data):
    text = canonical({**SOUND, "amount": "120.50"}).decode()
    place = data.draw(st.integers(0, len(text)))
    put = data.draw(st.sampled_from([" ", "\\u0031", '"', ',"v":1', "0", "\x00", "，", "\ud800"]))
    both(text[:place] + put + text[place + data.draw(st.integers(0, 1)) :])


@pytest.mark.parametrize("amount", ["1", "10.50", "１", 'a"b\\', "\x1f\b", "东𬍛"])
def test_a_canonical_offer_is_read_quickly_and_alike(amount):
    text = canonical({**SOUND, "amount": amount}).decode()
    assert offers._read_quickly(text) is not None
    read = both(text)
    assert isinstance(read, offers.Offered)
    assert read.content == {"amount": amount}


@pytest.mark.parametrize(
    "text",
    [
        canonical(SOUND).decode().replace(":1}", ":1.0}"),
        canonical(SOUND).decode().replace('"v":1', '"v":1,"v":1'),
        canonical({**SOUND, "amount": "1"}).decode().replace('"1"', '"\\u0031"'),
        json.dumps(SOUND),
        canonical({**SOUND, "v": 2}).decode(),
        canonical({**SOUND, "purpose": "login"}).decode(),
        canonical({**SOUND, "paddle": "108"}).decode(),
        canonical({**SOUND, "key": "short"}).decode(),
    ],
    ids=range(8),
)
def test_an_offer_in_another_form_is_malformed(text):
    assert both(text)[0] == "MALFORMED"
