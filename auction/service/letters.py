"""Letters of qualification on paper: drawn when their holder asks, from the signed letter.

No record is issued and no leaf is written: before the result leaves could be counted, and a list of records would say
how many bidders there are. The paper's truth is the letter inside it. Asked again, it comes from memory while there
is room, else it is drawn again and says the same.
"""

import asyncio
from collections import OrderedDict, defaultdict
from typing import Any, Final

from auction.service.participation import Participation
from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from documents.model import Heading, Party, QualificationFacts
from documents.service import DocumentService
from trading.ground.clock import beijing
from trading.ground.ground import Ground
from trading.model import Actor

KEPT: Final = 64  # papers of some 200 KB in memory


class Letters:
    """Draws the letters of one centre's bidders.

    Args:
        participation: signs the letter.
        documents: draws and seals.
        ground: names of the centre, ledger, clock.
    """

    def __init__(
        self, participation: Participation, documents: DocumentService, ground: Ground
    ) -> None:
        self._participation = participation
        self._documents = documents
        self._ground = ground
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def paper(self, lot: str, who: Actor) -> bytes:
        """Return the signed PDF of one's own letter; one drawing at a time for a bidder.

        Raises:
            UnknownAuctionError: there is no such auction.
            NotQualifiedError: the organisation may not bid in it.
            DocumentError: it cannot be drawn.
        """
        signed = self._participation.letter(lot, who)
        text = canonical(signed)
        name = sha256_hex(text)
        async with self._turns[who.organisation]:
            if name not in self._drawn:
                at = self._ground.clock.now()
                facts = self._facts(signed["statement"], text.decode(), name, at)
                self._drawn[name] = await self._documents.drawn(facts, at=at)
            self._drawn.move_to_end(name)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
            return self._drawn[name]

    def _facts(self, said: dict[str, Any], letter: str, name: str, at: int) -> QualificationFacts:
        settings, ledger = self._ground.settings, self._ground.ledger
        day = beijing(said["deposit_at"])[:10].replace("-", "")
        heading = Heading(
            centre=settings.centre,
            centre_name=settings.centre_name,
            ruleset=self._participation.ruleset(said["lot"]) or settings.ruleset,
            number=f"ZG{day}-{name[:8].upper()}",
            issued_at=at,
            ledger_origin=ledger.origin,
            ledger_size=ledger.size,
            ledger_root=ledger.root(ledger.size).hex(),
        )
        return QualificationFacts(
            heading=heading,
            holder=Party(name=said["name"], credit_code=said["credit_code"]),
            preemption=said.get("preemption", ""),
            letter=letter,
            **{
                member: said[member]
                for member in (
                    "lot", "title", "paddle", "parcel", "deposit", "deposit_amount", "deposit_at",
                    "rules",
                )
            },
        )  # fmt: skip
