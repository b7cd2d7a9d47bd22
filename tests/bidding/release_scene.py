"""A section from its key to its published bidders, with everything a custodian is shown.

`Scene(**bent).build()` gives (view, request, leaves); a bent field is one lie or one accident. Who takes part
and what they sign stands in `release_cast`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bidding.model import (
    Announced,
    CloseList,
    ControlPrice,
    Entry,
    Excluded,
    FloatCommit,
    FloatCommitment,
    FloatResult,
    FloatReveal,
    KeyAssign,
    LateWitness,
    ListedBid,
    PublishedBidders,
    Submission,
    Supplement,
    Withdrawal,
)
from bidding.model.leaf import Published
from bidding.release import CustodianView, IssuedKey, ReleaseRequest, SealedEntry, TwoSigned
from bidding.release.run import Fold
from bidding.rules.bids import live
from bidding.rules.draw import draw
from bidding.rules.outside import read_act
from crypto import hpke, possession, statement
from crypto.age import recipient_text
from crypto.canonical import canonical
from crypto.cocktail import HostKey
from crypto.encoding import b64, sha256_hex
from crypto.section_tree import SectionTree, slot_commitment, slot_salt
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature, note
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from tests.bidding.release_cast import (
    CENTRE,
    CENTRE_KEY,
    HOSTS,
    LOG,
    ORIGIN,
    SECTION,
    SEED,
    SUPERVISOR,
    WITNESSES,
    T,
    both,
    ceremony,
    vkey,
)

FIRST = T // 1000 - 6  # six slots of bidding


@dataclass
class Scene:
    """Fields are what an honest centre and a sound custodian would have; bend one."""

    names: tuple[str, ...] = ("org_a", "org_b", "org_c")
    minimum: int = 3
    context_section: str = SECTION
    purpose: str = "live"
    use: str = "live"
    earliest: int = T
    assigned: int = T
    deadline: int = T
    host: HostKey = HOSTS[0]
    now: int = T
    last_time: int = T
    hold: str | None = None
    log: Ed25519PrivateKey = LOG
    stamps: tuple[int, ...] = (T // 1000, T // 1000 + 60)
    cosign_before_closing: bool = False
    cosign_other_root: bool = False
    own_vkey_counts: bool = False
    last: Callable[["Built"], tuple[int, bytes] | None] = lambda _: None
    consistency: Callable[["Built"], tuple[bytes, ...]] = lambda _: ()
    answered: str | None = None
    same_answer: bool = False
    handed: tuple[TwoSigned, ...] = ()
    announced: tuple[TwoSigned, ...] = ()
    late_witness: Callable[["Built"], tuple[dict[str, Any], ...]] = lambda _: ()
    assign_twice: bool = False
    born: int | None = None
    escape: bool = False
    seed_shown: bytes = SEED
    certificate_digest: str | None = None
    change_entries: Callable[[list[SealedEntry]], list[SealedEntry]] = lambda entries: entries
    change_list: Callable[[CloseList], CloseList] = lambda leaf: leaf
    excluded: tuple[str, ...] = ()
    supplement: bool = False
    close_twice: bool = False
    close_use: str | None = None  # purpose that the close list names, else the asked one
    drop_slot: int | None = None
    skip_last_slot: bool = False
    after: tuple[str, ...] = ("price", "float", "names")
    float_value: str | None = None
    commits: Callable[["Built"], tuple[Any, ...]] = lambda built: (built.commit(),)
    reveals: Callable[["Built"], tuple[Any, ...]] = lambda built: (built.reveal(),)
    published: Callable[[PublishedBidders], PublishedBidders] = lambda leaf: leaf
    change_leaves: Callable[[list[bytes]], list[bytes]] = lambda leaves: leaves
    possession: str = "required"
    copy_of: dict[str, str] = field(default_factory=dict)
    withdraw: tuple[str, ...] = ()
    issued: dict[str, tuple[str, SigningKey]] = field(default_factory=dict)
    change_issued: Callable[[tuple[IssuedKey, ...]], tuple[IssuedKey, ...]] = lambda shown: shown
    before_slots: Callable[["Built"], tuple[dict[str, Any], ...]] = lambda _: ()
    evidence: Callable[["Built"], tuple[dict[str, Any], ...]] = lambda _: ()
    keep_withdrawn_listed: bool = False

    def build(self) -> tuple[CustodianView, ReleaseRequest, list[bytes]]:
        return Built(self).result()


class Built:
    """The ledger and what is shown of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = s = scene
        self.certificate, self.group = ceremony(s.context_section, s.purpose, s.earliest, s.minimum)
        self.recipient = recipient_text(self.group.recipient)
        self.leaves = [self._issued(name) for name in s.names]
        self.leaves += [canonical({"kind": "other"})] * (3 - len(self.leaves))
        self.start = len(self.leaves)
        self.nonce = sha256(b"nonce").hexdigest()
        self._open()
        self.entries = self._acts()
        self._slots()
        self.closing = len(self.leaves)
        self.listed = self._close()
        self._after()
        self.shown = s.change_leaves(self.leaves[self.start :])

    def add(self, leaf: Any) -> None:
        self.leaves.append(canonical(leaf.to_leaf(CENTRE)))

    def _open(self) -> None:
        s = self.scene
        assign = KeyAssign(
            section=SECTION, tender="ten_a", ceremony="cer_a", recipient=self.recipient,
            certificate=s.certificate_digest or self.digest(), seed=sha256_hex(SEED), use=s.use,
            earliest_t=s.earliest, deadline=s.assigned, proof_of_possession=s.possession,
        )  # fmt: skip
        self.add(assign)
        if s.assign_twice:
            self.add(assign)
        for signed in s.commits(self):
            self.add(FloatCommit(section=SECTION, signed=signed))
        for more in s.before_slots(self):
            self.leaves.append(canonical({"v": 1, "centre": CENTRE, **more}))
        for signed in s.announced:
            self.add(Announced(section=SECTION, statements=(signed.centre, signed.supervisor)))
            if s.escape:  # the same to every reader of JSON, and not found by a search for the id
                self.leaves[-1] = self.leaves[-1].replace(b'"sec_a"', b'"sec\\u005fa"')

    def commit(self, party: str = "centre", key: SigningKey = CENTRE_KEY, **bent: Any) -> Any:
        """A party's signed commitment to the float draw; the centre and org_a may draw."""
        said = FloatCommitment(
            section=SECTION, ceremony="cer_a", party=party, parties=("centre", "org_a"),
            digest=sha256(bytes.fromhex(self.nonce)).hexdigest(),
        )  # fmt: skip
        said = replace(said, **bent)
        return statement.sign(key, said.PURPOSE, CENTRE, said.to_body())

    def reveal(self, party: str = "centre", key: SigningKey = CENTRE_KEY, **bent: Any) -> Any:
        said = FloatReveal(section=SECTION, ceremony="cer_a", party=party, nonce=self.nonce)
        said = replace(said, **bent)
        return statement.sign(key, said.PURPOSE, CENTRE, said.to_body())

    def _issued(self, name: str) -> bytes:
        number = self.scene.names.index(name)
        holder, key = self.scene.issued.get(name, (name, SigningKey.from_scalar(100 + number)))
        leaf = {"key": b64(key.public), "organisation": holder}
        return canonical({"v": 1, "centre": CENTRE, "kind": "key_issued", **leaf})

    def shown_keys(self) -> tuple[IssuedKey, ...]:
        tree = Tree()
        for leaf in self.leaves:
            tree.add(leaf)
        size = self.closing
        return tuple(
            IssuedKey(
                index=index, leaf=self.leaves[index].decode(),
                path=tuple(node.hex() for node in tree.inclusion_proof(index, size)),
            )
            for index in range(size)
            if b'"kind":"key_issued"' in self.leaves[index]
        )  # fmt: skip

    def digest(self) -> str:
        return sha256_hex(canonical(self.certificate.to_json()))

    def _acts(self) -> list[SealedEntry]:
        s, entries, tree = self.scene, [], SectionTree(SEED)
        for number, name in enumerate(s.names):
            original = s.copy_of.get(name, name)
            key = SigningKey.from_scalar(100 + number)
            made = SigningKey.from_scalar(500 + s.names.index(original))
            enc, _, ephemeral = hpke.seal(self.group.recipient, b"", b"", b"x" * 16, made)
            said = Submission(
                tender="ten_a", section=SECTION, envelope="whole", version=1,
                tender_file="0" * 64, recipient=self.recipient,
                bidder=name, parties=(name,), encapsulation=b64(enc),
                sha256=sha256_hex(name.encode()), size=1000, supersedes="",
            )  # fmt: skip
            signed = statement.sign(key, Submission.PURPOSE, CENTRE, said.to_body())
            proof = possession.prove(ephemeral, canonical(signed["statement"]))
            entries.append(
                self._entry(tree, "submission", f"bid_{name}", number, signed, b64(proof))
            )
        for name in s.withdraw:
            body = Withdrawal(
                tender="ten_a", section=SECTION, bidder=name, submission=f"bid_{name}"
            )
            key = SigningKey.from_scalar(100 + s.names.index(name))
            signed = statement.sign(key, body.PURPOSE, CENTRE, body.to_body())
            entries.append(self._entry(tree, "withdrawal", f"wdr_{name}", 4, signed, ""))
        return entries

    def _entry(
        self, tree: SectionTree, kind: Any, id_: str, number: int, signed: Any, proof: str
    ) -> SealedEntry:
        slot = FIRST + 1 + number
        entry = Entry(
            section=SECTION, kind=kind, id=id_, slot=slot, arrival=slot * 1000 + 5,
            statement=statement.digest(signed).hex(),
            replaces=id_.replace("wdr", "bid") if kind == "withdrawal" else "",
            delegation="",
        )  # fmt: skip
        index = tree.place(id_.encode())
        tree.put(index, entry.to_bytes(CENTRE), slot)
        return SealedEntry(index=index, entry=entry, signed=signed, possession=proof)

    def _slots(self) -> None:
        s, tree = self.scene, SectionTree(SEED)
        for slot in range(FIRST, s.deadline // 1000):
            for one in self.entries:
                if one.entry.slot == slot:
                    tree.put(one.index, one.entry.to_bytes(CENTRE), slot)
            if slot == s.drop_slot or (s.skip_last_slot and slot == s.deadline // 1000 - 1):
                continue
            value = slot_commitment(slot_salt(SEED, slot), tree.root()).hex()
            leaf = {"v": 1, "centre": CENTRE, "kind": "slot", "slot": slot, "lots": {}}
            self.leaves.append(canonical({**leaf, "sections": {SECTION: value}}))

    def _close(self) -> CloseList:
        s = self.scene
        acts = [read_act(one.entry, one.signed, CENTRE) for one in self.entries]
        if s.keep_withdrawn_listed:
            acts = [act for act in acts if act.kind == "submission"]
        alive = live(acts)
        leaf = CloseList(
            section=SECTION, tender="ten_a", use=s.close_use or s.use, deadline=s.deadline,
            slot=s.deadline // 1000 - 1, closing_size=self.closing,
            closing_root=self.root(self.closing).hex(),
            bids=tuple(_listed(act) for act in alive if act.id not in s.excluded),
            excluded=tuple(Excluded(submission=id_, reason="存储副本损坏") for id_ in s.excluded),
        )  # fmt: skip
        listed = s.change_list(leaf)
        self.add(listed)
        if s.close_twice:
            self.add(listed)
        if s.supplement:
            said = Supplement(
                section=SECTION, close_list=sha256_hex(self.leaves[-1]),
                submissions=s.excluded, reason="副本已修复", at=T,
            )  # fmt: skip
            signed = both(said)
            self.add(Announced(section=SECTION, statements=(signed.centre, signed.supervisor)))
        return listed

    def _after(self) -> None:
        s, points = self.scene, ("0.25", "0.50")
        reveals = s.reveals(self)
        nonces = {one["statement"]["party"]: one["statement"]["nonce"] for one in reveals}
        value = draw(SECTION, points, nonces) if s.float_value is None else s.float_value
        lines = tuple(
            Published(
                submission=bid.submission, bidder="org", names=("某公司",), credit_codes=("",),
                arrival=1, deposit="paid", status="listed",
            )
            for bid in self.listed.bids
        )  # fmt: skip
        leaves = {
            "price": ControlPrice(section=SECTION, value="48650000.00"),
            "float": FloatResult(section=SECTION, points=points, reveals=reveals, value=value),
            "names": s.published(PublishedBidders(section=SECTION, bidders=lines)),
        }
        for name in s.after:
            self.add(leaves[name])

    def fold(self, size: int) -> Fold:
        fold = Fold()
        for leaf in self.leaves[:size]:
            fold.add(leaf)
        return fold

    def root(self, size: int) -> bytes:
        return self.fold(size).root()

    def note(self, size: int, key: Ed25519PrivateKey, root: bytes | None = None) -> bytes:
        return checkpoint.sign(Checkpoint(ORIGIN, size, root or self.root(size)), key)

    def _cosigned(self) -> list[str]:
        s = self.scene
        size = self.closing - 1 if s.cosign_before_closing else self.closing
        root = bytes(32) if s.cosign_other_root else None
        notes = []
        for number, stamp in enumerate(s.stamps, 0 if s.own_vkey_counts else 1):
            base = self.note(size, LOG, root)
            notes.append(cosignature.add(base, WITNESSES[number], f"w{number}", stamp).decode())
        return notes

    def result(self) -> tuple[CustodianView, ReleaseRequest, list[bytes]]:
        s = self.scene
        request = ReleaseRequest(
            section=SECTION, use=s.use, ceremony="cer_a", start=self.start,
            frontier=tuple(node.hex() for node in self.fold(self.start).frontier()),
            head=self.note(len(self.leaves), s.log).decode(), cosigned=tuple(self._cosigned()),
            consistency=tuple(node.hex() for node in s.consistency(self)),
            seed=s.seed_shown.hex(), entries=tuple(s.change_entries(list(self.entries))),
            late_witness=s.late_witness(self), issued=s.change_issued(self.shown_keys()),
        )  # fmt: skip
        listed = canonical(self.listed.to_leaf(CENTRE))
        view = CustodianView(
            centre=CENTRE, centre_keys=frozenset({CENTRE_KEY.public}),
            supervisor_keys=frozenset({SUPERVISOR.public}), custodian="cus_a",
            host_key=s.host.public, group=self.group, certificate=self.digest(), now=s.now, born=s.born,
            last_time=s.last_time, log=note.vkey(ORIGIN, LOG),
            witnesses=tuple(vkey(number) for number in (1, 2, 3)), last=s.last(self), hold=s.hold,
            handed=s.handed, evidence=s.evidence(self), answered=sha256_hex(listed) if s.same_answer else s.answered,
        )  # fmt: skip
        return view, request, self.shown


def _listed(act: Any) -> ListedBid:
    return ListedBid(
        submission=act.id, encapsulation=act.encapsulation, sha256=act.sha256, size=act.size
    )


def late_by(key: SigningKey) -> Callable[[Built], tuple[dict[str, Any], ...]]:
    def make(built: Built) -> tuple[dict[str, Any], ...]:
        body = LateWitness(
            section=SECTION, closing_size=built.listed.closing_size,
            closing_root=built.listed.closing_root, reason="停电", at=T,
        )  # fmt: skip
        return (statement.sign(key, body.PURPOSE, CENTRE, body.to_body()),)

    return make
