"""A bidder's desk: one socket, one seat, from the frame to the receipt.

A desk may follow the hall: then it is told the state at each publication, before any watcher is (`look`), so that who
bids need not stand in the queue of ten thousand who look on (reliability.md A8).

In this order, each step cheaper to repeat than the next is to reach: size, session, pace, form,
signature, the client's key, engine. From the stamp to the journal's queue nothing waits, so offers
are decided in the order of their arrival; answers follow when their rows are durable.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from auction import store
from auction.engine import ladder, next_offer
from auction.model import State
from auction.replay.book import STREAM, Seat
from auction.service import AuctionService
from auction.service.clockgate import hold_back
from auction.service.offers import (
    MAX_FRAME,
    Offered,
    UnheardError,
    bad_signature,
    malformed,
    read_delegation,
    read_offer,
    replayed,
    signed_by,
)
from auction.view import view
from auction.writer import Decision, LotWriter
from crypto.canonical import parse
from crypto.encoding import sha256_hex
from crypto.errors import CryptoError
from trading.ground.journal import Row
from trading.ground.money import format_amount
from trading.ground.problems import Problem, StorageFailed, TooMany
from trading.model import Actor

STRIKES = 3
"""Bad signatures after which a socket is closed (1008)."""

_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """What a bidder may send: an offer, a delegation, a clock probe, or a wish about windows or the hall."""

    offer: str | None = None
    signature: str | None = None
    delegation: msgspec.Raw = msgspec.Raw(b"")
    type: str = ""
    t0: int = 0


_messages = msgspec.json.Decoder(Message)


class Bucket:
    """Tokens of one seat: `rate` a second, at most `burst`; counted in thousandths, no float."""

    def __init__(self, rate: int, burst: int) -> None:
        self._rate = rate
        self._full = burst * 1000
        self._left = self._full
        self._at = 0

    def take(self, now: int) -> bool:
        """Take a token at an instant, ms UTC; False where none is left."""
        self._left = min(self._full, self._left + max(0, now - self._at) * self._rate)
        self._at = max(self._at, now)
        if self._left < 1000:
            return False
        self._left -= 1000
        return True


class BidderDesk:
    """One open socket of a bidder.

    Args:
        service: the auctions.
        lot: id of the auction.
        paddle: of the seat.
        actor: whose session it is.
        send: gives the socket a text message; never waits.
        close: ends the socket with a code and a reason.
        bucket: the seat's pace, shared by all its sockets; None for no limit.
    """

    def __init__(
        self,
        service: AuctionService,
        lot: str,
        paddle: str,
        actor: Actor,
        send: Callable[[bytes], None],
        close: Callable[[int, str], None],
        bucket: Bucket | None,
    ) -> None:
        self.lot = lot
        self.paddle = paddle
        self._service = service
        self._actor = actor
        self._send = send
        self._close = close
        self._bucket = bucket
        self._strikes = 0
        self._out = False
        self._follows = False

    @property
    def writer(self) -> LotWriter:
        """The auction's actor of now; after a recovery it is a new one."""
        return self._service.writer(self.lot)

    def greet(self) -> None:
        """Say who one is here, how many windows are open, and where the auction stands."""
        seat, writer = self.seat, self.writer
        hello = {
            "type": "hello",
            "lot": self.lot,
            "paddle": self.paddle,
            "parcel": seat.parcel,
            "admitted": seat.admitted,
            "entitled": writer.right(seat) != "",
            "windows": len(self._mine()),
            "phase": writer.durable.phase.value,
            "next": self._next(writer.durable),
            "server_now": self._service.clock.now(),
        }
        self._send(_encode(hello))

    @property
    def seat(self) -> Seat:
        """The seat as of now."""
        return self.writer.book.seats[self.paddle]

    def check_key(self) -> bool:
        """Close the socket where its certified key no longer holds; say whether it does."""
        key = self._service.business().keys.get(self._actor.public)
        if key is None or not key.live:
            self._close(1008, "key-revoked")
            return False
        return True

    def look(self, public: Mapping[str, Any]) -> None:
        """Tell what is being published, with one's own next offer, if this desk follows the hall."""
        if not self._follows or self._out:
            return
        told = {name: public[name] for name in ("phase", "ends_at", "best", "leader")}
        told |= {"type": "hall", "next": self._next(self.writer.durable)}
        self._send(_encode(told | {"server_now": self._service.clock.now()}))

    def receive(self, text: str, at: int) -> None:
        """Take a message.

        Args:
            text: as received.
            at: its arrival stamp, ms UTC, taken before anything else.
        """
        if len(text) > MAX_FRAME:
            self._close(1009, "message-too-big")
            return
        if not self.check_key():
            return
        try:
            if self._bucket is not None and not self._bucket.take(at):
                raise TooMany(
                    "offers-too-fast", "报价过于频繁", "Wait a second, then send it again."
                )
            self._dispatch(text, at)
        except Problem as problem:
            self._refuse(problem, text, at)

    def _dispatch(self, text: str, at: int) -> None:
        try:
            message = _messages.decode(text)
        except (msgspec.DecodeError, ValueError) as error:
            raise malformed("This is no message of a bidder's socket.") from error
        if message.offer is not None:
            self._hear(message.offer, message.signature or "", text, at)
        elif bytes(message.delegation):
            self._enter(bytes(message.delegation), at)
        elif message.type == "probe":
            now = self._service.clock.now()
            self._send(_encode({"type": "probe", "t0": message.t0, "server_now": now}))
        elif message.type == "follow":
            self._follows = True
            self.look(view(self.writer.book, self.writer.durable))
        elif message.type == "close_others":
            for desk in self._mine():
                if desk is not self:
                    desk._close(4009, "closed-from-another-window")  # noqa: SLF001 (one's own)
        else:
            raise malformed("Send an offer, a delegation, a probe, follow or close_others.")

    def _hear(self, written: str, signature: str, text: str, at: int) -> None:
        """Put an offer into the turn; it is decided when its signature has been checked."""
        offered = read_offer(written, signature, self._service.centre, self.lot, self.paddle)
        signed = signed_by(offered, self.seat, at)

        def decide(holds: bool) -> None:
            if self._out:
                return  # the third bad signature of this turn has closed the socket
            try:
                if not holds:
                    raise bad_signature("The signature is not that of the delegated key.")
                self._offer(offered, at)
            except Problem as problem:
                self._refuse(problem, text, at)

        self._service.turn.add(signed, decide)

    def _offer(self, offered: Offered, at: int) -> None:
        writer = self.writer
        heard = self._service.heard[self.lot]
        found = heard.find(self.paddle, offered.key, offered.proof["offer"])
        if found is not None:
            same, place = found
            if not same:
                raise replayed()
            if isinstance(place, int):
                stream = self._service.journal.rows(STREAM + self.lot, place - 1)
                self._answer(writer, next(iter(stream)), offered.key)
            else:
                place.add_done_callback(lambda done: self._when_durable(writer, done, offered.key))
            return
        order = store.Order(
            self.paddle, offered.do, at, offered.content, offered.proof, offered.key
        )
        hold_back(writer, self._service.journal, at, self._service.clock)
        decision = writer.decide(order)
        heard.note(self.paddle, offered.key, offered.proof["offer"], decision)

        def durable(done: Decision) -> None:
            if not done.cancelled() and done.exception() is None:
                place = done.result()[0].position
                heard.note(self.paddle, offered.key, offered.proof["offer"], place)
            self._when_durable(writer, done, offered.key)

        decision.add_done_callback(durable)

    def _enter(self, data: bytes, at: int) -> None:
        try:
            signed = parse(data)
        except CryptoError as error:
            raise malformed("The delegation is not strict JSON.") from error
        delegate, until = read_delegation(
            signed,
            centre=self._service.centre,
            lot=self.lot,
            paddle=self.paddle,
            key=self._actor.public,
            at=at,
        )
        decision = self.writer.enter(self.paddle, delegate, until, signed, at)

        def durable(done: Decision) -> None:
            if done.cancelled() or done.exception() is not None:
                self._tell(StorageFailed(), at)
                return
            entered = {"type": "entered", "paddle": self.paddle, "expires_at": until}
            self._send(_encode(entered | {"server_now": self._service.clock.now()}))

        decision.add_done_callback(durable)

    def _when_durable(self, writer: LotWriter, done: Decision, key: str) -> None:
        if done.cancelled() or done.exception() is not None:
            self._tell(StorageFailed(), self._service.clock.now(), key)
        else:
            self._answer(writer, done.result()[0], key)

    def _answer(self, writer: LotWriter, row: Row, key: str) -> None:
        """Answer with the verdict, the stamp and the receipt of a durable row."""
        answer: dict[str, Any] = {
            "type": "answer",
            "key": key,
            "arrival": row.at,
            **row.body["verdict"],
            "next": self._next(writer.durable),
            "receipt": self._service.sealer.receipt(row),
            "server_now": self._service.clock.now(),
        }
        if (opened := writer.opened(row)) is not None:
            answer["opened"] = opened
        self._send(_encode(answer))

    def _refuse(self, problem: Problem, text: str, at: int) -> None:
        """Tell a refusal before the engine, and record it; the third bad signature ends the socket."""
        if not isinstance(problem, UnheardError):
            self._tell(problem, at)
            return
        digest = sha256_hex(text.encode(errors="surrogatepass"))
        try:
            self.writer.unheard(self.paddle, problem.heard_as, digest, at)
        except StorageFailed as failed:
            self._tell(failed, at)
            return
        self._tell(problem, at)
        self._strikes += problem.heard_as == "BAD_SIGNATURE"
        if self._strikes >= STRIKES:
            self._out = True
            self._close(1008, "bad-signatures")

    def _tell(self, problem: Problem, at: int, key: str = "") -> None:
        told: dict[str, Any] = {
            "type": "problem",
            "code": problem.heard_as if isinstance(problem, UnheardError) else problem.code,
            "title": problem.title,
            "detail": problem.detail,
            "arrival": at,
            "server_now": self._service.clock.now(),
        }
        self._send(_encode(told | ({"key": key} if key else {})))

    def _mine(self) -> list["BidderDesk"]:
        """All sockets of this seat."""
        desks = [desk for desk in self._service.desks if isinstance(desk, BidderDesk)]
        return [desk for desk in desks if (desk.lot, desk.paddle) == (self.lot, self.paddle)]

    def _next(self, state: State) -> str | None:
        """The least offer that would be taken from this seat now."""
        least = next_offer(state, self.paddle)
        return None if least is None else format_amount(max(0, least), ladder(state).scale)
