"""After a quorum failure: every bidder pledges, then hands over its file key, then all is imported.

Nobody hands over before all have pledged, and nothing is opened before all keys are in or the time for
them is over, so nobody's price depends on another's. A key is believed when it fits the MAC of the header
of the very file that was handed in; until the import it lies in the private table, in no row of the journal.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    ConflictError,
    Disclosed,
    DisclosedBid,
    Disclosure,
    MalformedError,
    PackageError,
    Pledge,
    QuorumFailure,
)
from bidding.opening import Disclose, EndPledging, Import, Outcome, Phase
from bidding.opening import Pledge as Pledged
from crypto import statement
from crypto.age.header import read_header
from crypto.encoding import b64, sha256_hex, unb64
from crypto.errors import CryptoError
from trading.ground.blobs import CorruptBlob
from trading.model import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bidding.opening import Window
    from bidding.service.opener import Opener
    from bidding.service.powers import Powers
    from bidding.service.room import Room
    from bidding.store import Book, Kept
    from trading.model import Actor

    Commanding = Callable[..., Awaitable[object]]
    Driving = Callable[[str], Awaitable[None]]

MISSING: Final = "disclosure-missing"
FIELD: Final = "file-key"


class Disclosures:
    """Pledges and file keys of every section whose quorum failed.

    Args:
        room: shared.
        command, drive: of the run, which calls `next` in its turn.
        opener: opens bids to disk.
        powers: by what right a delegate pledges and hands over.
    """

    def __init__(
        self, room: Room, command: Commanding, drive: Driving, opener: Opener, powers: Powers
    ) -> None:
        self._room = room
        self._command = command
        self._drive = drive
        self._opener = opener
        self._powers = powers

    def show(self, section: str) -> dict[str, Any]:
        """Return what a bidder binds itself to, and how far pledges and keys are.

        Raises:
            ConflictError: `quorum-not-failed`.
        """
        book = self._room.keyed(section)
        failure = self.failure(book)
        assert book.opening is not None
        opening = book.opening
        window = opening.disclose or opening.pledge
        return {
            "section": section,
            "failure": failure,
            "phase": str(opening.phase),
            "ends_at": window.end if window is not None else None,
            "pledged": sorted(opening.pledges),
            "disclosed": sorted(opening.disclosed),
            "wanted": list(opening.bids),
        }

    def failure(self, book: Book) -> str:
        """Return SHA-256 of the leaf that declared the failure, hex.

        Raises:
            ConflictError: `quorum-not-failed`: nobody is to hand over anything.
        """
        found = book.announced(QuorumFailure.PURPOSE)
        if found is None:
            raise ConflictError(
                "quorum-not-failed",
                "未宣布托管失效",
                "Custodians open this section. Keep your file key to yourself.",
            )
        return sha256_hex(self._room.ledger.leaf(found[0]))

    async def pledge(
        self, who: Actor, section: str, signed: dict[str, Any], now: int
    ) -> dict[str, Any]:
        """Take a bidder's pledge; with the last one the time to hand over begins.

        Raises:
            BiddingError: not its bid, not the key that submitted, not now.
        """
        book = self._room.keyed(section)
        said = Pledge.from_body(self._room.said(signed, Pledge.PURPOSE, who.public))
        self._own(book, who, said, signed)
        digest = statement.digest(signed).hex()
        await self._command(
            book,
            Pledged(said.bidder, digest),
            now,
            right=lambda: self._powers.right(book, who.public, Scope.CONFIRM, now),
            statement_kept={"signed": signed},
        )
        await self._drive(section)
        return self.show(section)

    async def disclose(
        self, who: Actor, section: str, signed: dict[str, Any], now: int
    ) -> dict[str, Any]:
        """Take a bidder's file key if it fits; with the last one all bids are opened.

        Raises:
            MalformedError: `file-key-wrong`: it does not fit the header; the bidder may try again.
            BiddingError: not its bid, not the key that submitted, not now.
        """
        book = self._room.keyed(section)
        said = Disclosure.from_body(self._room.said(signed, Disclosure.PURPOSE, who.public))
        kept = self._own(book, who, said, signed)
        file_key = unb64(said.file_key)
        assert book.opening is not None
        ref = ""
        if book.opening.phase is Phase.DISCLOSING and kept.act.id not in book.opening.disclosed:
            await asyncio.to_thread(self._fits, kept, file_key)
            stored = await self._room.private.put(section, FIELD, b64(file_key))
            ref = stored.ref
        # The statement holds the key: its digest is journalled now, the key itself at the import.
        digest = statement.digest(signed).hex()
        await self._command(
            book,
            Disclose(said.bidder, digest, ref),
            now,
            right=lambda: self._powers.right(book, who.public, Scope.CONFIRM, now),
        )
        await self._drive(section)
        return self.show(section)

    async def next(self, book: Book, now: int) -> bool:
        """Do what is due; say whether anything was."""
        assert book.opening is not None
        opening = book.opening
        window = opening.pledge if opening.phase is Phase.PLEDGING else opening.disclose
        assert window is not None
        complete = opening.phase is Phase.DISCLOSING and len(opening.disclosed) == len(opening.bids)
        if window.holds(now) and not complete:
            self._wake(book, window)
            return False
        if opening.phase is Phase.PLEDGING:
            await self._command(book, EndPledging(), now)
        else:
            await self._import(book)
        return True

    def _wake(self, book: Book, window: Window) -> None:
        async def wake() -> None:
            await self._drive(book.section)

        self._room.timers.at(window.end, wake, f"disclosure:{book.section}")

    async def _import(self, book: Book) -> None:
        assert book.opening is not None
        outcomes: list[Outcome] = []
        bids: list[DisclosedBid] = []
        for id_ in book.opening.bids:
            kept = book.kept[id_]
            ref = book.opening.disclosed.get(id_)
            given = (self._room.private.get(ref) or "") if ref else ""
            outcome = Outcome(id_, MISSING)
            if given:
                outcome = await asyncio.to_thread(self._opener.open, book, kept, unb64(given))
            outcomes.append(outcome)
            bids.append(
                DisclosedBid(
                    submission=id_,
                    sha256=kept.act.sha256,
                    file_key=given,
                    result=outcome.code,
                    manifest=outcome.manifest,
                )
            )
        leaf = Disclosed(section=book.section, failure=self.failure(book), bids=tuple(bids))
        now = self._room.clock.now()
        await self._command(book, Import(tuple(outcomes)), now, [self._room.leaf(leaf, now)])

    def _own(
        self, book: Book, who: Actor, said: Pledge | Disclosure, signed: dict[str, Any]
    ) -> Kept:
        kept = book.kept.get(said.submission)
        if (
            kept is None
            or (said.section, said.bidder) != (book.section, who.organisation)
            or kept.act.bidder != who.organisation
            or statement.signer(signed) != kept.act.key
            or said.failure != self.failure(book)
        ):
            raise MalformedError(
                "disclosure-foreign",
                "声明不属于本单位的投标",
                "Sign for your own listed bid, this failure, with the key that submitted.",
            )
        return kept

    def _fits(self, kept: Kept, file_key: bytes) -> None:
        assert kept.blob is not None
        try:
            with self._room.blobs.verified(kept.blob).open("rb") as sealed:
                read_header(sealed).check_mac(file_key)
        except CorruptBlob:
            return  # our fault; the import will say so
        except CryptoError as error:
            raise PackageError(
                "file-key-wrong",
                "文件密钥与密文头部不符",
                "It does not fit the header's MAC. Hand over the key of BID.secret.json.",
            ) from error
