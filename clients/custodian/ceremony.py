"""A custodian's part in a key ceremony: COCKTAIL-DKG through the centre, which is trusted with nothing.

Every message is kept before it is sent and sent again unchanged when asked again, after a crash too. A
second transcript of one ceremony is never signed, whatever the centre shows. What is checked before the first
word: every custodian of the roster was pinned at `join`, and the key's context says what the task says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bidding.model import CeremonyMessage
from clients.custodian import sentences as say
from clients.custodian.cosigner import LAST, ROOT
from clients.errors import ClientError
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.cocktail import (
    HostKey,
    KeyContext,
    Participant,
    Share,
    SuccessCertificate,
    recover,
    share_bundle,
)
from crypto.encoding import b64, unb64
from crypto.p256 import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.custodian.home import Home
    from clients.custodian.roster import Roster

STATE: Final = "ceremony"
"""Kinds of what is kept (`state.State`): the participant's start, its two messages, what came of them."""
ROUND: Final = "ceremony-round-{}"
CERTIFICATE: Final = "certificate"
BUNDLE: Final = "bundle"
SHARE: Final = "share"
BORN: Final = "born"
"""What it had cosigned before it signed for a key: no bid under that key can lie before it in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the centre asks for.

    Attributes:
        ceremony: id of this attempt.
        round: 1 first messages, 2 transcript signatures, 3 "my share is kept".
        context: context bytes of the key.
        messages: for round 2 the n signed first messages, for round 3 the n signed signatures,
            in roster order; empty for round 1.
    """

    ceremony: str
    round: int
    context: bytes
    messages: tuple[Mapping[str, Any], ...]
    first: tuple[Mapping[str, Any], ...] = ()


class Ceremonies:
    """The ceremonies of one home.

    Args:
        home: keys and memory.
        roster: the custodians pinned at `join`.
    """

    def __init__(self, home: Home, roster: Roster) -> None:
        self._home = home
        self._roster = roster

    def answer(self, task: Task, now: int) -> dict[str, Any]:
        """The signed message of one round; in round 3 the word that the share is kept.

        Args:
            task: what the centre asks.
            now: own clock, ms UTC.

        Raises:
            ClientError: the task contradicts what was pinned.
            CryptoError: a message of another custodian is wrong; a `BlameError` says whose.
        """
        context = self._check(task, now)
        kept = self._home.state.said(ROUND.format(task.round), task.ceremony)
        if kept is not None:
            return dict(parse(kept))
        if task.round == 1:
            return self._say(task, 1, self._participant(task, context, now).round1(), now)
        if task.round == 2:
            first = self._contents(task.ceremony, 1, task.messages, context)
            size, content = self._home.state.mark(LAST)
            keep_birth(self._home, task.ceremony, size, content[:ROOT], now)
            return self._say(task, 2, self._participant(task, context, now).round2(first), now)
        # Once finished the nonce is erased: the participant must not be begun anew.
        if self._home.state.said(SHARE, task.ceremony) is None:
            self._finish(task, self._participant(task, context, now), context, now)
        return self._say(task, 3, certificate_of(self._home, task.ceremony).sha256(), now)

    def _check(self, task: Task, now: int) -> KeyContext:
        """Everything that can be known before the first word.

        1. the context is canonical and of this centre and ceremony;
        2. every custodian in it was pinned, and we are among them;
        3. the earliest opening lies ahead and on a slot boundary.
        """
        context = KeyContext.from_bytes(task.context)
        home = self._home
        if context.centre != home.identity.centre or context.ceremony != task.ceremony:
            raise ClientError(say.OTHER_CONTEXT(ceremony=task.ceremony))
        hosts = self._roster.hosts()
        for index, key in enumerate(context.custodians, 1):
            if key not in hosts:
                raise ClientError(say.NOT_PINNED(ceremony=task.ceremony, index=index))
        if home.keys.host.public not in context.custodians:
            raise ClientError(say.HELD_WITHOUT(ceremony=task.ceremony))
        if task.round == 1 and (context.earliest <= now or context.earliest % 1000):
            raise ClientError(
                say.EARLIEST_IS_PAST(ceremony=task.ceremony, earliest=context.earliest)
            )
        return context

    def _participant(self, task: Task, context: KeyContext, now: int) -> Participant:
        """The participant of this ceremony: begun once, taken up again ever after."""
        home = self._home
        index = context.custodians.index(home.keys.host.public) + 1
        kept = home.state.said(STATE, task.ceremony)
        if kept is None:
            fresh = Participant(home.keys.host, index, context.custodians, context.t, task.context)
            kept = home.state.say(STATE, task.ceremony, canonical(fresh.to_json()), now)
        participant = Participant.from_json(home.keys.host, parse(kept))
        if participant.context != task.context:
            raise ClientError(say.CONTEXT_CHANGED(ceremony=task.ceremony))
        return participant

    def _say(self, task: Task, round_: int, message: bytes, now: int) -> dict[str, Any]:
        home = self._home
        body = CeremonyMessage(
            ceremony=task.ceremony,
            custodian=home.keys.name,
            round=round_,
            message=b64(message),
        )
        signed = statement.sign(
            home.keys.statement, CeremonyMessage.PURPOSE, home.identity.centre, body.to_body()
        )
        kept = home.state.say(ROUND.format(round_), task.ceremony, canonical(signed), now)
        return dict(parse(kept))

    def _contents(
        self,
        ceremony: str,
        round_: int,
        messages: Sequence[Mapping[str, Any]],
        context: KeyContext,
    ) -> list[bytes]:
        """The DKG messages of one round, each signed by the custodian in whose place it stands."""
        if len(messages) != len(context.custodians):
            raise ClientError(
                say.MESSAGES_MISSING(
                    ceremony=ceremony,
                    messages=len(messages),
                    round=round_,
                    custodians=len(context.custodians),
                )
            )
        hosts = self._roster.hosts()
        contents = []
        for host_key, signed in zip(context.custodians, messages, strict=True):
            member = hosts[host_key]
            body = CeremonyMessage.from_body(
                statement.verify(
                    signed,
                    purpose=CeremonyMessage.PURPOSE,
                    centre=self._home.identity.centre,
                    key=member.key,
                )
            )
            if (body.ceremony, body.custodian, body.round) != (ceremony, member.id, round_):
                raise ClientError(say.MESSAGE_MISPLACED(ceremony=ceremony))
            contents.append(unb64(body.message))
        return contents

    def _finish(self, task: Task, participant: Participant, context: KeyContext, now: int) -> None:
        state = self._home.state
        first = self._contents(task.ceremony, 1, task.first, context)
        participant.round2(first)
        signatures = self._contents(task.ceremony, 2, task.messages, context)
        certificate, share = participant.finish(signatures)
        bundle = share_bundle(first, share.index, context.t)
        state.say(CERTIFICATE, task.ceremony, canonical(certificate.to_json()), now)
        state.say(BUNDLE, task.ceremony, bundle, now)
        keep_share(self._home, task.ceremony, share.secret, now)
        # Without the nonce a host secret stolen later no longer yields this custodian's polynomial.
        state.unsay(STATE, task.ceremony)


def keep_share(home: Home, ceremony: str, share: Secret, now: int) -> None:
    """Keeps a share, shut under the host secret.

    It is not held against its verification share when it is used: whoever can alter a home can alter
    that check too. The opener checks every answer and names who is wrong.
    """
    sealed = home.keys.seal(f"share {ceremony}", share.to_bytes())
    home.state.say(SHARE, ceremony, sealed, now)


def keep_birth(home: Home, ceremony: str, size: int, root: bytes, now: int) -> None:
    """Keeps a checkpoint of the log from before there was a key; the first one stands."""
    home.state.say(BORN, ceremony, size.to_bytes(8) + (root if size else b""), now)


def birth_of(home: Home, ceremony: str) -> tuple[int, bytes]:
    """Size and root of the log before there was a key; (0, b"") where nothing was cosigned before."""
    kept = home.state.said(BORN, ceremony) or bytes(8)
    return int.from_bytes(kept[:8]), kept[8:]


def load_share(home: Home, ceremony: str) -> Secret:
    """The share of a ceremony this home took part in.

    Raises:
        ClientError: there is none, or it was not shut by this home.
    """
    sealed = home.state.said(SHARE, ceremony)
    if sealed is None:
        raise ClientError(say.NO_SHARE(ceremony=ceremony))
    return Secret.parse(home.keys.unseal(f"share {ceremony}", sealed))


def certificate_of(home: Home, ceremony: str) -> SuccessCertificate:
    """The success certificate of a ceremony this home took part in.

    Raises:
        ClientError: this home did not see it succeed.
    """
    kept = home.state.said(CERTIFICATE, ceremony)
    if kept is None:
        raise ClientError(say.NO_CERTIFICATE(ceremony=ceremony))
    return SuccessCertificate.from_json(parse(kept))


def recover_share(
    home: Home, ceremony: str, certificate: SuccessCertificate, bundle: bytes, now: int
) -> Share:
    """Makes a share anew from the host secret and the public remains of its ceremony.

    Raises:
        CryptoError: certificate or bundle do not hold, or this host took no part.
    """
    host: HostKey = home.keys.host
    share = recover(host, certificate, bundle)
    home.state.say(CERTIFICATE, ceremony, canonical(certificate.to_json()), now)
    home.state.say(BUNDLE, ceremony, bundle, now)
    keep_share(home, ceremony, share.secret, now)
    return share
