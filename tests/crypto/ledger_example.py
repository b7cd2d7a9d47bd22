"""The ledger shown in docs/spec/ledger-v1.md, made anew from published secrets."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bidding.model import Entry, Receipt
from crypto import statement
from crypto.canonical import canonical
from crypto.section_tree import SectionTree, slot_commitment, slot_salt
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature, note
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from crypto.tlog.proof import LogProof

CENTRE = "centre-demo"
SECTION = "sec_bridge_1"
SEED = b"\x07" * 32
SLOT = 1_795_000_000
ARRIVAL = SLOT * 1000 + 431
LOG_ID = "log_bridge"
ORIGIN = f"{CENTRE}/ledger/{LOG_ID}"
LOG = Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
CENTRE_KEY = SigningKey.from_scalar(20_261_124)
WITNESSES = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([0x20 + i]) * 32)
    for i, name in enumerate(["cus_north", "aud_city"])
}
STATEMENT = "87d040cf13895f0b284dc9886b29368d641928f183d7eab294e3f462c8c6e4f7"


def leaf(kind: str, **fields) -> bytes:
    """Return a ledger leaf's bytes."""
    return canonical({"v": 1, "centre": CENTRE, "kind": kind, **fields})


@dataclass
class Example:
    """Three leaves, one act, one receipt."""

    entry: Entry = field(init=False)
    leaves: list[bytes] = field(init=False)
    cosigned: bytes = field(init=False)
    receipt: dict = field(init=False)
    proof: LogProof = field(init=False)

    def __post_init__(self) -> None:
        self.entry = Entry(
            section=SECTION,
            kind="submission",
            id="sub_north",
            slot=SLOT,
            arrival=ARRIVAL,
            statement=STATEMENT,
            replaces="",
            delegation="",
        )
        section = SectionTree(SEED)
        before = section.root()
        index = section.place(self.entry.id.encode())
        section.put(index, self.entry.to_bytes(CENTRE), SLOT)
        salts = [slot_salt(SEED, slot) for slot in (SLOT - 1, SLOT)]
        self.roots = [before, section.root()]
        commitments = [
            slot_commitment(salt, root).hex() for salt, root in zip(salts, self.roots, strict=True)
        ]
        self.leaves = [leaf("genesis", log_id=LOG_ID, vkey=note.vkey(ORIGIN, LOG))] + [
            leaf("slot", slot=slot, sections={SECTION: commitment}, lots={})
            for slot, commitment in zip((SLOT - 1, SLOT), commitments, strict=True)
        ]
        self.tree = Tree()
        for each in self.leaves:
            self.tree.add(each)
        signed = checkpoint.sign(Checkpoint(ORIGIN, 3, self.tree.root()), LOG)
        self.proof = LogProof(2, tuple(self.tree.inclusion_proof(2)), signed)
        self.cosigned = signed
        for second, (name, key) in enumerate(WITNESSES.items(), SLOT + 2):
            self.cosigned = cosignature.add(self.cosigned, key, name, second)
        body = Receipt(
            tender="tnd_bridge",
            section=SECTION,
            bidder="org_north",
            sha256=STATEMENT,
            size=4860,
            version=1,
            newest=1,
            entry=self.entry,
            index=index,
            path=tuple(digest.hex() for digest in section.path(index)),
            salt=salts[1].hex(),
            leaf=self.leaves[2].decode(),
            leaf_index=2,
            inclusion=tuple(digest.hex() for digest in self.proof.path),
            checkpoint=signed.decode(),
            issued=(SLOT + 1) * 1000 + 12,
        )
        self.receipt = statement.sign(CENTRE_KEY, "receipt", CENTRE, body.to_body())
