"""大厅回执: what a bidder gets for an act in the hall, so that the centre cannot leave it out of the events unseen.

A receipt is a function of the act's row: the identical act again gets the same words again, after a restart too. It
goes to who acted and to nobody else; a sign-in before T is unseen by all others, and its receipt tells of nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import ConflictError
from bidding.model.hall import FLOAT_COMMITTED, SIGNED_IN, HallReceipt, HallState
from bidding.store.book import PREFIX, stream_of
from crypto import statement
from crypto.encoding import sha256_hex

if TYPE_CHECKING:
    from bidding.service.room import Room
    from trading.ground.chain import Row

SAID: Final = "said"
QUIET: Final = frozenset({SIGNED_IN, FLOAT_COMMITTED})
"""Acts of before T: the number of their event would tell how many have bid."""
KINDS: Final = QUIET | {"confirmed", "objected", "pledged", "disclosed", SAID}


class HallReceipts:
    """Signs receipts of one centre's halls."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._newest: dict[tuple[str, ...], Row] = {}
        room.journal.listen(self._follow)

    def of(self, section: str, kind: str, organisation: str, mark: str = "") -> dict[str, Any]:
        """Return the signed receipt of an act that has been taken.

        Args:
            section: its id.
            kind: of the act's row.
            organisation: who acted.
            mark: digest of the signed words; of a message its number, as text.
        """
        key = (section, kind, organisation, mark)
        row = self._newest.get(key) or self._stored(key)
        open_ = kind not in QUIET
        said = sha256_hex(row.body["text"].encode()) if kind == SAID else mark
        receipt = HallReceipt(
            section=section,
            organisation=organisation,
            act=kind,  # type: ignore[arg-type] # one of KINDS
            said=said,
            arrival=row.at,
            seq=row.seq if open_ else 0,
            chain=row.chain.hex() if open_ else "",
        )
        return self._room.sign(receipt.PURPOSE, receipt.to_body())

    def state(self, section: str) -> dict[str, Any]:
        """Return what the hall shows now, signed.

        Raises:
            ConflictError: `too-early`, its bidders are not published: the head's number would tell how many.
        """
        book = self._room.announced(section)
        head = self._room.heads.head(section)
        if head is None or book.opening is None:
            raise ConflictError("too-early", "尚未公布投标人", "The bidders are not published yet.")
        seen = HallState(
            section=section,
            phase=str(book.opening.phase),
            paused=book.opening.paused or 0,
            seq=head[0],
            chain=head[1],
            at=self._room.clock.now(),
        )
        return self._room.sign(seen.PURPOSE, seen.to_body())

    def _follow(self, row: Row) -> None:
        if row.kind in KINDS and row.stream.startswith(PREFIX):
            self._newest[self._key(row)] = row

    def _stored(self, key: tuple[str, ...]) -> Row:
        """Find the row of an act before the last start."""
        rows = self._room.journal.rows(stream_of(key[0]), kind=key[1])
        return next(row for row in rows if self._key(row) == key)

    def _key(self, row: Row) -> tuple[str, ...]:
        section, body = row.stream.removeprefix(PREFIX), row.body
        match row.kind:
            case "signed_in":
                return section, row.kind, body["bidder"], ""
            case "float_committed":
                said = statement.digest(body["signed"]).hex()
                return section, row.kind, body["party"], said
            case "said":
                return section, row.kind, body["speaker"], str(body["no"])
            case _:
                bidder = self._room.shelf.book(section).kept[body["submission"]].act.bidder
                return section, row.kind, bidder, body["statement"]
