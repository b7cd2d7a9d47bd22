"""Signed statements: who says what, for which purpose, in which centre.

    {"statement": {"v": 1, "suite": "P256-SHA256", "purpose": P, "centre": C, …},
     "key": base64 of 33 bytes, "signature": base64 of 64 bytes}

The signed bytes are `kaibiao/statement/v1`, a line feed and the canonical JSON of `statement`.
Purpose and centre are inside, so a login can never be replayed as an offer, nor one centre's
words in another. Whether the key may speak is for the caller to say.
"""

from collections.abc import Mapping
from typing import Any, Final

from crypto.canonical import canonical
from crypto.encoding import b64, sha256, unb64
from crypto.errors import FormatError, SignatureError
from crypto.signature import PUBLIC_BYTES, SigningKey
from crypto.signature import verify as verify_signature

PREFIX: Final = b"kaibiao/statement/v1\n"
VERSION: Final = 1
SUITE: Final = "P256-SHA256"

_HEAD: Final = ("v", "suite", "purpose", "centre")
_FORM: Final = {"statement", "key", "signature"}


def sign(key: SigningKey, purpose: str, centre: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Sign `body` for one purpose in one centre.

    Args:
        key: the signer's key.
        purpose: what the statement is for, e.g. `submission`.
        centre: id of the centre it speaks to.
        body: JSON fields without floats; none may be named v, suite, purpose or centre.

    Returns:
        The signed form, ready for JSON.

    Raises:
        FormatError: the body has a reserved field, a float or no canonical form.
    """
    statement = make(purpose, centre, body)
    return attach(statement, key.public, key.sign(signed_bytes(statement)))


def make(purpose: str, centre: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the unsigned statement, for signers that keep their key elsewhere (browser, HSM).

    Raises:
        FormatError: as `sign`.
    """
    taken = [name for name in _HEAD if name in body]
    if taken:
        raise FormatError(f"a statement's body may not name {', '.join(taken)}")
    return {"v": VERSION, "suite": SUITE, "purpose": purpose, "centre": centre, **body}


def attach(statement: Mapping[str, Any], public33: bytes, signature64: bytes) -> dict[str, Any]:
    """Return the signed form of a statement whose signature was made elsewhere."""
    return {
        "statement": dict(statement),
        "key": b64(public33),
        "signature": b64(signature64),
    }


def signed_bytes(statement: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: the prefix and the canonical JSON of the statement.

    Raises:
        FormatError: a float, or no canonical form. A float is refused because 1 and 1.0 have the
            same canonical bytes: one signature would cover two values.
    """
    _refuse_floats(statement, 0)
    return PREFIX + canonical(dict(statement))


def digest(signed: Mapping[str, Any]) -> bytes:
    """Return the 32-byte name of a signed statement: SHA-256 of its signed bytes.

    The signature is left out on purpose: ECDSA allows several for one text.

    Raises:
        FormatError: the form is not that of a signed statement.
    """
    return sha256(signed_bytes(_open(signed)[0]))


def signer(signed: Mapping[str, Any]) -> bytes:
    """Return the key (33 bytes) a statement claims to be signed by, without checking it.

    Raises:
        FormatError: the form is not that of a signed statement.
    """
    return _open(signed)[1]


def verify(
    signed: Mapping[str, Any],
    *,
    purpose: str,
    centre: str,
    key: bytes | None = None,
) -> dict[str, Any]:
    """Check a signed statement and return what it says.

    1. the form is exactly statement, key, signature;
    2. version and suite are ours;
    3. purpose and centre are the expected ones;
    4. the key is the expected one, when one is given;
    5. the signature holds.

    Args:
        signed: the signed form, as parsed from JSON.
        purpose: the purpose the caller is about to act on.
        centre: id of the centre.
        key: 33 bytes of the only key that may have signed; None when the caller judges
            `signer(signed)` itself.

    Returns:
        The body: every field but v, suite, purpose and centre.

    Raises:
        FormatError: (1), (2).
        SignatureError: (3), (4), (5).
    """
    statement, public, signature = _open(signed)  # 1
    # `is not int` because True == 1 and 1.0 == 1
    if type(statement.get("v")) is not int or statement["v"] != VERSION:  # 2
        raise FormatError("the statement's version is not 1")
    if statement.get("suite") != SUITE:
        raise FormatError(f"the statement's suite is not {SUITE}")
    if statement.get("purpose") != purpose:  # 3
        raise SignatureError(f"the statement was not signed for the purpose {purpose!r}")
    if statement.get("centre") != centre:
        raise SignatureError("the statement was signed for another centre")
    if key is not None and public != key:  # 4
        raise SignatureError("the statement was signed by another key than expected")
    verify_signature(public, signed_bytes(statement), signature)  # 5
    return {name: value for name, value in statement.items() if name not in _HEAD}


def _open(signed: Any) -> tuple[dict[str, Any], bytes, bytes]:
    if not isinstance(signed, Mapping) or set(signed) != _FORM:
        raise FormatError("a signed statement holds exactly statement, key and signature")
    statement, key, signature = signed["statement"], signed["key"], signed["signature"]
    if (
        not isinstance(statement, dict)
        or not isinstance(key, str)
        or not isinstance(signature, str)
    ):
        raise FormatError("statement, key and signature of a signed statement have a wrong type")
    public = unb64(key)
    if len(public) != PUBLIC_BYTES:
        raise FormatError("the key of a signed statement has 33 bytes")
    return statement, public, unb64(signature)


def _refuse_floats(value: Any, depth: int) -> None:
    if isinstance(value, float):
        raise FormatError("a statement holds no floating-point numbers; send decimals as text")
    if depth > 64:  # canonical() says so with its own sentence
        return
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item, depth + 1)
