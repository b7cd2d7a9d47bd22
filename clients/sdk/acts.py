"""Signed commands of people: enrolment with proof of possession, and critical acts that take two."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from clients.errors import ClientError
from clients.sdk import sentences as say
from crypto import statement
from crypto.random import token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey
    from trading.ground.clock import Clock

NONCE_BYTES = 18


def command(
    key: SigningKey, purpose: str, centre: str, body: Mapping[str, Any], clock: Clock
) -> dict[str, Any]:
    """A statement made for now and for once: the body with a nonce and the time of signing.

    Args:
        key: of the person who commands.
        purpose: as the centre expects it, `proposal`, `confirmation`, …
        centre: id of the centre.
        body: the command itself.
        clock: the person's own; it may differ by less than a minute from the server's.
    """
    nonce = urlsafe_b64encode(token(NONCE_BYTES)).decode()
    return statement.sign(key, purpose, centre, {**body, "nonce": nonce, "at": clock.now()})


def enrol(
    centre: Centre,
    key: SigningKey,
    centre_id: str,
    card: Mapping[str, str],
    *,
    person_name: str,
    invitation: str = "",
    certificate: str = "",
) -> dict[str, Any]:
    """Ask for a key to be known.

    Args:
        centre: where.
        key: the key itself proves possession by signing the card.
        centre_id: id of the centre.
        card: organisation, credit_code, role, and person where the person is known already.
        person_name: goes to the erasable table, apart from everything signed.
        invitation: a one-time code of a fresh home; else two people of the centre decide.
        certificate: a supervisor's own, PEM.

    Returns:
        `enrolment`, `status`, and once issued `organisation`, `person`, `certificate`.
    """
    signed = statement.sign(key, "key_enrolment", centre_id, {"person": "", **card})
    body = {
        "statement": signed,
        "person_name": person_name,
        "invitation": invitation,
        "certificate": certificate,
    }
    return dict(centre.call("POST", "/enrolments", body))


class Desk:
    """Two people of different roles who act together; both are logged in.

    Args:
        centre_id: id of the centre.
        first, second: their sessions, and their keys.
        clock: theirs.
    """

    def __init__(
        self,
        centre_id: str,
        first: tuple[Centre, SigningKey],
        second: tuple[Centre, SigningKey],
        clock: Clock,
    ) -> None:
        self._centre_id = centre_id
        self._first = first
        self._second = second
        self._clock = clock

    def propose(self, act: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The first signature."""
        session, key = self._first
        what = {"act": act, "body": dict(body)}
        signed = command(key, "proposal", self._centre_id, what, self._clock)
        return dict(session.call("POST", "/proposals", signed))

    def confirm(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        """The second signature: over the digest of the first one's words."""
        session, key = self._second
        what = {"proposal": proposal["proposal"], "digest": proposal["digest"]}
        signed = command(key, "confirmation", self._centre_id, what, self._clock)
        path = f"/proposals/{proposal['proposal']}/confirm"
        return dict(session.call("POST", path, signed) or {})

    def act(self, act: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Propose and confirm; returns what the act says it did.

        Raises:
            ClientError: the centre holds another proposal than the one that was signed.
        """
        made = self.propose(act, body)
        if made["act"] != act or made["body"] != dict(body):
            raise ClientError(say.OTHER_PROPOSAL(act=act))
        done = self.confirm(made)
        return dict(done.get("result", done))
