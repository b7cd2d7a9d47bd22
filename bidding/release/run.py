"""A gapless run of ledger leaves, as a release request carries it (ADR 0005).

The arithmetic is `crypto.tlog.fold`; here a frontier that does not fit is the request's fault and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import MalformedError
from crypto.errors import FormatError
from crypto.tlog import fold

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fold(fold.Fold):
    """The right edge of the ledger's tree, growing leaf by leaf.

    Raises:
        MalformedError: the frontier has not one root for each 1 bit of the size.
    """

    def __init__(self, size: int = 0, frontier: Sequence[bytes] = ()) -> None:
        try:
            super().__init__(size, frontier)
        except FormatError as error:
            raise MalformedError(
                "frontier-malformed",
                "日志前沿不符",
                "A frontier has one root for each bit of its size.",
            ) from error
