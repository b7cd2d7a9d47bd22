"""The float draw 浮动点, as parties take part in it: bound to a nonce before T, opened after the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bidding.model import ConflictError, FloatCommit, FloatCommitment, MalformedError
from bidding.opening import Phase
from bidding.rules.draw import bound, nonce_of
from bidding.service.draws import commits

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.service.run import Run
    from trading.model import Actor


class Floats:
    """Takes commitments and nonces; the draw itself is `Run`'s."""

    def __init__(self, room: Room, run: Run) -> None:
        self._room = room
        self._run = run

    def shown(self, section: str) -> dict[str, Any]:
        """Return T in ms UTC, the points, and all signed commitments in the ledger's order, which is public."""
        book = self._room.keyed(section)
        return {
            "section": section,
            "deadline": book.deadline,
            "points": list(self._room.trading.section(section).float_points),
            "commitments": [body["signed"] for _, body in book.leaves[FloatCommit.PURPOSE]],
            "revealed": sorted(book.reveals),
        }

    async def commit(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> None:
        """A party binds itself to a nonce before T; the same statement again is fine.

        Raises:
            ConflictError: `float-closed`, T has come or it has committed to another one.
            MalformedError: `float-commits-wrong`, or a signature that is not of the session's key.
        """
        said = FloatCommitment.from_body(
            self._room.said(signed, FloatCommitment.PURPOSE, who.public)
        )
        if said.party != who.organisation:
            raise MalformedError(
                "float-party",
                "不是本单位的承诺",
                "Commit in your own name, as named by the centre.",
            )
        async with self._room.turns[section]:
            book = self._room.keyed(section)
            assert book.opening is not None
            before = [body["signed"] for _, body in book.leaves[FloatCommit.PURPOSE]]
            if signed in before:
                return
            known = commits(self._room, book)
            if (
                now >= book.deadline
                or book.opening.phase is not Phase.BIDDING
                or said.party in known
            ):
                raise ConflictError("float-closed", "浮动点承诺已截止或已作出", "Once, before T.")
            assert book.keyed is not None
            bound([*before, signed], section, book.keyed.tender.ceremony, book.centre)
            leaf = FloatCommit(section=section, signed=signed)
            await self._room.append(
                section,
                ("float_committed", {"party": said.party, "signed": signed}),
                at=now,
                leaves=[self._room.leaf(leaf, now)],
            )

    async def reveal(self, section: str, signed: dict[str, Any], now: int) -> None:
        """A party reveals its nonce after the close, signed by the key that committed; anybody of it may bring it.

        Raises:
            MalformedError: `float-nonce`, it is not what was committed to.
            ConflictError: it is not the time.
        """
        book = self._room.keyed(section)
        said = nonce_of(signed, commits(self._room, book), book.centre)
        await self._run.reveal(book, said.party, signed, now)
