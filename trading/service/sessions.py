"""Login: a single-use challenge, signed with the certified key; an opaque session on the server.

A challenge lives 60 s, is bound to the origin it was asked from and to its purpose, and works
once. The token has 256 random bits and is kept only as its hash. A revoked key or a logout ends
its sessions at once, open sockets included: they `watch` their session. A session alone can
decide nothing critical: such commands carry a fresh signature of their own (`Desk.step_up`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from crypto import random
from crypto.encoding import b64raw, sha256_hex
from trading.ground.database import Database
from trading.ground.journal import Row
from trading.model import LOGIN, Actor, BusyError, LoginError
from trading.service.desk import Desk, key_of
from trading.store import StoredLogin, drop_logins, keep_login, logins

CHALLENGE_MS: Final = 60_000
TICKET_MS: Final = 30_000
IDLE_MS: Final = 15 * 60_000  # reliability.md §4
ABSOLUTE_MS: Final = 8 * 3_600_000
TOKEN_BYTES: Final = 32
MAX_CHALLENGES: Final = 10_000
MAX_SESSIONS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """What must be signed with purpose `login`: the text itself and the origin."""

    text: str
    key: bytes
    origin: str
    expires_at: int


@dataclass(slots=True)
class Login:
    """An open session. `watchers` are called once when it ends."""

    stored: StoredLogin
    actor: Actor
    watchers: set[Callable[[], None]] = field(default_factory=set)

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback()` when the session ends; returns how to stop watching."""
        self.watchers.add(callback)
        return lambda: self.watchers.discard(callback)


class Sessions:
    """Every open session of the centre."""

    def __init__(self, desk: Desk, database: Database) -> None:
        self._desk = desk
        self._database = database
        self._challenges: dict[str, Challenge] = {}
        self._logins: dict[str, Login] = {}
        self._tickets: dict[str, tuple[str, int]] = {}

    def start(self) -> None:
        """Take up the sessions of before the restart, then follow revocations."""
        now = self._desk.clock.now()
        with self._database.reader() as session:
            stored = logins(session)
        for login in stored:
            key = self._desk.state.keys.get(self._desk.state.key_ids.get(login.key_id, b""))
            if key is not None and key.live and now < login.expires_at:
                self._logins[login.digest] = Login(
                    replace(login, seen_at=now), self._desk.actor(key.public)
                )
        self._desk.journal.listen(self._follow)

    def challenge(self, key: bytes, origin: str) -> Challenge:
        """Make a challenge for a key; unknown keys get one too, so that nobody learns who is known.

        Args:
            key: 33 bytes.
            origin: the address the client came to, as `https://host`.

        Raises:
            BusyError: too many are open.
        """
        now = self._desk.clock.now()
        for text, old in list(self._challenges.items()):
            if now < old.expires_at:
                break
            del self._challenges[text]
        if len(self._challenges) >= MAX_CHALLENGES:
            raise BusyError("logins-busy", "登录请求过多", "Ask again in a minute.")
        made = Challenge(b64raw(random.token(TOKEN_BYTES)), key, origin, now + CHALLENGE_MS)
        self._challenges[made.text] = made
        return made

    async def open(self, signed: Mapping[str, Any], origin: str, arrival: int) -> tuple[str, Login]:
        """Open a session with a signed challenge.

        Args:
            signed: statement of purpose `login` with challenge and origin.
            origin: the address this request came to.
            arrival: ms UTC.

        Returns:
            The token, which is kept nowhere, and the session.

        Raises:
            LoginError: one answer for whatever does not hold.
        """
        key = key_of(signed)
        said = self._desk.said(signed, "login", key)
        text = said.get("challenge")
        made = self._challenges.pop(text, None) if isinstance(text, str) else None
        known = self._desk.state.keys.get(key)
        if (
            made is None
            or arrival >= made.expires_at
            or said != {"challenge": made.text, "origin": made.origin}
            or (made.key, made.origin) != (key, origin)
            or known is None
            or not known.live
            or known.role not in LOGIN
        ):
            raise LoginError(
                "login-refused",
                "登录未通过",
                "Challenge, origin or key does not hold: ask for a new challenge and sign it with "
                "a key that this centre has certified.",
            )
        if len(self._logins) >= MAX_SESSIONS:
            self._sweep(arrival)
        if len(self._logins) >= MAX_SESSIONS:
            raise BusyError("logins-busy", "登录人数过多", "Ask again in a minute.")
        token = b64raw(random.token(TOKEN_BYTES))
        stored = StoredLogin(
            sha256_hex(token.encode()), known.person, known.key_id,
            arrival, arrival, arrival + ABSOLUTE_MS,
        )  # fmt: skip
        await self._database.run(lambda session: keep_login(session, stored))
        login = Login(stored, self._desk.actor(key))  # asks again: revoked while we were writing?
        self._logins[stored.digest] = login
        return token, login

    def by_token(self, token: str) -> Login | None:
        """The session of a token, None if there is none that holds. Counts as a sign of life."""
        digest = sha256_hex(token.encode("utf-8", "replace"))
        return self._alive(digest)

    def by_ticket(self, ticket: str) -> Login | None:
        """The session of a one-time ticket, which is used up."""
        digest, expires_at = self._tickets.pop(ticket, ("", 0))
        if self._desk.clock.now() >= expires_at:
            return None
        return self._alive(digest)

    def ticket(self, login: Login) -> tuple[str, int]:
        """Make a ticket for one socket: 30 s, once; returns it and its end, ms UTC."""
        now = self._desk.clock.now()
        for text, (_, end) in list(self._tickets.items()):
            if now < end:
                break
            del self._tickets[text]
        if len(self._tickets) >= MAX_CHALLENGES:
            raise BusyError("logins-busy", "登录请求过多", "Ask again in a minute.")
        ticket = b64raw(random.token(TOKEN_BYTES)).replace("+", "-").replace("/", "_")
        self._tickets[ticket] = (login.stored.digest, now + TICKET_MS)
        return ticket, now + TICKET_MS

    async def close(self, login: Login) -> None:
        """Log out."""
        self._end([login])
        await self._forget([login.stored.digest])

    def _alive(self, digest: str) -> Login | None:
        login = self._logins.get(digest)
        if login is None:
            return None
        now = self._desk.clock.now()
        if now >= login.stored.expires_at or now >= login.stored.seen_at + IDLE_MS:
            self._end([login])
            return None
        login.stored = replace(login.stored, seen_at=now)
        return login

    def _follow(self, row: Row) -> None:
        if row.kind == "key_revoked":
            key_id = row.body["key_id"]
            self._end([s for s in self._logins.values() if s.actor.key_id == key_id])

    def _end(self, ended: list[Login]) -> None:
        for login in ended:
            self._logins.pop(login.stored.digest, None)
            for callback in list(login.watchers):
                callback()
            login.watchers.clear()

    def _sweep(self, now: int) -> None:
        self._end(
            [
                s
                for s in self._logins.values()
                if now >= min(s.stored.expires_at, s.stored.seen_at + IDLE_MS)
            ]
        )

    async def _forget(self, digests: list[str]) -> None:
        await self._database.run(lambda session: drop_logins(session, digests))
