"""Offers heard before, by the client's key: the same offer again gets its first answer.

A key is bound to one auction and one paddle. Only a short hash of it is kept, and where its row
stands: so a million offers cost memory once, and no answer is stored twice.
"""

import json
from functools import lru_cache
from struct import Struct
from typing import Any

from auction.replay.closed import Opener
from auction.writer.lot import Decision
from crypto.encoding import sha256
from trading.ground.chain import Row

Place = Decision | int
"""A decision in flight, or the journal position of its durable row."""

_ENTRY = Struct("16s24s")  # name of the key; digest of its offer and position of its row
_SHORT = 16


class Heard:
    """The keys heard in one auction.

    Args:
        log: entries as `log` gave them before.
    """

    def __init__(self, log: bytes = b"") -> None:
        self._in_flight: dict[bytes, tuple[bytes, Decision]] = {}
        self._durable: dict[bytes, bytes] = dict(_ENTRY.iter_unpack(log))
        self._log = bytearray(log)

    @property
    def log(self) -> bytes:
        """All durable entries, 40 bytes each."""
        return bytes(self._log)

    def find(self, paddle: str, key: str, offer: str) -> tuple[bool, Place] | None:
        """Look a key up.

        Returns:
            None where it is new; else whether the offer is the same, and where its answer is.
        """
        name = _name(paddle, key)
        if (known := self._durable.get(name)) is not None:
            return known[:_SHORT] == _digest(offer), int.from_bytes(known[_SHORT:])
        found = self._in_flight.get(name)
        return None if found is None else (found[0] == _digest(offer), found[1])

    def note(self, paddle: str, key: str, offer: str, place: Place) -> None:
        """Remember a key with its offer."""
        name, digest = _name(paddle, key), _digest(offer)
        if not isinstance(place, int):
            self._in_flight[name] = (digest, place)
            return
        self._in_flight.pop(name, None)
        entry = digest + place.to_bytes(8)
        if self._durable.get(name) != entry:
            self._durable[name] = entry
            self._log += name + entry

    def fold(self, row: Row, opener: Opener) -> None:
        """Remember what a row of the journal says."""
        body: dict[str, Any] = row.body
        if row.kind == "auction.decided" and "key" in body:
            if "closed" in body:
                body = {**body, **json.loads(opener(body["closed"]).value)}
            self.note(body["by"], body["key"], body["offer"], row.position)


@lru_cache(maxsize=1024)  # an offer is looked up, noted in flight and noted durable
def _name(paddle: str, key: str) -> bytes:
    return sha256(f"{paddle}|{key}".encode())[:_SHORT]


@lru_cache(maxsize=1024)
def _digest(offer: str) -> bytes:
    return sha256(offer.encode())[:_SHORT]
