"""What an attacker writes where a value belongs. Every entry once broke some program somewhere."""

from typing import Any, Final

TEXTS: Final = (
    "",
    "<b>x</b>",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<para><font size=900>大</font></para>",  # reportlab reads such tags
    "a\u202eb",  # bidi override
    "\u2066x\u2069",
    "a\u0000b",
    "\x1b[31mred",
    "line\nfeed\r\nSet-Cookie: a=b",
    "\u2028",
    "字" * 501,
    "x" * 20_000,
    "㑇𠮷𬍛𣲗𲎯",  # rare, and newer than Python's tables
    "\U000e0001",
    "\ufffe\uffff\U0010ffff",  # noncharacters
    "\ue000",  # private use
    "e\u0301",  # not in normal form C
    "' OR '1'='1' --",
    "'; DROP TABLE journal; --",
    "=HYPERLINK(1)",
    "../../../../etc/passwd",
    "%00%2e%2e%2f",
    "CON",
    "{{7*7}}${7*7}#{7*7}",
    "１２３",
    "٣",
    "NaN",
    "-0",
    "1e999",
    "0x1",
    "1_000",
    "9" * 5_000,
    "A" * 44,
    "AAAA",
    "a" * 64,
)
"""Texts that UTF-8 can carry."""

SURROGATES: Final = ("\ud800", "x\udfffy")
"""Halves of pairs: JSON can name them, UTF-8 cannot write them."""

VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    2**53 - 1,
    -(2**53) + 1,
    [],
    {},
    [[[[[[[[]]]]]]]],
    ["x"] * 1_000,
    {"x": {"x": {"x": {"x": {}}}}},
    {"__proto__": 1, "constructor": []},
    *TEXTS,
)
"""Values that canonical JSON can say, so that they can stand in a signed statement."""

BODIES: Final = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"NaN",
    b"1e400",
    b"-" + b"9" * 5_000,
    b'{"statement": NaN}',
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"a":1,"a":2}',
    b'{"statement":{},"statement":{"v":1},"key":"","signature":""}',
    b'{"statement":{},"key":"","signature":""}',
    b'{"statement":{},"key":"A","signature":"\\ud800"}',
    b'{"\\ud800":1}',
    b'{"statement":{"\\udfff":"\\ud800"},"key":"","signature":""}',
    b'{"statement":{"v":1e400},"key":"","signature":""}',
    b'{"statement":{"v":' + b"9" * 5_000 + b'},"key":"","signature":""}',
    b'{"use":"\\ud800"}',
    b'{"use":["live"]}',
    b'{"action":{"a":1}}',
    b'{"action":"\\ud800"}',
    b'{"bidder":"\\ud800","text":"\\ud800"}',
    b'{"bidder":"x","text":"\\u0000"}',
    b'{"digest":"' + b"0" * 64 + b'"}',
    b'{"nonce":"' + b"0" * 64 + b'"}',
    b'{"supervisor":{"statement":{"\\ud800":1},"key":"","signature":""}}',
    b'{"submission":{"statement":{},"key":"","signature":""},"possession":"\\ud800","upload":"\\ud800"}',
    b'{"submission":{"statement":{},"key":[],"signature":{}},"possession":"","upload":"x"}',
    b'{"withdrawal":{"statement":{"v":[]},"key":1,"signature":2}}',
    b'{"note":"\\ud800"}',
    b'{"note":"x\\n\\n\\u2014 y AAAA\\n"}',
    b'{"key":"' + b"A" * 44 + b'"}',
    b"x" * 65_536,
)
"""Whole bodies, not all of them JSON."""

SEGMENTS: Final = (
    "x", "..", "%00", "%2e%2e%2f", "a" * 3_000, "<b>", "'--", "%F0%9F%98%80", "%ff", "%ED%A0%80",
    "{{7*7}}", "sec_" + "a" * 26, "-1", "9" * 400, "%0d%0aX:y",
)  # fmt: skip
"""Parts of a path, as they are written in it."""
