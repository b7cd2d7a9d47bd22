"""Taking bids: a submission is judged on its outside only, journalled, committed, acknowledged.

Order: arrival stamp → deadline → form, signature, certificate → file → possession → duplicates →
journal → the slot's ledger leaf → receipt. A late act gets a signed refusal that states when it
arrived. The same statement again gets the first receipt again.

An act is committed in the slot in which it arrived: `ready` holds a slot's leaf back while an act
with an arrival inside is on its way, so that a bid acknowledged in the last slot is in the closing
checkpoint whatever a timer did.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from bidding.model import (
    ConflictError,
    Entry,
    ForbiddenError,
    LateError,
    MalformedError,
    Refusal,
    Submission,
)
from bidding.rules import outside
from bidding.rules.bids import MAX_LATE, replaced_by, require_open, withdrawn_by
from bidding.service import header
from bidding.service.receipts import Receipts
from bidding.service.trees import Flight, Grown
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.random import token
from crypto.section_tree import PLACES, slot_commitment, slot_salt
from trading.ground.ids import new_id
from trading.model import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bidding.service.powers import Powers
    from bidding.service.room import Room
    from bidding.service.uploads import UploadDesk
    from bidding.store import Book
    from trading.model import Actor


class Intake:
    """Submissions and withdrawals, and the section trees that the slots commit to."""

    def __init__(self, room: Room, uploads: UploadDesk, powers: Powers) -> None:
        self._room = room
        self._uploads = uploads
        self._powers = powers
        self._flying: Counter[int] = Counter()
        self._trees: dict[str, Grown] = {}
        self._receipts = Receipts(room)

    async def start(self) -> None:
        """Rebuild trees, become a source of slots, and make receipts that a crash left out."""
        for book in self._room.shelf.books.values():
            await self.load_seed(book)
        self._room.slots.register(self, "sections")

    def resume(self) -> None:
        """Make the receipts that a crash left out; the slots run by now."""
        for book in self._room.shelf.books.values():
            for id_ in book.kept.keys() - book.receipts.keys():
                self._receipts.begin(book, id_)

    async def load_seed(self, book: Book) -> None:
        """Bring a section's seed out of the private table."""
        if book.keyed is not None and book.section not in self._room.seeds:
            value = self._room.private.get(book.keyed.seed_ref)
            if value is None:
                raise ConflictError("seed-erased", "标段种子已删除", "The section's seed is gone.")
            self._room.seeds[book.section] = bytes.fromhex(value)

    def depart(self, arrival: int) -> Flight:
        """Hold back the leaf of the arrival's slot until the flight lands.

        Must be called in the very step of the event loop in which the request was stamped: between
        the stamp and this call nothing may be awaited that really waits.
        """
        return Flight(self._flying, arrival)

    # A source of slots (`trading.ground.slots.Source`).

    def ready(self, slot: int) -> bool:
        """Say whether nothing that arrived up to the end of the slot is still on its way."""
        return not any(flying <= slot for flying in self._flying)

    def commitments(self, slot: int) -> dict[str, str]:
        """Return every live section's commitment as of the end of a slot."""
        found = {}
        for section, book in self._room.shelf.books.items():
            if book.keyed is not None and self._live_in(book, slot):
                root = self._root(book, slot)
                salt = slot_salt(self._room.seeds[section], slot)
                found[section] = slot_commitment(salt, root).hex()
        return found

    def next_live(self, slot: int) -> int | None:
        """Return the first slot ≥ `slot` in which a section is live, as far as is known now."""
        starts = [
            max(slot, book.keyed.first_slot)
            for book in self._room.shelf.books.values()
            if book.keyed is not None and slot < book.deadline // 1000
        ]
        return min(starts, default=None)

    def _live_in(self, book: Book, slot: int) -> bool:
        assert book.keyed is not None
        return book.keyed.first_slot <= slot < book.deadline // 1000

    def _root(self, book: Book, slot: int) -> bytes:
        grown = self._trees.get(book.section)
        if grown is None or slot <= grown.slot:  # after a storage error slots are asked again
            grown = self._trees[book.section] = Grown(self._room.seeds[book.section])
        for kept, path in grown.grow(book, slot):
            self._receipts.paths[kept.act.id] = path
        return grown.root

    # What bidders ask.

    async def submit(
        self, who: Actor, section: str, form: Mapping[str, Any], flight: Flight
    ) -> dict[str, Any]:
        """Take a submission and return its signed receipt.

        Args:
            who: of the session.
            section: id in the address.
            form: {"submission": signed, "possession": base64 or "", "upload": id}.
            flight: holds the arrival, the stamp of the request's last body byte.

        Raises:
            LateError: with the signed refusal in `refusal`.
            BiddingError: any other reason; nothing was taken.
        """
        signed, proof, upload_id = _form(form)
        arrival = flight.arrival
        said, key, digest = outside.read_submission(signed, self._room.centre)
        book = self._bidding(section, said.tender, said.section)
        self._certified(who, key, said.bidder, section)
        if digest in book.by_statement:
            flight.land()
            return await self._receipts.of(book, book.by_statement[digest])
        await self._in_time(book, arrival, digest, signed, said.parties)
        self._fits(book, said)
        upload = self._uploads.find(upload_id, who.organisation)
        if upload.offset != upload.length:
            raise ConflictError(
                "upload-incomplete", "文件尚未传完", "The file is not whole; go on uploading."
            )
        upload = await self._uploads.whole(upload)
        assert upload.blob is not None
        if (upload.blob.sha256, upload.blob.size) != (said.sha256, said.size):
            raise MalformedError(
                "file-differs", "文件与声明不符", "Size or SHA-256 is not the one signed for."
            )
        await asyncio.to_thread(header.check, self._room.blobs, upload.blob, said)
        if proof or book.keyed.tender.proof_of_possession == "required":  # type: ignore[union-attr]
            outside.check_possession(said, signed, proof)
        async with self._room.turns[section]:
            if digest not in book.by_statement:
                if book.keyed.tender.proof_of_possession == "required":  # type: ignore[union-attr]
                    outside.check_unique(said, book.acts.values())
                replaces = replaced_by(book.acts, said.bidder, key, said.supersedes)
                right = self._powers.right(book, key, Scope.SUBMIT, arrival)
                entry = self._entry(book, "submission", arrival, digest, replaces, right.digest)
                body = {
                    "entry": entry.to_body(),
                    "index": self._place(book),
                    "signed": dict(signed),
                    "possession": proof,
                    "blob": list(upload.blob),
                }
                await self._room.append(section, ("submission", body), *right.rows, at=arrival)
                await self._uploads.use(upload_id)
        flight.land()  # before waiting for the slot's leaf, which waits for us
        self._receipts.begin(book, book.by_statement[digest])
        return await self._receipts.of(book, book.by_statement[digest])

    async def withdraw(
        self, who: Actor, section: str, form: Mapping[str, Any], flight: Flight
    ) -> dict[str, Any]:
        """Take a withdrawal 撤回 and return its signed receipt. Arguments as `submit`."""
        signed, arrival = form.get("withdrawal"), flight.arrival
        if not isinstance(signed, dict) or set(form) != {"withdrawal"}:
            raise MalformedError("malformed", "内容格式不正确", 'Send {"withdrawal": signed}.')
        said, key, digest = outside.read_withdrawal(signed, self._room.centre)
        book = self._bidding(section, said.tender, said.section)
        self._certified(who, key, said.bidder, section)
        if digest in book.by_statement:
            flight.land()
            return await self._receipts.of(book, book.by_statement[digest])
        await self._in_time(book, arrival, digest, signed, (said.bidder,))
        async with self._room.turns[section]:
            if digest not in book.by_statement:
                replaces = withdrawn_by(book.acts, said.bidder, key, said.submission)
                right = self._powers.right(book, key, Scope.SUBMIT, arrival)
                entry = self._entry(book, "withdrawal", arrival, digest, replaces, right.digest)
                body = {
                    "entry": entry.to_body(),
                    "index": self._place(book),
                    "signed": dict(signed),
                }
                await self._room.append(section, ("withdrawal", body), *right.rows, at=arrival)
        flight.land()
        self._receipts.begin(book, book.by_statement[digest])
        return await self._receipts.of(book, book.by_statement[digest])

    async def receipt(self, who: Actor, section: str, act: str) -> dict[str, Any]:
        """Return the first receipt of one's own act.

        Raises:
            ConflictError: `bid-unknown`, none of one's own.
        """
        book = self._room.keyed(section)
        kept = book.kept.get(act)
        if kept is None or kept.act.bidder != who.organisation:
            raise ConflictError("bid-unknown", "没有这份投标", "None of this bidder's bids.")
        return await self._receipts.of(book, act)

    def own(self, who: Actor, section: str) -> dict[str, Any]:
        """Return one's own acts in a section, which one counts, and whether the tender has changed since.

        `version` is that which the bid that counts was made for, 0 where there is none.
        """
        book = self._room.keyed(section)
        mine = [kept for kept in book.kept.values() if kept.act.bidder == who.organisation]
        current = next((act for act in book.live() if act.bidder == who.organisation), None)
        assert book.keyed is not None
        made = book.kept[current.id].signed["statement"]["version"] if current else 0
        return {
            "section": section,
            "counts": current.id if current else "",
            "version": made,
            "newest": book.keyed.tender.version,
            "overtaken": current is not None and made < book.keyed.tender.version,
            "acts": [kept.entry.to_body() for kept in mine],
        }

    # How it is judged.

    def _bidding(self, section: str, tender: str, named: str) -> Book:
        book = self._room.keyed(section)
        if named != section or tender != self._room.trading.section(section).tender:
            raise MalformedError(
                "statement-foreign-section",
                "声明不属于本标段",
                "It was signed for another section.",
            )
        if not self._room.takes_bids(book):
            raise ConflictError(
                "section-not-open", "标段未在接收投标", "It is not announced, suspended or ended."
            )
        return book

    def _certified(self, who: Actor, key: bytes, bidder: str, section: str) -> None:
        fits = self._room.trading.submits_for(key, bidder, section)  # refuses an uncertified key
        if who.organisation != bidder or not fits:
            raise ForbiddenError(
                "bidder-differs", "签名人不是投标人", "A bid is signed and handed in by its bidder."
            )

    async def _in_time(
        self, book: Book, arrival: int, digest: str, act: Mapping[str, Any], parties: Iterable[str]
    ) -> None:
        """Refuse what came late; the row keeps its signed words, which alone show whose they were."""
        try:
            require_open(arrival, book.deadline)
        except LateError as late:
            signed, bidder = book.refusals.get(digest), act["statement"]["bidder"]
            if signed is None and book.late[bidder] >= MAX_LATE:
                raise  # a flood is answered, and leaves the record of the opening readable
            if signed is None:
                refusal = Refusal(
                    tender=act["statement"]["tender"],
                    section=book.section,
                    statement=digest,
                    code=late.code,
                    reason=late.detail,
                    arrival=arrival,
                    deadline=book.deadline,
                )
                signed = self._room.sign(Refusal.PURPOSE, refusal.to_body())
                body = {"statement": digest, "refusal": signed, "parties": [*parties], "act": act}
                await self._room.append(book.section, ("refused", body), at=arrival)
            late.facts["refusal"] = signed
            raise

    def _fits(self, book: Book, said: Submission) -> None:
        assert book.keyed is not None
        tender = book.keyed.tender
        if said.recipient != tender.recipient:
            raise MalformedError(
                "recipient-foreign",
                "收件公钥不是本标段的",
                "Seal it with this section's tender file.",
            )
        known = self._room.trading.state.organisations
        if any(party not in known for party in said.parties):
            raise MalformedError(
                "parties-unknown",
                "联合体成员未登记",
                "Every member of a consortium is an organisation that the centre knows.",
                rule="招标投标法 31",
            )
        if said.size > tender.limits.bid_bytes:
            raise MalformedError("bid-too-large", "投标文件过大", "It is above the tender's limit.")
        # An older version is taken all the same: whether the bid still answers, the committee says.
        edition = book.editions.get(said.tender_file)
        if edition is None or edition.version != said.version:
            raise MalformedError(
                "tender-file-unknown",
                "所列招标文件版本不是本标段的",
                "The submission names no tender file of this section; seal with the one it shows.",
            )

    def _entry(
        self, book: Book, kind: Any, arrival: int, digest: str, replaces: str, delegation: str
    ) -> Entry:
        grown = self._trees.get(book.section)
        committed = grown.slot if grown is not None else -1
        slot = max(arrival // 1000, committed + 1)
        if slot >= book.deadline // 1000:  # the closing slot waits for all that arrived in time
            raise ConflictError(
                "slot-missed", "存证时段已过", "Nothing was taken. Tell the centre at once."
            )
        return Entry(
            section=book.section,
            kind=kind,
            id=new_id("bid" if kind == "submission" else "wdr"),
            slot=slot,
            arrival=arrival,
            statement=digest,
            replaces=replaces,
            delegation=delegation,
        )

    def _place(self, book: Book) -> int:
        taken = {kept.index for kept in book.kept.values()}
        if len(taken) == PLACES:
            raise ConflictError("section-full", "标段投标已满", "This section takes no more acts.")
        while True:
            index = int.from_bytes(token(2)) % PLACES
            if index not in taken:
                return index


def _form(form: Mapping[str, Any]) -> tuple[dict[str, Any], str, str]:
    signed, proof, upload = form.get("submission"), form.get("possession"), form.get("upload")
    if (
        set(form) != {"submission", "possession", "upload"}
        or not isinstance(signed, dict)
        or not isinstance(proof, str)
        or not isinstance(upload, str)
    ):
        wanted = 'Send {"submission": signed, "possession": base64 or "", "upload": id}.'
        raise MalformedError("malformed", "内容格式不正确", wanted)
    if proof:
        try:
            unb64(proof)
        except CryptoError as error:
            raise MalformedError("malformed", "内容格式不正确", f"possession: {error}.") from error
    return signed, proof, upload
