"""Who may bid: a confirmed deposit makes a seat, with a random paddle; nobody bids without one.

Where the rules of a session say `"application": "required"`, a seat also takes an application 竞买申请: a signed
statement of the bidder that names the very rules it has read (`participation.py`). Else the bidder's own signed
declaration of its deposit is its application, as in sessions where both are one step.

A seat whose organisation has 优先购买权, by the notice or as two people have recognised it, is told to the engine as
soon as there are both seat and right (`preemption.py`).

Here also stands what else only auctions read of the centre's rows: which lot has a reserve, and where it is kept.
"""

from collections.abc import Callable, Mapping

from auction.replay.book import Seat
from auction.replay.closed import identity
from auction.replay.rights import NOTICE, PROOF, Right
from auction.service import business
from auction.writer import LotWriter
from trading.ground.journal import Row
from trading.model import Deposit, State

RESERVED = "lot.reserved"
APPLIED = "lot.applied"
ENTITLED = "lot.entitled"


class Admissions:
    """The doors of all auctions.

    Args:
        state: the centre's business as of now.

    Attributes:
        reserves: lot → reference in the private table and commitment, hex, of its reserve 保留价.
        applied: lot and organisation of every application.
        claims: of those that claim 优先购买权, with hex SHA-256 of what proves it.
        recognised: of those whose claim two people have recognised, likewise.
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self.reserves: dict[str, tuple[str, str]] = {}
        self.applied: set[tuple[str, str]] = set()
        self.claims: dict[tuple[str, str], str] = {}
        self.recognised: dict[tuple[str, str], str] = {}

    def note(self, row: Row) -> None:
        """Note a row of the centre's business; twice is as good as once."""
        body = row.body
        if row.kind == RESERVED:
            self.reserves[body["lot"]] = (body["ref"], body["commitment"])
        elif row.kind == APPLIED:
            self.applied.add((body["lot"], body["organisation"]))
            claim = body["statements"][0]["statement"].get("preemption")
            if claim:
                self.claims[body["lot"], body["organisation"]] = claim
        elif row.kind == ENTITLED:
            self.recognised[body["lot"], body["organisation"]] = body["evidence"]

    def deposits(self, row: Row) -> list[str]:
        """Give the deposits that a row makes worth looking at, oldest first."""
        body = row.body
        if row.kind == "deposit.recorded":
            return [body["deposit"]["id"]]
        whose = (body["lot"], body["organisation"])
        held = self._state().deposits.values()
        return [d.id for d in held if (d.target, d.organisation) == whose and d.released_at is None]

    def admit(
        self, writers: Mapping[str, LotWriter], auction_of: Mapping[str, str], name: str, row: Row
    ) -> None:
        """Give a deposit its seat, where it is due one.

        Args:
            writers: by auction.
            auction_of: lot → auction.
            name: id of the deposit.
            row: of the centre's business; its stamp and position stand in the admission.
        """
        state = self._state()
        deposit = state.deposits.get(name)
        lot = auction_of.get(deposit.target) if deposit else None
        if deposit is None or lot is None:
            return
        writer = writers[lot]
        if writer.book.outcome is not None:
            return
        if deposit.id not in {seat.deposit for seat in writer.book.seats.values()}:
            self._seat(writer, deposit, row)
        self._entitle(writer, deposit, row)

    def _seat(self, writer: LotWriter, deposit: Deposit, row: Row) -> None:
        state = self._state()
        if writer.book.application and (deposit.target, deposit.organisation) not in self.applied:
            return
        seat = business.seat_for(writer.book, deposit, state.lots[deposit.target].deposit)
        if seat is None:
            return
        if writer.book.mode != "quota":
            found = state.organisations[seat.holder]
            closed = writer.close(identity(found.id, found.name, found.credit_code))
            seat = Seat(seat.paddle, closed=closed, deposit=seat.deposit)
        writer.admit(seat, row.at, row.position)

    def _entitle(self, writer: LotWriter, deposit: Deposit, row: Row) -> None:
        """Tell the engine of a seat's right of first refusal, once."""
        said = writer.book.rules.get("preemption")
        seat = business.seat_with(writer.book, deposit.id)
        if not said or seat is None or seat.paddle in writer.book.rights:
            return
        code = self._state().organisations[deposit.organisation].credit_code
        evidence = self.recognised.get((deposit.target, deposit.organisation))
        if any(holder["credit_code"] == code for holder in said["holders"]):
            writer.entitle(Right(seat.paddle, NOTICE), row.at, row.position)
        elif evidence is not None:
            writer.entitle(Right(seat.paddle, PROOF, evidence), row.at, row.position)
