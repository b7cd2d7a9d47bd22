"""What the parts of this service share: the ground, trading, paper, the books, the centre's key."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from bidding.model import ConflictError, MalformedError, UnknownError
from bidding.opening import Phase
from bidding.service.heads import HallHeads
from bidding.store import Book, Shelf, stream_of
from crypto import statement
from crypto.errors import CryptoError
from trading.ground.chain import Draft
from trading.model import Stage

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from pathlib import Path

    from crypto.signature import SigningKey
    from documents.service import DocumentService
    from trading.ground.chain import Row
    from trading.ground.ground import Ground
    from trading.service import TradingService


_log = logging.getLogger(__name__)


class Room:
    """Shared by all parts.

    Args:
        ground: open and verified.
        trading: started.
        documents: issues records; None only where no paper is wanted (tests, drills).
        centre_key: the centre's P-256 statement key.
    """

    def __init__(
        self,
        ground: Ground,
        trading: TradingService,
        documents: DocumentService | None,
        centre_key: SigningKey,
    ) -> None:
        self.settings = ground.settings
        self.centre = ground.settings.centre
        self.clock = ground.clock
        self.database = ground.database
        self.journal = ground.journal
        self.ledger = ground.ledger
        self.slots = ground.slots
        self.blobs = ground.blobs
        self.timers = ground.timers
        self.hub = ground.hub
        self.private = ground.private
        self.outbox = ground.outbox
        self.trading = trading
        self.documents = documents
        self.key = centre_key
        streams = [name for name in self.journal.streams if Shelf.follows(name)]
        self.shelf = Shelf(
            self.centre, chain.from_iterable(self.journal.rows(name) for name in streams)
        )
        self.heads = HallHeads(
            self.journal, self.ledger, self.clock, self.timers, self.shelf.books.items()
        )
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.seeds: dict[str, bytes] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def home(self) -> Path:
        """The home's directory."""
        return self.settings.home

    def book(self, section: str) -> Book:
        """Return a section's book.

        Raises:
            UnknownError: there is no such section.
        """
        self.trading.section(section)
        return self.shelf.book(section)

    def keyed(self, section: str) -> Book:
        """Return the book of a section that has its key.

        Raises:
            ConflictError: it has none yet.
        """
        book = self.book(section)
        if book.keyed is None or book.opening is None:
            raise ConflictError(
                "section-not-keyed",
                "标段尚无密钥",
                "The key ceremony comes first; ask again later.",
            )
        return book

    def announced(self, section: str) -> Book:
        """Return the book of a section whose notice is published; before that nobody outside learns of it.

        Raises:
            UnknownError: there is no such section, or none that is public: the same words for both.
        """
        found = self.trading.section(section)
        if self.trading.tender(found.tender).published_at is None:
            raise UnknownError("section-unknown", "没有该标段", "There is no such section.")
        return self.keyed(section)

    def takes_bids(self, book: Book) -> bool:
        """Say whether a section is announced, not suspended and not terminated; T is not its matter."""
        where = self.trading.section(book.section)
        ended = book.opening is not None and book.opening.phase is Phase.TERMINATED
        return where.stage is Stage.ANNOUNCED and not where.suspended and not ended

    async def append(
        self,
        section: str,
        *events: tuple[str, dict[str, Any]],
        at: int,
        leaves: Sequence[Draft] = (),
    ) -> list[Row]:
        """Append rows of one section together with ledger leaves; the head of its hall so far goes before them."""
        drafts = [Draft(stream_of(section), kind, body, at) for kind, body in events]
        return await self.journal.append(*self.heads.before(section, at), *leaves, *drafts)

    def spawn(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run something beside the caller; a failure is logged, and start-up takes it up again."""

        async def guarded() -> None:
            try:
                await work
            except Exception:  # noqa: BLE001 (nobody awaits it: logged here or lost)
                _log.critical("%s failed", what, exc_info=True)

        task = asyncio.get_running_loop().create_task(guarded(), name=what)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def leaf(self, leaf: Any, at: int) -> Draft:
        """Return a model leaf as a ledger draft."""
        body = leaf.to_body()
        return self.ledger.draft(leaf.PURPOSE, body, at)

    def sign(self, purpose: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Sign a statement with the centre's key."""
        return statement.sign(self.key, purpose, self.centre, body)

    def said(self, signed: Mapping[str, Any], purpose: str, key: bytes | None = None) -> Any:
        """Return what a signed statement says for one purpose.

        Raises:
            MalformedError: `statement-invalid`: form, signature, purpose, centre or key.
        """
        try:
            return statement.verify(signed, purpose=purpose, centre=self.centre, key=key)
        except CryptoError as error:
            raise MalformedError(
                "statement-invalid", "声明签名无效", f"{error}. Sign it again for this purpose."
            ) from error

    def name(self, organisation: str) -> str:
        """Return an organisation's name."""
        known = self.trading.state.organisations.get(organisation)
        return known.name if known else organisation

    def witness_keys(self) -> tuple[str, ...]:
        """Return verifier keys of everybody who cosigns: custodians, then pure witnesses."""
        state = self.trading.state
        return (
            *(custodian.witness for custodian in state.custodians.values()),
            *(witness.vkey for witness in state.witnesses.values()),
        )

    def custodian_of(self, section: str, custodian: str) -> Any:
        """Return a registered custodian of a section.

        Raises:
            UnknownError: it holds no share here.
        """
        for known in self.trading.custodians_of(self.trading.section(section)):
            if known.id == custodian:
                return known
        raise UnknownError("custodian-unknown", "不是本标段的托管人", "It holds no share here.")
