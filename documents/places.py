"""Which files a dossier 归档包 holds, and the one form of its `bag-info.txt` (docs/spec/dossier-v1.md §2).

A bag's manifests are signed by nobody: whoever holds one can put a file in and compute them again. So the layout is
closed. What has no place in it, or stands there under another name, is not part of the dossier.
"""

from __future__ import annotations

import re
from typing import Final

from documents.model import DocumentError

_ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_CUSTODY = "tender|certificate|seed|key_assign|close_list|control_price|float_result|published_bidders|opened|disclosed"
PLACE: Final = re.compile(
    rf"""
      VERIFY\.md | trust\.json | events\.jsonl
    | ledger/ (?: checkpoint | leaves\.jsonl | cosigned\.json )
    | records/ {_ID} \.pdf | records/ {_ID} \.proof\.json
    | bids/ {_ID} / (?: bid\.json | submission\.json | receipt\.json | bid\.age | bid\.tar )
    | custody/ (?: {_CUSTODY} ) \.json | custody/answers/ [1-9][0-9]? \.json
    """,
    re.ASCII | re.VERBOSE,
)
"""A path below `data/`."""

INFO: Final = (
    "Source-Organization", "External-Identifier", "Bagging-Date", "Payload-Oxum", "Bag-Software-Agent",
    "Kaibiao-Dossier", "Kaibiao-Centre", "Kaibiao-Rendition",
)  # fmt: skip
"""Labels of `bag-info.txt`, each once, in this order."""

VERSION: Final = "1"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RECORD, _PROOF = ".pdf", ".proof.json"


def strange(names: list[str]) -> list[str]:
    """Return the payload files that have no place in a dossier.

    A proof belongs beside its record; a record without a proof is the matter of another check.

    Args:
        names: paths, each with `data/` in front.
    """
    held = set(names)
    return [
        name
        for name in names
        if not PLACE.fullmatch(name.removeprefix("data/"))
        or (
            name.startswith("data/records/")
            and name.endswith(_PROOF)
            and name.removesuffix(_PROOF) + _RECORD not in held
        )
    ]


def read_info(data: bytes) -> dict[str, str]:
    """Read `bag-info.txt`, of which there is one form.

    Raises:
        DocumentError: a label is missing, added, twice or elsewhere; another version; no date.
    """
    lines = data.decode().split("\n")
    pairs = [line.partition(": ") for line in lines[:-1]]
    labels = tuple(label for label, _, _ in pairs)
    if lines[-1] or labels != INFO or not all(value for _, _, value in pairs):
        raise DocumentError(f"bag-info.txt must have the lines {', '.join(INFO)}, in this order")
    info = {label: value for label, _, value in pairs}
    if info["Kaibiao-Dossier"] != VERSION or not _DAY.fullmatch(info["Bagging-Date"]):
        raise DocumentError("bag-info.txt is of another version, or dated by no day")
    return info
