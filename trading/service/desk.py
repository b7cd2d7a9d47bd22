"""The desk at which every command of this floor is handled, one after the other.

A command holds the turn while it looks at the state, decides and appends: between check and
write nothing else happens. The journal answers when the rows are durable and folded, so whoever
awaited `append` sees their effect in `state`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crypto.errors import CryptoError, FormatError
from crypto.statement import digest, signer, verify
from trading.ground.ca import Authority
from trading.ground.clock import Clock
from trading.ground.journal import Draft, Journal, Row
from trading.ground.private import Private
from trading.ground.settings import Settings
from trading.model import (
    LEDGER,
    STREAM,
    Actor,
    ForbiddenError,
    LoginError,
    MalformedError,
    RuleSet,
    State,
    evolve,
)
from trading.rules.conduct import check_fresh
from trading.store import history

VERSION: Final = 1


class Desk:
    """What the parts of the service share.

    Args:
        settings: what centre this is.
        clock: asked once an act, never by the parts.
        journal: open and verified.
        private: keeps names of people.
        authority: certifies keys.
        rulesets: all that the centre has.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        journal: Journal,
        private: Private,
        authority: Authority,
        rulesets: Sequence[RuleSet],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.journal = journal
        self.private = private
        self.authority = authority
        self.rulesets = rulesets
        self.state = State()
        self.turn = asyncio.Lock()

    def start(self) -> None:
        """Fold what the journal holds, then follow it."""
        for row in history(self.journal):
            evolve(self.state, row)
        self.journal.listen(self._follow)

    def _follow(self, row: Row) -> None:
        evolve(self.state, row)

    async def append(self, *drafts: Draft) -> list[Row]:
        """Append rows together and wait until they are durable and folded."""
        return await self.journal.append(*drafts)

    def row(self, kind: str, body: Mapping[str, Any], at: int) -> Draft:
        """A row of this floor's own stream."""
        return Draft(stream=STREAM, kind=kind, body=dict(body), at=at)

    def leaf(self, kind: str, body: Mapping[str, Any], at: int) -> Draft:
        """A ledger leaf of the centre, to be appended together with the row it follows from."""
        head = {"v": VERSION, "centre": self.settings.centre, "kind": kind}
        return Draft(stream=LEDGER, kind=kind, body={**head, **body}, at=at)

    def said(self, signed: Mapping[str, Any], purpose: str, key: bytes | None = None) -> Any:
        """What a signed statement says to this centre for one purpose.

        Args:
            signed: as received.
            purpose: the only one that is accepted.
            key: the only key that may have signed; None for the one it names itself.

        Raises:
            MalformedError: it is no signed statement.
            LoginError: the signature, purpose, centre or key is not the expected one.
        """
        try:
            return verify(signed, purpose=purpose, centre=self.settings.centre, key=key)
        except FormatError as error:
            raise _malformed(error) from error
        except CryptoError as error:
            raise LoginError(
                "statement-refused",
                "签名声明未通过验证",
                f"The statement cannot be accepted as {purpose}: {error}.",
            ) from error

    def step_up(
        self, who: Actor, signed: Mapping[str, Any], purpose: str, arrival: int
    ) -> dict[str, Any]:
        """Check the fresh signature that a critical command carries; a session alone is not enough.

        Args:
            who: of the session; the statement must be signed by the same key.
            signed: the statement, whose body is the whole command with `nonce` and `at`.
            purpose: of the command.
            arrival: stamp of the request, ms UTC.

        Returns:
            The body, without `nonce` and `at`.

        Raises:
            LoginError: signature, key, purpose or freshness do not hold.
            ConflictError: the command was taken before.
        """
        body = dict(self.said(signed, purpose, who.public))
        check_fresh(self.state, body, arrival)
        del body["nonce"], body["at"]
        return body

    def actor(self, public: bytes) -> Actor:
        """Who a key belongs to.

        Raises:
            ForbiddenError: the key is not certified here, or it is revoked.
        """
        key = self.state.keys.get(public)
        if key is None or not key.live:
            raise ForbiddenError(
                "key-not-certified",
                "密钥未经认证或已吊销",
                "This key has no valid certificate of the centre; enrol it first.",
            )
        return Actor(key.person, key.organisation, key.role, key.key_id, key.public)


def name_of(signed: Mapping[str, Any]) -> str:
    """Hex name of a signed statement: SHA-256 of its signed bytes."""
    try:
        return digest(signed).hex()
    except CryptoError as error:
        raise _malformed(error) from error


def key_of(signed: Mapping[str, Any]) -> bytes:
    """The key (33 bytes) that a statement names as its signer, unchecked."""
    try:
        return signer(signed)
    except CryptoError as error:
        raise _malformed(error) from error


def _malformed(error: CryptoError) -> MalformedError:
    return MalformedError("statement-malformed", "签名声明格式不正确", f"{error}.")
