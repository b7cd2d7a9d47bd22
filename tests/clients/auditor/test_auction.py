"""An auction is re-derived from its rows; every check has a forgery that it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clients.auditor import auction
from clients.auditor.checklist import AuditError
from clients.auditor.evidence import CHECKPOINT, EVENTS, LEAVES, Evidence
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.signature import SigningKey
from documents.bag import Directory, event_line
from documents.model import ConfirmationFacts, TranscriptFacts
from documents.trust import Trust
from tests.clients.auditor.auction_world import CENTRE, Played, signed, tree_of
from tests.clients.auditor.forge import Memory
from trading.ground.chain import ZERO, Row, link

_EVER = 1 << 53
STRANGER = b64(SigningKey.from_scalar(31337).public)


@pytest.fixture(scope="session")
def keys(played: Played) -> Keys:
    return Keys(Trust.from_pem(played.trust.read_bytes()))


@pytest.fixture(scope="session")
def records(played: Played) -> dict[str, Any]:
    return Evidence(Directory(played.public), played.at).records


class Forge:
    """The centre with all its keys, rewriting rows and slots consistently in all but one thing."""

    hole = -1  # index of a leaf that is not shown

    def __init__(self, played: Played, records: dict[str, Any]) -> None:
        self.played = played
        self.folder = Memory.of(played.public)
        self.records = dict(records)
        self.rows = [row._asdict() | {"body": parse(canonical(row.body))} for row in played.rows]
        self.slots = [parse(canonical(leaf)) for leaf in played.leaves]
        self.size = next(iter(records.values())).heading.ledger_size

    def write(self) -> Forge:
        """Chain the rows anew; let slots and papers name the new hashes."""
        names: dict[str, str] = {}
        chain, lines, last = ZERO, [], None
        for seq, row in enumerate(self.rows, 1):
            text = canonical(row["body"])
            old = row["chain"].hex()
            chain = link(chain, CENTRE, row["stream"], seq, row["at"], row["kind"], text)
            names[old] = chain.hex()
            last = Row(**{**row, "seq": seq, "chain": chain})
            lines.append(event_line(last))
            for name, facts in self.records.items():
                if facts.chain_head == old:
                    more = {"last_seq": seq} if isinstance(facts, TranscriptFacts) else {}
                    self.records[name] = replace(facts, chain_head=chain.hex(), **more)
        self.folder.files[EVENTS] = b"".join(lines)
        for leaf in self.slots:
            lots = leaf.get("lots", {})
            leaf["lots"] = {lot: names.get(head, head) for lot, head in lots.items()}
        tree = tree_of(self.slots)
        self.folder.files[LEAVES] = b"".join(
            canonical({"index": n, "leaf": leaf, "path": [b64(x) for x in tree.inclusion_proof(n)]})
            + b"\n"
            for n, leaf in enumerate(self.slots)
            if n != self.hole
        )
        stamp = self.played.at // 1000 - 1
        note = signed(tree, self.played.log, self.played.notes, stamp)
        self.folder.files[CHECKPOINT] = note
        for name, facts in self.records.items():  # and the papers name the new history
            size = facts.heading.ledger_size
            if size == self.size:
                size, root = tree.size, tree.root().hex()
                self.records[name] = replace(
                    facts, heading=replace(facts.heading, ledger_size=size, ledger_root=root)
                )
        return self

    def failed(self) -> set[str]:
        evidence = Evidence(self.folder, self.played.at)
        evidence.__dict__["records"] = self.records
        keys = Keys(Trust.from_pem(self.played.trust.read_bytes()))
        self.checks = auction.check(evidence, self.played.lot, keys, "a")
        return {c.id.removeprefix("a.") for c in self.checks if c.status == "failed"}

    def row(self, kind: str, number: int = 0) -> dict[str, Any]:
        return [row for row in self.rows if row["kind"] == kind][number]

    def paper(self, kind: type[Any], **changes: Any) -> None:
        for name, facts in self.records.items():
            if isinstance(facts, kind):
                self.records[name] = replace(facts, **changes)

    def heading(self, kind: type[Any], **changes: Any) -> None:
        for name, facts in self.records.items():
            if isinstance(facts, kind):
                self.records[name] = replace(facts, heading=replace(facts.heading, **changes))


def test_both_renditions_are_valid(played: Played, keys: Keys) -> None:
    for bag in (played.public, played.full):
        found = report(bag, keys, played.at)
        assert found.verdict == "valid", [c for c in found.checks if c.status != "ok"]
        assert {f"auction.{name}" for name in auction.TITLES} <= {c.id for c in found.checks}


def test_the_forger_without_a_forgery_passes(played: Played, records: dict[str, Any]) -> None:
    forge = Forge(played, records).write()
    assert forge.failed() == set()
    assert all(check.status == "ok" for check in forge.checks)


def _amount(forge: Forge) -> None:
    forge.row("auction.decided", 3)["body"]["content"]["amount"] = "60"


def _verdict(forge: Forge) -> None:
    forge.row("auction.decided", 2)["body"]["verdict"] = {"ok": True, "seq": 3, "ends_at": None}


def _winner(forge: Forge) -> None:
    forge.row("auction.result")["body"]["outcome"]["winners"].pop()


def _signature(forge: Forge) -> None:
    body = forge.row("auction.decided", 1)["body"]
    body["signature"] = forge.row("auction.decided", 0)["body"]["signature"]


def _delegate(forge: Forge) -> None:
    body = forge.row("auction.entered")["body"]
    body["delegate"] = forge.row("auction.entered", 1)["body"]["delegate"]


def _earlier(forge: Forge) -> None:
    forge.row("auction.decided", 4)["at"] -= 1


def _left_out(forge: Forge) -> None:
    forge.rows.remove(forge.row("auction.decided", 2))  # a refusal


def _slot_gap(forge: Forge) -> None:
    del forge.slots[20]


def _slot_foreign(forge: Forge) -> None:
    forge.slots[20]["lots"]["ses_1"] = "00" * 32


def _slot_back(forge: Forge) -> None:
    forge.slots[40]["lots"]["ses_1"] = forge.slots[8]["lots"]["ses_1"]


def _slot_late(forge: Forge) -> None:
    """The head with an offer enters the ledger five seconds after its stamp."""
    row = forge.row("auction.decided", 4)
    for number, leaf in enumerate(forge.slots):
        if leaf.get("slot", 0) in range(row["at"] // 1000, row["at"] // 1000 + 5):
            leaf["lots"]["ses_1"] = forge.slots[number - 1]["lots"]["ses_1"]


def _slots_stop(forge: Forge) -> None:
    heads = {row["chain"].hex() for row in forge.rows if row["kind"] == "auction.result"}
    result = forge.row("auction.result")["seq"]
    late = {row["chain"].hex() for row in forge.rows if row["seq"] >= result} | heads
    forge.slots = [
        leaf for leaf in forge.slots if leaf.get("lots", {}).get("ses_1", "") not in late
    ]


def _key_of_another(forge: Forge) -> None:
    forge.slots[0]["organisation"], forge.slots[1]["organisation"] = "org_1", "org_0"


def _key_revoked(forge: Forge) -> None:
    key = forge.slots[0]["key"]
    leaf = {"v": 1, "centre": CENTRE, "kind": "key_revoked", "key": key}
    forge.slots.insert(6, leaf)


def _begins_late(forge: Forge) -> None:
    """The slots in which other offers stood are not shown."""
    row = forge.row("auction.decided", 1)
    forge.slots = [leaf for leaf in forge.slots if leaf.get("slot", _EVER) > row["at"] // 1000 + 1]


def _rows_after(forge: Forge) -> None:
    last = forge.rows[-1]
    body = {"by": "999", "code": "BAD_SIGNATURE"}
    forge.rows.append({**last, "kind": "auction.unheard", "body": body, "chain": b"none"})


def _run_gap(forge: Forge) -> None:
    forge.hole = len(forge.slots) - 2


FORGERIES: dict[str, tuple[Any, set[str]]] = {
    "an amount is changed": (_amount, {"replay"}),
    "a refusal becomes an acceptance": (_verdict, {"replay"}),
    "a winner is left out of the result": (_winner, {"replay"}),
    "an offer bears another's signature": (_signature, {"replay"}),
    "a seat's delegated key is exchanged": (_delegate, {"replay"}),
    "an arrival is moved by a millisecond": (_earlier, {"replay", "transcript"}),
    "a refused offer is left out": (_left_out, {"transcript", "slots"}),
    "a slot is left out": (_slot_gap, {"slots"}),
    "a slot holds a foreign head": (_slot_foreign, {"slots"}),
    "a slot goes back": (_slot_back, {"slots"}),
    "an offer enters the ledger late": (_slot_late, {"slots"}),
    "the slots begin after the first offers": (_begins_late, {"slots"}),
    "rows follow that no head in the ledger covers": (_rows_after, {"slots"}),
    "a leaf of the run is left out": (_run_gap, {"slots", "transcript", "confirmations"}),
    "the transcript was issued before the result": (
        lambda f: f.heading(TranscriptFacts, issued_at=1),
        {"transcript"},
    ),
    "a confirmation names another log": (
        lambda f: f.heading(ConfirmationFacts, ledger_origin=f"{CENTRE}/ledger/x"),
        {"confirmations"},
    ),
    "the transcript names another root": (
        lambda f: f.heading(TranscriptFacts, ledger_size=f.size - 1),
        {"transcript"},
    ),
    "the slots stop before the result": (_slots_stop, {"slots"}),
    "a delegation is by a key of somebody else": (_key_of_another, {"delegations"}),
    "a delegation is by a revoked key": (_key_revoked, {"delegations"}),
    "the transcript prints another total": (
        lambda f: f.paper(TranscriptFacts, total_payable="1.00"),
        {"transcript"},
    ),
    "the transcript ends at another row": (
        lambda f: f.paper(TranscriptFacts, chain_head="00" * 32),
        {"transcript"},
    ),
    "a confirmation prints another price": (
        lambda f: f.paper(ConfirmationFacts, payable="1.00"),
        {"confirmations"},
    ),
    "a confirmation is for a loser": (
        lambda f: f.paper(ConfirmationFacts, paddle="000"),
        {"confirmations"},
    ),
    "a confirmation names another transcript": (
        lambda f: f.paper(ConfirmationFacts, transcript_number="JJ-2"),
        {"confirmations"},
    ),
}


@pytest.mark.parametrize("story", FORGERIES)
def test_a_forgery_fails_where_it_was_made(
    story: str, played: Played, records: dict[str, Any]
) -> None:
    bend, expected = FORGERIES[story]
    forge = Forge(played, records)
    bend(forge)
    failed = forge.write().failed()
    assert failed & expected, forge.checks
    assert failed <= expected, forge.checks


def test_a_confirmation_left_out_is_missed(played: Played, records: dict[str, Any]) -> None:
    forge = Forge(played, records).write()
    del forge.records["data/records/confirmation-2.pdf"]
    assert forge.failed() == {"confirmations"}


def test_a_forged_row_names_its_number(played: Played, records: dict[str, Any]) -> None:
    forge = Forge(played, records)
    row = forge.row("auction.decided", 3)
    _amount(forge)
    forge.write().failed()
    assert f"Row {row['seq']}:" in next(c.detail for c in forge.checks if c.id == "a.replay")


def test_without_pinned_keys_the_verdict_is_incomplete(played: Played) -> None:
    found = report(played.public, Keys(), played.at)
    assert found.verdict == "incomplete"
    assert not [c.id for c in found.checks if c.status == "failed"]


def test_an_invented_bidder_leaves_the_audit_incomplete(
    played: Played, records: dict[str, Any]
) -> None:
    """Whoever bids with a key that no leaf issues to anybody may be the centre itself."""
    forge = Forge(played, records)
    forge.slots = forge.slots[1:]
    assert forge.write().failed() == set()
    undone = {check.id for check in forge.checks if check.essential and check.status != "ok"}
    assert undone == {"a.delegations"}


def test_a_result_that_was_cosigned_before_it_happened_is_found(
    played: Played, records: dict[str, Any]
) -> None:
    forge = Forge(replace(played, at=played.at - 1_000_000), records).write()
    forge.played = played
    assert forge.failed() == {"witnessed"}


def _slot_ahead(forge: Forge) -> None:
    """A slot names a head that came to be half a minute later."""
    forge.slots[8]["lots"]["ses_1"] = forge.slots[40]["lots"]["ses_1"]


@pytest.mark.parametrize(
    ("bend", "told"), [(_slot_back, "it goes back from row"), (_slot_ahead, "was stamped after it")]
)
def test_a_slots_head_is_of_its_own_second(
    bend: Any, told: str, played: Played, records: dict[str, Any]
) -> None:
    """docs/spec/audit-v1.md, slots: other lines see these forgeries too, so the sentence is asked for."""
    forge = Forge(played, records)
    bend(forge)
    assert forge.write().failed() == {"slots"}
    assert told in next(check.detail for check in forge.checks if check.id == "a.slots")


def test_a_witness_of_another_history_of_the_auction_is_seen(played: Played, keys: Keys) -> None:
    """A cosignature binds one tree: under another root it is no witness of this result (RFC 6962)."""
    one = auction.Auction(Evidence(Directory(played.public), played.at), played.lot, keys)
    assert "after the result" in one.check_witnessed()
    one.__dict__["roots"] = dict.fromkeys(one.roots, b"\0" * 32)
    with pytest.raises(AuditError, match="cosigned another history"):
        one.check_witnessed()
