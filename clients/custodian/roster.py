"""Whom a custodian believes: the roster pinned at `join`, its fingerprint read aloud beforehand.

    {"v": 1, "centre": …, "centre_key": …, "supervisor_key": …, "ledger": <log's verifier key>,
     "custodians": [card, …], "witnesses": [card, …]}

The roster says which organisations hold keys and witness the log, and by whose two signatures a section may
be postponed or ended. The centre may hand it out; it is believed because people compared its fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from clients.custodian import sentences as say
from clients.custodian.card import Card
from clients.custodian.card import read as read_card
from clients.errors import ClientError
from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex, unb64
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A checked roster.

    Attributes:
        centre: id of the centre.
        centre_key, supervisor_key: statement keys, 33 bytes; both sign what moves or ends a section.
        ledger: verifier key of the log, ``origin+hash+base64``.
        custodians: those who may hold shares; ``witnesses``: those who only cosign.
        body: the JSON it was read from.
    """

    centre: str
    centre_key: bytes
    supervisor_key: bytes
    ledger: str
    custodians: tuple[Card, ...]
    witnesses: tuple[Card, ...]
    body: Mapping[str, Any]

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Reads and checks a roster.

        Raises:
            ClientError: another form, a card that does not hold, two shares in one hand.
        """
        try:
            if value["v"] != 1:
                raise ClientError(say.ROSTER_VERSION())
            centre = value["centre"]
            cards = [read_card(card, centre) for card in value["custodians"]]
            witnesses = [read_card(card, centre) for card in value["witnesses"]]
            roster = cls(
                centre=centre,
                centre_key=unb64(value["centre_key"]),
                supervisor_key=unb64(value["supervisor_key"]),
                ledger=value["ledger"],
                custodians=tuple(cards),
                witnesses=tuple(witnesses),
                body=value,
            )
        except (KeyError, TypeError, AttributeError, CryptoError) as error:
            raise ClientError(say.NO_ROSTER(error=error)) from error
        roster._check()
        return roster

    def _check(self) -> None:
        if any(card.host_key is None for card in self.custodians):
            raise ClientError(say.NO_HOST_KEY())
        everyone = (*self.custodians, *self.witnesses)
        unique: tuple[tuple[str, list[str]], ...] = (
            ("organisation", [card.organisation for card in self.custodians]),
            ("statement key", [card.key.hex() for card in everyone]),
            ("note key", [card.witness for card in everyone]),
        )
        for what, values in unique:
            if len(set(values)) != len(values):
                raise ClientError(say.TWICE_IN_ROSTER(what=what))
        if len(self.hosts()) != len(self.custodians):
            raise ClientError(say.HOST_KEY_TWICE())
        if self.centre_key == self.supervisor_key:
            raise ClientError(say.SAME_KEY())

    @property
    def fingerprint(self) -> str:
        """128 bits of SHA-256 over the canonical roster, eight groups of four to be read aloud."""
        digest = sha256_hex(canonical(dict(self.body)))[:32]
        return " ".join(digest[i : i + 4] for i in range(0, 32, 4))

    def hosts(self) -> dict[bytes, Card]:
        """Custodians by host key."""
        return {card.host_key: card for card in self.custodians if card.host_key is not None}

    def notes(self) -> dict[str, Card]:
        """Everybody who cosigns, by verifier key text."""
        return {card.witness: card for card in (*self.custodians, *self.witnesses)}


def build(
    centre: str,
    centre_key: bytes,
    supervisor_key: bytes,
    ledger: str,
    custodians: Sequence[Mapping[str, Any]],
    witnesses: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Puts a roster together from cards, as the centre hands it out."""
    return {
        "v": 1,
        "centre": centre,
        "centre_key": b64(centre_key),
        "supervisor_key": b64(supervisor_key),
        "ledger": ledger,
        "custodians": [dict(card) for card in custodians],
        "witnesses": [dict(card) for card in witnesses],
    }
