"""Strict reading: one JSON object, one frozen dataclass, nothing guessed.

A class derived from `Body` *is* the field list of a statement, a ledger leaf or a file. Reading
refuses an unknown field, a missing one and a value outside the grammar that the annotation names,
with the path to it. There is no default, no coercion and no float.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Withdrawal(Body):
        PURPOSE = "withdrawal"
        section: Ident
        submission: Ident
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from bidding.model.errors import MalformedError
from crypto.encoding import unb64
from crypto.errors import CryptoError

if typing.TYPE_CHECKING:
    from collections.abc import Callable

MAX_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
MAX_SIZE: Final = 1 << 53  # JSON's exact integers (RFC 8785 §3.2.2.3)


@dataclass(frozen=True, slots=True)
class Shape:
    """A grammar for one value: what it is called, and who decides."""

    name: str
    accepts: Callable[[Any], bool]


def _text(low: int, high: int) -> Shape:
    def accepts(value: Any) -> bool:
        # Lone surrogates have no UTF-8 form, NUL has no place in any text of ours.
        return (
            isinstance(value, str)
            and low <= len(value) <= high
            and "\0" not in value
            and not any("\ud800" <= c <= "\udfff" for c in value)
        )

    return Shape(f"a text of {low} to {high} characters", accepts)


def _matching(name: str, pattern: str) -> Shape:
    compiled = re.compile(pattern, re.ASCII)
    return Shape(
        name,
        lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None,
    )


def _whole(name: str, low: int, high: int, step: int = 1) -> Shape:
    return Shape(
        name, lambda value: type(value) is int and low <= value <= high and value % step == 0
    )


def _bytes(length: int) -> Shape:
    def accepts(value: Any) -> bool:
        if not isinstance(value, str) or len(value) > 4 * length:
            return False
        try:
            return len(unb64(value)) == length
        except CryptoError:
            return False

    return Shape(f"{length} bytes in base64", accepts)


Ident = Annotated[str, _matching("an identifier", r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")]
IdentOrNone = Annotated[
    str, _matching("an identifier or nothing", r"(?:[A-Za-z0-9][A-Za-z0-9_.:-]{0,79})?")
]
Code = Annotated[str, _matching("a code", r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")]
Hex32 = Annotated[str, _matching("64 lower-case hex digits", r"[0-9a-f]{64}")]
HexOrNone = Annotated[str, _matching("64 lower-case hex digits or nothing", r"(?:[0-9a-f]{64})?")]
Recipient = Annotated[str, _matching("an age1tag1 recipient", r"age1tag1[a-z0-9]{20,120}")]
Amount = Annotated[
    str, _matching("a decimal amount or nothing", r"(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?)?")
]
Name = Annotated[str, _text(1, 500)]
Text = Annotated[str, _text(0, 4_000)]
LongText = Annotated[str, _text(0, 65_536)]
Ms = Annotated[int, _whole("milliseconds UTC", 0, MAX_MS)]
SlotMs = Annotated[int, _whole("milliseconds UTC on a slot boundary", 0, MAX_MS, 1000)]
Count = Annotated[int, _whole("a whole number", 0, MAX_SIZE)]
Positive = Annotated[int, _whole("a whole number above zero", 1, MAX_SIZE)]
Small = Annotated[int, _whole("a whole number from 1 to 255", 1, 255)]
Point33 = Annotated[str, _bytes(33)]
Point65 = Annotated[str, _bytes(65)]
Bytes64 = Annotated[str, _bytes(64)]
Bytes32 = Annotated[str, _bytes(32)]
Bytes16 = Annotated[str, _bytes(16)]
Json = Annotated[dict[str, Any], Shape("a JSON object", lambda value: isinstance(value, dict))]

Use = Literal["live", "rehearsal"]
Envelope = Literal["whole"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The fields of a statement, leaf or file; a subclass names them and its PURPOSE."""

    PURPOSE: ClassVar[str] = ""

    def to_body(self) -> dict[str, Any]:
        """Return the JSON object, without v, suite, purpose and centre (the statement adds them)."""
        return {name: _write(getattr(self, name)) for name in fields_of(type(self))}

    @classmethod
    def from_body(cls, body: Any) -> Self:
        """Read the fields back.

        Args:
            body: the parsed JSON object, without v, suite, purpose and centre.

        Raises:
            MalformedError: `malformed`, with the path of the first field that does not fit.
        """
        result: Self = _read(cls, body, cls.PURPOSE or cls.__name__.lower())
        return result


def _write(value: Any) -> Any:
    if isinstance(value, Body):
        return value.to_body()
    return [_write(item) for item in value] if isinstance(value, tuple) else value


_FIELDS: dict[Any, dict[str, Any]] = {}


def fields_of(kind: Any) -> dict[str, Any]:
    """Return field name → declared type of a Body class, resolved once."""
    if kind not in _FIELDS:
        _FIELDS[kind] = _declared(kind)
    return _FIELDS[kind]


def _declared(kind: Any) -> dict[str, Any]:
    declared = typing.get_type_hints(kind, include_extras=True)
    return {field.name: declared[field.name] for field in dataclasses.fields(kind)}


def _read(hint: Any, value: Any, path: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        shape = next(extra for extra in hint.__metadata__ if isinstance(extra, Shape))
        return value if shape.accepts(value) else _malformed(path, shape.name)
    if origin is Literal:
        choices = typing.get_args(hint)
        known = any(value == choice and type(value) is type(choice) for choice in choices)
        return value if known else _malformed(path, " or ".join(map(str, choices)))
    if origin is tuple:
        item = typing.get_args(hint)[0]
        if not isinstance(value, list):
            return _malformed(path, "a list")
        return tuple(_read(item, part, f"{path}[{i}]") for i, part in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            return _malformed(path, "a JSON object")
        key, item = typing.get_args(hint)
        return {
            _read(key, name, f"{path} key"): _read(item, part, f"{path}.{name}")
            for name, part in value.items()
        }
    if origin is types.UnionType:
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return None if value is None else _read(kinds[0], value, path)
    if hint is bool:
        return value if isinstance(value, bool) else _malformed(path, "true or false")
    if not isinstance(value, dict):
        return _malformed(path, "a JSON object")
    names = fields_of(hint)
    if value.keys() != names.keys():
        missing, foreign = names.keys() - value.keys(), value.keys() - names.keys()
        return _malformed(path, f"the fields {', '.join(names)}", missing, foreign)
    return hint(
        **{name: _read(kind, value[name], f"{path}.{name}") for name, kind in names.items()}
    )


def _malformed(path: str, wanted: str, *sets: set[str]) -> typing.NoReturn:
    counts = f"; {len(sets[0])} missing, {len(sets[1])} unknown" if sets else ""
    # The foreign value is never repeated: it may be long, or meant for whoever reads the log.
    raise MalformedError(
        "malformed", "内容格式不正确", f"{path[:120]}: {wanted} was expected{counts}."
    )
