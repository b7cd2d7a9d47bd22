"""What a restart need not fold again: a snapshot of each auction beside the database.

The journal stays the truth; this is a shortcut through rows that its chain has just verified. A
snapshot names the row after which it was taken. It is used only where the journal holds that row
with that chain hash, and the rows behind it are folded as always; any other, older, torn or foreign
one is left alone and the auction is folded from its first row. It is sealed with the auction's
closing key (XAES-256-GCM): what is closed stays closed, nobody can forge one who has not the
private table, and erasing the key erases it.

A snapshot says what the book says, not how the rows were judged: auditors judge every row again.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

import msgspec

from auction.model import AuctionError, State
from auction.replay.book import Book, rules_of
from auction.replay.closed import Opener
from auction.writer.heads import Heads
from auction.writer.heard import Heard
from crypto import xaes
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError
from crypto.random import token

FORM = 3
"""Raised whenever what a snapshot holds changes its meaning; others are left alone."""

_LABEL = b"kaibiao/auction-memory/v1\n"
_NONCE = 24
_log = logging.getLogger(__name__)

_STATE = {name: hint for name, hint in get_type_hints(State).items() if name != "rules"}
_BOOK = {name: hint for name, hint in get_type_hints(Book).items() if name != "state"}
_StateForm = msgspec.defstruct("_StateForm", list(_STATE.items()), forbid_unknown_fields=True)
_BookForm = msgspec.defstruct("_BookForm", list(_BOOK.items()), forbid_unknown_fields=True)


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    form: int
    book: _BookForm  # type: ignore[valid-type]
    state: _StateForm  # type: ignore[valid-type]
    bidders: list[str]
    slots: list[tuple[int, str]]
    ended: int | None
    heard: bytes


_encode = msgspec.msgpack.Encoder(enc_hook=dict).encode  # `Gathered` is a mapping, but no dict
_decode = msgspec.msgpack.Decoder(_Form).decode


@dataclass(frozen=True, slots=True)
class Remembered:
    """An auction as of one durable row, `book.seq`; what was heard may reach further."""

    book: Book
    heads: Heads
    heard: Heard

    def to_bytes(self) -> bytes:
        """Encode it, not sealed yet."""
        book, state = self.book, self.book.live
        known = self.heads.to_json()
        return _encode(
            {
                "form": FORM,
                "book": {name: getattr(book, name) for name in _BOOK},
                "state": {name: getattr(state, name) for name in _STATE},
                "bidders": sorted(state.rules.bidders),
                "slots": known["slots"],
                "ended": known["ended"],
                "heard": self.heard.log,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, opener: Opener) -> "Remembered":
        """Decode it; the rules are read again from the announcement that it holds.

        Raises:
            msgspec.DecodeError: another form.
            AuctionError: its rules are none.
        """
        form = _decode(data)
        if form.form != FORM:
            raise msgspec.ValidationError("another form")
        book = Book(**{name: getattr(form.book, name) for name in _BOOK})
        rules = rules_of(book, opener, form.bidders)
        book.state = State(rules=rules, **{name: getattr(form.state, name) for name in _STATE})
        return cls(book, Heads(form.slots, form.ended), Heard(form.heard))


class Memory:
    """The folder of snapshots.

    Args:
        folder: beside the database; made when the first snapshot is kept. None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def keeps(self) -> bool:
        """Whether there is such a folder."""
        return self._folder is not None

    def recall(self, lot: str, key: bytes, opener: Opener) -> Remembered | None:
        """Give the snapshot of an auction, if there is one that its key opens."""
        path = self._path(lot)
        if path is None:
            return None
        try:
            data = path.read_bytes()
            text = xaes.decrypt(key, data[:_NONCE], data[_NONCE:], _LABEL + lot.encode())
            found = Remembered.from_bytes(text, opener)
        except FileNotFoundError:
            return None
        except (OSError, CryptoError, AuctionError, msgspec.DecodeError) as error:
            _log.warning("a snapshot is left alone: %s", type(error).__name__)
            return None
        return found if found.book.lot == lot else None

    def keep(self, lot: str, key: bytes, data: bytes) -> None:
        """Seal a snapshot and put it in place of the one before; runs in any thread.

        A failure is logged and nothing else: without it the next start folds more.
        """
        path = self._path(lot)
        if path is None:
            return
        nonce = token(_NONCE)
        sealed = nonce + xaes.encrypt(key, nonce, data, _LABEL + lot.encode())
        fresh = path.with_suffix(".new")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            fresh.write_bytes(sealed)
            fresh.replace(path)
        except OSError as error:
            _log.warning("a snapshot was not kept: %s", type(error).__name__)

    def _path(self, lot: str) -> Path | None:
        return (
            None if self._folder is None else self._folder / f"{sha256_hex(lot.encode())[:32]}.book"
        )
