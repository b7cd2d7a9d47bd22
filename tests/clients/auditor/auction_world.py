"""A quota session played to its end, its slots in a log, transcript and confirmations on paper, both bags."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.record import confirmation_facts, transcript_facts
from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from crypto.tlog.proof import LogProof
from documents.dossier import Contents, Leaf, Record, write_both
from documents.logproof import RecordProof
from documents.model import Heading
from tests.auction.stage import CENTRE, NOON, QUOTA_RULES, Stage
from tests.clients.auditor import certificates
from tests.documents.conftest import sealed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.documents.pki import Pki
    from trading.ground.chain import Row

NAME = "岐江市公共资源交易中心"
ORIGIN = f"{CENTRE}/ledger/auction"
OFFERS = [(0, "20"), (1, "20"), (2, "10"), (2, "20"), (2, "40")]
CENTRE_KEY = SigningKey.from_scalar(77)  # the stage's


@dataclass
class Played:
    """The bags, the trust file and every client's receipts; with the log's keys, for forgers."""

    trust: Path
    public: Path
    full: Path
    receipts: list[dict[str, Any]]
    rows: list[Row]
    lot: str
    at: int
    leaves: list[dict[str, Any]]
    log: Any
    notes: dict[str, Any]


def make(folder: Path, pki: Pki) -> Played:
    rows, answers, slots, keys = asyncio.run(_play(folder))
    leaves = [
        {"v": 1, "centre": CENTRE, "kind": "key_issued", "key": key, "organisation": organisation}
        for organisation, key in keys.items()
    ]
    leaves += slots
    return _Paper(folder, pki, rows, leaves).write(answers)


async def _play(folder: Path) -> Any:
    home = folder / "home"
    home.mkdir()
    stage = await Stage(home).start()
    try:
        slots: list[dict[str, Any]] = []
        lot, desks = await stage.quota(QUOTA_RULES)
        at, answers = 11_000, []
        for number, amount in OFFERS:
            await _pass(stage, slots, at)
            answers.append(await desks[number].bid(amount))
            at += 1_500
        await stage.business("target.suspended", {"target": "lot_0", "reason": "断电"})
        await _pass(stage, slots, at + 5_000)
        await stage.business("target.resumed", {"target": "lot_0"})
        await _pass(stage, slots, 100_000)
        await desks[0].bid("500")  # after the result
        await _pass(stage, slots, 103_000)
        keys = {one.organisation: b64(one.key.public) for one in stage.bidders}
        return stage.service.rows(lot), answers, slots, keys
    finally:
        await stage.stop()


async def _pass(stage: Stage, slots: list[dict[str, Any]], ms: int) -> None:
    """Let time pass, second by second, and write a leaf for each as the ground does."""
    while stage.clock.now() < NOON + ms:
        slot = stage.clock.now() // 1000
        await stage.at(min(ms, (slot + 1) * 1000 - NOON))
        if stage.clock.now() // 1000 > slot and (heads := stage.service.commitments(slot)):
            body = {"v": 1, "centre": CENTRE, "kind": "slot", "slot": slot, "sections": {}}
            slots.append({**body, "lots": heads})


class _Paper:
    def __init__(
        self, folder: Path, pki: Pki, rows: list[Row], leaves: list[dict[str, Any]]
    ) -> None:
        self.folder, self.pki, self.rows, self.leaves = folder, pki, rows, leaves
        self.log = Ed25519PrivateKey.generate()
        self.notes = {name: Ed25519PrivateKey.generate() for name in ("audit", "notary")}
        self.at = rows[-1].at + 1000
        self.printed: list[tuple[str, bytes]] = []

    def heading(self, number: str) -> Heading:
        tree = tree_of(self.leaves)
        return Heading(
            centre=CENTRE, centre_name=NAME, ruleset="演示", number=number,
            issued_at=self.at, ledger_origin=ORIGIN, ledger_size=tree.size,
            ledger_root=tree.root().hex(),
        )  # fmt: skip

    def write(self, answers: list[dict[str, Any]]) -> Played:
        transcript = transcript_facts(self.rows, self.heading("JJ-1"))
        made = [("transcript", transcript)]
        made += [
            (f"confirmation-{number}", facts)
            for number, facts in enumerate(
                confirmation_facts(
                    self.rows, lambda n: self.heading(f"CJ-{n}"), transcript_number="JJ-1",
                    conditions=["十日内签约"],
                ),
                1,
            )
        ]  # fmt: skip
        for name, facts in made:
            pdf = sealed(self.pki, facts, at=self.at)
            self.printed.append((name, pdf))
            self.leaves.append(
                {
                    "v": 1, "centre": CENTRE, "kind": "record", "record": name, "type": facts.KIND,
                    "sha256": sha256_hex(pdf), "signatures": 1,
                }
            )  # fmt: skip
        public, full = write_both(self.contents(), self.folder / "dossiers")
        trust = self.folder / "trust.pem"
        trust.write_text(self.trust())
        receipts = [one["receipt"] for one in answers if "receipt" in one]
        return Played(
            trust, public, full, receipts, self.rows, "ses_1", self.at + 1000, self.leaves,
            self.log, self.notes,
        )  # fmt: skip

    def contents(self) -> Contents:
        tree = tree_of(self.leaves)
        note = signed(tree, self.log, self.notes, self.at // 1000)
        leaves = [
            Leaf(index, leaf, tree.inclusion_proof(index)) for index, leaf in enumerate(self.leaves)
        ]
        first = len(leaves) - len(self.printed)
        records = [
            Record(
                name,
                pdf,
                RecordProof(
                    CENTRE,
                    leaves[first + number].leaf,
                    LogProof(first + number, tuple(leaves[first + number].path), note),
                ),
            )
            for number, (name, pdf) in enumerate(self.printed)
        ]
        return Contents(
            subject="ses_1", centre=CENTRE, centre_name=NAME, made_at=self.at, records=records,
            events=self.rows, leaves=leaves, checkpoint=note,
        )  # fmt: skip

    def trust(self) -> str:
        made = certificates.Maker(self.pki)
        made.add(self.pki.root)
        made.add(self.pki.tsa_certificate)
        made.statement(f"{NAME} 声明签名", CENTRE_KEY.public)
        made.issue(ORIGIN, self.log.public_key())
        for name, key in self.notes.items():
            made.issue(name, key.public_key())
        return made.pem


def tree_of(leaves: list[dict[str, Any]]) -> Tree:
    tree = Tree()
    for leaf in leaves:
        tree.add(canonical(leaf))
    return tree


def signed(tree: Tree, log: Any, notes: dict[str, Any], stamp: int) -> bytes:
    note = checkpoint.sign(Checkpoint(ORIGIN, tree.size, tree.root()), log)
    for name, key in notes.items():
        note = cosignature.add(note, key, name, stamp)
    return note
