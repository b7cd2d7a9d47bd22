"""Receipts and refusals checked offline: what a bidder holds in hand after handing in a bid.

A receipt (purpose `receipt`, form of bidding's sealed-bid-v1) proves that an act stands in the section's hidden-number
tree, that the tree's root is committed in a slot's leaf, and that the leaf is in the log. A refusal (purpose
`refusal`) is the centre's signed word when something arrived. Any other signed statement is checked for its signature
only, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crypto import section_tree, statement
from crypto.canonical import canonical, parse
from crypto.encoding import sha256
from crypto.tlog import checkpoint, cosignature, merkle
from crypto.tlog.note import Note
from documents.checks import Check, NotChecked, run
from documents.model import DocumentError, ReceiptFacts
from documents.trust import LEDGER

if TYPE_CHECKING:
    from documents.trust import Trust

RECEIPT, REFUSAL = "receipt", "refusal"


@dataclass(slots=True)
class Slip:
    """A signed statement being checked; `signed` is its parsed JSON, `body` what it says once verified."""

    data: bytes
    signed: dict[str, Any] | None = None
    body: dict[str, Any] | None = None

    def said(self) -> dict[str, Any]:
        """Return the body.

        Raises:
            NotChecked: when the statement could not be read.
        """
        if self.body is None:
            raise NotChecked("the statement could not be read")
        return self.body

    @property
    def purpose(self) -> str:
        """The purpose it was signed for, "" before it has been read."""
        return "" if self.signed is None else str(self.signed["statement"]["purpose"])

    @property
    def centre(self) -> str:
        """The centre it speaks of."""
        return "" if self.signed is None else str(self.signed["statement"]["centre"])


def check(data: bytes, trust: Trust, at: int) -> tuple[Check, ...]:
    """Check a receipt, a refusal or another signed statement.

    Args:
        data: the file; canonical JSON of the signed form.
        trust: what the verifier trusts.
        at: the time of the check, ms UTC.
    """
    slip = Slip(data)
    checks = [
        run("slip.form", "声明格式完整 · a signed statement in exact form", lambda: _form(slip)),
        run(
            "slip.signature",
            "签名成立且来自可信密钥 · signed by a trusted key",
            lambda: _signer(slip, trust),
        ),
    ]
    if slip.purpose == RECEIPT:
        checks += [
            run(
                "slip.tree",
                "在本标段的隐数树中 · the act is in the section's tree",
                lambda: _tree(slip),
            ),
            run(
                "slip.log",
                "所在时隙已入存证日志 · its slot is in the log",
                lambda: _log(slip, trust),
            ),
            run("slip.times", "时刻相符 · the times agree", lambda: _times(slip, at)),
            run(
                "slip.witnesses",
                "见证人联署 · cosigned by witnesses",
                lambda: _seen(slip, trust),
                essential=False,
            ),
        ]
    elif slip.purpose == REFUSAL:
        checks.append(
            run("slip.arrival", "载明到达时刻 · it states the arrival", lambda: _arrival(slip, at))
        )
    return tuple(checks)


def check_page(facts: ReceiptFacts) -> Check:
    """Check that a receipt on paper says what the signed receipt in it says; that one has checks of its own."""
    title = "纸面与所附回执一致 · the page says what the receipt inside says"
    return run("slip.page", title, lambda: _page(facts))


def _page(facts: ReceiptFacts) -> str:
    said = parse(facts.receipt.encode())["statement"]
    entry, head = said["entry"], checkpoint.parse(Note.parse(said["checkpoint"].encode()).text)
    wanted = {
        "centre": (facts.heading.centre, said["centre"]),
        "issued": (facts.heading.issued_at, said["issued"]),
        "ledger": (
            (facts.heading.ledger_origin, facts.heading.ledger_size, facts.heading.ledger_root),
            (head.origin, head.size, head.root.hex()),
        ),
        **{name: (getattr(facts, name), said[name]) for name in ("tender", "section", "sha256", "size")},
        **{name: (getattr(facts, name), entry[name]) for name in ("id", "arrival", "slot", "replaces")},
        "act": (facts.act, entry["kind"]),
    }  # fmt: skip
    wrong = [name for name, (shown, signed) in wanted.items() if shown != signed]
    if said["purpose"] != RECEIPT or wrong:
        raise DocumentError(f"the page differs from the receipt in it: {', '.join(wrong)}")
    return f"{facts.act} {facts.id} of {facts.bidder.name}"


def _form(slip: Slip) -> str:
    value = parse(slip.data)
    # One form only, so that no byte of the file is free; a line end is what editors and shells add.
    if canonical(value) != slip.data.removesuffix(b"\n"):
        raise DocumentError("the statement is not in canonical form")
    inner = value.get("statement") if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not all(
        isinstance(inner.get(k), str) for k in ("purpose", "centre")
    ):
        raise DocumentError("this is no signed statement")
    slip.body = statement.verify(value, purpose=inner["purpose"], centre=inner["centre"])
    slip.signed = value
    return f"{inner['purpose']} of {inner['centre']}"


def _signer(slip: Slip, trust: Trust) -> str:
    slip.said()
    if not trust.anchors:
        raise NotChecked("no trusted certificates were given (--trust FILE)")
    name = trust.statement_key(statement.signer(slip.signed or {}))
    if name is None:
        raise DocumentError("the statement is signed by a key that the trust file does not hold")
    return name


def _tree(slip: Slip) -> str:
    body = slip.said()
    entry = {"v": 1, "purpose": "entry", "centre": slip.centre, **body["entry"]}
    if entry["section"] != body["section"]:
        raise DocumentError("the receipt and its entry speak of different sections")
    leaf = parse(body["leaf"])
    if canonical(leaf) != body["leaf"].encode():
        raise DocumentError("the slot's leaf is not canonical JSON")
    salt = bytes.fromhex(body["salt"])
    path = [bytes.fromhex(digest) for digest in body["path"]]
    root = _root(body["index"], canonical(entry), path)
    section_tree.verify_path(root, body["index"], canonical(entry), path)
    if section_tree.slot_commitment(salt, root).hex() != leaf["sections"].get(body["section"]):
        raise DocumentError("the slot's leaf commits to another tree of this section")
    if (
        leaf["kind"] != "slot"
        or leaf["centre"] != slip.centre
        or leaf["slot"] != body["entry"]["slot"]
    ):
        raise DocumentError("the leaf is not that of the act's slot")
    return f"{body['entry']['kind']} {body['entry']['id']} in slot {leaf['slot']}"


def _root(index: int, entry: bytes, path: list[bytes]) -> bytes:
    """Fold the path upwards; the commitment in the leaf then says whether this is the root."""
    digest = section_tree.entry_hash(index, entry)
    for level, sibling in enumerate(path):
        pair = sibling + digest if index >> level & 1 else digest + sibling
        digest = sha256(b"\x01" + pair)
    return digest


def _log(slip: Slip, trust: Trust) -> str:
    body = slip.said()
    signed = body["checkpoint"].encode()
    origin = _origin(signed)
    if not origin.startswith(slip.centre + LEDGER):
        raise DocumentError(f"{origin} is no ledger of {slip.centre}")
    key = trust.log(origin)
    if key is None:
        raise NotChecked(f"the key of the log {origin} is not in the trust file")
    head = checkpoint.open_checkpoint(signed, key)
    path = [bytes.fromhex(digest) for digest in body["inclusion"]]
    merkle.verify_inclusion(
        body["leaf_index"], head.size, merkle.leaf_hash(body["leaf"].encode()), path, head.root
    )
    return f"leaf {body['leaf_index']} of {head.size}"


def _times(slip: Slip, at: int) -> str:
    body = slip.said()
    arrival, slot = body["entry"]["arrival"], body["entry"]["slot"]
    if slot < arrival // 1000 or not (slot + 1) * 1000 <= body["issued"] <= at:
        raise DocumentError(
            "arrival, slot and issue of the receipt contradict each other, or lie in the future"
        )
    return f"arrived at {arrival} ms UTC, issued {body['issued'] - arrival} ms later"


def _seen(slip: Slip, trust: Trust) -> str:
    signed = slip.said()["checkpoint"].encode()
    names = sorted(
        {one.key.name for one in cosignature.verify(signed, trust.witnesses(_origin(signed)))}
    )
    if not names:
        raise NotChecked("not yet witnessed; the centre's ledger shows later cosignatures")
    return ", ".join(names)


def _arrival(slip: Slip, at: int) -> str:
    body = slip.said()
    if body["arrival"] > at:
        raise DocumentError("the refusal speaks of the future")
    return f"{body['code']}: arrived at {body['arrival']} ms UTC, deadline {body['deadline']}"


def _origin(signed: bytes) -> str:
    return Note.parse(signed).text.split(b"\n", 1)[0].decode()
