"""A section's whole log, from its key to its published bidders, as an honest centre writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
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
from bidding.release import CustodianView, IssuedKey, ReleaseRequest, SealedEntry
from clients.bench.stage import CENTRE, CEREMONY, SECTION, Stage
from crypto import possession, statement
from crypto.age.stanzas import recipient_text, wrap_p256tag
from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex
from crypto.random import token
from crypto.section_tree import SectionTree, slot_commitment, slot_salt
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature, note
from crypto.tlog.fold import Fold, frontier_of
from crypto.tlog.merkle import Tree

if TYPE_CHECKING:
    from crypto.age.header import P256Tag

ORIGIN: Final = "bench/ledger/1"
TENDER: Final = "ten_bench"


def view(stage: Stage) -> CustodianView:
    """What the first custodian knows at T + 1 s."""
    return CustodianView(
        centre=CENTRE,
        centre_keys=frozenset({stage.centre.public}),
        supervisor_keys=frozenset({stage.supervisor.public}),
        custodian=stage.keys[0].name,
        host_key=stage.keys[0].host.public,
        group=stage.group,
        certificate=sha256_hex(canonical(stage.certificate.to_json())),
        now=stage.deadline + 1000,
        last_time=stage.deadline,
        log=note.vkey(ORIGIN, stage.keys[4].note),  # the fifth custodian's key plays the log here
        witnesses=tuple(each.witness for each in stage.keys[1:4]),
    )


def write(stage: Stage, bids: int, slots: int) -> tuple[ReleaseRequest, list[bytes], list[P256Tag]]:
    """Writes a log of so many slots with bids in its last minute.

    Returns:
        The release request, the leaves, and the bids' stanzas in the order of the list.
    """
    seed = token(32)
    t = stage.deadline
    first = t // 1000 - slots
    recipient = recipient_text(stage.group.recipient)
    tree = SectionTree(seed)
    entries: list[SealedEntry] = []
    listed: list[ListedBid] = []
    named: list[Published] = []
    stanzas: list[P256Tag] = []
    by_slot: dict[int, list[tuple[int, Entry]]] = {}
    for number in range(bids):
        slot = t // 1000 - 50 + number * 49 // bids
        stanza, signed, proof = _submission(stage, number, recipient)
        said = signed["statement"]
        entry = Entry(
            section=SECTION,
            kind="submission",
            id=f"bid_{number:05}",
            slot=slot,
            arrival=slot * 1000 + number % 1000,
            statement=statement.digest(signed).hex(),
            replaces="",
            delegation="",
        )
        index = tree.place(entry.id.encode())
        tree.put(index, entry.to_bytes(CENTRE), slot)
        by_slot.setdefault(slot, []).append((index, entry))
        entries.append(SealedEntry(index=index, entry=entry, signed=signed, possession=proof))
        listed.append(
            ListedBid(
                submission=entry.id,
                encapsulation=said["encapsulation"],
                sha256=said["sha256"],
                size=said["size"],
            )
        )
        named.append(
            Published(
                submission=entry.id,
                bidder=said["bidder"],
                names=("bench",),
                credit_codes=("91440000MA4W0001XX",),
                arrival=entry.arrival,
                deposit="paid",
                status="listed",
            )
        )
        stanzas.append(stanza)
    order = sorted(range(bids), key=lambda n: (entries[n].entry.arrival, entries[n].entry.id))
    issued = [_issued(sealed.signed) for sealed in entries]
    leaves = [_assign(stage, recipient, seed)]
    leaves += _slots(seed, first, t // 1000, by_slot)
    tree_of_all = Tree()
    for leaf in issued + leaves:
        tree_of_all.add(leaf)
    before = frontier_of(issued)
    closing = Fold(len(issued), before)
    for leaf in leaves:
        closing.add(leaf)
    leaves += _after(t, closing, tuple(listed[n] for n in order), tuple(named[n] for n in order))
    head = Fold(closing.size, closing.frontier())
    for leaf in leaves[closing.size - len(issued) :]:
        head.add(leaf)
    log = stage.keys[4].note
    cosigned = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, closing.size, closing.root()), log)
    for each in stage.keys[1:4]:
        cosigned = cosignature.add(cosigned, each.note, each.name, t // 1000 + 1)
    signed_head = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, head.size, head.root()), log)
    request = ReleaseRequest(
        section=SECTION,
        use="live",
        ceremony=CEREMONY,
        start=len(issued),
        frontier=tuple(node.hex() for node in before),
        head=signed_head.decode(),
        cosigned=(cosigned.decode(),),
        consistency=(),
        seed=seed.hex(),
        entries=tuple(entries),
        issued=tuple(
            IssuedKey(
                index=index,
                leaf=leaf.decode(),
                path=tuple(node.hex() for node in tree_of_all.inclusion_proof(index, closing.size)),
            )
            for index, leaf in enumerate(issued)
        ),
        late_witness=(),
    )
    return request, leaves, [stanzas[n] for n in order]


def _submission(stage: Stage, number: int, recipient: str) -> tuple[P256Tag, dict[str, Any], str]:
    stanza, ephemeral = wrap_p256tag(token(16), stage.group.recipient)
    bidder, key = f"org_{number:05}", SigningKey.generate()
    said = Submission(
        tender=TENDER,
        section=SECTION,
        envelope="whole",
        version=1,
        tender_file="0" * 64,
        recipient=recipient,
        bidder=bidder,
        parties=(bidder,),
        encapsulation=b64(ephemeral.public65),
        sha256=sha256_hex(bidder.encode()),
        size=1000,
        supersedes="",
    )
    signed = statement.sign(key, Submission.PURPOSE, CENTRE, said.to_body())
    proof = possession.prove(ephemeral, canonical(signed["statement"]))
    return stanza.p256tag(), signed, b64(proof)


def _issued(signed: dict[str, Any]) -> bytes:
    leaf = {"key": signed["key"], "organisation": signed["statement"]["bidder"]}
    return canonical({"v": 1, "centre": CENTRE, "kind": "key_issued", **leaf})


def _assign(stage: Stage, recipient: str, seed: bytes) -> bytes:
    leaf = KeyAssign(
        section=SECTION,
        tender=TENDER,
        ceremony=CEREMONY,
        recipient=recipient,
        certificate=sha256_hex(canonical(stage.certificate.to_json())),
        seed=sha256_hex(seed),
        use="live",
        earliest_t=stage.deadline,
        deadline=stage.deadline,
        proof_of_possession="required",
    )
    return canonical(leaf.to_leaf(CENTRE))


def _slots(
    seed: bytes, first: int, end: int, by_slot: dict[int, list[tuple[int, Entry]]]
) -> list[bytes]:
    tree = SectionTree(seed)
    root = tree.root()
    leaves = []
    for slot in range(first, end):
        for index, entry in by_slot.get(slot, ()):
            tree.put(index, entry.to_bytes(CENTRE), slot)
            root = b""
        root = root or tree.root()
        commitment = slot_commitment(slot_salt(seed, slot), root).hex()
        # The canonical text itself: two million calls of a serialiser would be the bench.
        leaves.append(
            f'{{"centre":"{CENTRE}","kind":"slot","lots":{{}},'
            f'"sections":{{"{SECTION}":"{commitment}"}},"slot":{slot},"v":1}}'.encode()
        )
    return leaves


def _after(
    t: int, closing: Fold, listed: tuple[ListedBid, ...], named: tuple[Published, ...]
) -> list[bytes]:
    close = CloseList(
        section=SECTION,
        tender=TENDER,
        use="live",
        deadline=t,
        slot=t // 1000 - 1,
        closing_size=closing.size,
        closing_root=closing.root().hex(),
        bids=listed,
        excluded=(),
    )
    return [
        canonical(leaf.to_leaf(CENTRE))
        for leaf in (
            close,
            ControlPrice(section=SECTION, value=""),
            FloatResult(section=SECTION, points=(), reveals=(), value=""),
            PublishedBidders(section=SECTION, bidders=named),
        )
    ]
