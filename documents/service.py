"""Issuing records: facts in, a signed file in the store and a leaf in the ledger out.

Order: draw → PDF/A → sign → store (both copies durable) → journal with the leaf → table. Drawing a record and making
room for its signatures cost some 150 ms of CPU and run in `workers` (another process in a serving centre); keys stay in
this one, and fill the rooms in a thread. A crash on the way leaves at most a stored file that nothing names.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from crypto.canonical import parse
from crypto.encoding import sha256_hex
from crypto.tlog.proof import LogProof
from documents import workers
from documents.logproof import RecordProof
from documents.signer import Signer, fill, in_order
from documents.store import IssuedRecord, Records
from trading.ground.chain import Draft
from trading.ground.ids import new_id
from trading.ground.ledger import STREAM as LEDGER
from trading.ground.ledger import index_of
from trading.ground.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from documents.model import Facts
    from documents.slots import Unsigned
    from trading.ground.blobs import Blobs
    from trading.ground.database import Database
    from trading.ground.journal import Journal
    from trading.ground.ledger import Ledger

T = TypeVar("T")

STREAM = "documents"
ISSUED = "issued"
LEAF = "record"


class DocumentService:
    """Issues records and hands them out.

    Args:
        journal, ledger, database, blobs: the ground.
        stamp: returns the RFC 3161 token of a SHA-256 digest (`DevelopmentTsa.stamp`, or a third party's).
        centre: the centre's own signer (slot `centre`), who signs every record.
        workers: where `documents.workers` run: a `ProcessPoolExecutor`, or one thread in tests. Drawing is not safe
            in two threads of one process at once.
    """

    def __init__(
        self,
        journal: Journal,
        ledger: Ledger,
        database: Database,
        blobs: Blobs,
        stamp: Callable[[bytes], bytes],
        centre: Signer,
        workers: Executor,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._blobs = blobs
        self._stamp = stamp
        self._centre = centre
        self._workers = workers
        self._store = Records(database)
        places = _places(journal)
        issued = self._store.rebuild(
            IssuedRecord.from_body(row.body, row.at, places[row.body["record"]])
            for row in journal.rows(STREAM)
            if row.kind == ISSUED
        )
        self._records = {one.record: one for one in issued}

    async def issue(
        self, facts: Facts, *, at: int, subject: str, signers: Sequence[Signer] = ()
    ) -> IssuedRecord:
        """Issue a record: the centre signs first, then `signers`.

        Args:
            facts: what it says.
            at: time of issue, ms UTC, not before `facts.heading.issued_at`.
            subject: id of the section or session it is about.
            signers: further signers, each in a slot of its own (`slots.SLOTS`).

        Raises:
            DocumentError: when it cannot be drawn or signed; nothing was issued.
            StorageFailed: when the journal has stopped.
        """
        who = (self._centre, *signers)
        slots = tuple(one.slot for one in who)
        ready = await self._work(workers.unsigned, facts, slots)
        pdf = await self._signed(ready, who, at)
        blob = await asyncio.to_thread(self._blobs.put, pdf)
        record = new_id("rec")
        digest = sha256_hex(facts.record_json())
        leaf = {
            "record": record,
            "type": facts.KIND,
            "subject": subject,
            "number": facts.heading.number,
            "sha256": blob.sha256,
            "facts": digest,
            "signatures": len(who),
        }
        body = {**leaf, "size": blob.size, "blob": blob.name}
        # One append: a leaf without its row, or a row without its leaf, cannot be.
        row, _ = await self._journal.append(
            self._ledger.draft(LEAF, leaf, at), Draft(STREAM, ISSUED, body, at)
        )
        one = IssuedRecord.from_body(body, at, index_of(row))
        await asyncio.to_thread(self._store.add, one)
        self._records[record] = one
        return one

    async def drawn(self, facts: Facts, *, at: int) -> bytes:
        """Draw facts and sign them as the centre; nothing is kept and no leaf tells of it (a receipt).

        Args:
            facts: what the paper says.
            at: of the signature, ms UTC.

        Raises:
            DocumentError: it cannot be drawn or signed.
        """
        ready = await self._work(workers.unsigned, facts, (self._centre.slot,))
        return await self._signed(ready, (self._centre,), at)

    async def _signed(self, ready: Unsigned, who: Sequence[Signer], at: int) -> bytes:
        """Sign by everyone: a worker makes the room, this process fills it."""
        order, signing = in_order(ready.fields, who)
        pdf = ready.pdf
        for number, one in enumerate(signing):
            own = one.certificate.public_bytes(Encoding.DER)
            shown = (one.name, own, ready.purpose, at)
            room = await self._work(workers.prepare, pdf, order, number, *shown)
            pdf = await asyncio.to_thread(fill, room, one, self._stamp)
        return pdf

    async def _work(self, act: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, act, *given)

    def all(self, subject: str | None = None) -> list[IssuedRecord]:
        """Return issued records in order of issue, all or those about one section or session."""
        return [one for one in self._records.values() if subject in {None, one.subject}]

    def get(self, record: str) -> IssuedRecord:
        """Return one record.

        Raises:
            NotFound: there is no such record.
        """
        one = self._records.get(record)
        if one is None:
            raise NotFound("no-such-record", "没有这份记录", "There is no record with this id.")
        return one

    async def pdf(self, record: str) -> bytes:
        """Return a record's bytes, their hash compared again.

        Raises:
            NotFound: there is no such record.
            CorruptBlob: no copy has the bytes that were kept.
        """
        return await asyncio.to_thread(self._blobs.read, self.get(record).blob)

    def proof(self, record: str, size: int | None = None) -> RecordProof:
        """Return the proof that the ledger holds a record, under the checkpoint of `size` leaves (default: all).

        Raises:
            NotFound: there is no such record, or the ledger is smaller.
        """
        index = self.get(record).ledger_index
        size = self._ledger.size if size is None else size
        path = tuple(self._ledger.inclusion(index, size))
        return RecordProof(
            self._journal.centre,
            self._leaf(index),
            LogProof(index, path, self._ledger.cosigned(size)),
        )

    def _leaf(self, index: int) -> dict[str, object]:
        value: dict[str, object] = parse(self._ledger.leaf(index))
        return value


def _places(journal: Journal) -> dict[str, int]:
    """Return the ledger index of every record's leaf, by record id."""
    marked = b'"kind":"record"'
    texts = enumerate(journal.texts(LEDGER))
    leaves = ((index, parse(text)) for index, text in texts if marked in text)
    return {leaf["record"]: index for index, leaf in leaves if leaf["kind"] == LEAF}
