"""A section from its key to its close list, as an honest centre writes it into the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from bidding.model import (
    Announced,
    CloseList,
    ControlPrice,
    Entry,
    FloatResult,
    KeyAssign,
    ListedBid,
    PublishedBidders,
    Submission,
)
from bidding.model.leaf import Published
from bidding.release import IssuedKey, ReleaseRequest, SealedEntry
from crypto import hpke, possession, statement
from crypto.age import recipient_text
from crypto.canonical import canonical
from crypto.certificate import verify_certificate
from crypto.encoding import b64, sha256_hex
from crypto.section_tree import SectionTree, slot_commitment, slot_salt
from crypto.signature import SigningKey
from crypto.tlog import cosignature
from crypto.tlog.fold import frontier_of
from tests.clients import scene

if TYPE_CHECKING:
    from clients.custodian.keys import Keys
    from crypto.cocktail import SuccessCertificate
    from tests.clients.fake_centre import FakeCentre

SEED = bytes([42]) * 32
SLOTS = 6


@dataclass
class Bid:
    """One submission and what a centre keeps of it."""

    name: str
    key: SigningKey
    entry: Entry
    signed: dict[str, Any]
    possession: str
    index: int
    said: Submission


@dataclass
class Opening:
    """A section in the fake centre's log; fields may be bent before `ask`."""

    centre: FakeCentre
    certificate: SuccessCertificate
    witnesses: tuple[Keys, ...]
    section: str = "sec_a"
    ceremony: str = "cer_a"
    use: str = "live"
    earliest: int = scene.T0
    deadline: int = scene.T0
    listed_deadline: int | None = None
    bids: list[Bid] = field(default_factory=list)
    start: int = 0
    stamp: int | None = None
    announced: list[dict[str, Any]] = field(default_factory=list)
    omit: str = ""
    assign_twice: bool = False

    def write(self, names: tuple[str, ...] = ("org_a", "org_b", "org_c")) -> ReleaseRequest:
        """Writes everything and returns the request."""
        log = self.centre.log
        recipient = recipient_text(self._recipient())
        for number, name in enumerate(names):
            key = b64(SigningKey.from_scalar(2000 + number).public)
            leaf = {"kind": "key_issued", "key": key, "organisation": name}
            log.add({"v": 1, "centre": scene.CENTRE, **leaf})
        before = list(log.leaves)
        self.start = log.tree.size
        assign = KeyAssign(
            section=self.section,
            tender="ten_a",
            ceremony=self.ceremony,
            recipient=recipient,
            certificate=sha256_hex(canonical(self.certificate.to_json())),
            seed=sha256_hex(SEED),
            use=self.use,  # type: ignore[arg-type]
            earliest_t=self.earliest,
            deadline=self.deadline,
            proof_of_possession="required",
        )
        log.add(assign.to_leaf(scene.CENTRE))
        if self.assign_twice:
            log.add(assign.to_leaf(scene.CENTRE))
        for both in self.announced:
            leaf = Announced(section=self.section, statements=(both["centre"], both["supervisor"]))
            log.add(leaf.to_leaf(scene.CENTRE))
        t = self.listed_deadline or self.deadline
        tree = SectionTree(SEED)
        first = t // 1000 - SLOTS
        for number, name in enumerate(names):
            self.bids.append(self._bid(name, recipient, first + 1 + number, tree))
        self._slots(first, t)
        closing = log.tree.size
        listed = self._close(t, closing)
        self._after(listed)
        return self._request(before, closing)

    def _recipient(self) -> bytes:
        return recipient_of(self.certificate)

    def _bid(self, name: str, recipient: str, slot: int, tree: SectionTree) -> Bid:
        # Fixed keys: the same section comes out again where a test lives twice.
        key, made = (SigningKey.from_scalar(scalar + len(self.bids)) for scalar in (2000, 3000))
        enc, _, ephemeral = hpke.seal(self._recipient(), b"", b"", b"x" * 16, made)
        said = Submission(
            tender="ten_a",
            section=self.section,
            envelope="whole",
            version=1,
            tender_file="0" * 64,
            recipient=recipient,
            bidder=name,
            parties=(name,),
            encapsulation=b64(enc),
            sha256=sha256_hex(name.encode()),
            size=1000,
            supersedes="",
        )
        signed = statement.sign(key, Submission.PURPOSE, scene.CENTRE, said.to_body())
        proof = possession.prove(ephemeral, canonical(signed["statement"]))
        entry = Entry(
            section=self.section,
            kind="submission",
            id=f"sub_{name}",
            slot=slot,
            arrival=slot * 1000 + 5,
            statement=statement.digest(signed).hex(),
            replaces="",
            delegation="",
        )
        index = tree.place(entry.id.encode())
        tree.put(index, entry.to_bytes(scene.CENTRE), slot)
        return Bid(name, key, entry, signed, b64(proof), index, said)

    def _slots(self, first: int, t: int) -> None:
        tree = SectionTree(SEED)
        for slot in range(first, t // 1000):
            for bid in self.bids:
                if bid.entry.slot == slot:
                    tree.put(bid.index, bid.entry.to_bytes(scene.CENTRE), slot)
            commitment = slot_commitment(slot_salt(SEED, slot), tree.root()).hex()
            leaf = {"v": 1, "centre": scene.CENTRE, "kind": "slot", "slot": slot}
            self.centre.log.add({**leaf, "sections": {self.section: commitment}, "lots": {}})

    def _close(self, t: int, closing: int) -> CloseList:
        log = self.centre.log
        listed = CloseList(
            section=self.section,
            tender="ten_a",
            use=self.use,  # type: ignore[arg-type]
            deadline=t,
            slot=t // 1000 - 1,
            closing_size=closing,
            closing_root=log.tree.root(closing).hex(),
            bids=tuple(
                ListedBid(
                    submission=bid.entry.id,
                    encapsulation=bid.said.encapsulation,
                    sha256=bid.said.sha256,
                    size=bid.said.size,
                )
                for bid in self.bids
                if bid.name != self.omit
            ),
            excluded=(),
        )
        log.add(listed.to_leaf(scene.CENTRE))
        return listed

    def _after(self, listed: CloseList) -> None:
        log = self.centre.log
        price = ControlPrice(section=self.section, value="48650000.00")
        log.add(price.to_leaf(scene.CENTRE))
        drawn = FloatResult(section=self.section, points=(), reveals=(), value="")
        log.add(drawn.to_leaf(scene.CENTRE))
        lines = tuple(
            Published(
                submission=bid.entry.id,
                bidder=bid.name,
                names=(bid.name,),
                credit_codes=("91440000MA4W0001XX",),
                arrival=bid.entry.arrival,
                deposit="paid",
                status="listed",
            )
            for bid in self.bids
            if bid.entry.id in {one.submission for one in listed.bids}
        )
        named = PublishedBidders(section=self.section, bidders=lines)
        log.add(named.to_leaf(scene.CENTRE))

    def _request(self, before: list[bytes], closing: int) -> ReleaseRequest:
        log = self.centre.log
        t = self.listed_deadline or self.deadline
        stamp = (t if self.stamp is None else self.stamp) // 1000
        signed = log.checkpoint(closing)
        for keys in self.witnesses:
            signed = cosignature.add(signed, keys.note, keys.name, stamp)
        return ReleaseRequest(
            section=self.section,
            use=self.use,  # type: ignore[arg-type]
            ceremony=self.ceremony,
            start=self.start,
            frontier=tuple(node.hex() for node in frontier_of(before)),
            head=log.checkpoint().decode(),
            cosigned=(signed.decode(),),
            consistency=(),
            seed=SEED.hex(),
            entries=tuple(
                SealedEntry(
                    index=bid.index,
                    entry=bid.entry,
                    signed=bid.signed,
                    possession=bid.possession,
                )
                for bid in self.bids
            ),
            issued=tuple(
                IssuedKey(
                    index=index,
                    leaf=leaf.decode(),
                    path=tuple(node.hex() for node in log.tree.inclusion_proof(index, closing)),
                )
                for index, leaf in enumerate(before)
                if b'"kind":"key_issued"' in leaf
            ),
            late_witness=(),
        )

    def ask(self) -> None:
        """Writes the section and puts the release request up."""
        self.centre.requests[self.section] = self.write().to_body()


@cache
def recipient_of(certificate: SuccessCertificate) -> bytes:
    """The certified key, 65 bytes."""
    pinned = {key.host.public for key in scene.custodians()}
    return verify_certificate(certificate, pinned).recipient


def two_signed(body: Any) -> dict[str, Any]:
    """A statement of centre and supervisor, as it is handed over."""
    return {
        "centre": statement.sign(scene.centre_key(), body.PURPOSE, scene.CENTRE, body.to_body()),
        "supervisor": statement.sign(
            scene.supervisor_key(), body.PURPOSE, scene.CENTRE, body.to_body()
        ),
    }
