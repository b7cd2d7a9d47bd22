"""A bidder in an auction hall: one socket, a delegated key, signed offers, receipts.

An offer keeps its client key until it is answered: after a cut connection the same text is sent again and gets its
first answer, so that nothing is lost and nothing doubled.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from clients.errors import ClientError
from clients.sdk import sentences as say
from clients.sdk.wire import API, WireError
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.random import token
from crypto.signature import SigningKey

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from clients.sdk.wire import Centre

SUBPROTOCOL: Final = Subprotocol("kaibiao.v1")
ANSWER_SECONDS: Final = 30
KEY_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Offer:
    """A signed offer; the same one may be sent any number of times."""

    key: str
    text: str
    signature: str

    def frame(self) -> str:
        """What goes over the socket."""
        return json.dumps({"offer": self.text, "signature": self.signature})


class HallSeat:
    """One bidder's socket in one auction.

    Args:
        centre: with a session of the bidder; its address is the hall's.
        centre_id: id of the centre.
        lot: id of the auction.
        key: the bidder's certified key; it signs the delegation only.
        until: ms UTC at which the delegated key ends.

    Attributes:
        paddle: 竞买号牌.
        entitled: whether the seat holds 优先购买权, as of now.
        hall: what the hall was told to show last, once it is followed: phase, ends_at, best, leader, next.
    """

    def __init__(
        self, centre: Centre, centre_id: str, lot: str, key: SigningKey, until: int
    ) -> None:
        self._centre = centre
        self._centre_id = centre_id
        self._lot = lot
        self._key = key
        self._until = until
        self._delegate = SigningKey.generate()
        self._socket: ClientConnection | None = None
        self.hall: dict[str, Any] = {}
        self._inside = ExitStack()  # what leaving the hall closes
        seat = centre.call("GET", f"/lots/{lot}/participation")
        self.paddle = str(seat["paddle"])
        self.entitled = bool(seat["entitled"])

    def enter(self) -> None:
        """Open the socket and delegate; after a restart of the centre the same key is delegated again.

        Raises:
            WireError: the centre does not answer.
        """
        address = self._centre.origin.replace("http", "ws", 1) + f"{API}/lots/{self._lot}/bid"
        bearer = {"Authorization": f"Bearer {self._centre.token}"}
        try:
            opening = connect(
                address,
                additional_headers=bearer,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                proxy=None,
            )
            self._socket = self._inside.enter_context(opening)
        except (OSError, WebSocketException) as error:
            raise WireError(say.HALL_SILENT(error=error)) from error
        body = {
            "lot": self._lot,
            "paddle": self.paddle,
            "delegate": b64(self._delegate.public),
            "expires_at": self._until,
        }
        signed = statement.sign(self._key, "delegation", self._centre_id, body)
        self._send(json.dumps({"delegation": signed}))
        self._until_type("entered")

    def make(self, amount: str) -> Offer:
        """Sign an offer under a fresh key; nothing is sent."""
        return self.command("bid", amount=amount)

    def match(self) -> Offer:
        """Sign the use of 优先购买权: the price that stands, neither more nor less."""
        return self.command("match")

    def decline(self) -> Offer:
        """Sign that 优先购买权 is given up."""
        return self.command("decline")

    def command(self, do: str, **content: str) -> Offer:
        """Sign a command under a fresh key; nothing is sent.

        Args:
            do: `bid`, `confirm`, `join`, `quote`, `reveal`, `match` or `decline`.
            content: its amount, commit or nonce.
        """
        key = urlsafe_b64encode(token(KEY_BYTES)).decode()
        body = {"lot": self._lot, "paddle": self.paddle, "do": do, "key": key, **content}
        text = canonical(statement.make("offer", self._centre_id, body))
        signature = b64(self._delegate.sign(statement.PREFIX + text))
        return Offer(key, text.decode(), signature)

    def follow(self) -> dict[str, Any]:
        """Follow the hall from now on, ahead of whoever looks on; gives what it shows."""
        self._send(json.dumps({"type": "follow"}))
        return self._until_type("hall")

    def send(self, offer: Offer) -> None:
        """Send an offer and do not wait."""
        self._send(offer.frame())

    def answer(self, offer: Offer) -> dict[str, Any]:
        """Wait for the answer to an offer: `ok`, `code`, `arrival`, `receipt`.

        Raises:
            WireError: the socket ended first; enter again and send the same offer.
            ClientError: the message itself was refused.
        """
        while True:
            told = self._receive()
            if told["type"] == "answer" and told["key"] == offer.key:
                return told
            if told["type"] == "problem":
                raise ClientError(f"{told['code']}: {told['detail']}")

    def close(self) -> None:
        """Leave the hall."""
        self._inside.close()
        self._socket = None

    def _until_type(self, kind: str) -> dict[str, Any]:
        while True:
            told = self._receive()
            if told["type"] == kind:
                return told
            if told["type"] == "problem":
                raise ClientError(f"{told['code']}: {told['detail']}")

    def _send(self, text: str) -> None:
        try:
            self._open().send(text)
        except (OSError, WebSocketException) as error:
            raise WireError(say.HALL_CUT(error=error)) from error

    def _receive(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._open().recv(ANSWER_SECONDS)))
        except (OSError, WebSocketException) as error:
            raise WireError(say.HALL_CUT(error=error)) from error

    def _open(self) -> ClientConnection:
        if self._socket is None:
            raise WireError(say.HALL_LEFT())
        return self._socket
