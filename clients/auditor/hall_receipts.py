"""What people keep of an opening hall: receipts of their acts 大厅回执 and the hall's signed state 大厅实况.

In hand alone they show what the centre has signed. Held against the dossier of their section they show that it still
says so: an act left out, a pause never told, a history written anew. A record alone tells of confirmations,
objections and pauses; of other acts only a dossier can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import TenderFile
from bidding.model.hall import FLOAT_COMMITTED, SIGNED_IN, HallHead, HallReceipt, HallState
from bidding.opening import Event, begin, evolve
from clients.auditor.checklist import Check, Checklist, NotChecked, must
from crypto import statement
from crypto.encoding import sha256_hex
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.auditor.keys import Keys
    from clients.auditor.section import Section
    from documents.model import OpeningFacts
    from trading.ground.chain import Row

PURPOSES: Final = {kind.PURPOSE: kind for kind in (HallReceipt, HallState)}
TITLES: Final = {
    "fields": "大厅回执字段齐全 · it has its exact fields",
    "issuer": "由交易中心签发 · issued by the centre and nobody else",
    "times": "时刻不在将来 · it tells of no later time",
    "told": "事件中确有其事 · the events tell of it",
}
LATE_MS: Final = 10_000
"""A head is due in the next second; one row may follow another sooner than the disk answers."""
_HEAD: Final = ("v", "suite", "purpose", "centre")
_ANSWERS: Final = frozenset({"confirmed", "objected"})

Kept = HallReceipt | HallState


def read(signed: dict[str, Any]) -> Kept:
    """Return what a signed statement of the hall says; its signature is another check.

    Raises:
        MalformedError: its fields are not exactly those.
    """
    said = signed["statement"]
    body = {name: value for name, value in said.items() if name not in _HEAD}
    return PURPOSES[said["purpose"]].from_body(body)


def check(signed: dict[str, Any], keys: Keys, at: int) -> tuple[Check, ...]:
    """Check one in hand, after form and signature.

    Args:
        signed: its JSON, with a signature that holds.
        keys: pinned.
        at: time of the check, ms UTC.
    """
    todo, found = Checklist("hall", TITLES), list[Kept]()

    def fields() -> str:
        found.append(read(signed))
        return _sentence(found[0])

    def issuer() -> str:
        return keys.signed_by_centre(statement.signer(signed), str(signed["statement"]["centre"]))

    def times() -> str:
        told = _instant(found[0])
        must(told <= at, f"it tells of {beijing(told)}, which is yet to come")
        return f"{beijing(told)} 北京时间"

    def told() -> str:
        raise NotChecked("give the section's dossier beside it: verify DOSSIER RECEIPT")

    todo.check("fields", fields)
    todo.check("issuer", issuer, needs=["fields"])
    todo.check("times", times, needs=["fields"])
    todo.check("told", told, needs=["fields"], essential=False)
    return todo.checks


def told_in(rows: Sequence[Row], kept: Kept, centre: str) -> bool:
    """Hold one against the events of its section.

    Args:
        rows: the section's, chained from the first.
        kept: what somebody holds, signed by the centre.
        centre: its id.

    Returns:
        Whether the events reach as far; a later act is passed over.

    Raises:
        AuditError: they do, and say something else.
    """
    if isinstance(kept, HallReceipt) and kept.act == SIGNED_IN:
        beyond = kept.arrival > max(row.at for row in rows)
        there = any(
            (row.kind, row.at, row.body.get("bidder"))
            == (SIGNED_IN, kept.arrival, kept.organisation)
            for row in rows
        )
        must(there or beyond, f"{_sentence(kept)}: no such row is among the events")
        return there
    if isinstance(kept, HallReceipt) and kept.act == FLOAT_COMMITTED:
        found = [row for row in rows if row.kind == FLOAT_COMMITTED]
        there = any(_bound(row) == (kept.arrival, kept.organisation, kept.said) for row in found)
        beyond = kept.arrival > max(row.at for row in rows)
        must(there or beyond, f"{_sentence(kept)}: no such row is among the events")
        return there
    if kept.seq > len(rows):
        return False
    row = rows[kept.seq - 1] if kept.seq else None
    must(
        row is not None and row.chain.hex() == kept.chain,
        f"{_sentence(kept)}: row {kept.seq} of the events has another history than was signed",
    )
    assert row is not None
    if isinstance(kept, HallReceipt):
        _same_act(row, kept)
    else:
        _same_state(rows, kept, centre)
    return True


def told_on_paper(facts: OpeningFacts, kept: Kept) -> bool:
    """Hold one against an opening record; arguments and answer as `told_in`.

    Raises:
        AuditError: the record says something else.
        NotChecked: of such an act no record tells.
    """
    if isinstance(kept, HallReceipt) and kept.act == SIGNED_IN:
        if any(line.at == kept.arrival for line in facts.sign_ins):
            return True
        raise NotChecked(f"{_sentence(kept)}: a record lists bidders only, a dossier tells of all")
    if kept.seq > facts.last_seq:
        return False
    if kept.seq == facts.last_seq:
        must(
            kept.chain == facts.chain_head,
            f"{_sentence(kept)}: the record was computed from another history than was signed",
        )
    if isinstance(kept, HallState):
        must(
            not kept.paused or any(pause.since == kept.paused for pause in facts.pauses),
            f"{_sentence(kept)}: the record tells of no such pause",
        )
        return True
    if kept.act not in _ANSWERS:
        raise NotChecked(f"{_sentence(kept)}: of this act only a dossier tells")
    must(
        any(
            (line.answer, line.at, line.statement) == (kept.act, kept.arrival, kept.said)
            for line in facts.confirmations
        ),
        f"{_sentence(kept)}: the record tells of no such answer",
    )
    return True


def heads(section: Section) -> str:
    """Check that the hall's chain entered the ledger as it went, and that the events are still those.

    Raises:
        AuditError: a leaf contradicts the events, or the centre wrote none while the hall went on.
    """
    rows = section.rows
    start = next((row.seq for row in rows if row.kind == "published"), len(rows))
    known = [HallHead.from_leaf(leaf, section.centre) for leaf in section.about(HallHead.PURPOSE)]
    last = 0
    for one in known:
        must(one.seq > last, f"the hall's head goes back from row {last} to row {one.seq}")
        must(one.seq >= start, f"the head of row {one.seq} was told before the bidders were")
        last = one.seq
        if one.seq <= len(rows):
            must(
                rows[one.seq - 1].chain.hex() == one.chain,
                f"row {one.seq} is another than the ledger was told while the hall went on",
            )
    told = {one.seq for one in known}
    for before, after in zip(rows[start - 1 :], rows[start:], strict=False):
        must(
            after.at < before.at + LATE_MS or before.seq in told,
            f"row {before.seq} was the newest until {beijing(after.at)}, and the ledger was not told",
        )
    return f"{len(known)} heads from row {start} on"


def _bound(row: Row) -> tuple[int, str, str]:
    return row.at, row.body["party"], statement.digest(row.body["signed"]).hex()


def _same_act(row: Row, kept: HallReceipt) -> None:
    said = row.body.get("statement", "")
    if kept.act == "said":
        said = sha256_hex(str(row.body.get("text")).encode())
    must(
        (row.kind, row.at, said) == (kept.act, kept.arrival, kept.said),
        f"{_sentence(kept)}: row {row.seq} is a {row.kind} of {beijing(row.at)}",
    )


def _same_state(rows: Sequence[Row], kept: HallState, centre: str) -> None:
    opened = next(row for row in rows if row.kind == "bids_opened")
    said = statement.verify(opened.body["file"], purpose=TenderFile.PURPOSE, centre=centre)
    state = begin(TenderFile.from_body(said), opened.body)
    for row in rows[: kept.seq]:
        state = evolve(state, Event(row.kind, dict(row.body)), row.at)
    must(
        (str(state.phase), state.paused or 0) == (kept.phase, kept.paused),
        f"{_sentence(kept)}: by the events it was {state.phase}, paused {state.paused}",
    )


def _instant(kept: Kept) -> int:
    return kept.arrival if isinstance(kept, HallReceipt) else kept.at


def _sentence(kept: Kept) -> str:
    if isinstance(kept, HallReceipt):
        return f"{kept.act} by {kept.organisation} in {kept.section} at {beijing(kept.arrival)}"
    paused = f", paused since {beijing(kept.paused)}" if kept.paused else ""
    return f"{kept.section} {kept.phase} at {beijing(kept.at)}{paused}"
