"""Notices and opening records: names gathered here, facts computed by `record`, paper by documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import CloseList, PublishedBidders
from bidding.record import Setting, notice_facts, opening_facts
from bidding.release.closing import WINDOW_MS
from bidding.rules.versions import upto
from bidding.store import stream_of
from crypto.errors import CryptoError
from crypto.tlog import cosignature
from documents.model import Heading, NoticeDocument, Official
from trading.ground.clock import beijing
from trading.ground.money import FEN, format_amount
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bidding.service.room import Room
    from bidding.store import Book
    from documents.model import OpeningFacts
    from documents.store import IssuedRecord

NOTICE: Final = "notice"
OPENING: Final = "opening"
OFFICIALS: Final = (
    ("host", Role.OPERATOR),
    ("opening_witness", Role.SUPERVISOR),
    ("recorder", Role.REVIEWER),
)


class Paper:
    """Issues what is printed about sections; each record once."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def notice(self, book: Book) -> None:
        """Issue every version of a section's notice that is not on paper yet, and tell trading each.

        The n-th notice issued about a section is its n-th version, so that a crash between paper
        and journal leaves nothing out and prints nothing twice.
        """
        if self._room.documents is None:
            return
        async with self._room.turns[f"{book.section}/paper"]:
            trading = self._room.trading
            while (said := trading.state.announcement(book.section)).on_paper < said.version:
                version = said.on_paper + 1
                issued = self._issued(book, NOTICE)
                if len(issued) < version:
                    now = self._room.clock.now()
                    rows = upto(self._rows(book), version)
                    facts = notice_facts(rows, self._setting(book, NOTICE, now, version))
                    await self._room.documents.issue(facts, at=now, subject=book.section)
                    issued = self._issued(book, NOTICE)
                await trading.notice_issued(book.section, issued[version - 1].record, version)

    async def opening(self, book: Book) -> str:
        """Issue the opening record of a section, once; return its record id."""
        if self._room.documents is None:
            return ""
        async with self._room.turns[f"{book.section}/paper"]:
            if OPENING in book.records:
                return book.records[OPENING]
            now = self._room.clock.now()
            known = self._issued(book, OPENING)
            if known:
                issued = known[0]
            else:
                facts = self._opening(book, now)
                issued = await self._room.documents.issue(facts, at=now, subject=book.section)
            body = {"kind": OPENING, "record": issued.record}
            await self._room.append(book.section, ("record_issued", body), at=now)
            return issued.record

    def _issued(self, book: Book, kind: str) -> list[IssuedRecord]:
        """Return the records of a kind about a section, in order of issue; also unnoted ones of before a crash."""
        assert self._room.documents is not None
        return [one for one in self._room.documents.all(book.section) if one.kind == kind]

    def _opening(self, book: Book, now: int) -> OpeningFacts:
        seq, chain = self._room.journal.head(stream_of(book.section))
        leaves: Mapping[str, tuple[int, Mapping[str, Any]]] = {
            kind: found
            for kind in (CloseList.PURPOSE, PublishedBidders.PURPOSE)
            if (found := book.leaf(kind)) is not None
        }
        return opening_facts(
            self._rows(book),
            leaves,
            self._setting(book, OPENING, now),
            cosignatures=len(self.cosigners(book)),
            chain=(chain.hex(), seq),
        )

    def cosigners(self, book: Book) -> set[str]:
        """Return who cosigned the closing checkpoint or a later one within 60 s of T."""
        found = book.leaf(CloseList.PURPOSE)
        if found is None:
            return set()
        closing = CloseList.from_leaf(found[1], self._room.centre)
        names: set[str] = set()
        for size in self._room.ledger.cosigned_sizes(closing.closing_size):
            try:
                held = cosignature.verify(
                    self._room.ledger.cosigned(size), self._room.witness_keys()
                )
            except CryptoError:
                continue  # the ledger took only lines that hold; a key has changed since
            names.update(
                one.key.name
                for one in held
                if closing.deadline <= one.timestamp * 1000 <= closing.deadline + WINDOW_MS
            )
        return names

    def _rows(self, book: Book) -> Any:
        return list(self._room.journal.rows(stream_of(book.section)))

    def _setting(self, book: Book, kind: str, now: int, version: int = 1) -> Setting:
        trading, ledger = self._room.trading, self._room.ledger
        section = trading.section(book.section)
        tender = trading.tender(section.tender)
        project = trading.state.projects[tender.project]
        day = beijing(now)[:10].replace("-", "")
        prefix = {NOTICE: "ZB", OPENING: "KB"}[kind]
        size = ledger.size
        heading = Heading(
            centre=self._room.centre,
            centre_name=self._room.settings.centre_name,
            ruleset=tender.ruleset[0] or self._room.settings.ruleset,
            number=f"{prefix}{day}-{section.id[-8:].upper()}{f'-{version}' if version > 1 else ''}",
            issued_at=now,
            ledger_origin=ledger.origin,
            ledger_size=size,
            ledger_root=ledger.root(size).hex(),
        )
        price = section.control_price
        code = project.deal_code_class or "A"
        return Setting(
            heading=heading,
            centre=self._room.centre,
            deal_code=f"{code}-{day}-{section.id[-6:].upper()}",
            sector=project.sector,
            tenderer=self._room.name(project.tenderer),
            agent=self._room.name(project.agent) if project.agent else "",
            method=tender.method,
            evaluation=tender.evaluation,
            place=tender.place,
            control_price="" if price is None else format_amount(price, FEN),
            control_price_note=section.control_price_note,
            bid_deposit=format_amount(section.deposit, FEN),
            duration_days_max=section.duration_days_max,
            float_points=section.float_points,
            published_at=tender.published_at or now,
            parties={
                id_: (known.name, known.credit_code)
                for id_, known in trading.state.organisations.items()
            },
            officials=self._officials() if kind == OPENING else (),
            documents=tuple(
                NoticeDocument(name=one.name, sha256=one.sha256, size=one.size)
                for one in trading.state.announcement(section.id).published(1)
            ),
            people=self._people(book) if kind == OPENING else {},
        )

    def _people(self, book: Book) -> Mapping[str, str]:
        """Names of those who decided, and of delegates; an erased one is printed as its id."""
        assert book.opening is not None
        found = {bid.decided_by for bid in book.opening.bids.values() if bid.decided_by}
        found |= {power.person for power in book.powers.values()}
        return {id_: self._room.trading.person_name(id_) or id_ for id_ in found}

    def _officials(self) -> tuple[Official, ...]:
        found = []
        for part, role in OFFICIALS:
            for key in self._room.trading.state.keys.values():
                name = self._room.trading.person_name(key.person) if key.role == role else ""
                if name:
                    found.append(Official(role=part, name=name))
                    break
        return tuple(found)
