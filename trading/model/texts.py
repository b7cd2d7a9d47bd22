"""Texts from outside: names that will stand on signed paper for thirty years.

Markup is text like any other (pages and papers escape it). What cannot be shown as what it is
is refused and named: control and bidi characters, unassigned and private code points, forms
that Unicode would silently rewrite.
"""

import unicodedata
from typing import Final

from trading.model.errors import MalformedError

MAX_NAME: Final = 500  # characters of an organisation's name (design §3)
MAX_REASON: Final = 2000

# Python's tables may be older than the standard: CJK Extensions H and I are assigned since
# Unicode 15.0 and 15.1, and people bear such names.
_NEWER_HAN: Final = ((0x31350, 0x323AF), (0x2EBF0, 0x2EE5D))
_REFUSED: Final = {
    "Cc": "a control character",
    "Cf": "an invisible formatting character",
    "Cs": "half of a surrogate pair",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


def name(text: str, what: str, limit: int = MAX_NAME) -> str:
    """Return the text if it can stand on one line of a signed record.

    Args:
        text: as received.
        what: the field's name, for the refusal.
        limit: most characters (code points), at least one.

    Raises:
        MalformedError: `text-malformed`, with field, position and code point; never the text itself.
    """
    return _checked(text, what, limit, allow="")


def prose(text: str, what: str, limit: int = MAX_REASON) -> str:
    """Return the text if it can stand in a paragraph: as `name`, but line feeds are allowed.

    Raises:
        MalformedError: as for `name`.
    """
    return _checked(text, what, limit, allow="\n")


def _checked(text: str, what: str, limit: int, allow: str) -> str:
    if not 1 <= len(text) <= limit:
        raise _refusal(what, f"it must have 1 to {limit} characters and has {len(text)}")
    for position, character in enumerate(text):
        fault = _fault(character)
        if fault and character not in allow:
            where = f"U+{ord(character):04X} at position {position + 1}"
            raise _refusal(what, f"{where} is {fault}")
    if text != text.strip():
        raise _refusal(what, "it begins or ends with a space")
    if unicodedata.normalize("NFC", text) != text:
        raise _refusal(what, "it is not in Unicode normal form C; type it again")
    return text


def _fault(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cn" and any(low <= ord(character) <= high for low, high in _NEWER_HAN):
        return ""
    return _REFUSED.get(category, "")


def _refusal(what: str, reason: str) -> MalformedError:
    return MalformedError(
        "text-malformed",
        "文字内容不合要求",
        f"The field {what} cannot be taken: {reason}.",
        field=what,
    )
