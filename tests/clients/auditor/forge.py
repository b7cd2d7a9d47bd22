"""A forger with every key of the centre, the log and all witnesses: it rewrites history and signs it anew.

What still catches it is what the auditor re-derives. So each forgery here is consistent in all but one thing.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bidding.model.hall import HallHead
from clients.auditor import bids, handed, opening
from clients.auditor.evidence import CHECKPOINT, EVENTS, LEAVES, Evidence
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.tlog import checkpoint, cosignature
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree, leaf_hash
from crypto.tlog.note import Note
from documents.bag import Directory, event_line
from documents.model import OpeningFacts
from trading.ground.chain import ZERO, Row, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.auditor.keys import Keys
    from clients.auditor.section import Section
    from tests.clients.auditor.opening_world import Made

COSIGNED = "data/ledger/cosigned.json"
SEED = "data/custody/seed.json"
_RECORDS: dict[str, dict[str, Any]] = {}  # facts of each bag's records, read once


class Memory:
    """A folder in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @classmethod
    def of(cls, folder: Any) -> Memory:
        return cls({name: (folder / name).read_bytes() for name in Directory(folder).names()})

    def names(self) -> list[str]:
        return sorted(self.files)

    def open(self, name: str) -> Any:
        return io.BufferedReader(io.BytesIO(self.files[name]))  # type: ignore[arg-type]


class Forge:
    """One dossier to be bent."""

    def __init__(self, made: Made, *, full: bool = False) -> None:
        self.made = made
        bag = made.full if full else made.public
        self.folder = Memory.of(bag)
        self.whole = list(made.leaves)
        self._bag = str(bag)
        self.records = dict(self._facts(bag))
        self.bent: set[str] = set()  # files that are to stay as they were bent

    def _facts(self, bag: Any) -> dict[str, Any]:
        if self._bag not in _RECORDS:
            _RECORDS[self._bag] = Evidence(Directory(bag), self.made.at).records
        return _RECORDS[self._bag]

    def evidence(self) -> Evidence:
        found = Evidence(self.folder, self.made.at)
        found.__dict__["records"] = self.records
        return found

    def failed(self, keys: Keys) -> set[str]:
        """Audit; return the names of the checks that failed, without their prefix."""
        self._recopy(opening.read(self.evidence(), keys, self.made.section, self.made.at))
        section = opening.read(self.evidence(), keys, self.made.section, self.made.at)
        self.checks = [*opening.check(section, "o")]
        if all(check.status == "ok" for check in self.checks if check.id == "o.results"):
            self.checks += bids.check(section, "o")
        return {check.id.removeprefix("o.") for check in self.checks if check.status == "failed"}

    def _recopy(self, section: Section) -> None:
        """Let the files shown by themselves repeat the forged events and leaves."""
        with suppress(Exception):  # what cannot be read cannot be copied
            for name, known in (handed._custody(section) | handed._bids(section)).items():
                if name in self.folder.files and name not in self.bent:
                    value = parse(self.folder.files[name])
                    self.folder.files[name] = canonical({**value, **known})

    def undone(self) -> set[str]:
        """Essential checks of the last audit that could not be done."""
        return {
            check.id.removeprefix("o.")
            for check in self.checks
            if check.essential and check.status == "not_checked"
        }

    def events(self, edit: Callable[[list[dict[str, Any]]], Any]) -> Forge:
        """Edit the rows; number and chain them anew; let the record and the ledger's heads name the new chain."""
        values = [parse(line) for line in self.folder.files[EVENTS].splitlines()]
        before = {value["seq"]: value for value in values}
        facts = next(f for f in self.records.values() if isinstance(f, OpeningFacts))
        last = next(value for value in values if value["seq"] == facts.last_seq)
        edit(values)
        chain, rows = ZERO, []
        chained: dict[int, Row] = {}
        latest: dict[int, Row] = {}
        for seq, value in enumerate(values, 1):
            text = canonical(value["body"])
            chain = link(
                chain, "test-centre", value["stream"], seq, value["at"], value["kind"], text
            )
            row = Row(
                value["position"], value["stream"], seq, value["at"], value["kind"], value["body"],
                chain,
            )  # fmt: skip
            rows.append(row)
            chained[id(value)] = row
            latest[value["at"]] = row
            if value is last:
                self.paper(OpeningFacts, chain_head=chain.hex(), last_seq=seq)
        self.folder.files[EVENTS] = b"".join(map(event_line, rows))
        kept = {seq: value for seq, value in before.items() if id(value) in chained}
        return self._heads({seq: latest[value["at"]] for seq, value in kept.items()})

    def _heads(self, now: dict[int, Row]) -> Forge:
        """Let every head of the hall in the ledger be that of the last row of its instant, as it now is."""
        for index, data in enumerate(self.whole):
            leaf = parse(data)
            if leaf["kind"] == HallHead.PURPOSE and (row := now.get(leaf["seq"])) is not None:
                leaf |= {"seq": row.seq, "chain": row.chain.hex()}
                self.whole[index] = canonical(leaf)
        return self.relog()

    def event(self, kind: str, edit: Callable[[dict[str, Any]], Any], number: int = 0) -> Forge:
        """Edit one row of a kind."""

        def one(values: list[dict[str, Any]]) -> None:
            edit([value for value in values if value["kind"] == kind][number])

        return self.events(one)

    def paper(self, kind: type[Any], **changes: Any) -> Forge:
        """Print other facts."""
        for name, facts in self.records.items():
            if isinstance(facts, kind):
                self.records[name] = replace(facts, **changes)
        return self

    def leaf(self, kind: str, edit: Callable[[dict[str, Any]], Any]) -> Forge:
        """Edit the section's leaf of a kind and sign the whole log anew."""
        for index, data in enumerate(self.whole):
            value = parse(data)
            if value["kind"] == kind and value.get("section") == self.made.section:
                edit(value)
                self.whole[index] = canonical(value)
        return self.relog()

    def relog(self) -> Forge:
        """Build tree, paths and checkpoints anew; every note of the dossier is signed again."""
        tree = Tree.of(leaf_hash(data) for data in self.whole)
        size = checkpoint.parse(Note.parse(self.folder.files[CHECKPOINT]).text).size
        size = max(size, len(self.whole)) if len(self.whole) != len(self.made.leaves) else size
        held = [parse(line)["index"] for line in self.folder.files[LEAVES].splitlines()]
        self.folder.files[LEAVES] = b"".join(
            canonical(
                {
                    "index": index,
                    "leaf": parse(self.whole[index]),
                    "path": [b64(node) for node in tree.inclusion_proof(index, size)],
                }
            )
            + b"\n"
            for index in (*held, *range(held[-1] + 1, size))
        )
        self.folder.files[CHECKPOINT] = self.note(self.folder.files[CHECKPOINT], tree, size)
        notes = parse(self.folder.files[COSIGNED])
        again = [self.note(text.encode(), tree).decode() for text in notes]
        self.folder.files[COSIGNED] = canonical(again)
        for path, facts in self.records.items():  # and the papers name the new history
            heading = facts.heading
            root = tree.root(heading.ledger_size).hex()
            self.records[path] = replace(facts, heading=replace(heading, ledger_root=root))
        return self

    def unwitnessed(self) -> Forge:
        """Take every cosignature off."""
        text = Note.parse(self.folder.files[CHECKPOINT])
        self.folder.files[CHECKPOINT] = Note(text.text, text.signatures[:1]).to_bytes()
        self.folder.files[COSIGNED] = canonical([])
        return self

    def note(self, old: bytes, tree: Tree, size: int | None = None) -> bytes:
        """Sign a checkpoint again, with the same cosigners at the same times."""
        parsed = Note.parse(old)
        size = size or checkpoint.parse(parsed.text).size
        signed = checkpoint.sign(Checkpoint(self.made.origin, size, tree.root(size)), self.made.log)
        for line in parsed.signatures[1:]:
            stamp = int.from_bytes(line.data[:8])
            signed = cosignature.add(signed, self.made.notes[line.name], line.name, stamp)
        return signed

    def file(self, name: str, edit: Callable[[Any], Any]) -> Forge:
        """Edit a JSON file of the bag."""
        value = parse(self.folder.files[name])
        edit(value)
        self.bent.add(name)
        self.folder.files[name] = canonical(value)
        return self
