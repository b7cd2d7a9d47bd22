"""A whole opening on a frozen clock, its records on paper, its dossier in both renditions.

Stories: a opens; b replaced its bid and opens; c is damaged inside; d withdrew; e was late; custodian 2 lies.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bidding.record import notice_facts, opening_facts
from bidding.service.paper import NOTICE, OPENING, Paper
from bidding.store import stream_of
from crypto.age import open_payload, parse_recipient, read_header, unwrap_p256tag
from crypto.canonical import canonical
from crypto.encoding import sha256_hex, unb64
from crypto.p256 import Point
from crypto.threshold import dh_x
from crypto.tlog.note import VerifierKey
from crypto.tlog.proof import LogProof
from documents.dossier import Bid, Contents, Leaf, Record, write_both
from documents.logproof import RecordProof
from tests.bidding.centre import CENTRE, CENTRE_KEY, Centre
from tests.clients.auditor import certificates
from tests.documents.conftest import sealed
from trading.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from documents.model import Facts
    from tests.documents.pki import Pki

NAME = "岐江市公共资源交易中心"


@dataclass
class Made:
    """What a demo would leave: trust file, two bags, receipts, a refusal; and keys for forgers.

    `log` and `notes` are the private keys of the log and of all witnesses, `leaves` the whole ledger.
    """

    trust: Path
    public: Path
    full: Path
    receipts: list[dict[str, Any]]
    refusal: dict[str, Any]
    section: str
    at: int
    withdrawn: dict[str, Any]
    log: Any
    origin: str
    leaves: list[bytes]
    notes: dict[str, Any]
    names: dict[str, str]


def make(folder: Path, pki: Pki) -> Made:
    with Centre(folder / "home", centre_name=NAME) as centre:
        centre.first_people()
        return _Story(centre, folder, pki).tell()


class _Story:
    def __init__(self, centre: Centre, folder: Path, pki: Pki) -> None:
        self.centre, self.folder, self.pki = centre, folder, pki
        self.pending: list[tuple[str, bytes, int]] = []

    @property
    def ledger(self) -> Any:
        return self.centre.ground.ledger

    def tell(self) -> Made:
        centre = self.centre
        section = centre.set_up(minimum=3)
        book = centre.bidding.room.keyed(section)
        paper = Paper(centre.bidding.room)
        now = centre.clock.now()
        self.print("notice", notice_facts(paper._rows(book), paper._setting(book, NOTICE, now)))
        a = centre.hand_in(1, "46382715.40")
        b = centre.hand_in(2, "47105600.00")
        centre.seal(b, "47000000.00", supersedes=b.receipts[-1]["statement"]["entry"]["id"])
        centre.send_file(b)
        assert centre.submit(b).status_code == 201
        c = centre.hand_in(3, "45998800.88", damage=True)
        d = centre.hand_in(4, "46200000.00")
        gone = centre.withdraw(d).json()
        late = centre.bidder(5)
        centre.seal(late, "45000000.00")
        centre.send_file(late)
        centre.until(centre.deadline + 20)
        refused = centre.submit(late).json()["refusal"]
        centre.cosign()
        assert centre.release("custodian-1").json()["status"] == "answered"
        centre.keepers["custodian-2"].lies = True
        assert centre.release("custodian-2").json()["status"] == "wrong"
        request, _ = centre.request()
        assert centre.release("custodian-3").json()["status"] == "answered"
        assert centre.pace("read_all").status_code == 200
        assert centre.pace("confirm").status_code == 200
        assert centre.confirm_reading(a).status_code == 201
        centre.until(centre.clock.now() + 60_000)
        assert centre.pace("seal").status_code == 200
        self.print("opening", self.opening(paper, book))
        centre.cosign()
        receipts = [one for who in (a, b, c, d) for one in who.receipts]
        files = {act.id: kept.blob for act, kept in ((k.act, k) for k in book.kept.values())}
        public, full = write_both(
            self.contents(book, request.to_body(), files), self.folder / "dossiers"
        )
        trust = self.folder / "trust.pem"
        trust.write_text(self.trust())
        return Made(
            trust,
            public,
            full,
            receipts,
            refused,
            section,
            centre.clock.now() + 1000,
            gone,
            self.ledger._key,
            self.ledger.origin,
            [self.ledger.leaf(index) for index in range(self.ledger.size)],
            {keeper.id: keeper.note for keeper in centre.keepers.values()},
            {
                "a": a.receipts[-1]["statement"]["entry"]["id"],
                "b": b.receipts[-1]["statement"]["entry"]["id"],
                "c": c.receipts[-1]["statement"]["entry"]["id"],
            },
        )

    def opening(self, paper: Paper, book: Any) -> Facts:
        seq, chain = self.centre.ground.journal.head(stream_of(book.section))
        return opening_facts(
            paper._rows(book),
            {kind: found[0] for kind, found in book.leaves.items()},
            paper._setting(book, OPENING, self.centre.clock.now()),
            cosignatures=len(paper.cosigners(book)),
            chain=(chain.hex(), seq),
        )

    def print(self, name: str, facts: Facts) -> None:
        """Draw and sign a record, and put its leaf into the ledger."""
        at = self.centre.clock.now()
        pdf = sealed(self.pki, facts, at=at)
        body = {
            "record": f"rec_{name}", "type": facts.KIND, "sha256": sha256_hex(pdf), "signatures": 1,
        }  # fmt: skip
        index = self.centre.runner.run(self.ledger.add("record", body, at))
        self.pending.append((name, pdf, index))

    def contents(self, book: Any, request: dict[str, Any], files: dict[str, Any]) -> Contents:
        size = self.ledger.size
        note = self.ledger.cosigned(size)
        start = book.leaf("key_assign")[0]

        def leaf(index: int) -> Leaf:
            from crypto.canonical import parse

            value = parse(self.ledger.leaf(index))
            return Leaf(index, value, self.ledger.inclusion(index, size))

        records = []
        for name, pdf, index in self.pending:
            one = leaf(index)
            proof = LogProof(index, tuple(one.path), note)
            records.append(Record(name, pdf, RecordProof(CENTRE, one.leaf, proof)))
        opened = {bid["submission"]: bid for bid in book.leaf("opened")[1]["bids"]}
        return Contents(
            subject=book.section,
            centre=CENTRE,
            centre_name=NAME,
            made_at=self.centre.clock.now(),
            records=records,
            events=self.centre.ground.journal.rows(stream_of(book.section)),
            leaves=[leaf(index) for index in range(start, size)],
            checkpoint=note,
            custody={"release-request.json": canonical(request)},
            bids={id_: self.bid(book, bid, files[id_]) for id_, bid in opened.items()},
        )

    def bid(self, book: Any, bid: dict[str, Any], blob: Any) -> Bid:
        path = self.centre.bidding.room.blobs.verified(blob)
        plain = None
        if bid["result"] == "opened":
            out = io.BytesIO()
            with path.open("rb") as file:
                header = read_header(file)
                key = unwrap_p256tag(
                    header.bid_stanza(),
                    parse_recipient(book.keyed.tender.recipient),
                    dh_x(Point.parse(unb64(bid["dh"]))),
                )
                open_payload(file, key, out.write)
            plain = out.getvalue()
        return Bid(evidence={"sha256": bid["sha256"]}, sealed=path, plain=plain)

    def trust(self) -> str:
        made = certificates.Maker(self.pki)
        made.add(self.pki.root)
        made.add(self.pki.tsa_certificate)
        made.statement(CENTRE, CENTRE_KEY.public)
        made.statement("水务行政监督处", self.centre.one(Role.SUPERVISOR).key.public)
        made.note(self.ledger.origin, VerifierKey.parse(self.ledger.vkey).public)
        for keeper in self.centre.keepers.values():
            made.custodian(keeper.id, keeper.key.public, keeper.host.public, keeper.note)
        return made.pem
