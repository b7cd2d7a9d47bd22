"""Records recomputed: what the paper carries as `record.json` must follow from the events.

Names that only the trading floor knows (tenderer, officials, addresses) stand in no event of the section; they are
taken from the paper itself, which its signatures cover. Everything that was decided, opened, offered or won is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bidding.model import BiddingError, PublishedBidders
from bidding.opening.companion import delegates
from bidding.record import Setting, notice_facts, opening_facts
from clients.auditor.checklist import AuditError, must

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from documents.model import Facts, NoticeFacts, OpeningFacts
    from trading.ground.chain import Row


def same(name: str, paper: Facts, again: Facts) -> None:
    """Compare two facts; name the first place where they differ.

    Raises:
        AuditError: they differ.
    """
    if paper != again:
        place, said, wanted = difference(paper.to_json(), again.to_json(), "")
        raise AuditError(f"{name}: {place} is {said!r} on paper, the events give {wanted!r}")


def difference(one: Any, other: Any, place: str) -> tuple[str, Any, Any]:
    """Return path, value and value of the first difference of two JSON values that differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if one.get(key) != other.get(key):
                return difference(one.get(key), other.get(key), f"{place}.{key}".lstrip("."))
    if isinstance(one, list) and isinstance(other, list):
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return difference(left, right, f"{place}[{number}]")
        return f"the length of {place}", len(one), len(other)
    return place, one, other


def notice_again(name: str, facts: NoticeFacts, rows: Sequence[Row], centre: str) -> None:
    """Compute a notice again, by the tender file that was in force when it was issued.

    Raises:
        AuditError: with the place that differs.
    """
    setting = Setting(
        heading=facts.heading,
        centre=centre,
        deal_code=facts.deal_code,
        sector=facts.sector,
        tenderer=facts.tenderer,
        agent=facts.agent,
        method=facts.method,
        evaluation=facts.evaluation,
        place=facts.place,
        control_price=facts.control_price,
        control_price_note=facts.control_price_note,
        bid_deposit=facts.bid_deposit,
        duration_days_max=facts.duration_days_max,
        float_points=facts.float_points,
        published_at=facts.published_at,
        parties={},
        rules=facts.rules,
        documents=facts.documents,
    )
    ends = [n for n, row in enumerate(rows, 1) if row.kind in {"bids_opened", "refiled"}]
    versions = [notice_facts(rows[:end], setting) for end in ends]
    if facts not in versions:
        same(name, facts, versions[0])


def opening_again(
    name: str,
    facts: OpeningFacts,
    rows: Sequence[Row],
    leaves: Mapping[str, tuple[int, Mapping[str, Any]]],
    centre: str,
    cosigned: int | None,
) -> None:
    """Compute an opening record again, from the events up to the one that it names.

    Args:
        name: of the record, for the message.
        facts: as on paper.
        rows: of the section's stream.
        leaves: leaf kind → (index, body) of the section's ledger leaves.
        centre: id of the centre.
        cosigned: witnesses that cosigned in time, as counted; None where none can be counted.

    Raises:
        AuditError: with the place that differs.
    """
    must(
        0 < facts.last_seq <= len(rows)
        and rows[facts.last_seq - 1].chain.hex() == facts.chain_head,
        f"{name}: the events do not hold the row {facts.last_seq} that the record ends with",
    )
    must(
        cosigned is None or facts.cosignatures <= cosigned,
        f"{name} says {facts.cosignatures} cosignatures, the dossier holds {cosigned}",
    )
    known = rows[: facts.last_seq]
    setting = Setting(
        heading=facts.heading,
        centre=centre,
        deal_code=facts.deal_code,
        sector="",
        tenderer=facts.tenderer,
        agent=facts.agent,
        method=facts.method,
        evaluation="",
        place=facts.place,
        control_price=facts.control_price,
        control_price_note="",
        bid_deposit="",
        duration_days_max=None,
        float_points=(),
        published_at=0,
        parties=_parties(facts, known, leaves, centre),
        officials=facts.officials,
        people=_people(facts, known),
    )
    again = opening_facts(
        known, leaves, setting, cosignatures=facts.cosignatures, chain=(facts.chain_head, facts.last_seq)
    )  # fmt: skip
    same(name, facts, again)


def _people(facts: OpeningFacts, rows: Sequence[Row]) -> dict[str, str]:
    """Person id → name, from paper: of who decided, and of delegates; that they acted is in the events."""
    statements = {row.body["statement"]: row.body["by"] for row in rows if row.kind == "decided"}
    found = {
        statements[one.statement]: one.by for one in facts.decisions if one.statement in statements
    }
    acted = delegates(rows)
    said = [row.body["signed"]["statement"] for row in rows if row.kind == "submission"]
    bidders = {one["sha256"]: one["bidder"] for one in said}
    for line in facts.rows:
        people = acted.get(bidders.get(line.file_sha256, ""), [])
        found.update(zip(people, line.delegates, strict=False))
    return found


def _parties(
    facts: OpeningFacts,
    rows: Sequence[Row],
    leaves: Mapping[str, tuple[int, Mapping[str, Any]]],
    centre: str,
) -> dict[str, tuple[str, str]]:
    """Organisation id → name and code: of listed bidders from the ledger, of refused ones from paper."""
    found: dict[str, tuple[str, str]] = {}
    by_statement = {}
    by_submission = {}
    for row in rows:
        if row.kind in {"submission", "withdrawal"}:
            said = row.body["signed"]["statement"]
            ids = said.get("parties", [said.get("bidder")])
            by_submission[row.body["entry"]["id"]] = ids
            by_statement[row.body["entry"]["statement"]] = ids
        elif row.kind == "refused":
            by_statement[row.body["statement"]] = row.body["parties"]
    for line in facts.excluded:
        ids = by_statement.get(line.evidence, [])
        # A withdrawal names the lead only; its parties are those of the bid it ended.
        for id_, party in zip(ids, line.bidder, strict=False):
            found[id_] = (party.name, party.credit_code)
    if PublishedBidders.PURPOSE in leaves:
        published = _published(leaves, centre)
        for one in published.bidders:
            ids = by_submission.get(one.submission, [])
            found.update(zip(ids, zip(one.names, one.credit_codes, strict=False), strict=False))
    else:  # a failed opening names nobody in the ledger
        for row_ in facts.rows:
            for party in row_.bidder:
                found.setdefault(party.name, (party.name, party.credit_code))
    return found


def _published(
    leaves: Mapping[str, tuple[int, Mapping[str, Any]]], centre: str
) -> PublishedBidders:
    try:
        return PublishedBidders.from_leaf(dict(leaves[PublishedBidders.PURPOSE][1]), centre)
    except BiddingError as error:
        raise AuditError(
            f"the ledger's published bidders cannot be read: {error.detail}"
        ) from error
