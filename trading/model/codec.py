"""Frozen dataclasses to JSON and back, for journal rows: one form, nothing guessed.

Enums become their value, tuples lists, bytes base64, absent things null. Reading refuses other
members and other types; a row that does not fit is a broken journal, not a user's mistake.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

from crypto.encoding import b64, unb64

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return the JSON value of a dataclass, enum, tuple, bytes or plain JSON value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bytes):
        return b64(value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    return value


def from_json(kind: type[T], value: Any) -> T:
    """Read a dataclass back from the JSON object that `to_json` wrote.

    Raises:
        ValueError: members or types differ; the message names the member.
    """
    hints = _hints(cast("Any", kind))
    if not isinstance(value, Mapping) or set(value) != set(hints):
        msg = f"not the members of {kind.__name__}"
        raise ValueError(msg)
    return kind(**{name: _read(hint, value[name], name) for name, hint in hints.items()})


def _read(hint: Any, value: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else _read(inner, value, name)
    if origin is tuple and isinstance(value, list):
        if arguments[-1] is Ellipsis:
            return tuple(_read(arguments[0], item, name) for item in value)
        return tuple(_read(a, item, name) for a, item in zip(arguments, value, strict=True))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if hint is bytes and isinstance(value, str):
        return unb64(value)
    expected = cast("type", dict if origin in (dict, Mapping) else hint)
    if type(value) is not expected:  # exact, for True is an int
        msg = f"{name} is no {expected}"
        raise ValueError(msg)
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)
