"""Filing 归档: what sections and sessions have in common when their dossier is written, once, beside the server's work.

A room gathers what is its own (`Case`). Here come the ledger's leaves under one checkpoint, the records with their
proofs, certificates; and a bounded patience for witnesses, so that the checkpoint is cosigned when they are alive.
Nothing of a dossier is journalled: it follows from the journal, and one that a crash left out is written at the next
start.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from cryptography.x509 import load_pem_x509_certificates

from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.tlog import cosignature
from documents.dossier import Bid, Contents, Leaf, Record
from trading.ground.ledger import STREAM as LEDGER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from documents.dossier import Source
    from documents.service import DocumentService
    from documents.shelf import Shelf
    from documents.store import IssuedRecord
    from trading.ground.chain import Row
    from trading.ground.ground import Ground
    from trading.service import TradingService

    Settled = Callable[[], Awaitable[int]]

WAIT_S: Final = 20.0
"""How long witnesses are waited for; they call every second or so, and sign what is new."""

POLL_S: Final = 0.25
_ALWAYS: Final = (  # leaves before the run that every dossier holds: the log, and who may witness it
    "log", "log_restored", "witness", "witness_retired", "custodian_registered", "witness_registered",
)  # fmt: skip
_OF_KEYS: Final = ("key_issued", "key_revoked")
_OF_SUBJECT: Final = ("tender_published", "session_published")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a room knows of one section or session.

    Attributes:
        subject: id of the section or session.
        stream: its journal stream, taken whole.
        start: index of the ledger leaf with which the gapless run begins.
        witnessed: tree size from which cosignatures count as evidence (a closing checkpoint); 0 for none.
        last: number of the stream's last row that a tree of a given size binds; later ones are not filed.
            None where the record itself names the last.
        keys: public keys, 33 bytes, whose issuance is shown though it stands before the run.
        bids, custody, more: as in `Contents`.
    """

    subject: str
    stream: str
    start: int
    witnessed: int = 0
    last: Callable[[int], int] | None = None
    keys: frozenset[bytes] = frozenset()
    bids: Mapping[str, Bid] = field(default_factory=dict)
    custody: Mapping[str, Source] = field(default_factory=dict)
    more: Mapping[str, Source] = field(default_factory=dict)


class Filer:
    """Writes dossiers, each in a task of its own.

    Args:
        ground: journal, ledger, clock, settings.
        trading: its certificates, custodians and witnesses go into `trust.json`, for people.
        documents: holds the records.
        shelf: where dossiers stand.
        wait_s: seconds that witnesses are waited for.
    """

    def __init__(
        self,
        ground: Ground,
        trading: TradingService,
        documents: DocumentService,
        shelf: Shelf,
        wait_s: float = WAIT_S,
    ) -> None:
        self._ground = ground
        self._trading = trading
        self._documents = documents
        self._shelf = shelf
        self._wait_s = wait_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopped = False

    def begin(
        self, subject: str, gather: Callable[[], Case], wanted: int, settled: Settled | None = None
    ) -> None:
        """Write a dossier beside the caller, unless it is there or on its way.

        Args:
            subject: id of the section or session; its records have all been issued.
            gather: returns what the room knows; called in a thread.
            wanted: how many witnesses make the checkpoint firm.
            settled: waits until the ledger holds all it will hold, returns the size it then has;
                by default that of the last record.
        """
        if subject not in self._tasks and not self._stopped:
            work = self._guarded(subject, gather, wanted, settled)
            task = asyncio.get_running_loop().create_task(work, name=f"dossier {subject}")
            self._tasks[subject] = task
            task.add_done_callback(lambda _: self._tasks.pop(subject, None))

    async def idle(self) -> None:
        """Wait until nothing is being written."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def stop(self) -> None:
        """Begin nothing more; a dossier that is being written is finished, one that waits is left."""
        self._stopped = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(
        self, subject: str, gather: Callable[[], Case], wanted: int, settled: Settled | None
    ) -> None:
        try:
            await self._file(subject, gather, wanted, settled)
        except Exception:  # noqa: BLE001 (nobody awaits it: logged here or lost)
            _log.critical("the dossier of %s is left to the next start", subject, exc_info=True)

    async def _file(
        self, subject: str, gather: Callable[[], Case], wanted: int, settled: Settled | None
    ) -> None:
        if await asyncio.to_thread(self._shelf.holds, subject):
            return
        issued = self._documents.all(subject)
        pdfs = [await self._documents.pdf(one.record) for one in issued]
        least = max(one.ledger_index for one in issued) + 1
        if settled is not None:
            least = max(least, await settled())
        # Signed in the loop, which alone writes the file that remembers it; threads find it signed.
        self._ground.ledger.checkpoint()
        size = await self._witnessed(least, wanted)
        self._ground.ledger.checkpoint(size)
        work = asyncio.ensure_future(
            asyncio.to_thread(
                self._write, gather, list(zip(issued, pdfs, strict=True)), least, size
            )
        )
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await work  # a thread cannot be stopped, and reads the database that is closed next
            raise

    async def _witnessed(self, least: int, wanted: int) -> int:
        """Return the size to prove everything under: witnessed by so many if that comes in time."""
        try:
            async with asyncio.timeout(self._wait_s if wanted else 0):
                while True:
                    if size := await asyncio.to_thread(self._size, least, wanted):
                        return size
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            _log.warning("a dossier goes without a quorum of witnesses")
            return await asyncio.to_thread(self._best, least)

    def _best(self, least: int) -> int:
        names = set().union(*self._cosigners(least).values())
        return self._size(least, len(names)) or self._ground.ledger.size

    def _size(self, least: int, wanted: int) -> int:
        """Return the smallest cosigned size by which `wanted` witnesses have signed, 0 for none."""
        names: set[str] = set()
        for size, found in self._cosigners(least).items():
            names |= found
            if len(names) >= wanted:
                return size
        return 0

    def _cosigners(self, least: int) -> dict[int, set[str]]:
        ledger = self._ground.ledger
        keys = list(ledger.witnesses.values())
        return {
            size: {one.key.name for one in cosignature.verify(ledger.cosigned(size), keys)}
            for size in ledger.cosigned_sizes(least)
        }

    # What follows runs in a thread.

    def _write(
        self,
        gather: Callable[[], Case],
        issued: Sequence[tuple[IssuedRecord, bytes]],
        least: int,
        size: int,
    ) -> None:
        case = gather()
        settings, ledger = self._ground.settings, self._ground.ledger
        contents = Contents(
            subject=case.subject,
            centre=settings.centre,
            centre_name=settings.centre_name,
            made_at=self._ground.clock.now(),
            records=tuple(self._records(issued, size)),
            events=self._events(case, size),
            leaves=self._leaves(case, size),
            checkpoint=ledger.cosigned(size),
            bids=case.bids,
            custody=case.custody,
            trust=tuple(
                one
                for text in self._certificates()
                for one in load_pem_x509_certificates(text.encode())
            ),
            more={**case.more, "ledger/cosigned.json": canonical(self._notes(case, least, size))},
        )
        self._shelf.put(contents)

    def _records(self, issued: Sequence[tuple[IssuedRecord, bytes]], size: int) -> Iterator[Record]:
        kinds = [one.kind for one, _ in issued]
        for place, (one, pdf) in enumerate(issued):
            number = kinds[: place + 1].count(one.kind)
            name = one.kind if kinds.count(one.kind) == 1 else f"{one.kind}-{number}"
            yield Record(name, pdf, self._documents.proof(one.record, size))

    def _events(self, case: Case, size: int) -> Iterator[Row]:
        journal, stream = self._ground.journal, case.stream
        last = case.last(size) if case.last else journal.head(stream)[0]
        return takewhile(lambda row: row.seq <= last, journal.rows(stream))

    def _leaves(self, case: Case, size: int) -> Iterator[Leaf]:
        ledger = self._ground.ledger
        for index, text in enumerate(self._ground.journal.texts(LEDGER)):
            if index >= size:
                return
            if index >= case.start or _early(text, case):
                path = ledger.inclusion(index, size) if index <= case.start else None
                yield Leaf(index, parse(text), path)

    def _notes(self, case: Case, least: int, size: int) -> list[str]:
        """Return the cosigned checkpoints inside the run: those after the closing one, and the last."""
        ledger = self._ground.ledger
        sizes = {*ledger.cosigned_sizes(case.witnessed or least), *ledger.cosigned_sizes(least)}
        return [ledger.cosigned(one).decode() for one in sorted(sizes) if one <= size]

    def _certificates(self) -> list[str]:
        state = self._trading.state
        found = [
            *self._trading.certificates.values(),
            *(text for one in state.custodians.values() for text in one.certificates),
            *(text for one in state.witnesses.values() for text in one.certificates),
        ]
        return list(dict.fromkeys(found))


def _early(text: bytes, case: Case) -> bool:
    """Say whether a leaf before the run belongs into the dossier."""
    if b'"kind":"slot"' in text:
        return False
    leaf = parse(text)
    kind = leaf["kind"]
    return (
        kind in _ALWAYS
        or (kind in _OF_KEYS and leaf["key"] in {b64(key) for key in case.keys})
        or (kind in _OF_SUBJECT and case.subject.encode() in text)
    )
