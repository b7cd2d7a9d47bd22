"""The opening of one section, from T to the record: each step by the rule, each resumed after a crash.

`drive` looks at the phase and does the next step until something outside is awaited: the clock, the
closing slot, custodians, the host. Every step ends in one journal append, ledger leaves included;
what was not appended has not happened, and is done again.

    bidding ─T→ closed → control_price → float_draw → bidders_published → unlocking
    ─t answers→ imported → reading_out ─host→ confirming ─host→ sealed → record on paper
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    CloseList,
    ConflictError,
    ControlPrice,
    Excluded,
    FloatResult,
    FloatReveal,
    ListedBid,
    Opened,
    OpenedBid,
    PublishedBidders,
)
from bidding.model.leaf import Published
from bidding.opening import (
    BeginReading,
    BeginUnlock,
    Close,
    Command,
    DrawFloat,
    Event,
    Import,
    Line,
    Outcome,
    Pause,
    Phase,
    Publish,
    StatePrice,
    step,
)
from bidding.rules.draw import draw
from bidding.service import draws
from bidding.service.clockgate import hold_back
from bidding.service.opener import Opener
from bidding.service.powers import OWN, Powers, Right
from crypto.canonical import canonical
from crypto.encoding import b64, sha256_hex, unb64
from crypto.p256 import Point
from crypto.threshold import combine
from trading.ground.money import FEN, format_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bidding.rules.bids import Act
    from bidding.service.custody import Custody
    from bidding.service.disclosures import Disclosures
    from bidding.service.room import Room
    from bidding.store import Book
    from trading.ground.chain import Draft

NO_COPY: Final = "存储副本缺失，非投标人原因 no stored copy is left"
HELD: Final = "对招标文件的异议尚未答复，暂停招标投标活动"
REVEAL_MS: Final = 60_000  # parties to the float draw reveal within a minute of the close


class Run:
    """Drives every section's opening."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._driving: dict[str, asyncio.Lock] = {}
        self.opener = Opener(room)
        self.powers = Powers(room)
        self.custody: Custody | None = None
        self.disclosures: Disclosures | None = None

    def start(self) -> None:
        """Set every section's timer again; what is overdue is done at once."""
        for book in self._room.shelf.books.values():
            self.arm(book)

    def arm(self, book: Book) -> None:
        """Wake at T; a section already beyond it is driven now."""
        if book.opening is not None:

            async def wake() -> None:
                await self.drive(book.section)

            self._room.timers.at(book.deadline, wake, f"opening:{book.section}")

    async def drive(self, section: str) -> None:
        """Do every step that can be done now."""
        lock = self._driving.setdefault(section, asyncio.Lock())
        async with lock:
            while await self._next(self._room.keyed(section)):
                pass

    async def command(
        self,
        book: Book,
        command: Command,
        at: int,
        leaves: Sequence[Draft] = (),
        right: Callable[[], Right] = lambda: OWN,
        **extra: Any,
    ) -> tuple[Event, ...]:
        """Judge a command by the machine, journal its events with their ledger leaves, and return them.

        Args:
            book: of the section.
            command: what is asked.
            at: arrival, ms UTC.
            leaves: of the same append.
            right: asked in the section's turn: by what right it is said, and the rows and leaves of that.
            extra: further rows, kind → body.
        """
        async with self._room.turns[book.section]:
            assert book.opening is not None
            by = right()
            _, events = step(book.opening, command, at)
            if events:  # a repetition that changes nothing leaves no row
                rows = [(event.kind, event.body) for event in events]
                await self._room.append(
                    book.section,
                    *rows,
                    *extra.items(),
                    *by.rows,
                    at=at,
                    leaves=(*leaves, *by.leaves),
                )
            return events

    def held(self, book: Book, now: int) -> bool:
        """Say whether T has come and an objection to the documents still waits for its answer.

        Bids were taken until T; the opening waits (实施条例 22). T itself moves by postponement only.
        """
        waiting = self._room.trading.state.announcement(book.section).held
        assert book.opening is not None
        return waiting and book.opening.phase is Phase.BIDDING and now >= book.deadline

    async def _next(self, book: Book) -> bool:
        opening, now = book.opening, self._room.clock.now()
        if opening is None or opening.paused is not None:
            return False
        match opening.phase:
            case Phase.BIDDING if self.held(book, now):
                await self.command(book, Pause(HELD), now)
            case Phase.BIDDING if now >= opening.deadline:
                await self._close(book)
            case Phase.CLOSED if await hold_back(self._room, book, now):
                return False
            case Phase.CLOSED:
                await self._price(book, now)
            case Phase.CONTROL_PRICE:
                return await self._float(book, now)
            case Phase.FLOAT_DRAW:
                await self._publish(book, now)
            case Phase.BIDDERS_PUBLISHED:
                await self.command(book, BeginUnlock(), now)
            case Phase.UNLOCKING if len(opening.answered) >= opening.terms.threshold:
                await self._unlock(book)
            case Phase.PLEDGING | Phase.DISCLOSING:
                assert self.disclosures is not None
                return await self.disclosures.next(book, now)
            case Phase.IMPORTED:
                await self.command(book, BeginReading(), now)
            case _:
                return False
        return True

    async def _close(self, book: Book) -> None:
        deadline = book.deadline
        slot = deadline // 1000 - 1
        index = await self._room.slots.wait(slot)  # every act that arrived before T is journalled
        size = index + 1
        live = book.live()
        # By the rule, too: a bid of which no copy is left is put back when one has been restored. Where the
        # others are too few it is listed all the same, so that they are opened.
        lost = {act.id for act in live if not self._there(book, act.id)}
        assert book.opening is not None
        if len({a.bidder for a in live if a.id not in lost}) < book.opening.terms.minimum:
            lost = set()
        alive = [act for act in live if act.id not in lost]
        assert book.keyed is not None
        leaf = CloseList(
            section=book.section,
            tender=book.keyed.tender.tender,
            use=book.keyed.tender.use,
            deadline=deadline,
            slot=slot,
            closing_size=size,
            closing_root=self._room.ledger.root(size).hex(),
            bids=tuple(
                ListedBid(
                    submission=act.id,
                    encapsulation=act.encapsulation,
                    sha256=act.sha256,
                    size=act.size,
                )
                for act in alive
            ),
            excluded=tuple(
                Excluded(submission=act.id, reason=NO_COPY) for act in live if act.id in lost
            ),
        )
        now = self._room.clock.now()
        draft = self._room.leaf(leaf, now)
        lines = tuple(Line(act.id, act.bidder, act.arrival) for act in alive)
        left = tuple(Line(act.id, act.bidder, act.arrival) for act in live if act.id in lost)
        close = Close(lines, sha256_hex(canonical(draft.body)), left)
        await self.command(book, close, now, [draft])

    def _there(self, book: Book, submission: str) -> bool:
        blob = book.kept[submission].blob
        return blob is not None and self._room.blobs.there(blob)

    async def _price(self, book: Book, now: int) -> None:
        price = self._room.trading.section(book.section).control_price
        value = "" if price is None else format_amount(price, FEN)
        leaf = self._room.leaf(ControlPrice(section=book.section, value=value), now)
        await self.command(book, StatePrice(value), now, [leaf])

    async def _float(self, book: Book, now: int) -> bool:
        """Reveal the centre's own nonce, wait for the others', then draw; after a minute their silence suspends."""
        commits = draws.commits(self._room, book)
        for party, ref in book.float_refs.items():
            if party not in book.reveals:
                said = FloatReveal(
                    section=book.section,
                    ceremony=commits[party].said.ceremony,
                    party=party,
                    nonce=self._room.private.get(ref) or "",
                )
                signed = self._room.sign(FloatReveal.PURPOSE, said.to_body())
                body = {"party": party, "signed": signed}
                await self._room.append(book.section, ("float_revealed", body), at=now)
        assert book.opening is not None
        silent = sorted(commits.keys() - book.reveals.keys())
        end = book.opening.phases[-1][1] + REVEAL_MS
        if silent and now < end:

            async def wake() -> None:
                await self.drive(book.section)

            self._room.timers.at(end, wake, f"float:{book.section}")
            return False
        if silent:
            await draws.wait(self._room, book, silent, now)
            return False
        points = self._room.trading.section(book.section).float_points
        reveals = tuple(book.reveals[party] for party in sorted(commits))
        nonces = {party: book.reveals[party]["statement"]["nonce"] for party in commits}
        value = draw(book.section, points, nonces)
        result = FloatResult(section=book.section, points=points, reveals=reveals, value=value)
        await self.command(book, DrawFloat(value), now, [self._room.leaf(result, now)])
        return True

    async def _publish(self, book: Book, now: int) -> None:
        assert book.opening is not None
        ended = {act.replaces: act for act in book.acts.values() if act.kind == "withdrawal"}
        acts = book.acts
        listed = [self._published(acts[id_], "listed") for id_ in book.opening.bids]
        left = [self._published(acts[id_], "excluded") for id_ in book.opening.excluded]
        withdrawn = [self._published(acts[id_], "withdrawn") for id_ in ended]
        leaf = PublishedBidders(section=book.section, bidders=(*listed, *left, *withdrawn))

        def opened() -> Right:
            held = self.powers.opened(book)
            return OWN if held is None else Right("", (), (self._room.leaf(held, now),))

        await self.command(book, Publish(), now, [self._room.leaf(leaf, now)], opened)

    def _published(self, act: Act, status: Any) -> Published:
        known = self._room.trading.state.organisations
        parties = [known[party] for party in act.parties if party in known]
        deposit = self._room.trading.deposit_status(act_section(self._room, act), act.bidder)
        return Published(
            submission=act.id,
            bidder=act.bidder,
            names=tuple(party.name for party in parties),
            credit_codes=tuple(party.credit_code for party in parties),
            arrival=act.arrival,
            deposit=str(deposit),
            status=status,
        )

    async def _unlock(self, book: Book) -> None:
        """Combine t proved answers and open every bid to disk; nothing is shown before import."""
        assert self.custody is not None
        assert book.opening is not None
        assert book.keyed is not None
        asked = self.custody.asked(book)
        rows: dict[int, list[Point]] = {}
        names: dict[int, tuple[str, str]] = {}
        for reply in book.opening.answered:
            signed = next(
                one
                for one in reversed(book.releases[reply.custodian])
                if one["statement"]["purpose"] == "release"
            )
            body = signed["statement"]
            rows[body["index"]] = [Point.parse(unb64(text)) for text in body["partials"]]
            names[body["index"]] = (reply.custodian, reply.digest)
        used = sorted(rows)[: book.opening.terms.threshold]
        points = await asyncio.to_thread(
            combine, {index: rows[index] for index in used}, book.opening.terms.threshold
        )
        by_encapsulation = dict(zip(asked, points, strict=True))
        outcomes: list[Outcome] = []
        opened: list[OpenedBid] = []
        for id_ in book.opening.bids:
            kept = book.kept[id_]
            point = by_encapsulation[kept.act.encapsulation]
            outcome = await asyncio.to_thread(self.opener.open, book, kept, point)
            outcomes.append(outcome)
            opened.append(
                OpenedBid(
                    submission=id_,
                    sha256=kept.act.sha256,
                    encapsulation=kept.act.encapsulation,
                    dh=b64(point.compressed()),
                    result=outcome.code,
                    manifest=outcome.manifest,
                )
            )
        leaf = Opened(
            section=book.section,
            custodians=tuple(names[index][0] for index in used),
            releases=tuple(names[index][1] for index in used),
            wrong=tuple(
                reply.custodian
                for reply in book.opening.replies.values()
                if reply.status == "wrong"
            ),
            bids=tuple(opened),
        )
        now = self._room.clock.now()
        await self.command(book, Import(tuple(outcomes)), now, [self._room.leaf(leaf, now)])

    async def reveal(self, book: Book, party: str, signed: dict[str, Any], now: int) -> None:
        """Take a party's checked nonce for the float draw, after the close; the same again is fine.

        Raises:
            ConflictError: it is not the time.
        """
        assert book.opening is not None
        if party in book.reveals:
            return
        if book.opening.phase not in {Phase.CLOSED, Phase.CONTROL_PRICE}:
            raise ConflictError(
                "opening-phase", "开标阶段不符", "Nonces are revealed after the close."
            )
        await self._room.append(
            book.section, ("float_revealed", {"party": party, "signed": signed}), at=now
        )
        await self.drive(book.section)


def act_section(room: Room, act: Act) -> str:
    """Return the section of an act."""
    return next(section for section, book in room.shelf.books.items() if act.id in book.kept)
