"""One section of a dossier, read: tender file, certified key, ledger leaves, acts, answers, the hall's end.

Everything here is computed when it is first asked for and raises where the evidence does not give it; the checklist
of `opening` turns that into named checks.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Announced, CloseList, KeyAssign, Release, TenderFile
from bidding.opening import begin
from bidding.release import CustodianView, ReleaseRequest, SealedEntry, evaluate
from bidding.rules.bids import live
from bidding.rules.outside import read_act
from clients.auditor import custody, hall, run
from clients.auditor.checklist import AuditError, NotChecked, must
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.certificate import SuccessCertificate, verify_certificate
from crypto.encoding import sha256_hex, unb64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bidding.model import Check as Judged
    from bidding.opening import State
    from clients.auditor.evidence import Evidence
    from clients.auditor.keys import Keys
    from clients.auditor.run import LeafRun
    from crypto.certificate import GroupKey
    from trading.ground.chain import Row

STREAM: Final = "bidding/"
FILES: Final = frozenset({"bids_opened", "refiled"})
ACTS: Final = frozenset({"submission", "withdrawal"})


class Section:
    """One section's evidence.

    Args:
        evidence: the dossier.
        keys: pinned.
        section: its id.
        at: time of the check, ms UTC.
    """

    def __init__(self, evidence: Evidence, keys: Keys, section: str, at: int) -> None:
        self.evidence = evidence
        self.keys = keys
        self.id = section
        self.at = at
        self.centre = evidence.centre
        self._answers: dict[str, custody.Answers] = {}

    @property
    def rows(self) -> list[Row]:
        """The section's events."""
        return self.evidence.streams[STREAM + self.id]

    @cached_property
    def files(self) -> list[dict[str, Any]]:
        """Every signed tender file in force, oldest first; a postponement makes another."""
        found = [row.body["file"] for row in self.rows if row.kind in FILES]
        must(found, f"the events of {self.id} hold no tender file")
        return found

    @cached_property
    def tender(self) -> TenderFile:
        """The newest tender file."""
        return self.read_tender(self.files[-1])

    def read_tender(self, signed: dict[str, Any]) -> TenderFile:
        """Check a tender file's signature and read it; whose signature it is, is another check."""
        said = statement.verify(signed, purpose=TenderFile.PURPOSE, centre=self.centre)
        return TenderFile.from_body(said)

    @cached_property
    def group(self) -> GroupKey:
        """The certified key; that its participants were pinned is another check."""
        tender = self.tender
        hosts = [unb64(one.host_key) for one in tender.custodians]
        certificate = SuccessCertificate.from_json(tender.certificate)
        return verify_certificate(certificate, hosts, tender.context(self.centre))

    @cached_property
    def leaves(self) -> LeafRun:
        """The run of ledger leaves from the key's assignment on, folded to the checkpoint."""
        needle = f'"section":"{self.id}"'.encode()
        kind = f'"kind":"{KeyAssign.PURPOSE}"'.encode()
        for index, data, _ in self.evidence.leaves:
            if kind in data and needle in data:
                return run.gather(self.evidence, index)
        raise AuditError(f"no leaf assigns a key to {self.id}")

    @cached_property
    def named(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """The section's first leaf of each kind: index and JSON."""
        return run.named(self.leaves, self.id)

    def about(self, kind: str) -> list[dict[str, Any]]:
        """Return every leaf of a kind about the section, as JSON."""
        return run.about(self.leaves, self.id, kind)

    @cached_property
    def slots(self) -> dict[int, int]:
        """Ledger index of each slot's leaf that speaks of the section."""
        found = {}
        needle = f'"{self.id}":'.encode()
        for index, data in enumerate(self.leaves.leaves, self.leaves.start):
            if needle in data and b'"kind":"slot"' in data:
                found[parse(data)["slot"]] = index
        return found

    def leaf(self, kind: type[Any]) -> Any:
        """Return the section's leaf of a kind, read.

        Raises:
            AuditError: there is none.
        """
        if kind.PURPOSE not in self.named:
            raise AuditError(f"the ledger holds no {kind.PURPOSE} of {self.id}")
        return kind.from_leaf(self.named[kind.PURPOSE][1], self.centre)

    @property
    def close_digest(self) -> str:
        """SHA-256 of the close list's leaf, hex."""
        self.leaf(CloseList)
        return sha256_hex(canonical(self.named[CloseList.PURPOSE][1]))

    @cached_property
    def entries(self) -> tuple[SealedEntry, ...]:
        """Every act as custodians see it at the close."""
        return tuple(
            SealedEntry.from_body(
                {
                    "index": row.body["index"],
                    "entry": row.body["entry"],
                    "signed": row.body["signed"],
                    "possession": row.body.get("possession", ""),
                }
            )
            for row in self.rows
            if row.kind in ACTS
        )

    def releases(self, before: str = "") -> list[Row]:
        """Return the rows of releases, refusals left out; only those before the first row of a kind."""
        found = []
        for row in self.rows:
            if row.kind == before:
                break
            if (
                row.kind == "release"
                and row.body["signed"]["statement"]["purpose"] == Release.PURPOSE
            ):
                found.append(row)
        return found

    @property
    def asked(self) -> tuple[str, ...]:
        """Encapsulations that custodians answer for in the end, as `asked_at`."""
        return self.asked_at(None)

    def asked_at(self, row: Row | None) -> tuple[str, ...]:
        """Return what custodians answer for, each once: the list's, then what supplements put back.

        Args:
            row: only supplements before it count; None for all.
        """
        back = {
            id_
            for one in self.rows
            if one.kind == "supplemented" and (row is None or one.seq < row.seq)
            for id_ in one.body["submissions"]
        }
        asked = [bid.encapsulation for bid in self.leaf(CloseList).bids]
        if back:
            acts = [read_act(sealed.entry, sealed.signed, self.centre) for sealed in self.entries]
            asked += [act.encapsulation for act in live(acts) if act.id in back]
        return tuple(dict.fromkeys(asked))

    def answers(self, before: str = "") -> custody.Answers:
        """Check the releases; `before` as for `releases`."""
        if before not in self._answers:
            said = [(row.body["signed"], self.asked_at(row)) for row in self.releases(before)]
            self._answers[before] = custody.releases(
                said, self.tender, self.group, self.centre, self.close_digest
            )
        return self._answers[before]

    @cached_property
    def state(self) -> State:
        """The hall after its last event, judged again event by event."""
        return self.replay()

    def replay(self, watch: Callable[[State, Row], None] | None = None) -> State:
        """Judge the hall again; `watch` is told of the state before each event."""
        opened = next(row for row in self.rows if row.kind == "bids_opened")
        first = self.read_tender(self.files[0])
        return hall.replay(begin(first, opened.body), self.rows, watch)

    @cached_property
    def roots(self) -> dict[int, bytes]:
        """Roots of the log at every size that a note or a record of the dossier names, folded once."""
        notes = (run.head_of(text.encode()) for text in self.evidence.notes)
        sizes = {head.size for head in notes}
        sizes |= {facts.heading.ledger_size for facts in self.evidence.records.values()}
        return self.leaves.roots(sizes)

    @cached_property
    def _noted(self) -> list[run.Noted]:
        return run.noted(self.evidence, self.keys)

    def cosigners(self, start: int, end: int) -> set[str]:
        """Return the pinned witnesses that cosigned the closing checkpoint or a later one.

        Args:
            start: ms UTC, by the witness's clock.
            end: ms UTC, included.

        Raises:
            NotChecked: nothing is pinned.
            AuditError: a witness cosigned another history than this run of leaves.
        """
        size = self.leaf(CloseList).closing_size
        names: set[str] = set()
        for note in self._noted:
            if not size <= note.size <= self.leaves.end:
                continue
            must(
                not note.cosigners or self.roots[note.size] == note.root,
                f"{', '.join(name for name, _ in note.cosigners)} cosigned another history of "
                f"{note.size} leaves",
            )
            names |= {name for name, at in note.cosigners if start <= at <= end}
        return names

    def judged(self) -> Sequence[Judged]:
        """Evaluate the release rule on the dossier's evidence, like a custodian without a memory."""
        keys, first = self.keys, self.tender.custodians[0]
        view = CustodianView(
            centre=self.centre,
            centre_keys=self._centre_keys(),
            supervisor_keys=self._supervisor_keys(),
            custodian=first.custodian,
            host_key=unb64(first.host_key),
            group=self.group,
            certificate=sha256_hex(canonical(dict(self.tender.certificate))),
            now=self.at,
            last_time=0,
            log=str(keys.log_of(self.evidence.checkpoint)) if keys.given else self.tender.ledger,
            witnesses=(),
        )
        request = ReleaseRequest(
            section=self.id,
            use=self.tender.use,
            ceremony=self.tender.ceremony,
            start=self.leaves.start,
            frontier=tuple(node.hex() for node in self.leaves.frontier),
            head=self.evidence.checkpoint.decode(),
            cosigned=(),
            consistency=(),
            seed=self.seed,
            entries=self.entries,
            issued=(),  # `opening.issued` asks the dossier's own leaves
            late_witness=(),
        )
        return evaluate(view, request, self.leaves.leaves, over=True)

    @property
    def seed(self) -> str:
        """Return the seed that was committed to, else the one that is there: the rule will refuse it."""
        if not self.evidence.seeds:
            raise NotChecked("the section's seed is not among the custody files")
        committed = self.leaf(KeyAssign).seed
        for seed in self.evidence.seeds:
            if sha256_hex(bytes.fromhex(seed)) == committed:
                return seed
        return self.evidence.seeds[0]

    # Without pinned keys whoever has spoken is taken to be who he says; the verdict then is incomplete.

    def _centre_keys(self) -> frozenset[bytes]:
        if self.keys.given:
            return self.keys.centres(self.centre)
        return frozenset({statement.signer(self.files[0])})

    def _supervisor_keys(self) -> frozenset[bytes]:
        if self.keys.given:
            for leaf in self.about(Announced.PURPOSE):
                for signed in leaf["statements"]:
                    self.keys.whose(statement.signer(signed))
            return self.keys.supervisors(self.centre)
        _, leaf = self.named.get(Announced.PURPOSE, (0, {"statements": ()}))
        return frozenset(statement.signer(signed) for signed in leaf["statements"])
