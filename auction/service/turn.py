"""Offers of one turn of the event loop: their signatures are checked together, then all are decided.

Verifying P-256 is the largest single cost of an offer, and OpenSSL gives the interpreter's lock away
while it works: so a second thread takes offers from the end of the turn while the loop takes them from
its beginning. Nothing is decided there. When all are checked the loop decides them in the order of
their arrival, and whoever else is about to write into an auction settles the turn first: no hammer,
no act of the centre and no slot of the ledger passes an offer that arrived before it.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.signature import verify

WORTH_SHARING = 8
"""Offers of a turn below which waking a second thread costs more than it saves."""


class Signed(NamedTuple):
    """What is to be checked: `signature` is base64 of 64 bytes, or is not."""

    public: bytes
    message: bytes
    signature: str

    def holds(self) -> bool:
        """Say whether the signature is that of the key."""
        try:
            verify(self.public, self.message, unb64(self.signature))
        except CryptoError:
            return False
        return True


class Turn:
    """Gathers offers until the turn ends."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Signed, Callable[[bool], None]]] = []
        self._helper: ThreadPoolExecutor | None = None

    def add(self, signed: Signed, decide: Callable[[bool], None]) -> None:
        """Take an offer; `decide` is told whether its signature holds, before the turn ends.

        Args:
            signed: what the bidder signed.
            decide: decides it; it raises nothing.
        """
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.settle)
        self._waiting.append((signed, decide))

    def settle(self) -> None:
        """Check and decide what waits, in the order of arrival."""
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        for (_, decide), holds in zip(batch, self._checked(batch), strict=True):
            decide(holds)

    def close(self) -> None:
        """Let the second thread go; a later turn begins another."""
        if self._helper is not None:
            self._helper.shutdown()
            self._helper = None

    def _checked(self, batch: list[tuple[Signed, Callable[[bool], None]]]) -> list[bool]:
        if len(batch) < WORTH_SHARING or (os.cpu_count() or 1) < 2:
            return [signed.holds() for signed, _ in batch]
        if self._helper is None:
            self._helper = ThreadPoolExecutor(1, "auction-signatures")
        left, held = deque(range(len(batch))), [False] * len(batch)

        def check(take: Callable[[], int]) -> None:
            while left:
                try:
                    number = take()
                except IndexError:  # the other one took the last
                    return
                held[number] = batch[number][0].holds()

        other = self._helper.submit(check, left.pop)
        check(left.popleft)
        other.result()
        return held
