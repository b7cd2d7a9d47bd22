"""The tender file `tender.json`: what `seal --tender` reads and checks before it seals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from bidding.model.shapes import (
    Body,
    Code,
    Envelope,
    Ident,
    Json,
    Name,
    Point33,
    Positive,
    Recipient,
    SlotMs,
    Small,
    Text,
    Use,
)
from crypto.certificate import KeyContext
from crypto.encoding import unb64

MAX_BID_BYTES: Final = 2 << 30  # design.md §3: bid 2 GiB, files 200, file names 255 bytes
MAX_FILES: Final = 200
MAX_NAME_BYTES: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian(Body):
    """One custodian 密钥托管人 as the roster of a ceremony names it.

    Attributes:
        custodian: its id.
        organisation: who stands for it; no organisation holds two shares.
        key: P-256 statement key, 33 bytes compressed.
        host_key: P-256 key of the DKG host, 33 bytes compressed; pinned by sealers.
        witness: note verifier key text of its log witness, `name+hash+base64`.
    """

    custodian: Ident
    organisation: Name
    key: Point33
    host_key: Point33
    witness: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryField(Body):
    """One field of the bid summary 开标一览表.

    Attributes:
        name: key in the manifest, as `total_price`.
        title: as read out, as 投标总价.
        kind: amount (decimal string, 元, two places), integer (decimal digits) or text.
        unit: as printed, as 元 or 日历天; may be empty.
    """

    name: Code
    title: Name
    kind: Literal["amount", "integer", "text"]
    unit: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Body):
    """Bounds with numbers: sealed bytes, files in a bid, bytes of a file name."""

    bid_bytes: Positive
    files: Positive
    name_bytes: Positive


DEFAULT_LIMITS: Final = Limits(bid_bytes=MAX_BID_BYTES, files=MAX_FILES, name_bytes=MAX_NAME_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderFile(Body):
    """`tender.json`, a statement signed by the centre.

    Attributes:
        name, section_name: as printed; `version` is that of the tender document.
        recipient: age1tag1…, the key that bids are sealed to.
        ceremony: id of the key ceremony; `certificate` its success certificate
            (`crypto.cocktail.SuccessCertificate`), which holds the key's context.
        custodians: the roster in the order of their DKG indexes 1…n; `t` of them open.
        earliest_t: of the key's context; `deadline`: T now, ms UTC, never below it.
        unlock_window_s: seconds after T in which custodians answer; `remedy`: what follows if
            fewer than t do.
        ledger: note verifier key of the log; `witnesses`: those of all witnesses.
    """

    PURPOSE: ClassVar[str] = "tender"

    tender: Ident
    section: Ident
    name: Name
    section_name: Name
    version: Positive
    envelope: Envelope
    use: Use
    recipient: Recipient
    ceremony: Ident
    certificate: Json
    custodians: tuple[Custodian, ...]
    n: Small
    t: Small
    earliest_t: SlotMs
    deadline: SlotMs
    minimum_bidders: Positive
    proof_of_possession: Literal["required", "waived"]
    unlock_window_s: Positive
    remedy: Text
    summary_fields: tuple[SummaryField, ...]
    limits: Limits
    ledger: Name
    witnesses: tuple[Name, ...]

    def context(self, centre: str) -> KeyContext:
        """Return the key context that the certificate must have been made for.

        Raises:
            FormatError: roster, threshold, time or minimum are out of range.
        """
        return KeyContext(
            centre=centre,
            section=self.section,
            ceremony=self.ceremony,
            purpose=self.use,
            earliest=self.earliest_t,
            minimum=self.minimum_bidders,
            custodians=tuple(unb64(custodian.host_key) for custodian in self.custodians),
            t=self.t,
        )
