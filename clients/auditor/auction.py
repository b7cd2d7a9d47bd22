"""A dossier of an auction, re-derived: rows through the engine, the engine's answers to the paper.

`auction.record.audit` recomputes the auction from its rows alone: chain, signed offers and delegations, every verdict
and phase, the result. Here its findings meet what stands outside of the rows: the ledger's slots, the certified keys,
the transcript and the deal confirmations on paper.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from auction.model import CENTRE
from auction.record import audit, confirmation_facts, transcript_facts
from auction.replay.book import STREAM
from clients.auditor.checklist import AuditError, Check, Checklist, NotChecked, must
from clients.auditor.issued import Register
from clients.auditor.papers import same
from crypto.canonical import parse
from documents.model import ConfirmationFacts, TranscriptFacts
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auction.record import Audit
    from clients.auditor.evidence import Evidence
    from documents.model import Heading
    from trading.ground.chain import Row

SLOT_MS: Final = 1000
_EVER: Final = 1 << 53
TITLES: Final = {
    "replay": "竞价逐步重演一致 · chain, signed offers, verdicts, phases and result come out again",
    "delegations": "授权密钥登记在册 · each delegation is by a key issued to the seat's holder",
    "slots": "链头逐秒进入存证日志 · the ledger's slots hold the chain's heads",
    "transcript": "竞价记录由事件重算一致 · the transcript follows from the rows",
    "confirmations": "成交确认书由事件重算一致 · the deal confirmations follow from the rows",
    "reserve": "保留价 · the reserve",
}


class Auction:
    """One auction being audited.

    Args:
        evidence: the dossier.
        lot: id of the auction.
    """

    def __init__(self, evidence: Evidence, lot: str) -> None:
        self.evidence = evidence
        self.lot = lot
        self.centre = evidence.centre

    @cached_property
    def rows(self) -> list[Row]:
        """The auction's rows."""
        return self.evidence.streams[STREAM + self.lot]

    @cached_property
    def audit(self) -> Audit:
        """What the rows prove."""
        return audit(self.rows, self.centre)

    def check_replay(self) -> str:
        """Recompute."""
        book = self.audit.book
        decided = [row for row in self.rows if row.kind == "auction.decided"]
        refused = sum(not row.body["verdict"]["ok"] for row in decided)
        must(book.outcome is not None, "the rows hold no result")
        outcome = (book.outcome or {})["outcome"]
        won = ", ".join(f"{w['bidder']} {w['amount']}" for w in outcome["winners"])
        return f"{len(decided)} commands, {refused} refused; {outcome['status']}: {won or 'nobody'}"

    def check_delegations(self) -> str:
        """Each delegation was signed by a key that the ledger had issued to the seat's holder."""
        register, seats = Register(self.evidence), self.audit.book.seats
        found = self.audit.delegations
        if not found:
            raise NotChecked("the rows keep every delegation closed")
        for paddle, keys in found.items():
            index = self._committed(paddle)
            for public in keys:
                register.require(public, seats[paddle].holder, index)
        said = ", ".join(f"{paddle} {seats[paddle].holder}" for paddle in sorted(found))
        shared = "; ".join(f"one key signed for {', '.join(group)}" for group in self.audit.shared)
        return said + (f"; {shared}" if shared else "")

    def _committed(self, paddle: str) -> int:
        """Return the index of the leaf by which the ledger knew of a paddle's first delegation."""
        entered = (row for row in self.rows if row.kind == "auction.entered")
        first = next(row.seq for row in entered if row.body["paddle"] == paddle)
        heads = {row.chain.hex() for row in self.rows[first - 1 :]}
        found = (i for i, leaf in self._slot_leaves() if leaf["lots"][self.lot] in heads)
        return next(found, _EVER)

    def check_slots(self) -> str:
        """Every slot's head is one of this chain, no slot is left out, and no offer came in later."""
        place = {row.chain.hex(): row for row in self.rows}
        result = next((row.seq for row in self.rows if row.kind == "auction.result"), 0)
        seen, last, before = 0, 0, None
        for index, leaf in self._slot_leaves():
            slot, head = leaf["slot"], leaf["lots"][self.lot]
            where = f"leaf {index}, slot {slot}"
            row = place.get(head)
            if row is None:
                raise AuditError(f"{where}: its head {head[:16]}… is no row of {self.lot}")
            must(row.seq >= last, f"{where}: it goes back from row {last} to row {row.seq}")
            must(row.at < (slot + 1) * SLOT_MS, f"{where}: row {row.seq} was stamped after it")
            if last < result and before is not None:
                must(slot == before + 1, f"{where}: slot {before + 1} is left out")
            for one in self.rows[last : row.seq] if seen else ():
                # A row stamped in a slot that was just written counts for the next, not later.
                late = one.kind == "auction.decided" and one.body["by"] != CENTRE
                must(
                    not late or slot <= one.at // SLOT_MS + 1,
                    f"{where}: the offer of row {one.seq}, stamped {beijing(one.at)}, enters late",
                )
            seen, last, before = seen + 1, row.seq, slot
        if not seen:
            raise NotChecked("the dossier's leaves hold no slot of this auction")
        must(last >= result, f"the ledger's last head is row {last}, the result is row {result}")
        return f"{seen} slots, up to row {last} of {len(self.rows)}"

    def _slot_leaves(self) -> Iterator[tuple[int, dict[str, Any]]]:
        needle = f'"{self.lot}":'.encode()
        for index, data, _ in self.evidence.leaves:
            if needle in data and b'"kind":"slot"' in data:
                leaf = parse(data)
                if self.lot in leaf.get("lots", {}):
                    yield index, leaf

    def check_transcript(self) -> str:
        """Compute the transcript again."""
        found = [
            one for one in self.evidence.records_of(TranscriptFacts) if one[1].session == self.lot
        ]
        if not found:
            raise NotChecked("the dossier holds no transcript of this auction")
        for name, facts in found:
            same(name, facts, transcript_facts(self.rows, facts.heading, facts.officials))
        return ", ".join(name.rpartition("/")[2] for name, _ in found)

    def check_confirmations(self) -> str:
        """Compute the confirmations again: one for each winner, and none for anybody else."""
        found = [
            one for one in self.evidence.records_of(ConfirmationFacts) if one[1].session == self.lot
        ]
        winners = (self.audit.book.outcome or {"outcome": {"winners": []}})["outcome"]["winners"]
        if not found and winners:
            raise NotChecked("the dossier holds no deal confirmation of this auction")
        paddles = [won["bidder"] for won in winners]
        must(
            sorted(facts.paddle for _, facts in found) == sorted(paddles),
            f"confirmations of {[facts.paddle for _, facts in found]}, winners are {paddles}",
        )
        numbers = {facts.heading.number for _, facts in self.evidence.records_of(TranscriptFacts)}
        for name, facts in found:
            again = confirmation_facts(
                self.rows,
                partial(_heading, facts),
                transcript_number=facts.transcript_number,
                conditions=facts.conditions,
            )
            same(name, facts, next(one for one in again if one.paddle == facts.paddle))
            must(
                not numbers or facts.transcript_number in numbers,
                f"{name} follows from a transcript {facts.transcript_number} that is not here",
            )
        return f"{len(found)} for {', '.join(paddles) or 'nobody'}"

    def check_reserve(self) -> str:
        """Say what is known of the reserve."""
        if self.audit.book.reserve is None:
            return "the rules have none"
        raise NotChecked("a salted commitment stands in the rules; the reserve itself stays closed")


def check(evidence: Evidence, lot: str, prefix: str) -> tuple[Check, ...]:
    """Audit one auction.

    Args:
        evidence: the dossier.
        lot: id of the auction.
        prefix: stands before every check's id.
    """
    one, todo = Auction(evidence, lot), Checklist(prefix, TITLES)
    todo.check("replay", one.check_replay)
    todo.check("delegations", one.check_delegations, needs=["replay"], essential=False)
    todo.check("slots", one.check_slots)
    todo.check("transcript", one.check_transcript, needs=["replay"])
    todo.check("confirmations", one.check_confirmations, needs=["replay"])
    todo.check("reserve", one.check_reserve, needs=["replay"], essential=False)
    return todo.checks


def _heading(facts: ConfirmationFacts, _number: int) -> Heading:
    return facts.heading
