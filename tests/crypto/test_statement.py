import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.errors import CryptoError, FormatError, SignatureError
from crypto.signature import SigningKey

KEY = SigningKey.from_scalar(21)
BODY = {"section": "sec_a", "amount": "48650000.00", "标段": ["一", 2, None, True]}
SIGNED = statement.sign(KEY, "submission", "centre-1", BODY)


def check(signed, **changes):
    asked = {"purpose": "submission", "centre": "centre-1"} | changes
    return statement.verify(signed, **asked)


def test_a_statement_says_what_was_signed_after_any_json_transport():
    assert check(json.loads(json.dumps(SIGNED, indent=3)), key=KEY.public) == BODY
    assert statement.signer(SIGNED) == KEY.public


def test_the_signed_bytes_are_a_prefix_and_canonical_json():
    assert statement.signed_bytes(SIGNED["statement"]) == (
        b"kaibiao/statement/v1\n" + canonical(SIGNED["statement"])
    )


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "login"}, {"centre": "centre-2"}, {"key": SigningKey.from_scalar(22).public}],
)
def test_a_statement_never_serves_another_purpose_centre_or_signer(changes):
    with pytest.raises(SignatureError):
        check(SIGNED, **changes)


@pytest.mark.parametrize("field", ["v", "suite", "purpose", "centre", "section", "amount", "标段"])
@pytest.mark.parametrize("value", [None, "x", 2, True, [], "drop"])
def test_one_changed_field_breaks_a_statement(field, value):
    changed = dict(SIGNED["statement"])
    if value == "drop":
        del changed[field]
    else:
        changed[field] = value
    with pytest.raises(CryptoError):
        check(SIGNED | {"statement": changed})


def signed_over(head):
    """Sign a head of another form truly, so that only the check of the form can refuse it."""
    text = SIGNED["statement"] | head
    return SIGNED | {
        "statement": text,
        "signature": b64(KEY.sign(statement.signed_bytes(text))),
    }


@pytest.mark.parametrize("head", [{"v": 2}, {"v": 0}, {"v": True}, {"v": None}, {"suite": "RSA"}])
def test_a_true_signature_does_not_carry_another_version_or_suite(head):
    assert check(signed_over({})) == BODY
    with pytest.raises(FormatError, match=r"version|suite"):
        check(signed_over(head))


@pytest.mark.parametrize(
    "changes",
    [{"statement": "text"}, {"key": b64(KEY.public[:-1])}, {"key": b64(KEY.public + b"x")}],
)
@pytest.mark.parametrize("read", [statement.signer, check])
def test_a_signer_is_named_only_by_the_whole_form(read, changes):
    with pytest.raises(FormatError):
        read(SIGNED | changes)


def test_an_added_field_breaks_a_statement():
    with pytest.raises(SignatureError):
        check(SIGNED | {"statement": SIGNED["statement"] | {"more": 1}})
    with pytest.raises(FormatError):
        check(SIGNED | {"more": 1})


def test_a_body_cannot_pretend_to_be_the_head():
    for name in ("v", "suite", "purpose", "centre"):
        with pytest.raises(FormatError):
            statement.sign(KEY, "login", "c", {name: "x"})


@pytest.mark.parametrize("body", [{"x": 1.0}, {"x": [{"y": 0.5}]}, {"x": (1.5,)}])
def test_a_float_is_never_signed_nor_believed(body):
    with pytest.raises(FormatError):
        statement.sign(KEY, "login", "c", body)
    whole = statement.sign(KEY, "login", "c", {"x": 1})
    whole["statement"]["x"] = 1.0  # same canonical bytes, another type
    with pytest.raises(FormatError):
        statement.verify(whole, purpose="login", centre="c")


def test_the_name_of_a_statement_does_not_hang_on_its_signature():
    other = SIGNED | {"signature": "AAAA"}
    assert statement.digest(other) == statement.digest(SIGNED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(
    JSON
    | st.fixed_dictionaries(
        {
            "statement": JSON | st.just(SIGNED["statement"]),
            "key": JSON | st.just(SIGNED["key"]),
            "signature": JSON,
        }
    )
)
def test_any_json_in_place_of_a_statement_raises_only_our_family(value):
    with pytest.raises(CryptoError):
        check(value)
    try:
        statement.signer(value)
        statement.digest(value)
    except CryptoError:
        pass
