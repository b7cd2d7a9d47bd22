"""Key ceremonies: a mailbox for n custodians who only call out, then the key's assignment.

The centre hands messages on and learns nothing of a key. It checks every message as everybody can,
so that a ceremony that fails names who made it fail. With the last signature the success
certificate is assembled, and in one transaction the key is assigned to its section: ledger leaf,
seed commitment, the centre's own nonce for the float draw, and the signed tender file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    CeremonyMessage,
    ConflictError,
    Custodian,
    FloatCommit,
    FloatCommitment,
    KeyAssign,
    SummaryField,
    TenderFile,
    UnknownError,
)
from bidding.model.tender import DEFAULT_LIMITS
from bidding.rules.draw import CENTRE_PARTY, commitment
from bidding.service.draws import parties
from crypto import cocktail_wire as wire
from crypto.age.stanzas import recipient_text
from crypto.canonical import canonical
from crypto.certificate import (
    BlameError,
    KeyContext,
    SuccessCertificate,
    bundle_extension,
    check_possession,
    verify_certificate,
)
from crypto.cocktail import transcribe
from crypto.encoding import b64, sha256_hex, unb64
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.random import token
from trading.ground.ids import new_id
from trading.model import SectionKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bidding.service.intake import Intake
    from bidding.service.room import Room
    from bidding.store import Book, Ceremony
    from trading.model import Regime, Section

ROUNDS: Final = 3  # 1 first messages, 2 transcript signatures, 3 "my share is kept"


class Ceremonies:
    """The ceremonies of all sections."""

    def __init__(self, room: Room, intake: Intake, confirm_s: int) -> None:
        self._room = room
        self._intake = intake
        self._confirm_ms = confirm_s * 1000

    async def begin(self, section_id: str, use: str, now: int) -> str:
        """Begin the ceremony for a section's key; return its id.

        Raises:
            ConflictError: the section has a key, or a ceremony is running.
        """
        section = self._room.trading.section(section_id)
        book = self._room.book(section_id)
        async with self._room.turns[section_id]:
            if book.keyed is not None or section.key is not None:
                raise ConflictError("section-keyed", "标段已有密钥", "A section gets one key.")
            if any(one.state == "running" for one in book.ceremonies.values()):
                raise ConflictError("ceremony-running", "密钥仪式进行中", "Wait for it to end.")
            custodians = self._room.trading.custodians_of(section)
            context = KeyContext(
                centre=self._room.centre,
                section=section_id,
                ceremony=new_id("cer"),
                purpose="rehearsal" if use == "rehearsal" else "live",
                earliest=section.deadline,
                minimum=section.minimum,
                custodians=tuple(custodian.host_key for custodian in custodians),
                t=section.custody.threshold,
            )
            body = {
                "ceremony": context.ceremony,
                "context": b64(context.to_bytes()),
                "custodians": [custodian.id for custodian in custodians],
            }
            await self._room.append(section_id, ("ceremony_begun", body), at=now)
        return context.ceremony

    def find(self, ceremony_id: str) -> tuple[Book, Ceremony]:
        """Return a ceremony and its section's book.

        Raises:
            UnknownError: there is none of that id.
        """
        for book in self._room.shelf.books.values():
            if ceremony_id in book.ceremonies:
                return book, book.ceremonies[ceremony_id]
        raise UnknownError("ceremony-unknown", "没有该密钥仪式", "There is no such ceremony.")

    def tasks(self, custodian: str) -> list[dict[str, Any]]:
        """Return what ceremonies want of a custodian now."""
        tasks = []
        for book in self._room.shelf.books.values():
            for ceremony in book.ceremonies.values():
                if custodian in ceremony.custodians and ceremony.state != "failed":
                    task = _task(ceremony, custodian)
                    if task is not None:
                        tasks.append(task)
        return tasks

    def show(self, ceremony_id: str) -> dict[str, Any]:
        """Return a ceremony's public state; complete rounds are shown whole."""
        _, ceremony = self.find(ceremony_id)
        return {
            "ceremony": ceremony.id,
            "section": ceremony.section,
            "state": ceremony.state,
            "blame": ceremony.blame,
            "context": b64(ceremony.context),
            "custodians": list(ceremony.custodians),
            "rounds": {
                str(number): ceremony.messages(number)
                for number in range(1, ROUNDS + 1)
                if ceremony.complete(number)
            },
            "posted": {
                str(number): sorted(ceremony.rounds.get(number, {}))
                for number in range(1, ROUNDS + 1)
            },
            "certificate": ceremony.certificate,
        }

    async def message(self, ceremony_id: str, signed: dict[str, Any], now: int) -> None:
        """Take a custodian's message; the last one of a round moves the ceremony on.

        Raises:
            ConflictError: `ceremony-round`, not this round's turn; `ceremony-two-words`, another
                message of the same custodian for the same round.
            MalformedError: the signature or the statement does not hold.
        """
        book, ceremony = self.find(ceremony_id)
        custodian = self._room.custodian_of(book.section, speaker(signed))
        said = CeremonyMessage.from_body(
            self._room.said(signed, CeremonyMessage.PURPOSE, custodian.public)
        )
        async with self._room.turns[book.section]:
            kept = ceremony.rounds.get(said.round, {}).get(said.custodian)
            if kept is not None:
                if kept["statement"] == signed["statement"]:
                    return
                raise ConflictError(
                    "ceremony-two-words", "同一轮次两次不同应答", "The first message stands."
                )
            turn = said.round <= ROUNDS and (said.round == 1 or ceremony.complete(said.round - 1))
            if said.ceremony != ceremony_id or ceremony.state == "failed" or not turn:
                raise ConflictError("ceremony-round", "轮次不符", "It is not this round's turn.")
            body = {
                "ceremony": ceremony_id,
                "round": said.round,
                "custodian": said.custodian,
                "signed": signed,
            }
            await self._room.append(book.section, ("ceremony_message", body), at=now)
            if said.round == 2 and ceremony.complete(2):
                await self._finish(book, ceremony, now)

    async def resume(self) -> None:
        """Finish ceremonies that a crash left between the last signature and the assignment."""
        for book in list(self._room.shelf.books.values()):
            for ceremony in list(book.ceremonies.values()):
                if ceremony.state == "running" and ceremony.complete(2):
                    await self._finish(book, ceremony, self._room.clock.now())
            if book.keyed is not None:
                await self._tell_trading(book)

    async def _finish(self, book: Book, ceremony: Ceremony, now: int) -> None:
        try:
            certificate = assemble(ceremony)
            context = KeyContext.from_bytes(ceremony.context)
            group = verify_certificate(certificate, context.custodians, context)
        except CryptoError as error:
            index = error.index if isinstance(error, BlameError) else 0
            who = ceremony.custodians[index - 1] if index else ""
            body = {"ceremony": ceremony.id, "custodian": who, "reason": str(error)[:1000]}
            await self._room.append(book.section, ("ceremony_failed", body), at=now)
            return
        section = self._room.trading.section(book.section)
        recipient = recipient_text(group.recipient)
        await self._assign(section, context, certificate, recipient, now)
        await self._tell_trading(self._room.book(book.section))

    async def _assign(
        self,
        section: Section,
        context: KeyContext,
        certificate: SuccessCertificate,
        recipient: str,
        now: int,
    ) -> None:
        seed, nonce = token(32), token(32)
        seed_ref = (await self._room.private.put(section.id, "bid-seed", seed.hex())).ref
        nonce_ref = (await self._room.private.put(section.id, "float-nonce", nonce.hex())).ref
        tender = self._tender_file(section, context, certificate, recipient)
        assign = KeyAssign(
            section=section.id,
            tender=section.tender,
            ceremony=context.ceremony,
            recipient=recipient,
            certificate=sha256_hex(canonical(certificate.to_json())),
            seed=sha256_hex(seed),
            use=context.purpose,
            earliest_t=context.earliest,
            deadline=section.deadline,
            proof_of_possession=tender.proof_of_possession,
        )
        bound = FloatCommitment(
            section=section.id,
            ceremony=context.ceremony,
            party=CENTRE_PARTY,
            digest=commitment(nonce),
            parties=parties(self._room, section),
        )
        signed = self._room.sign(FloatCommitment.PURPOSE, bound.to_body())
        commit = FloatCommit(section=section.id, signed=signed)
        self._room.seeds[section.id] = seed
        await self._room.append(
            section.id,
            ("ceremony_done", {"ceremony": context.ceremony, "certificate": certificate.to_json()}),
            (
                "bids_opened",
                {
                    "file": self._room.sign(TenderFile.PURPOSE, tender.to_body()),
                    "seed_ref": seed_ref,
                    "confirm_ms": self._confirm_ms,
                    "regime": str(self._regime(section)),
                },
            ),
            (
                "float_committed",
                {"party": CENTRE_PARTY, "signed": signed, "ref": nonce_ref},
            ),
            at=now,
            leaves=[self._room.leaf(assign, now), self._room.leaf(commit, now)],
        )

    def _regime(self, section: Section) -> Regime:
        trading = self._room.trading
        return trading.state.projects[trading.tender(section.tender).project].regime

    async def _tell_trading(self, book: Book) -> None:
        """Give trading the key and the tender file; a repetition after a crash is fine."""
        assert book.keyed is not None
        section, tender = self._room.trading.section(book.section), book.keyed.tender
        if section.key is None:
            key = SectionKey(
                tender.recipient,
                tender.ceremony,
                dict(tender.certificate),
                tender.earliest_t,
                tender.minimum_bidders,
            )
            await self._room.trading.assign_key(book.section, key)
        if section.tender_file != book.keyed.file:
            await self._room.trading.file_tender(book.section, book.keyed.file)

    def _tender_file(
        self,
        section: Section,
        context: KeyContext,
        certificate: SuccessCertificate,
        recipient: str,
    ) -> TenderFile:
        tender = self._room.trading.tender(section.tender)
        custodians = self._room.trading.custodians_of(section)
        return TenderFile(
            tender=tender.id,
            section=section.id,
            name=tender.name,
            section_name=section.name,
            version=tender.document_version,
            envelope="whole",
            use=context.purpose,
            recipient=recipient,
            ceremony=context.ceremony,
            certificate=certificate.to_json(),
            custodians=tuple(
                Custodian(
                    custodian=one.id,
                    organisation=one.organisation,
                    key=b64(one.public),
                    host_key=b64(one.host_key),
                    witness=one.witness,
                )
                for one in custodians
            ),
            n=len(custodians),
            t=context.t,
            earliest_t=context.earliest,
            deadline=section.deadline,
            minimum_bidders=context.minimum,
            proof_of_possession="waived" if section.possession == "waived" else "required",
            unlock_window_s=section.custody.window_s,
            remedy=section.custody.remedy,
            summary_fields=tuple(
                SummaryField(name=f.name, title=f.title, kind=f.kind, unit=f.unit)  # type: ignore[arg-type]
                for f in section.summary_fields
            ),
            limits=DEFAULT_LIMITS,
            ledger=self._room.ledger.vkey,
            witnesses=self._room.witness_keys(),
        )


def assemble(ceremony: Ceremony) -> SuccessCertificate:
    """Return the certificate that the posted messages make; checked like any participant would.

    Raises:
        CryptoError: a message is malformed or false; a `BlameError` says whose.
    """
    context = KeyContext.from_bytes(ceremony.context)
    n, received = len(ceremony.custodians), []
    for index, signed in enumerate(ceremony.messages(1), 1):
        try:
            received.append(wire.Round1.from_bytes(_content(signed), n, context.t))
        except CryptoError as error:
            raise BlameError(index, str(error), public=True) from error
    bundles = [wire.bundle_to_bytes([each.ciphertexts[i] for each in received]) for i in range(n)]
    roster = [Point.parse(key) for key in context.custodians]
    transcript = transcribe(
        ceremony.context, context.t, roster, received, bundle_extension(bundles)
    )
    for index, committed in enumerate(transcript.commitments, 1):
        check_possession(transcript, index, committed)
    signatures = tuple(_content(signed) for signed in ceremony.messages(2))
    return SuccessCertificate(transcript.to_bytes(), signatures)


def _task(ceremony: Ceremony, custodian: str) -> dict[str, Any] | None:
    for number in range(1, ROUNDS + 1):
        if number > 1 and not ceremony.complete(number - 1):
            return None
        if custodian not in ceremony.rounds.get(number, {}):
            return {
                "kind": "ceremony",
                "ceremony": ceremony.id,
                "round": number,
                "context": b64(ceremony.context),
                "messages": ceremony.messages(number - 1) if number > 1 else [],
                "first": ceremony.messages(1) if number == ROUNDS else [],
            }
    return None


def speaker(signed: Mapping[str, Any]) -> str:
    """Return the custodian that a statement names, unchecked; its key is looked up by it."""
    said = signed.get("statement")
    return str(said.get("custodian", "")) if isinstance(said, dict) else ""


def _content(signed: dict[str, Any]) -> bytes:
    return unb64(signed["statement"]["message"])
