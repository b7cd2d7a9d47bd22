"""A custodian's home: a folder with one secret, one memory and one lock.

    HOME/host.age           the host secret, an age file under a passphrase (scrypt)
    HOME/home.json          role, centre, organisation, what was pinned at `join`
    HOME/card.json          the public card, to be handed to the centre
    HOME/certificates.pem   one per key, for others' trust.pem
    HOME/state.sqlite       the memory (`state`)
    HOME/lock               held by the one process that lives here

Whoever has the host secret and the transcripts of the ceremonies can make a lost home anew (`recover`).
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from clients.custodian import card
from clients.custodian import sentences as say
from clients.custodian.keys import SECRET_BYTES, Keys
from clients.custodian.state import State
from clients.errors import UnfitError, UsageError
from clients.files import read_json, write_durably, write_json
from crypto.random import token

if TYPE_CHECKING:
    from pathlib import Path

WORK_TYPED: Final = 18
"""log2 of scrypt's N for a passphrase that a person types: age's own default, a second a guess."""

WORK_FILE: Final = 14
"""For a passphrase from a file that `init` wrote: 130 random bits need no stretching, and the process
starts unattended in a few hundredths of a second. Honest for such a file only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who lives here. ``role`` is custodian or witness; ``centre`` the id of the centre served."""

    role: str
    centre: str
    organisation: str


class Home:
    """An opened home; holds the lock until `close`.

    Attributes:
        path: the folder.
        identity: who lives here.
        keys: derived from the host secret.
        state: the durable memory.
        pinned: what `join` pinned, or None before it.
    """

    def __init__(self, path: Path, identity: Identity, keys: Keys, lock: int) -> None:
        self.path = path
        self.identity = identity
        self.keys = keys
        self._lock = lock
        self.state = State(path / "state.sqlite")

    @classmethod
    def create(
        cls,
        path: Path,
        identity: Identity,
        passphrase: str,
        *,
        now: int,
        work: int = WORK_TYPED,
        secret: bytes | None = None,
    ) -> Self:
        """Makes a home in a new or empty folder.

        Args:
            path: the folder; made with mode 0700.
            identity: who will live here.
            passphrase: shuts the host secret.
            now: own clock, ms UTC.
            work: log2 of scrypt's N.
            secret: a host secret to recover from; None draws a new one.

        Raises:
            UsageError: there is something in the folder already.
        """
        if path.exists() and any(path.iterdir()):
            raise UsageError(say.NOT_EMPTY(path=path))
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = Keys(
            token(SECRET_BYTES) if secret is None else secret,
            witness_only=identity.role == card.WITNESS,
        )
        write_durably(path / "host.age", keys.shut(passphrase, work), 0o600)
        body = {"v": 1, "role": identity.role, "centre": identity.centre}
        write_json(path / "home.json", {**body, "organisation": identity.organisation})
        signed = card.make(keys, identity.centre, identity.organisation, identity.role)
        write_json(path / "card.json", signed)
        chain = card.certificates(keys, identity.organisation, identity.role, now)
        write_durably(path / "certificates.pem", chain.encode())
        return cls(path, identity, keys, _take_lock(path))

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """Opens a home.

        Raises:
            UsageError: there is no home here.
            UnfitError: another process lives here.
            ClientError: the passphrase does not fit.
        """
        if not (path / "host.age").is_file():
            raise UsageError(say.NO_HOME(path=path))
        lock = _take_lock(path)
        try:
            facts = read_json(path / "home.json")
            identity = Identity(
                role=facts["role"], centre=facts["centre"], organisation=facts["organisation"]
            )
            keys = Keys.unshut(
                (path / "host.age").read_bytes(),
                passphrase,
                witness_only=identity.role == card.WITNESS,
            )
        except BaseException:
            os.close(lock)
            raise
        return cls(path, identity, keys, lock)

    def card(self) -> card.Card:
        """The public card of this home, checked."""
        return card.read(read_json(self.path / "card.json"), self.identity.centre)

    def close(self) -> None:
        """Closes the memory and gives the lock back."""
        self.state.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _take_lock(path: Path) -> int:
    """One process per home, by an exclusive lock that dies with the process."""
    handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UnfitError(say.LIVED_IN(path=path)) from error
    return handle
