"""The reserve 保留价: entered by two people, decided with by the engine, opened nowhere.

1. One of the centre's staff enters the value for a lot of a session that is not announced yet. Value and a fresh
   salt go into the private table; back comes a slip with reference, salt and commitment.
2. That person proposes `lot.reserve` with reference and commitment, and hands value and slip to a second person
   outside the system. The second one computes SHA-256(salt ‖ value) and confirms by signing the commitment. So both
   have signed the same value, and no row, no proposal and no ledger leaf says it.
3. At the announcement the value goes, sealed under the lot's closing key, into the public rules: the same commitment,
   and a ciphertext for the centre's own fold after a restart. The hall says that there is a reserve and no more; the
   result says `RESERVE_NOT_MET`, or nothing. No row ever discloses it.

An auditor recomputes everything else and calls the reserve `not_checked`; a court that is given the slip checks it
too (`auction.record.audit`, argument `reserve`).

Source: design.md §2 "What auctions keep closed"; 39号令 10 (标底、底价 confidential).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from auction.model import AuctionError
from auction.rules import parse_rules
from auction.rules.right import without
from auction.service.admissions import RESERVED
from trading.ground.private import Private, opens
from trading.ground.problems import Kind, NotFound
from trading.model import CENTRE_STAFF, Act, Lot, Proposal, Stage
from trading.service import TradingService
from trading.service.proposals import Effect

ACT: Final = Act(
    "lot.reserve", RESERVED, "录入保留价", CENTRE_STAFF, CENTRE_STAFF, "design.md §2; 39号令 10"
)
FIELD: Final = "reserve"


class ReserveError(AuctionError):
    """A reserve that cannot be entered, or a slip that does not hold."""

    def __init__(self, detail: str) -> None:
        super().__init__("reserve-refused", "保留价不能录入", detail, kind=Kind.CONFLICT)


@dataclass(frozen=True, slots=True)
class Slip:
    """What the second person needs besides the value: `commitment` is hex of SHA-256(salt ‖ value)."""

    ref: str
    salt: str
    commitment: str


class Reserves:
    """Entry of reserves.

    Args:
        trading: lots, sessions and the register of acts.
        private: keeps value and salt.
    """

    def __init__(self, trading: TradingService, private: Private) -> None:
        self._trading = trading
        self._private = private
        trading.proposals.add(ACT, self._check, self._carry)

    async def enter(self, lot_id: str, value: str) -> Slip:
        """Take a value into the private table; it counts when two people have signed its commitment.

        Args:
            lot_id: a lot of a session in draft, not of a quota session.
            value: an amount at the rules' scale, not beyond their cap.

        Raises:
            UnknownError: there is no such lot.
            ReserveError: it is announced already, or has no price to reserve.
            ScenarioError, BadRulesError: the value is none that these rules allow.
        """
        lot = self._lot(lot_id)
        self._fits(lot, value)
        kept = await self._private.put(lot.id, FIELD, value)
        return Slip(kept.ref, self._private.open(kept.ref).salt.hex(), kept.commitment)

    def _lot(self, lot_id: str) -> Lot:
        lot = self._trading.lot(lot_id)
        session = self._trading.auction_session(lot.session)
        if session.stage is not Stage.DRAFT:
            raise ReserveError("A reserve is entered before the session is announced.")
        if session.rules.get("quota") is not None:
            raise ReserveError("In a quota session every surcharge counts; there is no reserve.")
        return lot

    def _fits(self, lot: Lot, value: str) -> None:
        rules = dict(self._trading.auction_session(lot.session).rules)
        for own in ("outage_min_s", "application"):
            rules.pop(own, None)
        parse_rules({**without(rules), "reserve_price": value}, lot.id, ())

    def _check(self, body: Mapping[str, Any], _at: int) -> None:
        if set(body) != {"lot", "ref", "commitment"} or not all(
            isinstance(each, str) for each in body.values()
        ):
            raise ReserveError("The act says lot, ref and commitment, each a text.")
        lot = self._lot(body["lot"])
        try:
            value, salt = self._private.open(body["ref"])
        except NotFound as error:
            raise ReserveError("No value was entered under this reference.") from error
        owned = body["ref"] in self._private.of(lot.id)
        if not owned or not opens(body["commitment"], salt, value):
            raise ReserveError("The commitment is not that of the value entered for this lot.")
        self._fits(lot, value)

    async def _carry(self, proposal: Proposal, _who: Any, at: int) -> Effect:
        self._check(proposal.body, at)
        said = {name: proposal.body[name] for name in ("lot", "ref", "commitment")}
        leaf = {"lot": said["lot"], "commitment": said["commitment"]}
        return Effect(
            said, (self._trading.desk.leaf("reserve_committed", leaf, at),), {"lot": said["lot"]}
        )
