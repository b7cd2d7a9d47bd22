"""Paper of auctions: when a result is durable, its transcript 竞价过程记录 and a deal confirmation 成交确认书 for each winner.

The facts follow from the auction's rows alone (`auction.record`); here come numbers, ledger checkpoint and names. Each
record is issued once: its printed number follows from the auction and the winner's place, and what `documents` has
journalled under that number is there. So a crash between two records costs nothing but the rest of them, which the
next start issues.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auction.record import confirmation_facts, transcript_facts
from auction.replay.book import STREAM
from auction.service import AuctionService
from documents.model import Facts, Heading, Official
from documents.service import DocumentService
from trading.ground.chain import Row
from trading.ground.clock import beijing
from trading.ground.ground import Ground
from trading.model import Role, State

OFFICIALS: Final = (("host", Role.OPERATOR), ("recorder", Role.REVIEWER))
CONDITIONS: Final[Mapping[str, Sequence[str]]] = {
    "quota": (
        "请在公告规定的期限内，持本确认书与自然资源主管部门签订补充协议，并按其约定缴纳价款。",
        "逾期不签订的视为放弃竞得资格，竞买保证金按公告的规定处理，名额不递补。",
        "竞买保证金在签订补充协议后抵作应缴价款。",
    ),
    "listing": (
        "请在公告规定的期限内，持本确认书与出让人签订出让合同，并按其约定缴纳价款。",
        "逾期不签订的视为放弃竞得资格，竞买保证金按公告的规定处理。",
        "竞买保证金在签订出让合同后转作受让地块的定金。",
    ),
}
"""Mode → what a confirmation demands where the lots' `conditions` do not say it (39号令 20, 21, 25)."""

_log = logging.getLogger(__name__)


class AuctionPaper:
    """Issues the records of every auction, beside the event loop's work.

    Args:
        service: the auctions.
        documents: draws, signs and journals records.
        ground: journal, ledger, clock, settings.
        person_name: id of a person → name, "" where it is unknown (`TradingService.person_name`).
        conditions: as `CONDITIONS`.
    """

    def __init__(
        self,
        service: AuctionService,
        documents: DocumentService,
        ground: Ground,
        person_name: Callable[[str], str],
        conditions: Mapping[str, Sequence[str]] = CONDITIONS,
    ) -> None:
        self._service = service
        self._documents = documents
        self._ground = ground
        self._person_name = person_name
        self._conditions = conditions
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watchers: list[Callable[[str], None]] = []
        self._running = False
        self._resuming: asyncio.Task[None] | None = None
        ground.journal.listen(self._follow)
        ground.journal.on_resume(self._resume)

    async def start(self) -> None:
        """Issue what a crash left out; from now on every auction's paper when its result is durable."""
        self._running = True
        for row in await asyncio.to_thread(self._results):
            self._begin(row)

    async def stop(self) -> None:
        """End after the record that is being issued; what is left comes at the next start."""
        self._running = False
        if self._resuming is not None:
            await asyncio.gather(self._resuming, return_exceptions=True)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def watch(self, told: Callable[[str], None]) -> None:
        """Call `told(lot)` in the event loop when all records of an auction have been issued."""
        self._watchers.append(told)

    async def idle(self) -> None:
        """Wait until nothing is being issued."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    def _results(self) -> list[Row]:
        """Return every auction's result row, from the journal; blocks."""
        return [
            row
            for lot, writer in list(self._service.writers.items())
            if writer.book.outcome is not None  # a running auction of many rows is not read for it
            for row in self._service.journal.rows(STREAM + lot, kind="auction.result")
        ]

    def _follow(self, row: Row) -> None:
        if self._running and row.kind == "auction.result" and row.stream.startswith(STREAM):
            self._begin(row)

    def _resume(self) -> None:
        """Take up again what a stopped journal has refused."""
        if self._running:
            self._resuming = asyncio.get_running_loop().create_task(self.start())

    def _begin(self, result: Row) -> None:
        lot = result.stream.removeprefix(STREAM)
        if lot not in self._tasks:
            work = self._guarded(self._issue(lot, result), lot)
            task = asyncio.get_running_loop().create_task(work, name=f"paper {lot}")
            self._tasks[lot] = task
            task.add_done_callback(lambda _: self._tasks.pop(lot, None))

    async def _guarded(self, work: Coroutine[Any, Any, None], lot: str) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 (nobody awaits it: logged here or lost)
            _log.critical("paper of %s is left to the next start", lot, exc_info=True)

    async def _issue(self, lot: str, result: Row) -> None:
        known = {one.number for one in self._documents.all(lot)}
        rows = await asyncio.to_thread(self._service.rows, lot)
        announced = next(row.body for row in rows if row.kind == "auction.announced")
        made = _Records(
            rows=rows,
            mark=f"{beijing(result.at)[:10].replace('-', '')}-{lot[-8:].upper()}",
            heading=self._heading(announced["session"]),
            officials=self._officials(),
            conditions=self._conditions_of(announced),
        )
        # Auditing the rows takes a moment for each thousand offers: never in the event loop.
        for facts in await asyncio.to_thread(made.facts):
            if not self._running:
                return
            if facts.heading.number not in known:
                await self._documents.issue(facts, at=self._ground.clock.now(), subject=lot)
        for told in self._watchers:
            told(lot)

    def _heading(self, session: str) -> Callable[[str], Heading]:
        """Return what makes headings: all of one auction's records stand under one checkpoint."""
        settings, ledger = self._ground.settings, self._ground.ledger
        known = self._service.business().sessions.get(session)
        now, size = self._ground.clock.now(), ledger.size

        def numbered(number: str) -> Heading:
            return Heading(
                centre=settings.centre,
                centre_name=settings.centre_name,
                ruleset=(known.ruleset[0] if known else "") or settings.ruleset,
                number=number,
                issued_at=now,
                ledger_origin=ledger.origin,
                ledger_size=size,
                ledger_root=ledger.root(size).hex(),
            )

        return numbered

    def _conditions_of(self, announced: Mapping[str, Any]) -> Sequence[str]:
        """Return the notice's own sentences, where the lots' details carry them, else the usual ones."""
        for parcel in announced["parcels"]:
            said = parcel.get("conditions")
            if isinstance(said, list) and said and all(isinstance(one, str) for one in said):
                return said
        return self._conditions[announced["mode"]]

    def _officials(self) -> tuple[Official, ...]:
        state: State = self._service.business()
        found = []
        for part, role in OFFICIALS:
            names = (self._person_name(k.person) for k in state.keys.values() if k.role == role)
            name = next((one for one in names if one), "")
            if name:
                found.append(Official(role=part, name=name))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """One auction's records before they are issued; `mark` is what their numbers have in common."""

    rows: Sequence[Row]
    mark: str
    heading: Callable[[str], Heading]
    officials: tuple[Official, ...]
    conditions: Sequence[str]

    def facts(self) -> list[Facts]:
        """Return the facts of every record, the transcript first; blocks."""
        number = f"JL{self.mark}"
        confirmations = confirmation_facts(
            self.rows,
            lambda place: self.heading(f"QR{self.mark}-{place:02}"),
            transcript_number=number,
            conditions=self.conditions,
        )
        transcript = transcript_facts(self.rows, self.heading(number), self.officials)
        return [transcript, *confirmations]
