"""优先购买权, recognised by two people: for who proves it with its application 竞买申请.

Whom the notice names holds the right by the notice, which two people register and two announce. Where the rules let the
right be proved, an application may claim it (`participation.py`): it names the SHA-256 of what proves it. Two of the
centre's people look at that and act `lot.preemption`: lot, organisation, the same hash. Then the seat of that
organisation, as soon as it has one, holds the right, and its letter says so.

No leaf is written: before the result leaves could be counted. The auction's row with the closed right is in its chain,
whose head enters the ledger in the same second.

Source: docs/adr/0011; spec/auction.md §5.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from auction.model import AuctionError
from auction.replay.rights import open_to_rights
from auction.service import AuctionService
from auction.service.admissions import ENTITLED
from trading.ground.problems import Kind
from trading.model import CENTRE_STAFF, Act, Proposal
from trading.service import TradingService
from trading.service.proposals import Effect

ACT: Final = Act(
    "lot.preemption", ENTITLED, "认定优先购买权", CENTRE_STAFF, CENTRE_STAFF, "docs/adr/0011"
)
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class PreemptionError(AuctionError):
    """A right of first refusal that cannot be claimed or recognised."""

    def __init__(self, detail: str) -> None:
        super().__init__("preemption-refused", "优先购买权不能认定", detail, kind=Kind.CONFLICT)


class Rights:
    """Recognition of rights.

    Args:
        service: the auctions.
        trading: the register of acts.
    """

    def __init__(self, service: AuctionService, trading: TradingService) -> None:
        self._service = service
        self._trading = trading
        trading.proposals.add(ACT, self._check, self._carry)

    def claimable(self, lot: str, claim: Any) -> None:
        """Check that the right may be claimed with an application.

        Args:
            lot: id of a lot that is announced.
            claim: hex SHA-256 of what proves it, as it arrived.

        Raises:
            UnknownAuctionError: the lot is not announced.
            PreemptionError: its rules let nobody prove it, it is too late, or the hash is none.
        """
        book = self._service.writer(self._service.auction_of(lot)).book
        if not (book.rules.get("preemption") or {}).get("proved"):
            raise PreemptionError(
                "The rules of this lot let nobody prove a right of first refusal."
            )
        if not open_to_rights(book.live):
            raise PreemptionError("Timed bidding has begun; no right is recognised any more.")
        if not isinstance(claim, str) or DIGEST.fullmatch(claim) is None:
            raise PreemptionError("A claim names the SHA-256 of what proves it, 64 of 0-9 and a-f.")

    def _check(self, body: Mapping[str, Any], _at: int) -> None:
        if set(body) != {"lot", "organisation", "evidence"} or not all(
            isinstance(each, str) for each in body.values()
        ):
            raise PreemptionError("The act says lot, organisation and evidence, each a text.")
        self._trading.lot(body["lot"])
        self.claimable(body["lot"], body["evidence"])
        whose = (body["lot"], body["organisation"])
        known = self._service.admissions
        if known.claims.get(whose) != body["evidence"]:
            raise PreemptionError("No application of this organisation claims it by this evidence.")
        if whose in known.recognised:
            raise PreemptionError("This right has been recognised already.")

    async def _carry(self, proposal: Proposal, _who: Any, at: int) -> Effect:
        self._check(proposal.body, at)
        said = {name: proposal.body[name] for name in ("lot", "organisation", "evidence")}
        return Effect(said, (), {"lot": said["lot"]})
