"""What auctions keep closed for a while: sealed in the row, committed to by a salted hash.

A closed value (a one-shot quote, a lottery's commit or nonce, the identity behind a paddle, its right
of first refusal, the reserve) enters the journal as

    {"commitment": hex of SHA-256(salt ‖ value), "sealed": base64 of nonce ‖ ciphertext}

so that no hash of the chain can be searched for it. The lot's closing key lies in the erasable
`private` table. When the rule opens a value, a later row discloses value and salt, and from then
on everybody can check it against the commitment without any key.

Source: design.md §2 "What auctions keep closed".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auction.model import AuctionError
from crypto import xaes
from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex, unb64
from crypto.errors import CryptoError

Closed = Mapping[str, str]
"""The two members above."""

Opener = Callable[[Closed], "Disclosure"]
"""Opens a closed value; raises `ClosedError` where it cannot."""

_NONCE = 24
_SALT = 32


class ClosedError(AuctionError):
    """A closed value cannot be opened: not disclosed yet, its key is erased, or it was changed."""

    def __init__(self, complaint: str) -> None:
        super().__init__("closed-value", "该内容尚未公开", complaint)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """An opened value with the salt that proves it; the salt is hex of 32 bytes."""

    value: str
    salt: str

    @property
    def commitment(self) -> str:
        """The hash that must stand in the row."""
        return sha256_hex(bytes.fromhex(self.salt) + self.value.encode())

    def to_json(self) -> dict[str, str]:
        """The form in a row that discloses."""
        return {"value": self.value, "salt": self.salt}


def seal(value: str, key: bytes, random: bytes) -> dict[str, str]:
    """Close a value.

    Args:
        value: text.
        key: the lot's closing key, 32 bytes.
        random: 56 fresh random bytes, for salt and nonce.
    """
    salt, nonce = random[:_SALT], random[_SALT : _SALT + _NONCE]
    opened = Disclosure(value, salt.hex())
    text = json.dumps(opened.to_json()).encode()
    sealed = nonce + xaes.encrypt(key, nonce, text, bytes.fromhex(opened.commitment))
    return {"commitment": opened.commitment, "sealed": b64(sealed)}


def by_key(key: bytes) -> Opener:
    """Make an opener that has the lot's closing key, as the centre's own."""

    def open_sealed(closed: Closed) -> Disclosure:
        try:
            sealed = unb64(closed["sealed"])
            bound = bytes.fromhex(closed["commitment"])
            text = xaes.decrypt(key, sealed[:_NONCE], sealed[_NONCE:], bound)
        except (CryptoError, ValueError) as error:
            raise ClosedError("The closing key does not open this value.") from error
        return _checked(Disclosure(**json.loads(text)), closed)

    return open_sealed


def by_disclosure(disclosed: Mapping[str, Disclosure]) -> Opener:
    """Make an opener that knows only what rows disclosed, by commitment, as everybody's own."""

    def look_up(closed: Closed) -> Disclosure:
        found = disclosed.get(closed["commitment"])
        if found is None:
            raise ClosedError("No row discloses this value.")
        return _checked(found, closed)

    return look_up


def disclosure_from(value: Any) -> Disclosure:
    """Read a disclosure of a row.

    Raises:
        ClosedError: it has another form.
    """
    if isinstance(value, dict) and set(value) == {"value", "salt"}:
        text, salt = value["value"], value["salt"]
        if isinstance(text, str) and isinstance(salt, str) and len(salt) == 2 * _SALT:
            return Disclosure(text, salt)
    raise ClosedError("A disclosure is a value and a salt of 32 bytes in hex.")


def identity(holder: str, name: str, credit_code: str) -> str:
    """Write who sits behind a paddle, as the closed value of an admission."""
    said = {"holder": holder, "name": name, "credit_code": credit_code}
    return canonical(said).decode()


def read_identity(value: str) -> tuple[str, str, str]:
    """Read `identity` back: holder, name, credit code."""
    said = json.loads(value)
    return str(said["holder"]), str(said["name"]), str(said["credit_code"])


def _checked(opened: Disclosure, closed: Closed) -> Disclosure:
    if opened.commitment != closed["commitment"]:
        raise ClosedError("The value does not fit its commitment; somebody changed one of them.")
    return opened
