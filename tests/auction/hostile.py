"""Numbers that no auction may take: what attackers, spreadsheets and foreign keyboards send instead of 30."""

import json

_SIGNS = ["-", "+", "±", "−", "－", "+-", "--", "~", "!"]
_FOREIGN = [
    "３０",
    "٣٠",
    "۳۰",
    "३०",
    "௩௦",
    "三十",
    "叁拾",
    "③⓪",
    "²⁹",
    "½",
    "Ⅹ",
    "𝟛𝟘",
    "３0",
    "3٠",
    "〇",
    "零",
]
_SPACES = [
    " ",
    "\t",
    "\n",
    "\r",
    "\u00a0",
    "\u2003",
    "\u200b",
    "\u3000",
    "\ufeff",
    "\u202e",
    "\u0000",
    "\u2028",
]
_FORMS = [
    "30,0", "3,000", "3 000", "3_0", "3'000", "30.", ".30", ".", "30..0", "3.0.0", "30.001", "30.0000001", "1/2", "30%", "30元",
    "¥30", "$30", "30万", "3e1", "3E1", "3e+1", "3e-1", "0x1e", "0b11", "0o36", "1e999", "1e-999", "030", "00", "0030", "30L", "30f",
    "30n", "30d", "NaN", "nan", "Infinity", "-Infinity", "inf", "null", "true", "undefined", "None", "", "[]", "{}", "[30]",
    "${30}", "{{30}}", "%s", "%d", "';--", "<b>30</b>", "=30", "@SUM(30)", "30;31", "30|31", "30&31", "30#", "\\30", '"30"',
    "9" * 16, "1" + "0" * 15, "9" * 100, "9" * 1000, "0." + "0" * 1000, "30." + "0" * 100, str(2**63), str(2**64), "-0", "-0.0", "0.001",
]  # fmt: skip
_TEXTS = (
    [sign + "30" for sign in _SIGNS]
    + ["30" + sign for sign in _SIGNS]
    + _FOREIGN
    + [space + "30" for space in _SPACES]
    + ["30" + space for space in _SPACES]
    + ["3" + space + "0" for space in _SPACES]
    + _FORMS
)
_BARE = [
    "30", "30.0", "-30", "0", "-0", "0.0", "3e1", "3E1", "1e308", "1e309", "-1e309", "1e-400", "1e99999999999999999999", "NaN", "Infinity",
    "-Infinity", "true", "false", "null", "[]", "{}", "[30]", '["30"]', '{"amount":"30"}', '{"$gt":0}', "9007199254740993", str(2**63),
    "9" * 400, "[[[[[[[[30]]]]]]]]", "[" * 100 + "]" * 100, '"\\ud800"', '"\\u0033\\u0030\\u0000"', "0x1e", "030", "+30", ".3", "30.",
    "'30'", "undefined", "30n", "", "30 31", '"30', "1_0", "--1", "[30", "{", "}", "]", ",", ":", '"\\x33"', "1e", "1e+", "-", "Nan", "TRUE",
    "1.1.1", "/*30*/", "30//",
]  # fmt: skip

TOKENS: list[str] = [json.dumps(text, ensure_ascii=False) for text in _TEXTS] + _BARE
"""JSON tokens, sound or not; none of them is an amount at scale 2."""
