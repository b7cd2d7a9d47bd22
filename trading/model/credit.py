"""统一社会信用代码, the identifier of an organisation (GB 32100-2015).

Eighteen characters: one for the registering department, one for the kind, six for the region
(GB/T 2260), nine for the organisation itself (GB 11714, its last character a check digit), one
check digit over the seventeen before it.

Test codes are the series `91440000MA4W0000X?` to `…9999X?`: their inner check digit is always
X, which is wrong for ten of eleven numbers, so that they do not name real organisations. They
are flagged, and a live centre refuses them. Every other wrong check digit is refused outright.
"""

import re
from dataclasses import dataclass
from typing import Final

from trading.model.errors import MalformedError

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100 table 2: no I O S V Z
OUTER_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
INNER_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
TEST_SERIES: Final = re.compile(r"91440000MA4W\d{4}X.", re.ASCII)

_FORM = re.compile(rf"[1-9A-HJ-NPQRTUWXY][1-9A]\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A checked 统一社会信用代码. `test`: it is of the test series and names nobody."""

    text: str
    test: bool


def credit_code(text: str) -> CreditCode:
    """Read a code and check both its check digits.

    Raises:
        MalformedError: `credit-code-malformed` (form) or `credit-code-check-digit`.

    Source: GB 32100-2015 §3 and annex A; GB 11714 for characters 9 to 17.
    """
    if not _FORM.fullmatch(text):
        raise MalformedError(
            "credit-code-malformed",
            "统一社会信用代码格式不正确",
            "Write 18 characters 0-9 and A-Y without I, O, S, V, Z, as on the licence.",
            rule="GB 32100-2015 §3",
        )
    test = TEST_SERIES.fullmatch(text) is not None
    inner = _inner_check(text[8:16]) == text[16]
    if _outer_check(text[:17]) != text[17] or not (inner or test):
        raise MalformedError(
            "credit-code-check-digit",
            "统一社会信用代码校验位不正确",
            "A check digit does not fit: a character is mistyped. Compare with the licence.",
            rule="GB 32100-2015 annex A; GB 11714",
        )
    return CreditCode(text, test)


def code_for_tests(number: int) -> str:
    """Make the test code of a number, for demos and tests: 1 → `91440000MA4W0001XX`.

    Args:
        number: 0 to 9999.
    """
    body = f"91440000MA4W{number:04d}X"
    return body + _outer_check(body)


def _outer_check(body: str) -> str:
    total = sum(ALPHABET.index(c) * w for c, w in zip(body, OUTER_WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def _inner_check(body: str) -> str:
    # GB 11714 counts letters as 10 to 35, without gaps for the characters that GB 32100 leaves out.
    total = sum(int(c, 36) * w for c, w in zip(body, INNER_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
