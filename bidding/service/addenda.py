"""What an addendum 补遗 or a postponement 延期 does where bids are taken: the tender file signed anew, T moved.

A key answers not before the T of its own context, and T moves only later, by a statement that centre
and supervisor both sign and that reaches custodians over the ledger or by hand (release-v1.md). So an
addendum that moves T brings the supervisor's signed postponement with it; everything is one journal
append: the addendum, both signatures, the moved hall, the new tender file.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Announced, MalformedError, Postponement, TenderFile
from bidding.opening import Move, step
from bidding.store import stream_of
from crypto import statement
from crypto.errors import CryptoError
from trading.ground.chain import Draft
from trading.model import Addendum, Role
from trading.model.codec import to_json
from trading.service.addenda import Followed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bidding.service.intake import Intake
    from bidding.service.room import Room
POSTPONED: Final = "延期公告"


class Addenda:
    """The bidding room's say about addenda (`trading.service.addenda.Mover`)."""

    def __init__(self, room: Room, intake: Intake) -> None:
        self._room = room
        self._intake = intake

    @asynccontextmanager
    async def turn(self, section: str) -> AsyncIterator[None]:
        """Hold the section's rows, and the leaves of its slots from now on, while T may move.

        Without it a slot after the old T could be committed before the move is durable, and the
        section's slots would have a gap that no custodian forgives.
        """
        async with self._room.turns[section]:
            flight = self._intake.depart(self._room.clock.now())
            try:
                yield
            finally:
                flight.land()

    def check(self, section: str, deadline: int, order: Mapping[str, Any] | None, at: int) -> None:
        """Check that the hall still waits for T and that moving T is signed by the supervisor.

        Raises:
            BiddingError: no order where T moves, one where it stays, or one that says something else.
            ConflictError: the opening is paused or has begun.
        """
        book = self._room.keyed(section)
        if deadline == book.deadline:
            if order is not None:
                raise MalformedError(
                    "postponement-needless", "截止时间未变", "T stays; leave the postponement out."
                )
            return
        if order is None:
            raise MalformedError(
                "postponement-missing",
                "顺延须附监督人签名的延期决定",
                "Custodians move T only by a postponement that the supervisor signed; add it.",
                rule="release-v1",
            )
        self.read(section, deadline, order)
        assert book.opening is not None
        # Judged by arrival and by the clock: what waited past T in a queue moves nothing.
        step(book.opening, Move(deadline, "-"), max(at, self._room.clock.now()))

    def read(self, section: str, deadline: int, order: Mapping[str, Any]) -> Postponement:
        """Read the supervisor's signed postponement of a section from the T that stands to `deadline`.

        Raises:
            MalformedError: not signed so, not by a supervisor, or about something else.
        """
        said = Postponement.from_body(self._room.said(order, Postponement.PURPOSE))
        try:
            signer = self._room.trading.party(statement.signer(dict(order)))
        except CryptoError as error:
            raise MalformedError("statement-invalid", "声明签名无效", f"{error}.") from error
        if signer.role != Role.SUPERVISOR:
            raise MalformedError(
                "postponement-signer", "须由监督人签名", "The supervisor signs it."
            )
        where = self._room.trading.section(section)
        wanted = (where.tender, section, self._room.keyed(section).deadline, deadline)
        if (said.tender, said.section, said.previous, said.deadline) != wanted:
            raise MalformedError(
                "statement-foreign-section",
                "声明不属于本标段",
                "It was signed for another section, tender or T.",
            )
        return said

    def follow(
        self, section: str, addendum: Addendum, order: Mapping[str, Any] | None, at: int
    ) -> Followed:
        """Return the tender file of the new version, and what the same append writes of this room.

        Raises:
            BiddingError: as `check`; the turn is held, so what is true here stays true.
        """
        self.check(section, addendum.deadline, order, at)
        book = self._room.keyed(section)
        assert book.keyed is not None
        assert book.opening is not None
        head = {"version": addendum.version, "deadline": addendum.deadline}
        file = TenderFile.from_body({**book.keyed.tender.to_body(), **head})
        signed = self._room.sign(TenderFile.PURPOSE, file.to_body())
        drafts: list[Draft] = []
        rows: list[tuple[str, dict[str, Any]]] = []
        both: dict[str, Any] | None = None
        if order is not None:
            said = self.read(section, addendum.deadline, order)
            centre = self._room.sign(Postponement.PURPOSE, said.to_body())
            both = {"centre": centre, "supervisor": dict(order)}
            leaf = Announced(section=section, statements=(both["centre"], both["supervisor"]))
            drafts.append(self._room.leaf(leaf, at))
            _, events = step(book.opening, Move(said.deadline, said.reason), at)
            rows += [(event.kind, event.body) for event in events]
        rows.append(("refiled", {"file": signed, "addendum": self._said(section, addendum)}))
        drafts += [Draft(stream_of(section), kind, body, at) for kind, body in rows]
        return Followed(signed, drafts, both)

    async def postpone(self, section: str, order: Mapping[str, Any], at: int) -> dict[str, Any]:
        """Carry a postponement by order of two, an addendum of T alone; return it, signed by both.

        Raises:
            BiddingError: as `check`.
        """
        async with self.turn(section):
            trading = self._room.trading
            said = Postponement.from_body(self._room.said(order, Postponement.PURPOSE))
            addendum = Addendum(
                version=trading.state.announcement(section).version + 1,
                title=POSTPONED,
                text=said.reason,
                affects=False,
                documents=(),
                previous=said.previous,
                deadline=said.deadline,
                at=at,
            )
            file, drafts, both = self.follow(section, addendum, order, at)
            leaf = trading.addenda.leaf(trading.section(section), addendum, at)
            row = trading.addenda.row(addendum, section, file, at, statements=[dict(order)])
            await self._room.journal.append(row, leaf, *drafts)
        assert both is not None
        return both

    def _said(self, section: str, addendum: Addendum) -> dict[str, Any]:
        """What the notice prints of an addendum: its words, and its documents by name and hash."""
        known = {d.id: d for d in self._room.trading.state.announcement(section).documents}
        documents = [
            {"name": known[d].name, "sha256": known[d].sha256, "size": known[d].size}
            for d in addendum.documents
        ]
        return {**to_json(addendum), "documents": documents}
