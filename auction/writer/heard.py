"""Offers heard before, by the client's key: the same offer again gets its first answer.

A key is bound to one auction and one paddle. Only a short hash of it is kept, and where its row
stands: so a million offers cost memory once, and no answer is stored twice.
"""

import json
from functools import lru_cache
from typing import Any

from auction.replay.closed import Opener
from auction.writer.lot import Decision
from crypto.encoding import sha256
from trading.ground.chain import Row

Place = Decision | int
"""A decision in flight, or the journal position of its durable row."""


class Heard:
    """The keys heard in one auction."""

    def __init__(self) -> None:
        self._keys: dict[bytes, tuple[bytes, Place]] = {}

    def find(self, paddle: str, key: str, offer: str) -> tuple[bool, Place] | None:
        """Look a key up.

        Returns:
            None where it is new; else whether the offer is the same, and where its answer is.
        """
        found = self._keys.get(_name(paddle, key))
        return None if found is None else (found[0] == _digest(offer), found[1])

    def note(self, paddle: str, key: str, offer: str, place: Place) -> None:
        """Remember a key with its offer."""
        self._keys[_name(paddle, key)] = (_digest(offer), place)

    def fold(self, row: Row, opener: Opener) -> None:
        """Remember what a row of the journal says."""
        body: dict[str, Any] = row.body
        if row.kind == "auction.decided" and "key" in body:
            if "closed" in body:
                body = {**body, **json.loads(opener(body["closed"]).value)}
            self.note(body["by"], body["key"], body["offer"], row.position)


@lru_cache(maxsize=1024)  # an offer is looked up, noted in flight and noted durable
def _name(paddle: str, key: str) -> bytes:
    return sha256(f"{paddle}|{key}".encode())[:16]


@lru_cache(maxsize=1024)
def _digest(offer: str) -> bytes:
    return sha256(offer.encode())[:16]
