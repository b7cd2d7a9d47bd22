"""What the centre published before anything was opened: who bids 投标人名单, and the points of the float draw 浮动点.

The release rule looks only at which bids are listed, and whether the draw follows from its own points. Whether the
lines say the truth about each bid, and the points are those of the notice, is checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import CloseList, ControlPrice, FloatResult, PublishedBidders
from clients.auditor.checklist import must
from clients.auditor.issued import Register
from documents.model import NoticeFacts

if TYPE_CHECKING:
    from bidding.model.leaf import Published
    from clients.auditor.section import Section


def check(section: Section) -> str:
    """Hold the published leaves against acts, keys and notice.

    Raises:
        AuditError: with the line that says something else.
    """
    told = _float(section)
    _price(section)
    lines = section.leaf(PublishedBidders).bidders
    acts = {sealed.entry.id: sealed for sealed in section.entries}
    ended = {s.entry.replaces for s in acts.values() if s.entry.kind == "withdrawal"}
    closing = section.leaf(CloseList)
    wanted = {
        "listed": {bid.submission for bid in closing.bids},
        "withdrawn": ended,
        "excluded": {bid.submission for bid in closing.excluded},
    }
    codes = Register(section.evidence).codes
    for line in lines:
        sealed = acts.get(line.submission)
        must(sealed is not None, f"{line.submission} is published and was never handed in")
        assert sealed is not None
        said = sealed.signed["statement"]
        must(
            (line.bidder, line.arrival) == (said.get("bidder"), sealed.entry.arrival),
            f"{line.submission} is published with another bidder or arrival",
        )
        _named(line, tuple(said.get("parties", ())), codes)
    for status, ids in wanted.items():
        found = [line.submission for line in lines if line.status == status]
        must(
            len(found) == len(set(found)) and set(found) == ids,
            f"{len(found)} bids are published as {status}, the acts give {len(ids)}",
        )
    return f"{len(lines)} lines{told}"


def _named(line: Published, parties: tuple[str, ...], codes: dict[str, str]) -> None:
    must(
        len(line.names) == len(line.credit_codes) == len(parties),
        f"{line.submission}: {len(line.names)} names for {len(parties)} parties",
    )
    for party, code in zip(parties, line.credit_codes, strict=True):
        must(
            codes.get(party, code) == code,
            f"{line.submission}: {party} is published as {code}, its key was issued to {codes.get(party)}",
        )


def _price(section: Section) -> None:
    """Compare the control price 最高投标限价 with the one that the notice announced, where it did."""
    price = section.leaf(ControlPrice).value
    for name, facts in section.evidence.records_of(NoticeFacts):
        must(
            facts.section != section.id or facts.control_price in {"", price},
            f"the control price is {price or 'none'}; {name} announced {facts.control_price}",
        )


def _float(section: Section) -> str:
    """Compare the points of the draw with those that the notice announced, where it is there."""
    points = section.leaf(FloatResult).points
    for name, facts in section.evidence.records_of(NoticeFacts):
        if facts.section == section.id:
            must(
                facts.float_points == points,
                f"drawn from {', '.join(points)}; {name} announced {', '.join(facts.float_points)}",
            )
            return f", drawn from {len(points)} points as announced"
    return ""
