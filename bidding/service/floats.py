"""The float draw 浮动点, as parties take part in it: bound to a nonce before T, opened after the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import ConflictError, FloatCommit, MalformedError
from bidding.rules.draw import commitment

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.service.run import Run
    from trading.model import Actor


class Floats:
    """Takes commitments and nonces; the draw itself is `Run`'s."""

    def __init__(self, room: Room, run: Run) -> None:
        self._room = room
        self._run = run

    async def commit(self, who: Actor, section: str, digest: str, now: int) -> None:
        """Another party binds itself to a nonce before T."""
        book = self._room.keyed(section)
        if now >= book.deadline or who.organisation in book.commits:
            raise ConflictError("float-closed", "浮动点承诺已截止或已作出", "Once, before T.")
        leaf = FloatCommit(section=section, party=who.organisation, digest=digest)
        await self._room.append(
            section,
            ("float_committed", {"party": who.organisation, "digest": digest}),
            at=now,
            leaves=[self._room.leaf(leaf, now)],
        )

    async def reveal(self, who: Actor, section: str, nonce: str, now: int) -> None:
        """That party reveals its nonce after the close."""
        book = self._room.keyed(section)
        try:
            fits = commitment(bytes.fromhex(nonce)) == book.commits.get(who.organisation)
        except ValueError:
            fits = False
        if not fits:
            raise MalformedError("float-nonce", "与承诺不符", "It is not what was committed to.")
        await self._run.reveal(book, who.organisation, nonce, now)
