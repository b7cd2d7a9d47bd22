"""What the centre published before anything was opened: who bids 投标人名单, and the points of the float draw 浮动点.

The release rule looks only at which bids are listed, and whether the draw follows from its own points. Whether the
lines say the truth about each bid, and the points are those of the notice, is checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.model import CloseList, ControlPrice, FloatCommit, FloatResult, PublishedBidders
from bidding.rules.draw import CENTRE_PARTY
from clients.auditor.checklist import NotChecked, must
from clients.auditor.issued import Register
from crypto import statement
from crypto.canonical import parse
from documents.model import NoticeFacts

if TYPE_CHECKING:
    from bidding.model.leaf import Published
    from clients.auditor.section import Section

DRAWS: Final = frozenset({"tenderer", "agent", "supervisor"})


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


def drew(section: Section, register: Register) -> int:
    """Count the commitments to the float draw; each but the centre's is by a key issued to its party by then.

    Issued as that of a tenderer, an agent or a supervisor: a centre's own staff is no party beside it.

    Raises:
        AuditError: another's key, one of another role, or a commitment that events or ledger leave out.
        NotChecked: no leaf of the dossier says whose it is.
    """
    kept = [row.body["signed"] for row in section.rows if row.kind == "float_committed"]
    count = 0
    for index, data in enumerate(section.leaves.leaves, section.leaves.start):
        if b'"kind":"float_commit"' not in data or (leaf := parse(data))["section"] != section.id:
            continue
        signed = FloatCommit.from_leaf(leaf, section.centre).signed
        party, key = str(signed["statement"]["party"]), statement.signer(signed)
        must(
            count < len(kept) and kept[count] == signed,
            f"leaf {index} holds another commitment to the float draw than the events",
        )
        count += 1
        if party == CENTRE_PARTY:
            continue  # by the centre's pinned key, as the release rule asks
        register.require(key, party, index)
        known = register.whose(key)
        must(
            known is not None and known.role in DRAWS,
            f"{party} committed to the float draw by a key that is none of a tenderer, agent or supervisor",
        )
    must(
        count == len(kept), "a commitment to the float draw is in the events and not in the ledger"
    )
    return count


def shared(section: Section) -> str:
    """Name those who bound themselves to the draw: with the centre alone, it has known the value all the time.

    That exactly those who committed have revealed is what `order-kept` has shown.

    Raises:
        NotChecked: nobody but the centre.
    """
    drawn = section.leaf(FloatResult)
    parties = [str(one["statement"]["party"]) for one in drawn.reveals]
    if drawn.points and parties == [CENTRE_PARTY]:
        raise NotChecked(
            f"the centre alone drew {drawn.value}: it has known the value since the key was assigned"
        )
    return f"{drawn.value} by {', '.join(parties)}" if drawn.points else "nothing to draw"


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
