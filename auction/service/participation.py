"""Taking part: the application 竞买申请 before, the letter of qualification 竞买资格确认书 after the deposit.

An application is a statement (purpose `application`) signed by the bidder's certified key: the lot, and the SHA-256
of the rules it has read, as announced. So nobody can say later that other rules were meant. It is a row of the
centre's business, which is not public, since it names the bidder. Where the rules demand it, no deposit admits
without one (`admissions.py`); in other sessions it may be handed in all the same. It may claim 优先购买权, where the
rules let it be proved: a third member `preemption` is the hex SHA-256 of what proves it (`preemption.py`).

The letter is a statement (purpose `qualification`) signed by the centre: who was admitted, to which auction, under
which paddle, by which deposit, when, under which rules. It is made from the rows whenever its holder asks for it, and
goes to nobody else: before the result it would open whose paddle that is.

Source: reference/domain.md §2.1; 39号令 14-16.
"""

from collections.abc import Mapping
from typing import Any

from auction.model import AuctionError
from auction.replay.book import Book, Seat
from auction.service import AuctionService
from auction.service.admissions import APPLIED
from auction.service.preemption import Rights
from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from crypto.signature import SigningKey
from crypto.statement import sign
from trading.ground.ids import new_id
from trading.ground.money import FEN, format_amount
from trading.ground.problems import Kind
from trading.model import Actor
from trading.service import TradingService

PURPOSE = "qualification"


class ApplicationError(AuctionError):
    """An application that cannot be taken."""

    def __init__(self, detail: str) -> None:
        super().__init__("application-refused", "竞买申请未受理", detail, kind=Kind.CONFLICT)


class NotQualifiedError(AuctionError):
    """There is no letter: the caller may not bid in this auction."""

    def __init__(self) -> None:
        super().__init__(
            "not-qualified",
            "尚未取得竞买资格",
            "You are not admitted here: your deposit or, where it is asked for, your application is missing.",
            kind=Kind.FORBIDDEN,
        )


def rules_digest(book: Book) -> str:
    """Name the rules of an auction as announced: hex SHA-256 of their canonical JSON."""
    return sha256_hex(canonical(dict(book.rules)))


class Participation:
    """Applications and letters.

    Args:
        service: the auctions.
        trading: checks fresh signatures and writes the row.
        key: the centre's statement key.
    """

    def __init__(self, service: AuctionService, trading: TradingService, key: SigningKey) -> None:
        self._service = service
        self._trading = trading
        self._key = key
        self._rights = Rights(service, trading)

    async def apply(self, lot: str, who: Actor, signed: Mapping[str, Any], arrival: int) -> str:
        """Take an application.

        Args:
            lot: id of a lot that is announced; of a quota session one of its parcels.
            who: of the session.
            signed: statement of purpose `application` with lot, rules (hex), nonce and at; `preemption`
                (hex) where the right is claimed.
            arrival: stamp of the request, ms UTC.

        Returns:
            The id of the application.

        Raises:
            UnknownError: there is no such lot.
            UnknownAuctionError: it is not announced.
            PreemptionError: a right is claimed that cannot be, here or now.
            ApplicationError: it is over, applied for already, for its holder only, or the rules are others.
        """
        async with self._trading.desk.turn:
            body = self._trading.step_up(who, signed, "application", arrival)
            known = self._trading.lot(lot)
            book = self._service.writer(self._service.auction_of(lot)).book
            claim = body.pop("preemption", None)
            if claim is not None:
                self._rights.claimable(lot, claim)
            if body != {"lot": lot, "rules": rules_digest(book)}:
                raise ApplicationError(
                    "An application says the lot and the SHA-256 of its rules as announced: read them again."
                )
            if book.live.outcome is not None:
                raise ApplicationError("This auction is over.")
            if known.holder and known.holder != who.organisation:
                raise ApplicationError(
                    "Only the land-use-right holder of the notice may take part."
                )
            if (lot, who.organisation) in self._service.admissions.applied:
                raise ApplicationError("Your organisation has applied for this lot already.")
            name = new_id("app")
            said = {"id": name, "lot": lot, "organisation": who.organisation}
            row = self._trading.desk.row(APPLIED, {**said, "statements": [dict(signed)]}, arrival)
            await self._trading.desk.append(row)
            return name

    def letter(self, lot: str, who: Actor) -> dict[str, Any]:
        """Give the caller's own letter of qualification, a statement signed by the centre.

        Args:
            lot: id of the auction.
            who: of the session; the letter is its organisation's.

        Raises:
            UnknownAuctionError: there is no such auction.
            NotQualifiedError: the organisation may not bid in it.
        """
        seat = self._service.seat_of(lot, who.organisation)
        if seat is None or not seat.admitted:
            raise NotQualifiedError
        book = self._service.writer(lot).book
        return sign(self._key, PURPOSE, self._service.centre, self._said(book, seat, who))

    def ruleset(self, lot: str) -> str:
        """Name the RuleSet under which an auction was announced; "" where its session has none."""
        session = self._service.business().sessions.get(self._service.writer(lot).book.session)
        return session.ruleset[0] if session else ""

    def _said(self, book: Book, seat: Seat, who: Actor) -> dict[str, Any]:
        state = self._service.business()
        deposit, found = state.deposits[seat.deposit], state.organisations[who.organisation]
        right = self._service.writer(book.lot).right(seat)
        known = {"preemption": right or "none"} if book.rules.get("preemption") else {}
        return known | {
            "lot": book.lot,
            "title": book.title,
            "paddle": seat.paddle,
            "parcel": seat.parcel,
            "organisation": found.id,
            "name": found.name,
            "credit_code": found.credit_code,
            "deposit": deposit.id,
            "deposit_amount": format_amount(deposit.amount, FEN),
            "deposit_at": deposit.at,
            "rules": rules_digest(book),
        }
