"""Login: a single-use challenge, signed with the certified key; an opaque session on the server.

A challenge lives 60 s, is bound to key, origin and purpose, and opens one session. It carries its
own authenticator, so that a flood of requests for challenges takes no memory. The token has 256
random bits and is kept only as its hash. A revoked key or a logout ends its sessions at once,
open sockets included: they `watch` their session. A session alone can decide nothing critical:
such commands carry a fresh signature of their own (`Desk.step_up`).
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlmodel import Session

from crypto import random
from crypto.encoding import b64raw, sha256_hex, unb64raw
from crypto.errors import CryptoError
from trading.ground.database import Database
from trading.ground.journal import Row
from trading.model import LOGIN, Actor, BusyError, LoginError, Role, Scope
from trading.service.desk import Desk, key_of
from trading.store import StoredLogin, drop_logins, keep_login, logins

CHALLENGE_MS: Final = 60_000
TICKET_MS: Final = 30_000
IDLE_MS: Final = 15 * 60_000  # reliability.md §4
ABSOLUTE_MS: Final = 8 * 3_600_000
TOKEN_BYTES: Final = 32
MAX_TICKETS: Final = 10_000
SEEN_MS: Final = 5 * 60_000  # how stale the stored sign of life may be
MAX_SESSIONS: Final = 20_000
MAX_OF_KEY: Final = 32  # the oldest ends when one more is opened: nobody fills the house alone
MAX_TICKETS_OF_ONE: Final = 16  # of one session; the oldest is void when one more is made


@dataclass(frozen=True, slots=True)
class Challenge:
    """What must be signed with purpose `login`: the text itself and the origin."""

    text: str
    origin: str
    expires_at: int


@dataclass(slots=True)
class Login:
    """An open session. `watchers` are called once when it ends; `tickets` wait for a socket, oldest first."""

    stored: StoredLogin
    actor: Actor
    seen_at: int
    watchers: set[Callable[[], None]] = field(default_factory=set)
    tickets: deque[str] = field(default_factory=deque)
    ended: bool = False

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback()` when the session ends, at once if it has; returns how to stop watching."""
        if self.ended:
            callback()
        self.watchers.add(callback)
        return lambda: self.watchers.discard(callback)

    def touch(self, now: int) -> bool:
        """Count a message over an open socket as a sign of life; False where the session has run out."""
        alive = not self.ended and now < min(self.stored.expires_at, self.seen_at + IDLE_MS)
        if alive:
            self.seen_at = max(self.seen_at, now)
        return alive

    def end(self) -> None:
        """Tell every watcher, once."""
        self.ended = True
        watchers, self.watchers = self.watchers, set()
        for callback in watchers:
            callback()


class Sessions:
    """Every open session of the centre."""

    def __init__(self, desk: Desk, database: Database) -> None:
        self._desk = desk
        self._database = database
        self._secret = random.token(32)
        self._used: dict[str, int] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._logins: dict[str, Login] = {}
        self._tickets: dict[str, tuple[str, int]] = {}

    def start(self) -> None:
        """Take up the sessions of before the restart, then follow revocations."""
        now = self._desk.clock.now()
        with self._database.reader() as session:
            stored = logins(session)
        for login in stored:
            key = self._desk.state.keys.get(self._desk.state.key_ids.get(login.key_id, b""))
            alive = now < min(login.expires_at, login.seen_at + SEEN_MS + IDLE_MS)
            if alive and key is not None and key.live:
                self._logins[login.digest] = Login(login, self._desk.actor(key.public), now)
        self._desk.journal.listen(self._follow)

    def challenge(self, key: bytes, origin: str) -> Challenge:
        """Make a challenge for a key; unknown keys get one too, so that nobody learns who is known.

        Args:
            key: 33 bytes.
            origin: the address the client came to, as `https://host`.
        """
        expires_at = self._desk.clock.now() + CHALLENGE_MS
        body = random.token(16) + expires_at.to_bytes(8)
        return Challenge(b64raw(body + self._mac(body, key, origin)), origin, expires_at)

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
        known = self._desk.state.keys.get(key)
        if (
            said != {"challenge": said.get("challenge"), "origin": origin}
            or not self._holds(said["challenge"], key, origin, arrival)
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
        self._use(said["challenge"], arrival)
        if len(self._logins) >= MAX_SESSIONS:
            self._sweep(arrival)
        if len(self._logins) >= MAX_SESSIONS:
            raise BusyError("logins-busy", "登录人数过多", "Ask again in a minute.")
        token = b64raw(random.token(TOKEN_BYTES))
        until = arrival + ABSOLUTE_MS
        if known.role is Role.DELEGATE and (
            power := self._desk.state.delegations.get(known.person)
        ):
            until = min(until, max(arrival, power.until))  # its sockets end with its power
        stored = StoredLogin(
            sha256_hex(token.encode()), known.person, known.key_id, arrival, arrival, until
        )
        await self._database.run(lambda session: keep_login(session, stored))
        who = self._desk.actor(key)  # asks again: revoked while we were writing?
        login = Login(stored, who, arrival)
        self._logins[stored.digest] = login
        await self._bounded(known.key_id)
        return token, login

    async def _bounded(self, key_id: str) -> None:
        """End a key's oldest sessions beyond its number; a session still in use is the youngest by its last sign of life."""
        mine = [one for one in self._logins.values() if one.stored.key_id == key_id]
        surplus = sorted(mine, key=lambda one: one.seen_at)[: max(0, len(mine) - MAX_OF_KEY)]
        if surplus:
            self._end(surplus)
            digests = [one.stored.digest for one in surplus]
            await self._database.run(lambda session: drop_logins(session, digests))

    def by_token(self, token: str) -> Login | None:
        """The session of a token, None if there is none that holds. Counts as a sign of life."""
        digest = sha256_hex(token.encode("utf-8", "replace"))
        return self._alive(digest)

    def allows(self, who: Actor, scope: Scope, where: Collection[str] = ()) -> bool:
        """Whether somebody may act for a bidder in a scope now; `where` as `State.acts_for_bidder`."""
        return self._desk.state.acts_for_bidder(who, scope, self._desk.clock.now(), where)

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
        while len(login.tickets) >= MAX_TICKETS_OF_ONE:
            self._tickets.pop(login.tickets.popleft(), None)
        if len(self._tickets) >= MAX_TICKETS:
            raise BusyError("logins-busy", "登录请求过多", "Ask again in a minute.")
        ticket = b64raw(random.token(TOKEN_BYTES)).replace("+", "-").replace("/", "_")
        self._tickets[ticket] = (login.stored.digest, now + TICKET_MS)
        login.tickets.append(ticket)
        return ticket, now + TICKET_MS

    async def close(self, login: Login) -> None:
        """Log out."""
        digest = login.stored.digest
        await self._database.run(lambda session: drop_logins(session, [digest]))
        self._end([login])

    def _alive(self, digest: str) -> Login | None:
        login = self._logins.get(digest)
        if login is None:
            return None
        now = self._desk.clock.now()
        if now >= min(login.stored.expires_at, login.seen_at + IDLE_MS):
            self._end([login])
            return None
        login.seen_at = now
        if now >= login.stored.seen_at + SEEN_MS:
            login.stored = stored = replace(login.stored, seen_at=now)
            self._later(lambda session: keep_login(session, stored))
        return login

    def _follow(self, row: Row) -> None:
        if row.kind == "key_revoked":
            key_id = row.body["key_id"]
            self._end([s for s in self._logins.values() if s.actor.key_id == key_id])
        elif row.kind in {"delegation.granted", "delegation.revoked"}:
            person = row.body.get("person") or row.body["delegation"]["person"]
            self._end([s for s in self._logins.values() if s.actor.person == person])

    def _end(self, ended: list[Login]) -> None:
        for login in ended:
            self._logins.pop(login.stored.digest, None)
            login.end()

    def _sweep(self, now: int) -> None:
        self._end(
            [
                login
                for login in self._logins.values()
                if now >= min(login.stored.expires_at, login.seen_at + IDLE_MS)
            ]
        )

    def _later(self, work: Callable[[Session], None]) -> None:
        """Write without being waited for: what is lost with a crash is a sign of life."""
        task = asyncio.get_running_loop().create_task(self._database.run(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _mac(self, body: bytes, key: bytes, origin: str) -> bytes:
        return hmac.digest(self._secret, body + key + origin.encode(), "sha256")

    def _holds(self, text: Any, key: bytes, origin: str, now: int) -> bool:
        try:
            data = unb64raw(text) if isinstance(text, str) else b""
        except CryptoError:
            return False
        body, mac = data[:24], data[24:]
        return (
            hmac.compare_digest(mac, self._mac(body, key, origin))
            and now < int.from_bytes(body[16:])
            and text not in self._used
        )

    def _use(self, text: str, now: int) -> None:
        for old, at in list(self._used.items()):
            if now - at < CHALLENGE_MS:
                break
            del self._used[old]
        self._used[text] = now
