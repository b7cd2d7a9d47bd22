"""Frozen dataclasses of strings, whole numbers and tuples to JSON and back, strictly.

A fact that reaches paper must mean one thing only, so nothing is guessed: an unknown key, a missing key or a value
of another type is refused with the path to it. Floats cannot occur: no field is declared as one.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


class DocumentError(Exception):
    """Something about a paper record is wrong; the sentence says what, and whose move it is."""


def to_json(value: object) -> Any:
    """Turn a fact into JSON values: dataclass to object, tuple to list, the rest as it is.

    Args:
        value: a frozen dataclass, tuple, string, whole number or None.

    Returns:
        Only dicts, lists, strings, ints and None.

    Raises:
        DocumentError: for a value of any other type (a float, say).
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, str) or (isinstance(value, int) and not _is_bool(value)):
        return value
    raise DocumentError(f"a {type(value).__name__} cannot stand in a record: {value!r}")


def from_json(kind: type[T], data: Any, where: str = "") -> T:
    """Read a fact back from JSON values, refusing whatever its declaration does not say.

    Args:
        kind: the dataclass to build.
        data: parsed JSON.
        where: path for the error text.

    Raises:
        DocumentError: naming the path of the first thing that does not fit.
    """
    result: T = _read(kind, data, where or kind.__name__)
    return result


def _read(kind: Any, data: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _read_fields(typing.cast("type[Any]", kind), data, where)
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(data, list):
            raise DocumentError(f"{where}: a list was expected")
        item = typing.get_args(kind)[0]
        return tuple(_read(item, part, f"{where}[{i}]") for i, part in enumerate(data))
    if origin is types.UnionType:  # only `int | None` is declared
        return None if data is None else _read(int, data, where)
    if not isinstance(data, kind) or _is_bool(data):
        raise DocumentError(f"{where}: {kind.__name__} was expected, got {type(data).__name__}")
    return data


def _read_fields(kind: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise DocumentError(f"{where}: an object was expected")
    hints = _hints(kind)
    if data.keys() != hints.keys():
        odd = sorted(set(data) ^ set(hints))
        raise DocumentError(
            f"{where}: these fields are missing or unknown: {', '.join(map(str, odd))}"
        )
    return kind(
        **{name: _read(hint, data[name], f"{where}.{name}") for name, hint in hints.items()}
    )


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(kind: type[Any]) -> dict[str, Any]:
    """Field name to declared type, resolved once per class (class variables are not fields)."""
    if kind not in _HINTS:
        declared = typing.get_type_hints(kind)
        _HINTS[kind] = {field.name: declared[field.name] for field in dataclasses.fields(kind)}
    return _HINTS[kind]


def _is_bool(value: object) -> bool:
    """True and False are ints to Python, but never numbers on paper."""
    return isinstance(value, bool)
