"""BiddingService: the parts in one room, started and stopped as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    Confirmation,
    ConflictError,
    Decision,
    ForbiddenError,
    MalformedError,
    Objection,
)
from bidding.opening import (
    AnswerObjection,
    BeginConfirming,
    Confirm,
    Decide,
    Object,
    Pause,
    Phase,
    ReadNext,
    Resume,
    Seal,
    SignIn,
    Terminate,
)
from bidding.opening.companion import reading
from bidding.service.addenda import Addenda
from bidding.service.board import Board
from bidding.service.ceremonies import Ceremonies
from bidding.service.custody import Custody
from bidding.service.disclosures import Disclosures
from bidding.service.documents import TenderDocuments
from bidding.service.drill import Drill
from bidding.service.floats import Floats
from bidding.service.intake import Intake
from bidding.service.meeting import Meeting
from bidding.service.orders import Orders
from bidding.service.overtaken import tell
from bidding.service.paper import OPENING, Paper
from bidding.service.room import Room
from bidding.service.run import Run
from bidding.service.uploads import UploadDesk
from crypto import statement
from trading.model import Role, Scope, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bidding.model import FileEntry
    from bidding.service.powers import Right
    from bidding.store import Book
    from crypto.signature import SigningKey
    from documents.service import DocumentService
    from trading.ground.chain import Row
    from trading.ground.ground import Ground
    from trading.model import Actor
    from trading.service import TradingService

CONFIRM_SECONDS: Final = 600  # domain.md §1.3: 开标记录确认
HOLDS: Final = frozenset(
    {"target.suspended", "target.resumed", "tender.terminated", "objection.answered"}
)
"""Rows of the trading floor that stop an opening or let it go on."""
ENDED: Final = frozenset({Phase.SEALED, Phase.FAILED_FEWER_THAN_3, Phase.FAILED_QUORUM})


class BiddingService:
    """Sealed bids and openings of one centre.

    Args:
        ground: open and verified; its slots not yet running.
        trading: started.
        documents: issues notices and records; None in tests and drills without paper.
        centre_key: the centre's P-256 statement key; signs tender files, receipts, refusals.
        confirm_s: seconds bidders have to confirm what was read out.
    """

    def __init__(
        self,
        ground: Ground,
        trading: TradingService,
        documents: DocumentService | None,
        centre_key: SigningKey,
        *,
        confirm_s: int = CONFIRM_SECONDS,
    ) -> None:
        self.room = Room(ground, trading, documents, centre_key)
        self.uploads = UploadDesk(self.room)
        self.run = Run(self.room)
        self.intake = Intake(self.room, self.uploads, self.run.powers)
        self.ceremonies = Ceremonies(self.room, self.intake, confirm_s)
        self.custody = Custody(self.room, self.run.drive)
        run = self.run
        self.disclosures = Disclosures(self.room, run.command, run.drive, run.opener, run.powers)
        self.run.custody, self.run.disclosures = self.custody, self.disclosures
        self.addenda = Addenda(self.room, self.intake)
        trading.addenda.moved_by(self.addenda)
        self.documents = TenderDocuments(self.room, self.uploads)
        self.orders = Orders(self.room, self.run, self.addenda)
        self.board = Board(self.room)
        self.drill = Drill(self.room.centre)
        self.floats = Floats(self.room, self.run)
        self.meeting = Meeting(self.room, self.run, self.uploads)
        self.paper = Paper(self.room)
        self.watchers: list[Callable[[Book, Row], None]] = []
        self._reasons: dict[str, str] = {}
        self.room.journal.listen(self._follow)

    async def start(self) -> None:
        """Take up everything where the journal left it; the slots are to start afterwards."""
        await self.intake.start()
        await self.ceremonies.resume()
        self.intake.resume()
        self.uploads.start()
        self.room.heads.start()
        self.run.start()
        for book in list(self.room.shelf.books.values()):
            self.room.spawn(self._catch_up(book), f"catch up {book.section}")
            self.room.spawn(self.run.powers.catch_up(book), f"delegations {book.section}")

    def resume(self) -> None:
        """Take up what a storage error left out, as a start does; the journal takes events again."""
        self.intake.resume()
        self.room.spawn(self._catch_up_all(), "catch up after a storage error")

    async def stop(self) -> None:
        """End what runs beside requests; everything is taken up again at the next start."""
        for task in list(self.room.tasks):
            task.cancel()

    # What follows the journal.

    def _follow(self, row: Row) -> None:
        book = self.room.shelf.follow(row)
        if book is not None:
            if row.kind in {"bids_opened", "moved"}:
                self.run.arm(book)
            if row.kind == "refiled":
                self.room.spawn(self._notice(book.section), f"notice {book.section}")
            if row.kind in {"sealed", "failed_too_few", "pledges_missing"}:
                self.room.spawn(self._paper(book), f"opening record {book.section}")
            if row.kind == "reconvening_set":
                self.room.spawn(self._catch_up(book), f"reconvene {book.section}")
            for watcher in self.watchers:
                watcher(book, row)
        elif row.stream == "trading":
            self._follow_trading(row)

    def _follow_trading(self, row: Row) -> None:
        body = row.body
        self.run.powers.follow(row)
        if row.kind == "tender.published":
            for section in self.room.trading.tender(body["tender"]).sections:
                self.room.spawn(self._notice(section), f"notice {section}")
        elif row.kind in HOLDS:
            self._reasons[body.get("target", "")] = body.get("reason", "")
            self.room.spawn(self._catch_up_all(), row.kind)

    async def _catch_up_all(self) -> None:
        for book in list(self.room.shelf.books.values()):
            await self._catch_up(book)

    async def _catch_up(self, book: Book) -> None:
        """Bring an opening in line with trading: pauses, termination, missing paper."""
        if book.opening is None:
            return
        section, now = self.room.trading.section(book.section), self.room.clock.now()
        stopped = section.suspended or self.run.held(book, now)
        if book.opening.phase in ENDED:
            await self.paper.opening(book)
        elif book.opening.phase is Phase.TERMINATED:
            return
        elif section.stage is Stage.TERMINATED:
            await self.run.command(book, Terminate("招标终止"), now)
        elif section.suspended and book.opening.paused is None:
            reason = self._reasons.get(book.section) or "招标中止"
            await self.run.command(book, Pause(reason), now)
        elif not stopped and book.opening.paused is not None:
            await self._resume(book, now)
        if section.stage is Stage.ANNOUNCED:
            await self._notice(book.section)

    async def _resume(self, book: Book, now: int) -> None:
        """Go on, or at the date of reconvening if one is set."""
        assert book.opening is not None
        date = book.opening.reconvene
        if date is None or now >= date:
            await self.run.command(book, Resume(), now)
            await self.run.drive(book.section)
            return

        async def wake() -> None:
            await self._catch_up(book)

        self.room.timers.at(date, wake, f"reconvene:{book.section}")

    async def _notice(self, section: str) -> None:
        await self.paper.notice(self.room.keyed(section))
        await tell(self.room, self.room.keyed(section))

    async def _paper(self, book: Book) -> None:
        await self.paper.opening(book)

    # What the hall asks.

    async def act(self, section: str, action: str, now: int) -> None:
        """The host paces the hall: read_next, read_all, confirm (begin confirming), seal, end_meeting.

        Raises:
            ConflictError: not in this phase.
            MalformedError: no such action.
        """
        book = self.room.keyed(section)
        await self.run.drive(section)
        match action:
            case "read_next":
                await self.run.command(book, ReadNext(), now)
            case "read_all":
                while book.opening is not None and book.opening.next_to_read is not None:
                    await self.run.command(book, ReadNext(), now)
            case "confirm":
                await self.run.command(book, BeginConfirming(), now)
            case "seal":
                await self.run.command(book, Seal(), now)
            case "end_meeting":
                await self.meeting.end(section, now)
            case _:
                raise MalformedError(
                    "action-unknown",
                    "没有该操作",
                    "read_next, read_all, confirm, seal or end_meeting.",
                )

    async def sign_in(self, who: Actor, section: str, now: int) -> None:
        """签到: unseen before T, for who comes would tell who bids."""
        book = self.room.announced(section)
        await self.run.command(
            book,
            SignIn(who.organisation),
            now,
            right=lambda: self.run.powers.signs_in(book, who, now),
        )

    async def confirm(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> None:
        """Take a bidder's 无异议, signed over what was read out.

        Raises:
            ConflictError: `reading-differs`, it was signed over something else.
        """
        said = Confirmation.from_body(self.room.said(signed, Confirmation.PURPOSE, who.public))
        book = self._own(who, section, said.section, said.bidder)
        if said.reading != self.reading(book):
            raise ConflictError(
                "reading-differs", "确认内容与唱标不符", "Sign the `reading` that the hall shows."
            )
        digest = statement.digest(signed).hex()
        await self.run.command(
            book,
            Confirm(who.organisation, digest),
            now,
            right=self._right(who, book, Scope.CONFIRM, now),
            statement_kept={"signed": signed},
        )

    async def object(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> None:
        """Take a bidder's 异议 with its files, uploaded before."""
        said = Objection.from_body(self.room.said(signed, Objection.PURPOSE, who.public))
        book = self._own(who, section, said.section, said.bidder)
        digest = statement.digest(signed).hex()
        files, uploads = self.meeting.files(who.organisation, said.files)
        await self.run.command(
            book,
            Object(who.organisation, digest, said.text, files),
            now,
            right=self._right(who, book, Scope.OBJECT, now),
            statement_kept={"signed": signed},
            **self.meeting.kept(uploads),
        )
        await self.meeting.used(uploads)

    async def answer_objection(
        self,
        who: Actor,
        section: str,
        bidder: str,
        text: str,
        now: int,
        files: Sequence[FileEntry] = (),
    ) -> None:
        """The tenderer answers at once (实施条例 44), with files if there are any."""
        named, uploads = self.meeting.files(who.organisation, files)
        await self.run.command(
            self.room.keyed(section),
            AnswerObjection(bidder, text, named, who.person),
            now,
            **self.meeting.kept(uploads),
        )
        await self.meeting.used(uploads)

    async def decide(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> None:
        """A named person decides whose cause it was that a bid did not open."""
        said = Decision.from_body(self.room.said(signed, Decision.PURPOSE, who.public))
        if said.section != section:
            raise _foreign()
        digest = statement.digest(signed).hex()
        await self.run.command(
            self.room.keyed(section),
            Decide(said.submission, said.verdict, who.person, said.reason, who.role.value, digest),
            now,
            statement_kept={"signed": signed},
        )

    def reading(self, book: Book) -> str:
        """Return the digest of what was read out: what bidders confirm, hex."""
        assert book.opening is not None
        return reading(book.section, book.opening)

    def evidence(self, section: str) -> dict[str, Any]:
        """Return what anybody may have to re-check an opening, once it is imported.

        Raises:
            ConflictError: it is not that far.
        """
        book = self.room.keyed(section)
        if book.leaf("opened") is None and book.leaf("disclosed") is None:
            raise ConflictError("too-early", "尚未开标", "There is nothing to show yet.")
        assert book.keyed is not None
        return {
            "v": 1,
            "centre": self.room.centre,
            "section": section,
            "tender_file": book.keyed.file,
            "seed": self.room.seeds[section].hex(),
            "entries": [
                {
                    "index": kept.index,
                    "entry": kept.entry.to_body(),
                    "signed": kept.signed,
                    "possession": kept.possession,
                }
                for kept in book.kept.values()
            ],
            "leaves": {
                kind: [{"index": index, "leaf": body} for index, body in found]
                for kind, found in book.leaves.items()
            },
            "releases": book.releases,
            "record": book.records.get(OPENING, ""),
        }

    def sealed_file(self, section: str, submission: str) -> Path:
        """Return a whole copy of a sealed file, its hash just checked; blocks, for a thread."""
        kept = self.room.keyed(section).kept.get(submission)
        if kept is None or kept.blob is None:
            raise _foreign()
        return self.room.blobs.verified(kept.blob)

    def opened_package(self, submission: str) -> Path | None:
        """Return a bid's opened package (tar), None if it did not open or has not been imported."""
        for book in self.room.shelf.books.values():
            bid = book.opening.bids.get(submission) if book.opening else None
            if bid is not None and bid.result in {"opened", "remedied"}:
                return self.run.opener.package(submission)
        return None

    def check_concern(self, who: Actor, section: str) -> None:
        """Check that a tenderer or agent acts in its own project; the centre and the supervisor act in all.

        A company may be tenderer of one project and bidder in another: it leads no hall but its own.

        Raises:
            ForbiddenError: `section-foreign`, it is another's project.
        """
        trading = self.room.trading
        project = trading.state.projects[trading.tender(trading.section(section).tender).project]
        owners = {Role.TENDERER: project.tenderer, Role.AGENT: project.agent}
        if owners.get(who.role, who.organisation) != who.organisation:
            raise ForbiddenError(
                "section-foreign",
                "不是本单位的项目",
                "A tenderer or agent takes part in the openings of its own projects only.",
            )

    def _right(self, who: Actor, book: Book, scope: Scope, now: int) -> Callable[[], Right]:
        return lambda: self.run.powers.right(book, who.public, scope, now)

    def _own(self, who: Actor, section: str, named: str, bidder: str) -> Book:
        if named != section or bidder != who.organisation:
            raise _foreign()
        return self.room.keyed(section)


def _foreign() -> MalformedError:
    return MalformedError(
        "statement-foreign-section", "声明不属于本标段或本单位", "It was signed for another one."
    )
