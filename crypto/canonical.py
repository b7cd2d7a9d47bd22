"""Canonical JSON (RFC 8785): the only byte form of anything signed or hashed here.

`canonical` writes it, `parse` reads JSON made by others, strictly. What `parse` accepts, any
RFC 8785 implementation reads alike: no key twice, no number that a double cannot carry.
"""

import json
import math
from collections.abc import Iterable
from json.encoder import encode_basestring as _quote
from typing import Any, Final, NoReturn

from crypto.errors import FormatError

MAX_DEPTH: Final = 64
"""Nesting of arrays and objects; deeper input is refused before it can exhaust a stack."""

MAX_INTEGER: Final = 2**53 - 1
"""Beyond it two implementations may read two numbers (RFC 7493 §2.2)."""


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Args:
        value: dict with text keys, list or tuple, str, int (|n| ≤ 2^53 - 1), float (finite), bool
            or None, nested at most `MAX_DEPTH` deep.

    Raises:
        FormatError: for anything that has no canonical form.
    """
    if is_plain(value):
        text = _PLAIN.encode(value)
    else:
        parts: list[str] = []
        _write(value, parts, 0)
        text = "".join(parts)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("text holds half of a surrogate pair") from error


def parse(data: bytes | str) -> Any:
    """Read JSON made by others.

    Args:
        data: UTF-8 bytes without byte order mark, or text. White space is allowed; whoever needs
            canonical bytes compares with `canonical(parse(data))`.

    Raises:
        FormatError: not JSON, not UTF-8, a key twice in one object, NaN or infinity, an integer
            that no double equals, half a surrogate pair, or nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = data if isinstance(data, str) else bytes(data).decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise FormatError("JSON is not UTF-8") from error
    except ValueError as error:
        raise FormatError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise FormatError(f"JSON nested deeper than {MAX_DEPTH}") from error
    _check(value, 0)
    return value


def is_plain(value: Any, depth: int = 0) -> bool:
    """Say whether an encoder in C that sorts keys writes a value as RFC 8785 does.

    So it is with exact types, ASCII keys (whose order is Python's), integers in range and no
    floats: nearly everything that we sign. Whatever else there is, or is wrong, goes the long way.
    """
    kind = type(value)
    if kind in _LEAVES:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if depth >= MAX_DEPTH:
        return False
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                return False
            if type(item) not in _LEAVES and not is_plain(item, depth + 1):
                return False
        return True
    return (kind is list or kind is tuple) and all(is_plain(item, depth + 1) for item in value)


def _write(value: Any, parts: list[str], depth: int) -> None:
    # Exact tests first: nearly every value in a statement is a str or an int.
    if isinstance(value, str):
        parts.append(_quote(value))
    elif value is True:
        parts.append("true")
    elif value is False:
        parts.append("false")
    elif value is None:
        parts.append("null")
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FormatError("integer beyond 2^53 - 1: send it as text")
        parts.append(int.__repr__(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif depth >= MAX_DEPTH:
        raise FormatError(f"JSON nested deeper than {MAX_DEPTH}")
    elif isinstance(value, dict):
        parts.append("{")
        comma = ""
        for key in _sorted_keys(value):
            parts.append(f"{comma}{_quote(key)}:")
            _write(value[key], parts, depth + 1)
            comma = ","
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for number, item in enumerate(value):
            if number:
                parts.append(",")
            _write(item, parts, depth + 1)
        parts.append("]")
    else:
        raise FormatError(f"{type(value).__name__} has no JSON form")


def _sorted_keys(value: dict[Any, Any]) -> Iterable[str]:
    """Order keys by UTF-16 code units (RFC 8785 §3.2.3); for ASCII keys that is Python's order."""
    keys = list(value)
    if not all(isinstance(key, str) for key in keys):
        raise FormatError("a key of an object is not text")
    if all(map(str.isascii, keys)):
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _number(value: float) -> str:
    """Write a double as ECMAScript does (RFC 8785 §3.2.2.3).

    Python's `repr` finds the same shortest digits; only the layout differs.
    """
    if not math.isfinite(value):
        raise FormatError("NaN and infinity have no JSON form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    # value = 0.digits x 10^point, with neither leading nor trailing zeros in digits
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits + "0" * (point - len(digits))
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def _check(value: Any, depth: int) -> None:
    """Refuse what the decoder lets pass: depth and half surrogate pairs."""
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value)
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise FormatError(f"JSON nested deeper than {MAX_DEPTH}")
        for item in value.values() if isinstance(value, dict) else value:
            if type(item) is not str or not item.isascii():  # nearly all are plain text
                _check(item, depth + 1)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("text holds half of a surrogate pair") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise FormatError("a key stands twice in one JSON object")
    for key in value:
        if not key.isascii():
            _check_text(key)
    return value


def _integer(digits: str) -> int | float:
    # The length first: converting a million digits would cost quadratic time.
    if len(digits) <= 22:
        value = int(digits)
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        # A double of 16 to 21 digits is written like an integer; it is one if it comes back alike.
        if _number(float(value)) == digits:
            return float(value)
    raise FormatError("integer beyond 2^53 - 1 in JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise FormatError("a number in JSON is beyond the range of a double")
    return value


def _no_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is not JSON")


_LEAVES: Final = frozenset({str, bool, type(None)})
_PLAIN: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
)
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_no_key_twice,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_no_constant,
)
