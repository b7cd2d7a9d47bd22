"""A custodian in thirty lines over `crypto`: it joins the ceremony and keeps its share."""

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bidding.model import CeremonyMessage
from crypto import statement
from crypto.cocktail import HostKey, Participant, Share
from crypto.encoding import b64, unb64
from crypto.signature import SigningKey
from crypto.tlog import note
from tests.trading.world import CENTRE

if TYPE_CHECKING:
    from bidding.release import Verdict
    from crypto.certificate import SuccessCertificate


class Keeper:
    """A custodian."""

    def __init__(self, number: int) -> None:
        self.id = f"custodian-{number}"
        self.key = SigningKey.generate()
        self.host = HostKey(bytes([number]) * 32)
        self.note = Ed25519PrivateKey.generate()
        self.vkey = note.vkey(self.id, self.note, note.COSIGNATURE)
        self.participant: Participant | None = None
        self.first: list[bytes] = []
        self.share: Share | None = None
        self.certificate: SuccessCertificate | None = None
        self.lies = False
        self.verdict: Verdict | None = None

    def card(self, number: int) -> dict[str, Any]:
        body = {
            "custodian": self.id,
            "organisation": f"托管单位{number}",
            "key": b64(self.key.public),
            "host_key": b64(self.host.public),
            "witness": self.vkey,
        }
        return statement.sign(self.key, "enrolment", CENTRE, body)

    def ceremony(self, task: dict[str, Any]) -> dict[str, Any]:
        context = unb64(task["context"])
        messages = [unb64(m["statement"]["message"]) for m in task["messages"]]
        if task["round"] == 1:
            roster = tuple(map(unb64, canonical_roster(context)))
            index = roster.index(self.host.public) + 1
            from crypto.certificate import KeyContext

            parsed = KeyContext.from_bytes(context)
            self.participant = Participant(self.host, index, roster, parsed.t, context)
            said = self.participant.round1()
        elif task["round"] == 2:
            said = self.participant.round2(messages)
        else:
            self.certificate, self.share = self.participant.finish(messages)
            said = self.certificate.sha256()
        body = CeremonyMessage(
            ceremony=task["ceremony"], custodian=self.id, round=task["round"], message=b64(said)
        )
        return statement.sign(self.key, CeremonyMessage.PURPOSE, CENTRE, body.to_body())


def canonical_roster(context: bytes) -> list[str]:
    from crypto.canonical import parse

    return parse(context)["custodians"]
