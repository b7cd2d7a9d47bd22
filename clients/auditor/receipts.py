"""What people hold in hand: receipt 回执, refusal 拒收, an offer's receipt, evidence of two histories.

`documents.receipt` follows a bid's receipt from the act to the log's signature. Here stands what it cannot know:
the exact fields of bidding, that the centre and no other trusted key has spoken, that slot and origin are the
right ones (docs/spec/ledger-v1.md §5.2). An offer's receipt (`auction.record`) is shorter:

    row with its chain hash → path → root of the commit's rows → the centre's signature
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from auction.record import verify_receipt
from auction.replay.book import STREAM
from bidding.model import Receipt, Refusal
from clients.auditor import hall_receipts, histories, roles
from clients.auditor.checklist import AuditError, Check, Checklist, NotChecked, must
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.errors import CryptoError
from crypto.tlog.note import Note
from documents import receipt
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from clients.auditor.keys import Keys
    from trading.ground.chain import Row

RECEIPT: Final = {
    "fields": "回执字段齐全 · the receipt has its exact fields",
    "issuer": "由交易中心签发 · issued by the centre and nobody else",
    "slot": "条目即该行为的时段 · the leaf is of the act's own slot",
    "origin": "日志属于该中心 · the log is the centre's ledger",
}
REFUSAL: Final = {
    "fields": "拒收凭证字段齐全 · the refusal has its exact fields",
    "issuer": "由交易中心签发 · issued by the centre and nobody else",
    "arrival": "到达时刻与理由相符 · the stated arrival fits the stated reason",
}
OFFER: Final = {
    "form": "报价回执格式完整 · the receipt has its exact form",
    "proof": "记录行在已签批次之中 · the row is among those that were signed for",
    "issuer": "由交易中心签发 · issued by the centre and nobody else",
    "offer": "报价原文与记录相符 · the row says what the offer said",
    "ledger": "链头进入存证日志 · the chain's head enters the ledger",
}
OFFER_RECEIPT: Final = "offer_receipt"
_HEAD: Final = ("v", "suite", "purpose", "centre")
_LATE: Final = "bid-deadline-passed"


def check(data: bytes, keys: Keys, at: int) -> tuple[Check, ...]:
    """Check a receipt, a refusal, an offer's receipt, or another signed statement.

    Args:
        data: the file.
        keys: pinned keys.
        at: time of the check, ms UTC; nothing may speak of a later time.
    """
    value = _peek(data)
    if histories.is_evidence(value):
        return histories.check(value, keys)
    if value.get("purpose") == OFFER_RECEIPT:
        return _offer(data, keys, at)
    slip = receipt.check(data, keys.trust, at)
    purpose = value.get("statement", {}).get("purpose")
    if purpose == Receipt.PURPOSE:
        return (*slip, *_receipt(value, keys))
    if purpose == Refusal.PURPOSE:
        return (*slip, *_refusal(value, keys))
    if purpose in hall_receipts.PURPOSES:
        return (*slip, *hall_receipts.check(value, keys, at))
    return (*slip, roles.check(value, keys))


def _peek(data: bytes) -> dict[str, Any]:
    """Return the JSON object to dispatch by, {} where there is none; nothing of it is believed."""
    try:
        value = parse(data)
    except CryptoError:
        return {}
    if not isinstance(value, dict) or not isinstance(value.get("statement", {}), dict):
        return {}
    return value


def _body(signed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in signed["statement"].items() if name not in _HEAD}


def _issuer(signed: dict[str, Any], keys: Keys) -> str:
    return keys.signed_by_centre(statement.signer(signed), str(signed["statement"]["centre"]))


def _receipt(signed: dict[str, Any], keys: Keys) -> tuple[Check, ...]:
    centre = str(signed["statement"].get("centre"))
    todo = Checklist("receipt", RECEIPT)
    read: list[Receipt] = []

    def fields() -> str:
        read.append(Receipt.from_body(_body(signed)))
        said = read[0]
        return (
            f"{said.entry.kind} {said.entry.id} of {said.bidder}, {said.section}, arrived "
            f"{beijing(said.entry.arrival)} 北京时间, file {said.sha256[:16]}… of {said.size} bytes"
        )

    def slot() -> str:
        said = read[0]
        leaf = parse(said.leaf)
        must(canonical(leaf) == said.leaf.encode(), "the leaf is not canonical JSON")
        must(
            leaf.get("slot") == said.entry.slot,
            f"the leaf is of slot {leaf.get('slot')}, the act of slot {said.entry.slot}",
        )
        must(
            (said.entry.slot + 1) * 1000 <= said.issued,
            f"it was issued at {beijing(said.issued)}, before slot {said.entry.slot} was over",
        )
        return f"slot {said.entry.slot}, leaf {said.leaf_index}"

    def origin() -> str:
        found = _origin(read[0].checkpoint)
        must(
            found.startswith(f"{centre}/ledger/"),
            f"the checkpoint is of {found}, which is no ledger of {centre}",
        )
        return found

    todo.check("fields", fields)
    todo.check("issuer", lambda: _issuer(signed, keys), needs=["fields"])
    todo.check("slot", slot, needs=["fields"])
    todo.check("origin", origin, needs=["fields"])
    return todo.checks


def _origin(note: str) -> str:
    return Note.parse(note.encode()).text.split(b"\n", 1)[0].decode()


def _refusal(signed: dict[str, Any], keys: Keys) -> tuple[Check, ...]:
    todo = Checklist("refusal", REFUSAL)
    read: list[Refusal] = []

    def fields() -> str:
        read.append(Refusal.from_body(_body(signed)))
        return f"{read[0].section}, {read[0].code}, statement {read[0].statement[:16]}…"

    def arrival() -> str:
        said = read[0]
        late = said.arrival - said.deadline
        must(
            late >= 0 or said.code != _LATE,
            f"refused as late, yet {beijing(said.arrival)} is {-late} ms before the deadline "
            f"{beijing(said.deadline)}",
        )
        return (
            f"arrived {beijing(said.arrival)} 北京时间, {abs(late)} ms "
            f"{'after' if late >= 0 else 'before'} the deadline"
        )

    todo.check("fields", fields)
    todo.check("issuer", lambda: _issuer(signed, keys), needs=["fields"])
    todo.check("arrival", arrival, needs=["fields"])
    return todo.checks


class _Offer:
    """An offer's receipt being checked."""

    def __init__(self, data: bytes, keys: Keys, at: int) -> None:
        self._data = data
        self._keys = keys
        self._at = at
        self.value: dict[str, Any] = {}
        self.row: Row | None = None

    @property
    def centre(self) -> str:
        """The centre it says it is of."""
        return str(self.value["centre"])

    def form(self) -> str:
        """Read it; one byte form, so that no byte of the file is free."""
        value = parse(self._data)
        must(canonical(value) == self._data.removesuffix(b"\n"), "it is not in canonical form")
        self.value = value
        return f"{self.centre}"

    def proof(self) -> str:
        """Follow the row to the head, and the head to the key that signed it."""
        key = statement.signer(self.value["head"])  # whose it is, is the next check
        self.row = row = verify_receipt(self.value, centre=self.centre, key=key)
        body = row.body
        verdict = body.get("verdict", {"ok": False, "code": body.get("code")})
        told = f"#{verdict['seq']}" if verdict["ok"] else f"refused {verdict['code']}"
        amount = body.get("content", {}).get("amount", "")
        return (
            f"{row.stream} row {row.seq}: {body.get('by')} {body.get('do', '')} {amount} {told}, "
            f"arrived {beijing(row.at)} 北京时间, chain {row.chain.hex()[:16]}…"
        )

    def issuer(self) -> str:
        """Say whose key signed the head, and when."""
        assert self.row is not None
        head = self.value["head"]
        at = head["statement"]["at"]
        must(
            type(at) is int and self.row.at <= at <= self._at,
            "the head was signed before the arrival, or in the future",
        )
        who = self._keys.signed_by_centre(statement.signer(head), self.centre)
        return f"{who}, {beijing(at)} 北京时间"

    def offer(self) -> str:
        """Hold the row against the signed words that it carries."""
        assert self.row is not None
        if "offer" not in self.row.body:
            raise NotChecked("the offer is closed for now, or the row has none")
        lot = self.row.stream.removeprefix(STREAM)
        return offer_says(self.row.body, self.centre, lot)

    def ledger(self) -> str:
        """Say what a receipt alone cannot show."""
        raise NotChecked("that the chain's head entered the ledger stands in the dossier")


def _offer(data: bytes, keys: Keys, at: int) -> tuple[Check, ...]:
    one, todo = _Offer(data, keys, at), Checklist("offer", OFFER)
    todo.check("form", one.form)
    todo.check("proof", one.proof, needs=["form"])
    todo.check("issuer", one.issuer, needs=["proof"])
    todo.check("offer", one.offer, needs=["proof"], essential=False)
    todo.check("ledger", one.ledger, needs=["proof"], essential=False)
    return todo.checks


def offer_says(body: dict[str, Any], centre: str, lot: str) -> str:
    """Check that a decided row repeats what the bidder's text says; its signature is another check.

    Args:
        body: of the row, opened where it was closed.
        centre: id of the centre.
        lot: id of the auction.

    Raises:
        AuditError: it says something else.
    """
    said = parse(str(body["offer"]))
    must(canonical(said) == str(body["offer"]).encode(), "the offer's text is not canonical JSON")
    wanted = {
        "v": 1, "suite": statement.SUITE, "purpose": "offer", "centre": centre, "lot": lot,
        "paddle": body["by"], "do": body["do"], **body.get("content", {}),
    }  # fmt: skip
    if "key" in body:
        wanted["key"] = body["key"]
    for name, value in wanted.items():
        if said.get(name) != value:
            raise AuditError(f"the offer says {name} {said.get(name)!r}, the row {value!r}")
    return f"{said['do']} {said.get('amount', '')} by {said['paddle']}"
