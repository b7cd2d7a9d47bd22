"""The ledger 存证日志: a Merkle log that others can check, a projection of the journal.

Leaf i is the canonical body of row i + 1 of the journal's stream `ledger`; nothing else is in the
tree, so that it can be rebuilt from the journal and proved by RFC 6962. Checkpoints are C2SP
notes signed by the log's Ed25519 key under the origin `<centre>/ledger/<log_id>`. The log_id is
random, born with the home and replaced by every restore, so that a restored copy can never pass
for a continuation. Of each size the log signs one root only: the tree grows and never changes,
and a home whose memory of an earlier checkpoint contradicts its tree does not open.

Witnesses fetch checkpoints and bring cosignatures; the centre stores what verifies, append-only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from crypto.canonical import canonical
from crypto.errors import CryptoError
from crypto.random import token
from crypto.tlog import checkpoint as checkpoints
from crypto.tlog import note
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from trading.ground import contradictions
from trading.ground.chain import Draft, Row
from trading.ground.contradictions import Contradictions, Published
from trading.ground.problems import Conflict, NotFound, Unavailable
from trading.ground.witnesses import Witnesses, foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from trading.ground.database import Database
    from trading.ground.journal import Journal

T = TypeVar("T")

STREAM: Final = "ledger"
GENESIS: Final = "genesis"
MAX_LEAVES: Final = 1_000  # of one answer

_log = logging.getLogger(__name__)


class LedgerContradicted(Unavailable):
    """A checkpoint that the log has signed is not a beginning of this tree: do not serve."""

    def __init__(self, size: int, ours: int) -> None:
        what = "leaves are missing" if size > ours else "another leaf stands in one's place"
        super().__init__(
            "ledger-contradicted",
            "存证日志与既有检查点矛盾",
            f"A signed checkpoint of {size} leaves contradicts this ledger of {ours}: {what}. "
            "Restore a newer backup, or reconcile with receipts and witnesses.",
            size=size,
        )


class Ledger:
    """The log of one centre. Open it with `open_ledger`.

    Args:
        journal: holds the leaves.
        database: holds cosignatures.
        key: the log's Ed25519 key.
        memory: file that remembers the largest checkpoint signed, outside the database.

    Raises:
        LedgerContradicted: the memory is of another history.
    """

    def __init__(
        self, journal: Journal, database: Database, key: Ed25519PrivateKey, memory: Path
    ) -> None:
        self._journal = journal
        self._register = Witnesses(database)
        self._contradictions = Contradictions()
        self._key = key
        self._memory = memory
        self._tree = Tree()
        self._signed: tuple[int, bytes] = (-1, b"")
        self._restores: dict[str, tuple[int, int]] = {}
        births = [row.body["log_id"] for row in journal.rows(GENESIS)]
        if not births:
            msg = "a ledger is opened by open_ledger"
            raise ValueError(msg)
        self.log_id: str = births[-1]
        self.origin = f"{journal.centre}/ledger/{self.log_id}"
        self._verifier = note.verifier(self.origin, key)
        for text in journal.texts(STREAM):
            self._take(text)
        if memory.exists():
            self.check_seen(memory.read_bytes())
        self.checkpoint()  # so that no older one, asked for later, replaces what the memory holds
        journal.listen(self._follow)

    @property
    def vkey(self) -> str:
        """The log's verifier key, what others pin."""
        return str(self._verifier)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._tree.size

    @property
    def witnesses(self) -> dict[str, note.VerifierKey]:
        """Registered witness keys by name."""
        return self._register.keys()

    def draft(self, kind: str, body: dict[str, Any], at: int) -> Draft:
        """Return a leaf as a draft, to be appended together with other events.

        Args:
            kind: of the leaf; on the wire with `v` and `centre` beside it.
            body: further members.
            at: ms UTC.
        """
        leaf = {**body, "v": 1, "centre": self._journal.centre, "kind": kind}
        return Draft(STREAM, kind, leaf, at)

    async def add(self, kind: str, body: dict[str, Any], at: int) -> int:
        """Append a leaf and return its index once it is durable.

        Raises:
            StorageFailed: the journal has stopped.
        """
        (row,) = await self._journal.append(self.draft(kind, body, at))
        return index_of(row)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` leaves, by default all.

        Raises:
            NotFound: the ledger is smaller.
        """
        return self._within(lambda: self._tree.root(size))

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of a size, by default the present one.

        Ed25519 is deterministic and the tree only grows: the same size always gives the same bytes.

        Raises:
            NotFound: the ledger is smaller.
        """
        size = self.size if size is None else size
        if self._signed[0] == size:
            return self._signed[1]
        signed = checkpoints.sign(Checkpoint(self.origin, size, self.root(size)), self._key)
        if size > self._signed[0]:
            self._signed = (size, signed)
            fresh = self._memory.with_suffix(".new")
            fresh.write_bytes(signed)
            fresh.replace(self._memory)
        return signed

    def check_seen(self, seen: bytes) -> None:
        """Compare a checkpoint that this log has signed, under any of its log_ids, with the tree.

        Of an origin before a restore, only leaves that the restore brought back are compared; those
        that it declared lost are known to be missing.

        Raises:
            LedgerContradicted: it is not a beginning of this tree.
            Invalid: it is no checkpoint of this log's key.
        """
        try:
            parsed = checkpoints.parse(note.Note.parse(seen).text)
            verifier = note.verifier(parsed.origin, self._key)
            opened = checkpoints.open_checkpoint(seen, verifier)
        except CryptoError as error:
            raise foreign() from error
        kept, lost = self._restores.get(opened.origin, (self.size, 0))
        if kept < opened.size <= kept + lost:
            return
        if opened.size > kept or self._tree.root(opened.size) != opened.root:
            raise LedgerContradicted(opened.size, kept)

    def leaf(self, index: int) -> bytes:
        """Return a leaf's bytes.

        Raises:
            NotFound: there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise _no_such_leaf()
        return next(self.leaves(index, index + 1))

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """Return the bytes of leaves `[start, end)`, at most 1,000, fewer at the ledger's end."""
        end = min(end, start + MAX_LEAVES, self.size)
        return iter(self._journal.slice(STREAM, start + 1, end + 1))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the RFC 6962 audit path of a leaf in the tree of `size` leaves.

        Raises:
            NotFound: there is no such leaf in a tree of that size.
        """
        return self._within(lambda: self._tree.inclusion_proof(index, size))

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Return the RFC 6962 proof that the tree of `old` leaves begins that of `size`.

        Raises:
            NotFound: the sizes are out of order or out of range.
        """
        return self._within(lambda: self._tree.consistency_proof(old, size))

    async def register_witness(self, vkey: str, role: str, at: int) -> int:
        """Register a witness's key by a leaf of its own; return the leaf's index.

        Args:
            vkey: its C2SP verifier key of type 4; its name is the witness's.
            role: as `supervisor`, `auditor`, `custodian`.
            at: ms UTC.

        Raises:
            Invalid: no such key.
            Conflict: the name is taken by another key; retire that one first.
        """
        name = self._register.admissible(vkey)
        return await self.add("witness", {"witness": name, "vkey": vkey, "role": role}, at)

    async def retire_witness(self, name: str, at: int) -> int:
        """Take a witness off the register by a leaf; its earlier cosignatures stand.

        Raises:
            NotFound: no such witness.
        """
        vkey = self._register.vkey(name)
        return await self.add("witness_retired", {"witness": name, "vkey": vkey}, at)

    async def add_cosignature(self, data: bytes, at: int = 0) -> int:
        """Take a checkpoint note that witnesses have cosigned; return how many lines were new.

        Lines of unregistered keys are ignored. A note of another history is refused; where it proves
        that the log or a witness has signed two, that is published.

        Args:
            data: the note.
            at: ms UTC, of what is published.

        Raises:
            Invalid: not a checkpoint of this log, or a registered witness's line does not hold,
                or no registered witness has signed.
            Conflict: the checkpoint contradicts the ledger: somebody shows two histories.
        """
        checkpoint, lines = self._register.verified(data, self.origin)
        if checkpoint.size > self.size or self._tree.root(checkpoint.size) != checkpoint.root:
            _log.critical("a witness signed a checkpoint that contradicts this ledger")
            await self._accuse(data, checkpoint.size, at)
            raise Conflict(
                "checkpoint-contradicts", "检查点与存证日志矛盾",
                "The cosigned checkpoint is of another history. Keep it: it is evidence.",
                size=checkpoint.size,
            )  # fmt: skip
        return await self._register.keep(self.log_id, checkpoint.size, lines)

    async def publish_evidence(self, value: Any, at: int) -> list[Published]:
        """Publish evidence of two histories; what is known already is not published again.

        Args:
            value: `crypto.tlog.evidence.Evidence` as JSON.
            at: ms UTC.

        Returns:
            what now stands in the ledger about each key that it accuses.

        Raises:
            Invalid: it proves nothing about the log's key or a registered witness's.
        """
        keys = (self._verifier, *self._register.keys().values())
        found = contradictions.admitted(value, self.origin, keys)
        async with self._contradictions.turn:
            for one in found:
                if self._contradictions.of(one.key) is None:
                    _log.critical("two histories: evidence against a key of this log is published")
                    await self.add(contradictions.KIND, contradictions.leaf_body(one), at)
        return [known for one in found if (known := self._contradictions.of(one.key))]

    def evidence(self) -> list[Published]:
        """Return all published evidence of two histories, oldest first."""
        return self._contradictions.all()

    async def _accuse(self, data: bytes, size: int, at: int) -> None:
        """Publish what a note of another history proves together with this ledger's own."""
        if size > self.size:
            return  # nothing of ours is that long: it is kept by whoever brought it
        ours = (self.cosigned(size),)
        for key in (self._verifier, *self._register.keys().values()):
            value = contradictions.of_one_size(key, ours, data)
            if value is not None:
                await self.publish_evidence(value, at)

    def cosigned(self, size: int) -> bytes:
        """Return the checkpoint of a size with every cosignature that came for it.

        Raises:
            NotFound: the ledger is smaller.
        """
        signed = note.Note.parse(self.checkpoint(size))
        lines = self._register.lines(self.log_id, size)
        return note.Note(signed.text, (*signed.signatures, *lines)).to_bytes()

    def newest_cosigned(self) -> list[bytes]:
        """Return the newest checkpoint that each witness has cosigned, with all cosignatures on it."""
        return [self.cosigned(size) for size in self._register.newest(self.log_id)]

    def cosigned_sizes(self, at_least: int, limit: int = 100) -> list[int]:
        """Return sizes ≥ `at_least` for which cosignatures came, smallest first."""
        return self._register.sizes(self.log_id, at_least, limit)

    def last_cosigned(self) -> dict[str, int]:
        """Return witness key text → its own stamp of its latest cosignature, ms UTC."""
        return self._register.seen()

    def _follow(self, row: Row) -> None:
        if row.stream == STREAM:
            assert row.seq == self.size + 1
            self._take(canonical(row.body))

    def _take(self, text: bytes) -> None:
        self._tree.add(text)
        if b'"kind":"witness' in text:
            self._register.follow(msgspec.json.decode(text))
        elif b'"kind":"log_restored"' in text:
            body = msgspec.json.decode(text)
            self._restores[body["previous"]] = (body["size"], body["lost"])
        elif contradictions.MARK in text:
            self._contradictions.follow(self._tree.size - 1, msgspec.json.decode(text))

    def _within(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except CryptoError as error:
            raise _no_such_leaf() from error


async def open_ledger(
    journal: Journal, database: Database, key: Ed25519PrivateKey, memory: Path, at: int
) -> Ledger:
    """Open the ledger of a home; a fresh home's gets its log_id and first leaf.

    Raises:
        LedgerContradicted: the home's memory is of another history.
    """
    if journal.head(GENESIS) == (0, bytes(32)):
        await journal.append(*births(journal.centre, key, at))
    return Ledger(journal, database, key, memory)


def births(
    centre: str, key: Ed25519PrivateKey, at: int, restored: dict[str, Any] | None = None
) -> tuple[Draft, Draft]:
    """Return the drafts of a log's birth: its log_id, and the leaf that says so.

    Args:
        centre: the centre's id.
        key: the log's key.
        at: ms UTC.
        restored: of a restore, what it continues: `previous` origin, `size`, `root`, and what was
            known to be lost.
    """
    log_id = token(8).hex()
    origin = f"{centre}/ledger/{log_id}"
    kind = "log" if restored is None else "log_restored"
    body = {"origin": origin, "vkey": note.vkey(origin, key), **(restored or {})}
    leaf = {**body, "v": 1, "centre": centre, "kind": kind}
    return Draft(GENESIS, kind, {"log_id": log_id}, at), Draft(STREAM, kind, leaf, at)


def index_of(row: Row) -> int:
    """Return the ledger index of a row of stream `ledger`."""
    assert row.stream == STREAM
    return row.seq - 1


def _no_such_leaf() -> NotFound:
    return NotFound(
        "ledger-range", "存证日志没有这一项", "The ledger has no such leaf or size yet."
    )
