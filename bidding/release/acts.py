"""Checks of the release about the bids: every act, every slot, the exact list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bidding.model import (
    CloseList,
    ControlPrice,
    FloatResult,
    KeyAssign,
    ListedBid,
    PublishedBidders,
    Supplement,
)
from bidding.release.closing import announced, two_signed
from bidding.release.refused import RefusedError
from bidding.rules.bids import check_acts, live
from bidding.rules.draw import CENTRE_PARTY, check_draw
from bidding.rules.outside import check_possession

if TYPE_CHECKING:
    from bidding.release.case import Case


def acts_signed(case: Case) -> str:
    """Signatures and proofs of possession hold, arrivals lie before T, acts fit each other."""
    assigned = case.one(KeyAssign).leaf
    deadlines = [placed.leaf.deadline for placed in case.of(CloseList)]
    check_acts(case.acts)
    for sealed in case.request.entries:
        entry = sealed.entry
        if entry.section != case.request.section or any(entry.arrival >= t for t in deadlines):
            raise RefusedError(f"Entry {entry.id} is late or of another section.")
        if entry.slot < entry.arrival // 1000:
            raise RefusedError(f"Entry {entry.id} was committed before it arrived.")
        if entry.kind != "submission":
            continue
        if sealed.signed["statement"]["recipient"] != assigned.recipient:  # read by `case.acts`
            raise RefusedError(f"Submission {entry.id} is sealed to another recipient.")
        if sealed.possession or assigned.proof_of_possession == "required":
            check_possession(case.acts[entry.id], sealed.signed, sealed.possession)
    return f"{len(case.acts)} acts"


def slots_walked(case: Case) -> str:
    """Walk the section's slots: each is there once, and holds what seed and entries give.

    A receipt proves that an act stood in some slot; an act left out of the entries makes that
    slot's commitment come out differently, so an omitted bid shows.
    """
    return case.run.walk.check(case.one(CloseList).leaf.slot)


def no_duplicates(case: Case) -> str:
    """No encapsulation and no file stands twice among all submissions, unless the tender waived."""
    if case.one(KeyAssign).leaf.proof_of_possession == "waived":
        return "waived by the tender: a duplicate is listed and opened once"
    bids = [act for act in case.acts.values() if act.kind == "submission"]
    for values in ([bid.encapsulation for bid in bids], [bid.sha256 for bid in bids]):
        value, count = Counter(values).most_common(1)[0] if values else ("", 0)
        if count > 1:
            raise RefusedError(f"{value[:16]}… stands {count} times.")
    return f"{len(bids)} submissions"


def list_exact(case: Case) -> str:
    """Listed and excluded together are exactly the live bids, in reading order, as stated."""
    leaf = case.one(CloseList).leaf
    excluded = {bid.submission: bid.reason for bid in leaf.excluded}
    if len(excluded) != len(leaf.excluded) or not all(excluded.values()):
        raise RefusedError("An excluded bid stands twice or without a reason.")
    alive = live(case.acts.values())
    unknown = excluded.keys() - {act.id for act in alive}
    if unknown:
        raise RefusedError(f"{len(unknown)} excluded bids are not live.")
    wanted = tuple(
        ListedBid(
            submission=act.id, encapsulation=act.encapsulation, sha256=act.sha256, size=act.size
        )
        for act in alive
        if act.id not in excluded
    )
    if leaf.bids != wanted:
        missing = {bid.submission for bid in wanted} - {bid.submission for bid in leaf.bids}
        foreign = {bid.submission for bid in leaf.bids} - {bid.submission for bid in wanted}
        raise RefusedError(
            f"The list is not the live bids: {len(missing)} left out, {len(foreign)} too many, "
            "or another order or content."
        )
    return f"{len(wanted)} listed, {len(excluded)} excluded"


def enough_bidders(case: Case) -> str:
    """At least the minimum of distinct bidders in the key's context (招标投标法 28)."""
    minimum = case.view.group.key_context.minimum
    bidders = {case.acts[bid.submission].bidder for bid in to_open(case)}
    if len(bidders) < minimum:
        raise RefusedError(f"{len(bidders)} distinct bidders, at least {minimum} needed.")
    return f"{len(bidders)} of at least {minimum}"


def order_kept(case: Case) -> str:
    """After the list the ledger holds control price, float result and published bidders."""
    listed = case.one(CloseList)
    price, drawn, named = (
        case.one(ControlPrice),
        case.one(FloatResult),
        case.one(PublishedBidders),
    )
    places = [listed.leaf.closing_size - 1, listed.index, price.index, drawn.index, named.index]
    if places != sorted(places):
        raise RefusedError("Close list, control price, float result, bidders: in this order.")
    commits = case.bound
    if CENTRE_PARTY in commits and commits[CENTRE_PARTY].key not in case.view.centre_keys:
        raise RefusedError("The centre's commitment to the float draw is signed by another key.")
    leaf = drawn.leaf
    check_draw(
        leaf.points, commits, leaf.reveals, leaf.value,
        section=case.request.section, centre=case.view.centre,
    )  # fmt: skip
    published = [line.submission for line in named.leaf.bidders if line.status == "listed"]
    if published != [bid.submission for bid in listed.leaf.bids]:
        raise RefusedError("The published bidders are not those of the close list.")
    return f"leaves {listed.index}, {price.index}, {drawn.index}, {named.index}"


def to_open(case: Case) -> list[ListedBid]:
    """Return the bids of the list and those that a supplement of two put back."""
    placed = case.one(CloseList)
    mended: list[str] = []
    for both in announced(case):
        body = two_signed(both, Supplement.PURPOSE, case)
        if body is not None:
            said = Supplement.from_body(body)
            if (said.section, said.close_list) == (case.request.section, placed.digest):
                mended += said.submissions
    excluded = {bid.submission for bid in placed.leaf.excluded}
    added = [
        ListedBid(
            submission=act.id, encapsulation=act.encapsulation, sha256=act.sha256, size=act.size
        )
        for act in live(case.acts.values())
        if act.id in mended and act.id in excluded
    ]
    return [*placed.leaf.bids, *added]
