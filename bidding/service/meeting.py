"""What people do in the hall besides its procedure: speak, mute, note an identity, bring files, reconvene.

And what a role sees apart from the public stream: `desk` for those who lead and watch, `mine` for a bidder.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bidding.model import ConflictError, MalformedError, Reconvening, UnknownError
from bidding.opening import (
    EndMeeting,
    File,
    Mute,
    NoteIdentity,
    Phase,
    Reconvene,
    Speak,
    propose,
)
from bidding.opening.meeting import meets
from crypto import statement
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bidding.model import FileEntry
    from bidding.opening import Bid, State
    from bidding.service.room import Room
    from bidding.service.run import Run
    from bidding.service.uploads import UploadDesk
    from bidding.store import Book
    from trading.ground.blobs import Blob
    from trading.model import Actor

MOST_FILES: Final = 10  # of one objection or answer
MOST_BYTES: Final = 32 << 20  # of one file
_PARTS: Final = {
    Role.BIDDER: "bidder",
    Role.DELEGATE: "bidder",
    Role.SUPERVISOR: "supervisor",
}
_NAMED: Final = frozenset(
    {
        Phase.BIDDERS_PUBLISHED, Phase.UNLOCKING, Phase.PLEDGING, Phase.DISCLOSING, Phase.IMPORTED,
        Phase.READING_OUT, Phase.CONFIRMING, Phase.SEALED,
    }
)  # fmt: skip
"""Phases in which who bids is public."""


class Meeting:
    """The hall as a meeting of people."""

    def __init__(self, room: Room, run: Run, uploads: UploadDesk) -> None:
        self._room = room
        self._run = run
        self._uploads = uploads

    async def say(self, who: Actor, section: str, text: str, now: int) -> int:
        """Speak to everybody in the hall; return the message's number.

        Raises:
            BiddingError: bidders are not published yet, this bidder is not listed or is muted, too often.
        """
        book = self._room.announced(section)
        part: Any = _PARTS.get(who.role, "host")
        events = await self._run.command(book, Speak(who.organisation, part, text, who.person), now)
        return int(events[0].body["no"])

    async def mute(
        self, who: Actor, section: str, bidder: str, muted: bool, reason: str, now: int
    ) -> None:
        """Mute a bidder, or all of them (""), or let them speak again; their rights are not messages."""
        book = self._room.announced(section)
        await self._run.command(book, Mute(bidder, muted, reason, who.person), now)

    async def note_identity(
        self, who: Actor, section: str, bidder: str, text: str, now: int
    ) -> None:
        """Note 身份核验例外 for the record."""
        book = self._room.announced(section)
        await self._run.command(book, NoteIdentity(bidder, text, who.person), now)

    async def reconvene(
        self, who: Actor, section: str, signed: dict[str, Any], now: int
    ) -> dict[str, Any]:
        """复会: set the instant before which a paused hall does not go on, or at which a sealed one meets again.

        Args:
            who: brings it.
            section: its id.
            signed: the supervisor's `Reconvening`; the centre signs the same.
            now: arrival, ms UTC.

        Raises:
            BiddingError: not signed so, neither paused nor sealed, or a time that is past.
        """
        book = self._room.announced(section)
        said: Reconvening = Reconvening.from_body(self._room.said(signed, Reconvening.PURPOSE))
        supervisor = self._room.trading.party(statement.signer(signed))
        if supervisor.role != Role.SUPERVISOR or supervisor.person == who.person:
            raise MalformedError(
                "reconvening-signer",
                "须由监督人签名",
                "The supervisor signs, another person brings it.",
            )
        if said.section != section:
            raise MalformedError(
                "statement-foreign-section",
                "声明不属于本标段",
                "It was signed for another section.",
            )
        both = {
            "centre": self._room.sign(Reconvening.PURPOSE, said.to_body()),
            "supervisor": signed,
        }
        await self._run.command(book, Reconvene(said.time, said.reason), now, order_kept=both)
        return both

    async def end(self, section: str, now: int) -> None:
        """End the meeting after the record."""
        await self._run.command(self._room.announced(section), EndMeeting(), now)

    # Files of objections and answers.

    def files(self, owner: str, named: Sequence[FileEntry]) -> tuple[tuple[File, ...], list[Any]]:
        """Find the uploads that are named; return them for the machine and their ids and blobs.

        Raises:
            ConflictError: `file-missing`, no whole upload of this organisation has that hash and size.
            MalformedError: `files-too-many`, too many or too big.
        """
        if len(named) > MOST_FILES or any(one.size > MOST_BYTES for one in named):
            raise MalformedError(
                "files-too-many", "附件过多或过大",
                f"At most {MOST_FILES} files of at most {MOST_BYTES >> 20} MiB each.",
            )  # fmt: skip
        found = []
        for one in named:
            upload = self._uploads.held(owner, one.sha256)
            if upload is None or upload.blob is None or upload.length != one.size:
                raise ConflictError(
                    "file-missing", "附件尚未上传完成",
                    "Upload every file whole before the statement that names it.",
                )  # fmt: skip
            found.append(upload)
        return tuple(File(one.name, one.size, one.sha256) for one in named), found

    @staticmethod
    def kept(uploads: Sequence[Any]) -> dict[str, Any]:
        """Return the row that keeps these files, to be appended with the act that names them."""
        return {"files_kept": {"blobs": [list(one.blob) for one in uploads]}} if uploads else {}

    async def used(self, uploads: Sequence[Any]) -> None:
        """Note that these uploads stay."""
        for one in uploads:
            await self._uploads.use(one.id)

    async def file(self, who: Actor, section: str, sha256: str) -> Path:
        """Return a whole copy of a file of this hall, for those who take part in it.

        Raises:
            UnknownError: there is none, or not for this bidder.
        """
        book = self._room.announced(section)
        blob: Blob | None = book.files.get(sha256)
        foreign = _PARTS.get(who.role) == "bidder" and (
            book.opening is None or book.opening.of_bidder(who.organisation) is None
        )
        if blob is None or foreign:
            raise UnknownError("file-unknown", "没有该附件", "There is no such file in this hall.")
        return await asyncio.to_thread(self._room.blobs.verified, blob)

    # What each role sees apart.

    def desk(self, section: str) -> dict[str, Any]:
        """Return what host and supervisor work with: sign-ins, imported bids, what waits for a decision or answer.

        Raises:
            ConflictError: bidders are not published; until then there is nothing to see for anybody.
        """
        book = self._room.announced(section)
        opening = book.opening
        if opening is None or opening.phase not in _NAMED:
            raise ConflictError("too-early", "尚未公布投标人", "The bidders are not published yet.")
        bids = opening.bids.values()
        return {
            "section": section,
            "phase": str(opening.phase),
            "clock": self._room.clock.health().standing,
            "bids": [self._desk_row(book, bid) for bid in bids],
            "undecided": [
                {"submission": b.line.submission, "code": b.code, "proposed": propose(b.code)}
                for b in bids
                if b.code and not b.opened and not b.decided_by
            ],
            "open_objections": [
                b.line.bidder for b in bids if b.answer == "objected" and not b.reply
            ],
            "mutings": [
                {"bidder": m.bidder, "since": m.since, "until": m.until, "reason": m.reason}
                for m in opening.mutings
            ],
            "identity": [{"submission": i, "at": at, "text": t} for i, at, t in opening.identity],
            "messages": opening.messages,
        }

    def _desk_row(self, book: Book, bid: Bid) -> dict[str, Any]:
        assert book.opening is not None
        summary: Mapping[str, str] = bid.summary  # known from the import on (domain.md §1.8)
        return {
            "submission": bid.line.submission,
            "bidder": bid.line.bidder,
            "name": self._room.name(bid.line.bidder),
            "signed_in_at": book.opening.sign_ins.get(bid.line.bidder),
            "muted": book.opening.muted(bid.line.bidder),
            "result": bid.result,
            "code": bid.code,
            "summary": dict(summary),
            "read": bid.read_at is not None,
            "answer": bid.answer,
        }

    def mine(self, who: Actor, section: str, reading: str, now: int) -> dict[str, Any]:
        """Return where a bidder stands in a hall; `reading`: the digest that a confirmation signs.

        Whether it is listed is said when everybody learns who is, and not before.
        """
        book = self._room.announced(section)
        opening: State | None = book.opening
        assert opening is not None
        named = opening.phase in _NAMED
        bid = opening.of_bidder(who.organisation) if named else None
        return {
            "section": section,
            "signed_in_at": opening.sign_ins.get(who.organisation),
            "listed": bid is not None if named else None,
            "muted": named and opening.muted(who.organisation),
            "meets": meets(opening, now),
            "submission": bid.line.submission if bid else "",
            "answer": bid.answer if bid else "",
            "reading": reading if bid and opening.phase is Phase.CONFIRMING else "",
        }
