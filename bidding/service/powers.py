"""By what right somebody acts for a bidder 授权委托: kept with the section in which it is used, opened with the bidders.

A delegate's key alone may do nothing; a delegation signed by the bidder's own key lets it act in a scope, for all or
for some sections, until an instant. Before the opening nobody may learn of it: the section's rows keep the signed
delegation, and the act's entry in the hidden tree its digest, so that none can be written afterwards. When the bidders
are published, a ledger leaf opens them; what is used or ended later gets a leaf with its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bidding.model import DelegationLine, Delegations, ForbiddenError, PublishedBidders
from bidding.opening.state import ENDED
from crypto import statement
from crypto.encoding import b64
from trading.model import Role, Scope

if TYPE_CHECKING:
    from bidding.service.room import Room
    from bidding.store import Book
    from trading.ground.chain import Draft, Row
    from trading.model import Actor, Grant

CHANGES: Final = frozenset({"delegation.granted", "delegation.revoked"})
"""Rows of the trading floor that may end a delegation which a section has kept."""


class Right(NamedTuple):
    """What an act is appended with: the digest of its delegation ("" for a bidder's own key), a row, a leaf."""

    digest: str
    rows: tuple[tuple[str, dict[str, Any]], ...]
    leaves: tuple[Draft, ...]


OWN: Final = Right("", (), ())


class Powers:
    """The delegations that the sections of one centre keep."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def right(self, book: Book, public: bytes, scope: Scope, arrival: int) -> Right:
        """Return by what right a key acts in a section; asked in the section's turn, right before the append.

        Args:
            book: of the section.
            public: the key that signs or, where nothing is signed, logged in; 33 bytes.
            scope: what it does.
            arrival: of the act, ms UTC.

        Raises:
            ForbiddenError: `delegation-missing`: a delegate without power for it, or only since the act arrived.
        """
        who = self._room.trading.party(public)
        if who.role is not Role.DELEGATE:
            return OWN
        grant = self._room.trading.state.power_of(who, scope, arrival, (book.section,))
        if grant is None or grant.delegation.granted_at > arrival:
            raise ForbiddenError(
                "delegation-missing",
                "委托权限不足或已到期",
                f"This delegate has no delegation for {scope} here and now; it changed, or ended.",
                rule="民法典 165",
            )
        digest = statement.digest(grant.signed).hex()
        if digest in book.powers:
            return Right(digest, (), ())
        row = {
            "granted": digest,
            "bidder": who.organisation,
            "signed": dict(grant.signed),
            "arrival": grant.delegation.granted_at,
        }
        line = DelegationLine(bidder=who.organisation, person=who.person, granted=digest, ended="")
        leaves = self._leaf(book, [line], arrival)
        return Right(digest, (("delegation_kept", row),), leaves)

    def signs_in(self, book: Book, who: Actor, arrival: int) -> Right:
        """Return by what right somebody signs in, with a row that says by which key: it signs nothing else."""
        found = self.right(book, who.public, Scope.CONFIRM, arrival)
        row = ("signed_in_by", {"bidder": who.organisation, "key": b64(who.public)})
        return found._replace(rows=(*found.rows, row))

    def opened(self, book: Book) -> Delegations | None:
        """Return the leaf that opens what the section has kept so far, None where nobody acted by one."""
        lines = tuple(
            DelegationLine(bidder=one.bidder, person=one.person, granted=digest, ended=one.ended)
            for digest, one in book.powers.items()
        )
        return Delegations(section=book.section, delegations=lines) if lines else None

    def follow(self, row: Row) -> None:
        """Note in every section that has kept it that a delegation has ended; what a crash left out comes at start."""
        if row.kind in CHANGES:
            for book in list(self._room.shelf.books.values()):
                if book.powers:
                    self._room.spawn(self.catch_up(book), f"delegations {book.section}")

    async def catch_up(self, book: Book) -> None:
        """Append a row, after the publication with a leaf, for each kept delegation that ended meanwhile."""
        async with self._room.turns[book.section]:
            if book.opening is None or book.opening.phase in ENDED:
                return  # nothing follows after the end that the record tells
            now, grants = self._room.clock.now(), self._grants(book)
            rows: list[tuple[str, dict[str, Any]]] = []
            lines: list[DelegationLine] = []
            for digest, one in book.powers.items():
                grant = grants.get(digest)
                if one.ended or grant is None or grant.ended is None:
                    continue
                ended = statement.digest(grant.ended).hex()
                body = {"granted": digest, "ended": ended, "signed": dict(grant.ended)}
                rows.append(("delegation_ended", {**body, "arrival": grant.ended_at}))
                lines.append(
                    DelegationLine(
                        bidder=one.bidder, person=one.person, granted=digest, ended=ended
                    )
                )
            if rows:
                leaves = self._leaf(book, lines, now)
                await self._room.append(book.section, *rows, at=now, leaves=leaves)

    def _leaf(self, book: Book, lines: list[DelegationLine], at: int) -> tuple[Draft, ...]:
        """A leaf for what the publication has not opened; before it there is none."""
        if book.leaf(PublishedBidders.PURPOSE) is None:
            return ()
        return (self._room.leaf(Delegations(section=book.section, delegations=tuple(lines)), at),)

    def _grants(self, book: Book) -> dict[str, Grant]:
        people = {one.person for one in book.powers.values()}
        return {
            statement.digest(grant.signed).hex(): grant
            for grant in self._room.trading.state.grants.values()
            if grant.delegation.person in people
        }
