"""What the slots commit to: acts on their way, and a section's tree as of the end of a slot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from crypto.section_tree import SectionTree

if TYPE_CHECKING:
    from collections import Counter

    from starlette.types import ASGIApp, Receive, Scope, Send

    from bidding.store import Book, Kept


class Flight:
    """An act on its way from its arrival stamp to the journal."""

    def __init__(self, flying: Counter[int], arrival: int) -> None:
        self.arrival = arrival
        self._flying = flying
        self._slot = arrival // 1000
        self._up = True
        flying[self._slot] += 1

    def land(self) -> None:
        """Let the slot's leaf be written; twice is fine."""
        if self._up:
            self._up = False
            self._flying[self._slot] -= 1
            if not self._flying[self._slot]:
                del self._flying[self._slot]


class Tower(Protocol):
    """Whoever lets acts take off: the intake."""

    def depart(self, arrival: int) -> Flight:
        """Hold back the leaf of the arrival's slot until the flight lands."""
        ...


_ACT: Final = re.compile(r"/api/v1/sections/[^/]+/(?:submissions|withdrawals)")


class Departures:
    """ASGI middleware right inside `http.Edge`: an act takes off as its last byte is stamped.

    What stands between the stamp and the handler may wait (the gate, the idempotency table); the
    slot's leaf waits with it, so that a bid that arrived in time is committed in time.
    """

    def __init__(self, app: ASGIApp, intake: Tower) -> None:
        self._app = app
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        arrival = scope.get("state", {}).get("arrival")
        if scope["type"] != "http" or arrival is None or not _ACT.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        flight = self._intake.depart(arrival)
        scope["state"]["flight"] = flight
        try:
            await self._app(scope, receive, send)
        finally:
            flight.land()


class Grown:
    """A section's tree as of the end of a slot; it only grows."""

    def __init__(self, seed: bytes) -> None:
        self._tree = SectionTree(seed)
        self._put: set[str] = set()
        self.slot = -1
        self.root = self._tree.root()

    def grow(self, book: Book, slot: int) -> list[tuple[Kept, list[bytes]]]:
        """Put every act of slots up to `slot`; return each with its path in its own slot."""
        fresh = sorted(
            (k for k in book.kept.values() if k.act.id not in self._put and k.entry.slot <= slot),
            key=lambda kept: kept.entry.slot,
        )
        found: list[tuple[Kept, list[bytes]]] = []
        while fresh:
            now = fresh[0].entry.slot
            together = [kept for kept in fresh if kept.entry.slot == now]
            fresh = fresh[len(together) :]
            for kept in together:
                self._tree.put(kept.index, kept.entry.to_bytes(book.centre), now)
                self._put.add(kept.act.id)
            found += [(kept, self._tree.path(kept.index)) for kept in together]
            self.root = self._tree.root()
        self.slot = max(self.slot, slot)
        return found
