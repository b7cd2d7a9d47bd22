"""What came of each bid, held against the ledger: by custodians' combined values, or by file keys handed over.

Either way the ledger publishes what opens each sealed file, so that whoever is given the file gets the same result
(`bids`). Here stands that these values are those of the answers and statements, for just the bids of the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.model import CloseList, Disclosed, Disclosure, Opened, QuorumFailure
from bidding.rules.bids import live
from bidding.rules.outside import read_act
from clients.auditor import custody
from clients.auditor.checklist import must
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import sha256_hex

if TYPE_CHECKING:
    from bidding.model import DisclosedBid, OpenedBid
    from clients.auditor.section import Section

MISSING: Final = "disclosure-missing"


def leaf_of(section: Section) -> Opened | Disclosed:
    """Return the section's only leaf that says what came of the bids.

    Raises:
        AuditError: none, or several.
    """
    kinds = [kind for kind in (Opened, Disclosed) if kind.PURPOSE in section.named]
    count = sum(len(section.about(kind.PURPOSE)) for kind in kinds)
    must(count < 2, "the ledger holds two results")
    found: Opened | Disclosed = section.leaf(kinds[0] if kinds else Opened)
    return found


def combined(section: Section) -> str:
    """Combine again the answers that were there at the import."""
    answers = section.answers(before="imported")
    return custody.combined(answers, section.leaf(Opened), section.tender, section.asked)


def disclosed(section: Section) -> str:
    """Every file key in the ledger was handed over in a statement of the hall, after a declared failure.

    The statement itself holds the key, so that it could be journalled only as a digest; with the key published it
    comes out again.

    Raises:
        AuditError: with the bid whose key was not handed over so, or the failure that nobody declared.
    """
    leaf: Disclosed = section.leaf(Disclosed)
    failures = {
        sha256_hex(canonical(one))
        for one in section.about("announced")
        if one["statements"][0]["statement"]["purpose"] == QuorumFailure.PURPOSE
    }
    must(leaf.failure in failures, "the ledger declares no such failure of the quorum")
    state = section.state
    must(
        set(state.pledges) == set(state.bids),
        "not all bidders had pledged before the keys were published",
    )
    said = {
        row.body["submission"]: row.body["statement"]
        for row in section.rows
        if row.kind == "disclosed"
    }
    for bid in leaf.bids:
        bidder = state.bids[bid.submission].line.bidder
        if not bid.file_key:
            must(
                bid.result == MISSING and bid.submission not in said,
                f"bid {bid.submission}: its key was handed over, and the ledger does not publish it",
            )
            continue
        body = Disclosure(
            section=section.id,
            bidder=bidder,
            submission=bid.submission,
            failure=leaf.failure,
            file_key=bid.file_key,
        ).to_body()
        words = statement.make(Disclosure.PURPOSE, section.centre, body)
        must(
            said.get(bid.submission) == sha256_hex(statement.signed_bytes(words)),
            f"bid {bid.submission}: {bidder} handed over another key than the ledger publishes",
        )
    missing = sum(not bid.file_key for bid in leaf.bids)
    return f"all pledged, {len(leaf.bids) - missing} keys handed over, {missing} missing"


def results(section: Section) -> str:
    """The bids with a result are the listed ones and those put back, and the hall imported just what the ledger says."""
    leaf = leaf_of(section)
    listed = {bid.submission: bid.sha256 for bid in section.leaf(CloseList).bids}
    listed |= _put_back(section)
    for bid in leaf.bids:
        must(
            listed.get(bid.submission) == bid.sha256,
            f"bid {bid.submission} was opened as another than was listed",
        )
        known = section.state.bids.get(bid.submission)
        must(
            known is not None and (known.code, known.manifest) == (bid.result, bid.manifest),
            f"bid {bid.submission}: the hall imported another result than the ledger holds",
        )
    _encapsulations(section, leaf.bids)
    missing = listed.keys() - {bid.submission for bid in leaf.bids}
    must(not missing, f"listed and never opened: {', '.join(sorted(missing))}")
    failed = [f"{bid.submission} {bid.result}" for bid in leaf.bids if bid.result != "opened"]
    return f"{len(leaf.bids)} bids, {len(failed)} not opened {', '.join(failed)}".strip()


def _put_back(section: Section) -> dict[str, str]:
    """Submission → SHA-256 of its sealed file, of bids that a supplement put back."""
    back = {
        id_ for row in section.rows if row.kind == "supplemented" for id_ in row.body["submissions"]
    }
    acts = [read_act(one.entry, one.signed, section.centre) for one in section.entries]
    return {act.id: act.sha256 for act in live(acts) if act.id in back}


def _encapsulations(
    section: Section, bids: tuple[OpenedBid, ...] | tuple[DisclosedBid, ...]
) -> None:
    """An opened bid names the encapsulation that was handed in; a file key needs none."""
    acts = {one.entry.id: one.signed["statement"].get("encapsulation") for one in section.entries}
    for bid in bids:
        given = getattr(bid, "encapsulation", acts.get(bid.submission))
        must(
            given == acts.get(bid.submission),
            f"bid {bid.submission} was opened as another than was listed",
        )
