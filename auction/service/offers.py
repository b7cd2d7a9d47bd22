"""Signed messages of a bidder: the delegation on entering the hall, and the offers after it.

An offer is a statement (purpose `offer`) in canonical JSON, signed by the delegated key:

    {"amount":"40","centre":C,"do":"bid","key":"…","lot":L,"paddle":"107","purpose":"offer",
     "suite":"P256-SHA256","v":1}

It travels as its exact text beside its signature, `{"offer": text, "signature": base64}`, and stands
so in the journal: whoever has the row can check it. A delegation (purpose `delegation`) is a signed
statement of the bidder's certified key: lot, paddle, delegate, expires_at.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from auction.model import AuctionError, Do
from auction.replay.book import Seat
from auction.service.turn import Signed
from crypto.canonical import canonical, parse
from crypto.encoding import unb64
from crypto.errors import CryptoError, SignatureError
from crypto.signature import load_public
from crypto.statement import PREFIX, SUITE, VERSION
from crypto.statement import verify as verify_statement
from trading.ground.problems import Kind

MAX_FRAME = 4_096  # bytes of a message on the bidders' socket
LONGEST_DELEGATION_MS = 24 * 3600 * 1000

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_CONTENT = ("amount", "commit", "nonce")
_HEAD = ("v", "suite", "purpose", "centre", "lot", "paddle", "do", "key")
_ALLOWED = frozenset({*_HEAD, *_CONTENT, "seen"})
_ASKS = frozenset(do.value for do in Do) - {Do.SUSPEND, Do.RESUME, Do.TERMINATE}


class UnheardError(AuctionError):
    """What is refused before the engine hears it; `heard_as` is the code in the journal."""

    def __init__(self, heard_as: str, title: str, detail: str, *, kind: Kind) -> None:
        super().__init__(heard_as.lower().replace("_", "-"), title, detail, kind=kind)
        self.heard_as = heard_as


def malformed(detail: str) -> UnheardError:
    """A message that is no offer at all."""
    return UnheardError("MALFORMED", "报价报文格式不正确", detail, kind=Kind.MALFORMED)


def bad_signature(detail: str) -> UnheardError:
    """A message that was not signed by whom it names."""
    return UnheardError("BAD_SIGNATURE", "签名验证不通过", detail, kind=Kind.UNAUTHENTICATED)


def replayed() -> UnheardError:
    """A client key that stood on another offer before."""
    detail = "This key stood on another offer before. Sign with a fresh one."
    return UnheardError("REPLAY", "报价编号重复使用", detail, kind=Kind.CONFLICT)


class Offered(msgspec.Struct, frozen=True):
    """An offer whose form is sound; its signature is checked in the `Turn`.

    Attributes:
        content: its amount, commit and nonce, where they are text; what is none is refused by the
            engine in the same way as an absent one.
        proof: text and signature, for the journal.
    """

    do: Do
    key: str
    content: Mapping[str, str]
    proof: Mapping[str, str]


def read_offer(written: str, signature: str, centre: str, lot: str, paddle: str) -> Offered:
    """Read an offer.

    Args:
        written: the exact text that was signed.
        signature: base64 of 64 bytes; not checked here.
        centre: id of the centre.
        lot: id of the hall's auction.
        paddle: of the seat whose socket this is.

    Raises:
        UnheardError: MALFORMED, with what is wrong.
    """
    proof = {"offer": written, "signature": signature}
    quick = _read_quickly(written)
    if quick is not None and quick.fits(centre, lot, paddle):
        return Offered(Do(quick.do), quick.key, quick.content(), proof)
    try:
        said = parse(written)
    except CryptoError as error:
        raise malformed("The offer is the text of a JSON object, in strict JSON.") from error
    if not isinstance(said, dict) or not _ALLOWED.issuperset(said):
        raise malformed("An offer has a member that no offer has.")
    expected = {
        "v": VERSION, "suite": SUITE, "purpose": "offer", "centre": centre, "lot": lot,
        "paddle": paddle,
    }  # fmt: skip
    for name, value in expected.items():
        if type(said.get(name)) is not type(value) or said[name] != value:
            raise malformed(f"The member {name} of the offer is not that of this hall.")
    do, key = said.get("do"), said.get("key")
    if do not in _ASKS or not isinstance(key, str) or _KEY.fullmatch(key) is None:
        raise malformed("An offer says what it asks for, and has a key of 16 to 64 characters.")
    if canonical(said) != written.encode():
        raise malformed("The offer's text is not canonical JSON (RFC 8785).")
    content = {name: said[name] for name in _CONTENT if isinstance(said.get(name), str)}
    return Offered(Do(do), key, content, proof)


class _Flat(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An offer as nearly all are: text members and the version."""

    centre: str
    do: str
    key: str
    lot: str
    paddle: str
    purpose: str
    suite: str
    v: int
    amount: str | msgspec.UnsetType = msgspec.UNSET
    commit: str | msgspec.UnsetType = msgspec.UNSET
    nonce: str | msgspec.UnsetType = msgspec.UNSET

    def fits(self, centre: str, lot: str, paddle: str) -> bool:
        """Say whether it is an offer to this hall from this seat, with a sound key."""
        head = (self.v, self.suite, self.purpose, self.centre, self.lot, self.paddle)
        return (
            head == (VERSION, SUITE, "offer", centre, lot, paddle)
            and self.do in _ASKS
            and _KEY.fullmatch(self.key) is not None
        )

    def content(self) -> dict[str, str]:
        """What of amount, commit and nonce it has."""
        given = (("amount", self.amount), ("commit", self.commit), ("nonce", self.nonce))
        return {name: value for name, value in given if value is not msgspec.UNSET}


_flat = msgspec.json.Decoder(_Flat).decode
_sorted = msgspec.json.Encoder(order="sorted").encode


def _read_quickly(written: str) -> _Flat | None:
    """Read a flat offer that is written as RFC 8785 wants; None sends it the long way, which judges."""
    try:
        said = _flat(written)
        return said if _sorted(said) == written.encode() else None
    except (msgspec.DecodeError, UnicodeError):
        return None


def signed_by(offered: Offered, seat: Seat, at: int) -> Signed:
    """Say what the seat's delegated key must have signed, if it still could at the offer's arrival.

    Raises:
        UnheardError: BAD_SIGNATURE.
    """
    if not seat.delegate or at >= seat.until:
        raise bad_signature("The delegated key has expired; enter the hall again.")
    message = PREFIX + offered.proof["offer"].encode(errors="surrogatepass")
    return Signed(seat.delegate, message, offered.proof["signature"])


def read_delegation(
    signed: Any, *, centre: str, lot: str, paddle: str, key: bytes, at: int
) -> tuple[bytes, int]:
    """Read a delegation.

    Args:
        signed: the signed statement.
        centre: id of the centre.
        lot: id of the hall's auction.
        paddle: of the seat that delegates.
        key: the bidder's certified key, 33 bytes: the only one that may have signed.
        at: arrival stamp, ms UTC.

    Returns:
        The delegated key, 33 bytes, and its expiry, ms UTC.

    Raises:
        UnheardError: MALFORMED or BAD_SIGNATURE.
    """
    try:
        said = verify_statement(signed, purpose="delegation", centre=centre, key=key)
        if set(said) != {"lot", "paddle", "delegate", "expires_at"}:
            raise malformed("A delegation says lot, paddle, delegate and expires_at.")
        if not isinstance(said["delegate"], str):
            raise malformed("The delegate is a public key in base64.")
        delegate = unb64(said["delegate"])
        load_public(delegate)
    except SignatureError as error:
        raise bad_signature("The delegation is not signed by the key of this session.") from error
    except CryptoError as error:
        raise malformed("The delegation is no signed statement.") from error
    until = said["expires_at"]
    if (said["lot"], said["paddle"]) != (lot, paddle):
        raise malformed("The delegation is for another hall or another paddle.")
    if type(until) is not int or not at < until <= at + LONGEST_DELEGATION_MS:
        raise malformed("A delegation expires after now, within 24 hours.")
    if delegate == key:
        raise malformed("Delegate to a fresh key, not to the certified one.")
    return delegate, until
