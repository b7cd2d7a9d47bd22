"""What custodians ask and answer at the opening: the release request, their partials.

The request is put together from the ledger and the section's book; the centre adds no claim of its
own that a custodian could not recompute. An answer is checked by its proof before it counts, and a
wrong one is named in the ledger.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    CloseList,
    ConflictError,
    MalformedError,
    Recovery,
    Release,
    ReleaseRefusal,
    UnknownError,
)
from bidding.opening import Answer, Phase, Reply, step
from bidding.release import IssuedKey, ReleaseRequest, SealedEntry
from bidding.release.run import Fold
from bidding.service.ceremonies import speaker
from bidding.service.draws import commits
from crypto import statement
from crypto.certificate import GroupKey, SuccessCertificate, verify_certificate
from crypto.encoding import sha256_hex, unb64
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.threshold import check_partial
from trading.ground.problems import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bidding.service.room import Room
    from bidding.store import Book

ASKING: Final = frozenset({Phase.UNLOCKING, Phase.IMPORTED, Phase.READING_OUT, Phase.CONFIRMING})
FRESH_MS: Final = 60_000  # how old a lost custodian's request for its own words may be
MAX_REFUSALS: Final = 20  # of one custodian that are kept; more of the same tell nothing


class Custody:
    """The custodians' side of every opening."""

    def __init__(self, room: Room, drive: Callable[[str], Awaitable[None]]) -> None:
        self._room = room
        self._drive = drive
        self._groups: dict[str, GroupKey] = {}

    def tasks(self, custodian: str) -> list[dict[str, Any]]:
        """Return the sections that want this custodian's answer now; none before T."""
        return [
            {"kind": "release", "section": section}
            for section, book in self._room.shelf.books.items()
            if self._wanted(book, custodian)
        ]

    def _wanted(self, book: Book, custodian: str) -> bool:
        opening = book.opening
        if opening is None or opening.phase not in ASKING or opening.paused is not None:
            return False
        reply = opening.replies.get(custodian)
        return custodian in opening.terms.custodians and (
            reply is None or reply.status == "refused"
        )

    def group(self, book: Book) -> GroupKey:
        """Return the section's key from its certificate."""
        assert book.keyed is not None
        if book.section not in self._groups:
            tender = book.keyed.tender
            certificate = SuccessCertificate.from_json(tender.certificate)
            pinned = {unb64(custodian.host_key) for custodian in tender.custodians}
            self._groups[book.section] = verify_certificate(
                certificate, pinned, tender.context(self._room.centre)
            )
        return self._groups[book.section]

    async def request(self, section: str, since: int) -> dict[str, Any]:
        """Return everything a custodian needs but the leaves themselves.

        Args:
            section: its id.
            since: size of the checkpoint the custodian last cosigned; for a consistency proof.

        Raises:
            ConflictError: `too-early`: the ledger does not hold the published bidders yet.
        """
        book = self._room.keyed(section)
        found = [book.leaf(kind) for kind in ("key_assign", "close_list", "published_bidders")]
        if book.opening is None or book.opening.phase not in ASKING or None in found:
            raise ConflictError(
                "too-early",
                "未到解锁阶段",
                "Nothing is asked of custodians yet.",
                kind=Kind.TOO_EARLY,
            )
        assert book.keyed is not None
        start, closing = found[0][0], CloseList.from_leaf(found[1][1], self._room.centre)  # type: ignore[index]
        ledger = self._room.ledger
        size = ledger.size
        frontier = await asyncio.to_thread(self._frontier, start)
        issued = await asyncio.to_thread(self._issued, book, closing.closing_size)
        sizes = [one for one in ledger.cosigned_sizes(closing.closing_size) if one <= size]
        entries = tuple(
            SealedEntry(
                index=kept.index, entry=kept.entry, signed=kept.signed, possession=kept.possession
            )
            for kept in book.kept.values()
        )
        request = ReleaseRequest(
            section=section,
            use=book.keyed.tender.use,
            ceremony=book.keyed.tender.ceremony,
            start=start,
            frontier=tuple(node.hex() for node in frontier),
            head=ledger.checkpoint(size).decode(),
            cosigned=tuple(ledger.cosigned(one).decode() for one in sizes),
            consistency=tuple(
                node.hex() for node in (ledger.consistency(since, size) if since else [])
            ),
            seed=self._room.seeds[section].hex(),
            entries=entries,
            issued=issued,
            late_witness=tuple(book.late_witness),
        )
        return request.to_body()

    async def answer(self, section: str, signed: dict[str, Any], now: int) -> dict[str, Any]:
        """Take a custodian's release or refusal; say what became of it.

        Raises:
            ConflictError: it answered before, or nothing is asked now.
            MalformedError: the statement is not this custodian's, or for another list.
        """
        book = self._room.keyed(section)
        custodian = self._room.custodian_of(section, speaker(signed))
        purpose = signed.get("statement", {}).get("purpose")
        if purpose == ReleaseRefusal.PURPOSE:
            said = ReleaseRefusal.from_body(self._room.said(signed, purpose, custodian.public))
            return await self._refused(book, custodian.id, said, signed, now)
        release = Release.from_body(self._room.said(signed, Release.PURPOSE, custodian.public))
        self._fits(book, custodian.id, release)
        wrong = await asyncio.to_thread(self._wrong, book, release)
        status = "wrong" if wrong else "answered"
        await self._take(book, custodian.id, status, signed, wrong, now)
        await self._drive(section)
        return {"section": section, "custodian": custodian.id, "status": status, "detail": wrong}

    async def recovery(self, signed: dict[str, Any], now: int) -> dict[str, Any]:
        """Give a custodian whose home was lost its own earlier words, and the newest cosigned checkpoints.

        Raises:
            UnknownError: no such custodian.
            MalformedError: not signed by its key, or `recovery-stale`: not just now.
        """
        known = self._room.trading.state.custodians.get(speaker(signed))
        if known is None:
            raise UnknownError("custodian-unknown", "没有该托管人", "No such custodian.")
        said = Recovery.from_body(self._room.said(signed, Recovery.PURPOSE, known.public))
        if abs(now - said.at) > FRESH_MS:
            raise MalformedError(
                "recovery-stale", "恢复请求已过时", "Sign it anew; set the clock right."
            )
        books = self._room.shelf.books.values()
        cosigned = await asyncio.to_thread(self._room.ledger.newest_cosigned)
        return {
            "answers": [
                answer
                for book in books
                for answer in book.releases.get(known.id, [])
                if answer["statement"]["purpose"] == Release.PURPOSE
            ],
            "messages": [
                said[known.id]
                for book in books
                for ceremony in book.ceremonies.values()
                for said in ceremony.rounds.values()
                if known.id in said
            ],
            "cosigned": [note.decode() for note in cosigned],
        }

    async def _refused(
        self, book: Book, custodian: str, said: ReleaseRefusal, signed: dict[str, Any], now: int
    ) -> dict[str, Any]:
        if said.section != book.section:
            raise MalformedError(
                "release-foreign", "答复不属于本标段", "It is for another section."
            )
        detail = f"{said.check}: {said.detail}"
        before: Reply | None = book.opening.replies.get(custodian) if book.opening else None
        same = before is not None and before.detail.split(":")[0] == said.check
        if not same and len(book.releases.get(custodian, [])) < MAX_REFUSALS:
            await self._take(book, custodian, "refused", signed, detail, now)
        return {"section": book.section, "custodian": custodian, "status": "refused"}

    async def _take(
        self, book: Book, custodian: str, status: Any, signed: dict[str, Any], detail: str, now: int
    ) -> None:
        digest = statement.digest(signed).hex()
        async with self._room.turns[book.section]:
            assert book.opening is not None
            command = Answer(custodian, status, digest, detail[:1000])
            _, events = step(book.opening, command, now)
            if not events:
                return
            leaf = self._room.ledger.draft(
                "release",
                {
                    "section": book.section,
                    "custodian": custodian,
                    "status": events[0].body["status"],
                    "sha256": digest,
                },
                now,
            )
            await self._room.append(
                book.section,
                ("release", {"custodian": custodian, "signed": signed}),
                *((event.kind, event.body) for event in events),
                at=now,
                leaves=[leaf] if status != "refused" else [],
            )

    def _fits(self, book: Book, custodian: str, release: Release) -> None:
        listed = book.leaf(CloseList.PURPOSE)
        if listed is None or book.keyed is None or book.opening is None:
            raise ConflictError(
                "too-early", "未到解锁阶段", "Nothing is asked yet.", kind=Kind.TOO_EARLY
            )
        index = book.opening.terms.custodians.index(custodian) + 1
        body = self._room.ledger.leaf(listed[0])
        wanted = (book.section, book.keyed.tender.ceremony, index, sha256_hex(body))
        given = (release.section, release.ceremony, release.index, release.close_list)
        if given != wanted or release.encapsulations != self.asked(book):
            raise MalformedError(
                "release-foreign", "答复不属于本标段", "It answers another section, key or list."
            )

    def asked(self, book: Book) -> tuple[str, ...]:
        """Return the encapsulations that custodians answer for: the list's and supplements', each once."""
        listed = book.leaf(CloseList.PURPOSE)
        assert listed is not None
        assert book.opening is not None
        bids = CloseList.from_leaf(listed[1], self._room.centre).bids
        first = {bid.submission for bid in bids}
        back = [
            act.encapsulation
            for act in book.live()
            if act.id in book.opening.bids and act.id not in first
        ]
        return tuple(dict.fromkeys([*(bid.encapsulation for bid in bids), *back]))

    def _wrong(self, book: Book, release: Release) -> str:
        """Return why the answer's proof does not hold, or "" if it does."""
        try:
            points = [Point.parse(unb64(text)) for text in release.encapsulations]
            partials = [Point.parse(unb64(text)) for text in release.partials]
            share = self.group(book).share(release.index)
            check_partial(share, points, partials, unb64(release.proof), release.index)
        except CryptoError as error:
            return str(error)
        return ""

    def _issued(self, book: Book, size: int) -> tuple[IssuedKey, ...]:
        """The leaf that issued each key which signed an act or a float commitment, under the closing checkpoint."""
        ledger, keys = self._room.ledger, self._room.trading.state.keys
        used = {act.key for act in book.acts.values()}
        used |= {one.key for one in commits(self._room, book).values()}
        places = {keys[key].issued_at_index for key in used & keys.keys()}
        return tuple(
            IssuedKey(
                index=index,
                leaf=ledger.leaf(index).decode(),
                path=tuple(node.hex() for node in ledger.inclusion(index, size)),
            )
            for index in sorted(places)
            if 0 <= index < size
        )

    def _frontier(self, start: int) -> tuple[bytes, ...]:
        fold = Fold()
        for data in self._room.journal.texts("ledger"):
            if fold.size == start:
                break
            fold.add(data)
        return fold.frontier()
