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
from auction.record.right import held
from auction.replay.book import STREAM
from clients.auditor import headings, run
from clients.auditor.checklist import AuditError, Check, Checklist, NotChecked, must
from clients.auditor.issued import Register
from clients.auditor.papers import same
from crypto.canonical import parse
from documents.model import ConfirmationFacts, TranscriptFacts
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auction.record import Audit
    from auction.replay.closed import Disclosure
    from clients.auditor.evidence import Evidence
    from clients.auditor.keys import Keys
    from clients.auditor.run import LeafRun
    from documents.model import Heading
    from trading.ground.chain import Row

SLOT_MS: Final = 1000
SKEW_MS: Final = 60_000
"""How far a witness's clock may be behind the centre's; two clocks of one country differ by less."""

_EVER: Final = 1 << 53
TITLES: Final = {
    "replay": "竞价逐步重演一致 · chain, signed offers, verdicts, phases and result come out again",
    "delegations": "授权密钥登记在册 · each delegation is by a key issued to the seat's holder",
    "slots": "链头逐秒进入存证日志 · the ledger's slots hold the chain's heads",
    "witnessed": "结果所在检查点已联署 · witnesses cosigned the ledger with the result",
    "transcript": "竞价记录由事件重算一致 · the transcript follows from the rows",
    "confirmations": "成交确认书由事件重算一致 · the deal confirmations follow from the rows",
    "reserve": "保留价 · the reserve",
    "preemption": "优先购买权承诺已公开 · the rights of first refusal are opened",
}


class Auction:
    """One auction being audited.

    Args:
        evidence: the dossier.
        lot: id of the auction.
        keys: pinned.
        slips: of reserves, as they were given.
    """

    def __init__(
        self, evidence: Evidence, lot: str, keys: Keys, slips: Sequence[Disclosure] = ()
    ) -> None:
        self.slips = slips
        self.evidence = evidence
        self.lot = lot
        self.keys = keys
        self.centre = evidence.centre

    @cached_property
    def rows(self) -> list[Row]:
        """The auction's rows."""
        return self.evidence.streams[STREAM + self.lot]

    @cached_property
    def audit(self) -> Audit:
        """What the rows prove."""
        return audit(self.rows, self.centre)

    @cached_property
    def leaves(self) -> LeafRun:
        """The run of ledger leaves from the first slot that names the auction, folded to the checkpoint."""
        first = next((index for index, _ in self._slot_leaves()), None)
        if first is None:
            raise NotChecked("the dossier's leaves hold no slot of this auction")
        return run.gather(self.evidence, first)

    @cached_property
    def roots(self) -> dict[int, bytes]:
        """Roots of the log at every size that a note or a record of the dossier names."""
        notes = (run.head_of(text.encode()) for text in self.evidence.notes)
        sizes = {head.size for head in notes}
        sizes |= {facts.heading.ledger_size for facts in self.evidence.records.values()}
        return self.leaves.roots(sizes)

    @property
    def result(self) -> Row | None:
        """The row with the result."""
        return next((row for row in self.rows if row.kind == "auction.result"), None)

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
        result = self.result.seq if self.result else 0
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
            for one in self.rows[last : row.seq]:  # also before the first leaf that is shown
                # A row stamped in a slot that was just written counts for the next, not later.
                late = one.kind == "auction.decided" and one.body["by"] != CENTRE
                must(
                    not late or slot <= one.at // SLOT_MS + 1,
                    f"{where}: the offer of row {one.seq}, stamped {beijing(one.at)}, enters late",
                )
            seen, last, before = seen + 1, row.seq, slot
        end = self.leaves.end  # raises where a leaf of the run is missing
        must(last >= result, f"the ledger's last head is row {last}, the result is row {result}")
        must(
            last == len(self.rows),
            f"nothing binds the rows after {last}, the last whose head the ledger holds",
        )
        return f"{seen} slots, up to row {last}; leaves to {end - 1}"

    def check_witnessed(self) -> str:
        """Say who cosigned the ledger with the result in it, and how soon: history is as old as that."""
        self.keys.need()
        result = self.result
        assert result is not None
        heads = {row.chain.hex() for row in self.rows if row.seq >= result.seq}
        size = next(
            (i + 1 for i, leaf in self._slot_leaves() if leaf["lots"][self.lot] in heads), _EVER
        )
        found: dict[str, int] = {}
        for note in run.noted(self.evidence, self.keys):
            if not size <= note.size <= self.leaves.end:
                continue
            must(
                not note.cosigners or self.roots[note.size] == note.root,
                f"a witness cosigned another history of {note.size} leaves",
            )
            for name, at in note.cosigners:
                must(
                    at >= result.at - SKEW_MS,
                    f"{name} cosigned the result at {beijing(at)}, before it happened",
                )
                found[name] = min(at, found.get(name, at))
        if not found:
            raise NotChecked("not yet witnessed 尚未见证: no pinned witness cosigned the result")
        late = max(min(found.values()) - result.at, 0) // 1000
        return f"{', '.join(sorted(found))}, the first {late} s after the result"

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
            self._heading(name, facts.heading)
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
            self._heading(name, facts.heading)
            must(
                not numbers or facts.transcript_number in numbers,
                f"{name} follows from a transcript {facts.transcript_number} that is not here",
            )
        return f"{len(found)} for {', '.join(paddles) or 'nobody'}"

    def _heading(self, name: str, heading: Heading) -> None:
        assert self.result is not None
        headings.check(self, name, heading, self.result.at)

    def check_preemption(self) -> str:
        """Say who held the right, by the commitments that the result opened; `replay` has judged them."""
        book = self.audit.book
        if not book.rules.get("preemption"):
            return "the rules know none"
        said = [
            f"{one.paddle} {book.seats[one.paddle].name} ({one.basis}), "
            f"{book.rights[one.paddle]['commitment']}"
            for one in held(book)
        ]
        return "; ".join(said) or "nobody was admitted with it before timed bidding"

    def check_reserve(self) -> str:
        """Open the reserve with a slip and decide again with it; without one it stays closed."""
        closed = self.audit.book.reserve
        if closed is None:
            return "the rules have none"
        fitting = [slip for slip in self.slips if slip.commitment == closed["commitment"]]
        if fitting:
            audit(self.rows, self.centre, reserve=fitting[0])
            return (
                f"{fitting[0].value}, as committed to in the rules; every verdict and the result "
                "are the same with it"
            )
        must(not self.slips, "no slip that was given fits the commitment in the rules")
        raise NotChecked("a salted commitment stands in the rules; the reserve itself stays closed")


def check(
    evidence: Evidence, lot: str, keys: Keys, prefix: str, slips: Sequence[Disclosure] = ()
) -> tuple[Check, ...]:
    """Audit one auction.

    Args:
        evidence: the dossier.
        lot: id of the auction.
        keys: pinned.
        prefix: stands before every check's id.
        slips: of reserves; where some were given, one must fit.
    """
    one, todo = Auction(evidence, lot, keys, slips), Checklist(prefix, TITLES)
    shown = todo.check("replay", one.check_replay) and bool(one.audit.delegations)
    todo.check("delegations", one.check_delegations, needs=["replay"], essential=shown)
    todo.check("slots", one.check_slots)
    todo.check("witnessed", one.check_witnessed, needs=["replay", "slots"], essential=False)
    todo.check("transcript", one.check_transcript, needs=["replay"])
    todo.check("confirmations", one.check_confirmations, needs=["replay"])
    todo.check("preemption", one.check_preemption, needs=["replay"])
    todo.check("reserve", one.check_reserve, needs=["replay"], essential=bool(slips))
    return todo.checks


def _heading(facts: ConfirmationFacts, _number: int) -> Heading:
    return facts.heading
