"""Orders of two: postponement, termination, supplement, quorum failure, reconciliation; and the late witnesses' one.

The supervisor signs, an operator brings it, the centre signs the same body; both signed forms stand in one
`announced` leaf and in the answer, which also travels directly to custodians. No order moves anything
that custodians would not judge by themselves.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bidding.model import (
    Announced,
    CloseList,
    ConflictError,
    LateWitness,
    MalformedError,
    Postponement,
    QuorumFailure,
    Reconciliation,
    Supplement,
    Termination,
)
from bidding.opening import MissQuorum, Phase, Terminate
from bidding.opening import Supplement as PutBack
from crypto import statement
from crypto.encoding import sha256_hex
from trading.ground.blobs import CorruptBlob
from trading.model import Role

if TYPE_CHECKING:
    from bidding.model import Body
    from bidding.service.addenda import Addenda
    from bidding.service.room import Room
    from bidding.service.run import Run
    from bidding.store import Book
    from trading.ground.chain import Draft
    from trading.model import Actor

Both = dict[str, Any]
"""{"centre": signed, "supervisor": signed}: one body."""


class Orders:
    """Takes orders about sections. Every method: `who` brings it, `signed` is the supervisor's."""

    def __init__(self, room: Room, run: Run, addenda: Addenda) -> None:
        self._room = room
        self._run = run
        self._addenda = addenda

    async def postpone(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> Both:
        """延期: T moves later, the tender file is signed anew, the notice gets its next version.

        Raises:
            BiddingError: not signed so, not from the T that stands, or not later.
        """
        self._supervised(who, signed, Postponement)
        return await self._addenda.postpone(section, signed, now)

    async def terminate(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> Both:
        """终止: nothing of this section is opened any more; custodians never answer again.

        A section that trading has terminated already gets the signed word for its custodians.

        Raises:
            BiddingError: not signed so, or the opening has ended otherwise.
        """
        book = self._room.keyed(section)
        said = Termination.from_body(self._supervised(who, signed, Termination))
        if (said.section, said.tender) != (section, self._room.trading.section(section).tender):
            raise _foreign()
        both, leaf = self._announced(section, signed, said, now)
        assert book.opening is not None
        if book.opening.phase is not Phase.TERMINATED:
            await self._run.command(book, Terminate(said.reason), now, [leaf])
        elif book.announced(Termination.PURPOSE) is None:
            await self._room.append(section, at=now, leaves=[leaf])
        return both

    async def supplement(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> Both:
        """补充名单: bids left out with a reason that is mended, their stored copies whole again.

        Raises:
            ConflictError: `supplement-foreign`, a bid that the list did not leave out, so never a
                withdrawn or replaced one; `reason-not-mended`; not this phase.
        """
        book = self._room.keyed(section)
        said = Supplement.from_body(self._supervised(who, signed, Supplement))
        self._of_this_list(book, said.section, said.close_list)
        assert book.opening is not None
        for id_ in said.submissions:
            kept = book.kept.get(id_)
            if kept is None or kept.blob is None or id_ not in book.opening.excluded:
                continue  # refused by the machine, with its own reason
            try:
                await asyncio.to_thread(self._room.blobs.verified, kept.blob)
            except CorruptBlob as error:
                raise ConflictError(
                    "reason-not-mended",
                    "未列原因尚未消除",
                    f"No whole copy of the sealed file of {id_} is stored; restore one first.",
                ) from error
        both, leaf = self._announced(section, signed, said, now)
        await self._run.command(book, PutBack(said.submissions), now, [leaf])
        return both

    async def miss_quorum(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> Both:
        """托管失效: release ends for this key, and bidders are asked for pledges.

        Raises:
            ConflictError: custodians may still answer, enough have, or refuse lawfully; or prices
                have been imported.
        """
        book = self._room.keyed(section)
        said = QuorumFailure.from_body(self._supervised(who, signed, QuorumFailure))
        self._of_this_list(book, said.section, said.close_list)
        both, leaf = self._announced(section, signed, said, now)
        await self._run.command(book, MissQuorum(said.reason), now, [leaf])
        await self._run.drive(section)
        return both

    async def reconcile(self, who: Actor, section: str, signed: dict[str, Any], now: int) -> Both:
        """核对双史: published evidence of two histories has been looked at; custodians may go on.

        Raises:
            ConflictError: `evidence-unknown`, the ledger publishes none of it.
        """
        said = Reconciliation.from_body(self._supervised(who, signed, Reconciliation))
        if said.section != section:
            raise _foreign()
        self._room.keyed(section)
        published = {one.sha256 for one in self._room.ledger.evidence()}
        # One of each key is published; a custodian may hold another piece about the same key besides.
        if not published.intersection(said.evidence):
            raise ConflictError(
                "evidence-unknown",
                "没有公布该双史证据",
                "Name evidence that the ledger publishes; bring it first.",
            )
        both, leaf = self._announced(section, signed, said, now)
        await self._room.append(section, at=now, leaves=[leaf])
        return both

    async def late_witness(
        self, who: Actor, section: str, signed: dict[str, Any], now: int
    ) -> None:
        """停机后逾时联署: the supervisor alone, about the closing checkpoint, before any answer.

        Raises:
            ConflictError: there is no close list yet, or a custodian has answered.
        """
        book = self._room.keyed(section)
        said = LateWitness.from_body(self._room.said(signed, LateWitness.PURPOSE, who.public))
        found = book.leaf(CloseList.PURPOSE)
        if found is None:
            raise ConflictError("too-early", "尚未截止", "There is no close list yet.")
        closing = CloseList.from_leaf(found[1], self._room.centre)
        named = (said.section, said.closing_size, said.closing_root)
        if named != (section, closing.closing_size, closing.closing_root):
            raise _foreign()
        async with self._room.turns[section]:
            if signed in book.late_witness:
                return
            assert book.opening is not None
            if any(reply.status != "refused" for reply in book.opening.replies.values()):
                raise ConflictError(
                    "already-answered",
                    "托管人已应答",
                    "Late witnesses are allowed before any partial is answered, or not at all.",
                )
            await self._room.append(section, ("late_witness", {"signed": signed}), at=now)

    def _supervised(self, who: Actor, signed: dict[str, Any], kind: type[Body]) -> Any:
        """Return what the supervisor signed; two people, so not whoever brings it."""
        body = self._room.said(signed, kind.PURPOSE)
        supervisor = self._room.trading.party(statement.signer(signed))
        if supervisor.role != Role.SUPERVISOR or supervisor.person == who.person:
            raise MalformedError(
                f"{kind.PURPOSE.replace('_', '-')}-signer",
                "须由监督人签名",
                "The supervisor signs it.",
            )
        return body

    def _announced(
        self, section: str, signed: dict[str, Any], said: Body, now: int
    ) -> tuple[Both, Draft]:
        both = {"centre": self._room.sign(said.PURPOSE, said.to_body()), "supervisor": signed}
        leaf = Announced(section=section, statements=(both["centre"], signed))
        return both, self._room.leaf(leaf, now)

    def _of_this_list(self, book: Book, section: str, close_list: str) -> None:
        found = book.leaf(CloseList.PURPOSE)
        if found is None:
            raise ConflictError("too-early", "尚未截止", "There is no close list yet.")
        digest = sha256_hex(self._room.ledger.leaf(found[0]))
        if (section, close_list) != (book.section, digest):
            raise _foreign()


def _foreign() -> MalformedError:
    return MalformedError(
        "statement-foreign-section",
        "声明不属于本标段",
        "It was signed for another section, T or list.",
    )
