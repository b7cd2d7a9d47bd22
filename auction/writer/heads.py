"""Chain heads of one lot as of the end of each slot (a second), until the ledger has them."""

from collections.abc import Iterable
from typing import Any

from trading.ground.chain import Row
from trading.ground.slots import SLOT_MS

KEPT = 600
"""Slots whose head is remembered after it was asked for: far more than the ledger writes at a time,
so that a slot whose leaf was lost with the process gets the same head again."""


class Heads:
    """Heads by slot.

    Args:
        known: slots and heads, ascending, as `known` gave them before.
        ended: slot in which the auction ended, if it has.
    """

    def __init__(self, known: Iterable[tuple[int, str]] = (), ended: int | None = None) -> None:
        self.by_slot: dict[int, str] = dict(known)
        self.ended = ended
        self._asked = -1

    def note(self, row: Row) -> None:
        """Note a durable row; one stamped in a slot that is written already counts for the next."""
        slot = max(row.at // SLOT_MS, self._asked + 1)
        self.by_slot[slot] = row.chain.hex()
        if row.kind == "auction.result":
            self.ended = slot

    def as_of(self, slot: int) -> tuple[str, bool]:
        """Give the head at the end of a slot, "" before the first row, and whether the slot wants it.

        It does while the auction ran in that slot, whatever is known by now, and when it is new.

        Slots are asked in order.
        """
        newest = next((known for known in reversed(self.by_slot) if known <= slot), None)
        fresh = newest is not None and newest > self._asked
        self._asked = max(self._asked, slot)
        if len(self.by_slot) > 2 * KEPT:
            self._forget()
        ran = self.ended is None or slot < self.ended
        return "" if newest is None else self.by_slot[newest], ran or fresh

    def _forget(self) -> None:
        old = [known for known in self.by_slot if known <= self._asked]
        for known in old[:-KEPT]:
            del self.by_slot[known]

    def to_json(self) -> dict[str, Any]:
        """What a later process needs of them."""
        return {"slots": list(self.by_slot.items()), "ended": self.ended}
