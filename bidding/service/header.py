"""A sealed file's header, read when it is submitted: what the bidder signed must stand in it.

Only the beginning is read: the whole was hashed when it was kept, and slots wait here. A copy may have been hurt
since; then another one speaks, and a bidder is told that its header is wrong only when no copy has a right one.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bidding.model import BiddingError, MalformedError
from bidding.rules import outside
from crypto.age.header import read_header
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from bidding.model import Submission
    from trading.ground.blobs import Blob, Blobs


def check(blobs: Blobs, blob: Blob, said: Submission) -> None:
    """Hold the header of a kept file against its submission; blocks, for a thread.

    Raises:
        MalformedError: `header-malformed`, or as `outside.check_header`.
        CorruptBlob: no copy is left.
    """
    wrong: BiddingError | None = None
    for beginning in blobs.beginnings(blob):
        try:
            _check(beginning, said)
        except BiddingError as error:
            wrong = wrong or error
        else:
            return
    if wrong is not None:
        raise wrong


def _check(beginning: bytes, said: Submission) -> None:
    try:
        stanza = read_header(io.BufferedReader(io.BytesIO(beginning))).bid_stanza()
    except CryptoError as error:
        raise MalformedError(
            "header-malformed", "密文头部格式不符", f"{error}. Only sealed bids are taken.",
            rule="电子招标投标办法 26",
        ) from error  # fmt: skip
    outside.check_header(said, stanza)
