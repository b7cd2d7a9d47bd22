"""Handing in a sealed bid: resumable upload, submission, receipt; running it again goes on where it stopped.

Beside ``BID.age`` lie ``BID.submission.json`` (what `seal` signed), ``BID.upload.json`` (the upload's address)
and in the end ``BID.receipt.json``, or ``BID.refusal.json`` where the centre refused with its signature.
Nothing here can be lost or doubled: the centre knows where an upload stands, and the identical statement gets
its first receipt.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError, Receipt, Submission, Withdrawal
from clients import sentences as say
from clients.errors import ClientError, IncompleteError
from clients.files import read_json, write_durably, write_json
from clients.sdk import uploads
from clients.sdk.wire import RefusedError, WireError
from clients.sealing import encapsulation_of, submission_path
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clients.sdk.wire import Centre
    from crypto.signature import SigningKey
    from documents.checks import Check
    from documents.trust import Trust
    from trading.ground.clock import Clock

BLOCK: Final = 1 << 20


class RefusedBidError(ClientError):
    """The centre refused with a signed refusal; it lies beside the bid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What came of it.

    Attributes:
        path: where the receipt lies.
        receipt: what it says; `checks`: how it was held against the own bytes and the log.
        skew: ms by which the own clock was behind the centre's when the receipt was issued.
    """

    path: Path
    receipt: Receipt
    checks: tuple[Check, ...]
    skew: int = 0


def beside(sealed: Path, what: str) -> Path:
    """``BID.<what>.json`` beside ``BID.age``."""
    return sealed.with_suffix(f".{what}.json")


def read_submission(sealed: Path, key: SigningKey) -> tuple[dict[str, Any], Submission, str]:
    """Reads ``BID.submission.json`` and holds it against key and header of the sealed file.

    Returns:
        The file's content, what the statement says, and the centre it is for.

    Raises:
        ClientError: it was signed by another key, or is for another file.
    """
    told = read_json(submission_path(sealed))
    try:
        signed = told["submission"]
        centre = str(signed["statement"]["centre"])
        body = statement.verify(signed, purpose=Submission.PURPOSE, centre=centre, key=key.public)
        said = Submission.from_body(body)
    except (CryptoError, BiddingError, KeyError, TypeError) as error:
        raise ClientError(
            say.NOT_SIGNED_BY_KEY(submission=submission_path(sealed), error=error)
        ) from error
    if said.encapsulation != b64(encapsulation_of(sealed)):
        raise ClientError(say.OTHER_FILE(sealed=sealed, submission=submission_path(sealed)))
    return told, said, centre


def digest_of(sealed: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    buffer = bytearray(BLOCK)
    with sealed.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
            progress(count)
    return digest.hexdigest()


def submit(
    centre: Centre,
    sealed: Path,
    key: SigningKey,
    *,
    trust: Trust | None,
    clock: Clock,
    progress: uploads.Progress,
    told: dict[str, Any] | None = None,
) -> Handed:
    """Brings a sealed bid to its receipt.

    Args:
        centre: with a session of the bidder.
        sealed: ``BID.age``; its other files lie beside it.
        key: the key that signed the submission.
        trust: pinned keys, or None for those that the centre shows.
        clock: own clock, for the check of the receipt.
        progress: of the upload.
        told: content of ``BID.submission.json`` where it was made just now.

    Raises:
        RefusedBidError: refused with a signed refusal, which is kept.
        RefusedError: refused otherwise.
        WireError: the connection failed; run it again.
        ClientError: file and submission, or receipt and file, do not fit each other.
    """
    if told is not None:
        write_json(submission_path(sealed), told)
    told, said, _ = read_submission(sealed, key)
    if sealed.stat().st_size != said.size or digest_of(sealed) != said.sha256:
        raise ClientError(say.CHANGED_SINCE(sealed=sealed))
    known = _known_upload(sealed, said)
    path = uploads.resume_or_create(centre, sealed, {"filename": sealed.name}, known)
    write_json(beside(sealed, "upload"), {"v": 1, "sha256": said.sha256, "upload": path})
    uploads.send(centre, sealed, path, progress)
    form = {
        "submission": told["submission"],
        "possession": told["possession"],
        "upload": path.rsplit("/", 1)[-1],
    }
    signed = _post(centre, f"/sections/{said.section}/submissions", form, beside(sealed, "refusal"))
    return keep_receipt(
        signed, beside(sealed, "receipt"), said.sha256, said.size, centre, trust, clock
    )


def withdraw(
    centre: Centre, receipt: Path, key: SigningKey, *, trust: Trust | None, clock: Clock
) -> Handed:
    """Withdraws 撤回 the bid that a receipt is for; returns the receipt of the withdrawal."""
    signed = read_json(receipt)
    try:
        centre_id = str(signed["statement"]["centre"])
        said = Receipt.from_body(
            statement.verify(signed, purpose=Receipt.PURPOSE, centre=centre_id)
        )
    except (CryptoError, BiddingError, KeyError, TypeError) as error:
        raise ClientError(say.NO_RECEIPT(path=receipt, error=error)) from error
    body = Withdrawal(
        tender=said.tender, section=said.section, bidder=said.bidder, submission=said.entry.id
    )
    form = {"withdrawal": statement.sign(key, Withdrawal.PURPOSE, centre_id, body.to_body())}
    path = f"/sections/{said.section}/withdrawals"
    answer = _post(centre, path, form, receipt.with_suffix(".refusal.json"))
    target = receipt.with_suffix(".withdrawal.json")
    return keep_receipt(answer, target, said.sha256, None, centre, trust, clock)


def keep_receipt(
    signed: Any,
    target: Path,
    sha256: str,
    size: int | None,
    centre: Centre,
    trust: Trust | None,
    clock: Clock,
) -> Handed:
    """Checks a receipt as `verify` does, holds it against the own bytes, and keeps it.

    Args:
        signed: as the centre gave it.
        target: where it goes, in canonical form.
        sha256: of the own file.
        size: of the own file; None where the receipt is of a withdrawal.
        centre: asked for its keys where none are pinned.
        trust: pinned keys, or None.
        clock: own clock.

    Raises:
        ClientError: a check failed; the receipt is kept beside as evidence.
    """
    from documents import receipt as paper

    content = canonical(signed)
    write_durably(target, content + b"\n")
    # The own clock decides nothing (the arrival at the centre does): one that is wrong must not call a
    # good receipt false, so the receipt is judged as of its own time and the difference is shown.
    now, issued = clock.now(), signed["statement"].get("issued")
    moment = max(now, issued) if type(issued) is int else now
    checks = paper.check(content, trust or shown_trust(centre), moment + 60_000)
    wrong = [check for check in checks if check.status == "failed"]
    if wrong:
        raise ClientError(
            say.RECEIPT_FALSE(target=target, check=wrong[0].id, detail=wrong[0].detail)
        )
    body = dict(signed["statement"])
    for name in ("v", "suite", "purpose", "centre"):
        body.pop(name)
    said = Receipt.from_body(body)
    if said.sha256 != sha256 or (size is not None and said.size != size):
        raise ClientError(say.RECEIPT_OF_OTHER_BYTES(target=target))
    return Handed(path=target, receipt=said, checks=checks, skew=said.issued - now)


def keep_paper(centre: Centre, handed: Handed, trust: Trust | None, clock: Clock) -> Path:
    """Brings home a receipt's signed PDF, beside its JSON, and checks seal, page and the receipt in it.

    Args:
        centre: with a session of the bidder.
        handed: what came of handing in; its receipt is kept.
        trust: pinned keys, or None for those that the centre shows.
        clock: own clock.

    Raises:
        RefusedError: the centre draws none.
        ClientError: a check failed, or it carries another receipt; the file is kept as evidence.
    """
    from documents import paper, receipt
    from documents.model import ReceiptFacts

    said = handed.receipt
    answer = centre.raw("GET", f"/sections/{said.section}/receipts/{said.entry.id}.pdf")
    target = handed.path.with_suffix(".pdf")
    write_durably(target, answer.body)
    read, checks = paper.check(answer.body, trust or shown_trust(centre), clock.now() + 60_000)
    wrong = [f"{check.id}: {check.detail}" for check in checks if check.status == "failed"]
    facts = read.facts
    if not wrong and isinstance(facts, ReceiptFacts):
        page = receipt.check_page(facts)
        if page.status == "ok" and facts.receipt.encode() == handed.path.read_bytes().rstrip(b"\n"):
            return target
        wrong = [page.detail if page.status != "ok" else "it carries another receipt"]
    raise ClientError(say.PAPER_FALSE(target=target, wrong=wrong[:1]))


def shown_trust(centre: Centre) -> Trust:
    """The keys that the centre itself shows: enough to find an accident, not a lie."""
    from documents.trust import NOTHING, Trust

    shown = centre.about().get("certificates", {})
    pem = "\n".join(shown.values()) if isinstance(shown, dict) else ""
    return Trust.from_pem(pem.encode()) if pem else NOTHING


def _known_upload(sealed: Path, said: Submission) -> str | None:
    state = beside(sealed, "upload")
    if not state.is_file():
        return None
    kept = read_json(state)
    return str(kept["upload"]) if kept.get("sha256") == said.sha256 else None


def _post(centre: Centre, path: str, form: dict[str, Any], refusal: Path) -> Any:
    """Posts a signed act; a signed refusal is kept, a busy centre is a reason to come again."""
    try:
        return centre.call("POST", path, form)
    except WireError as error:
        raise IncompleteError(say.RUN_AGAIN(error=error)) from error
    except RefusedError as problem:
        signed = problem.body.get("refusal")
        if not isinstance(signed, dict):
            raise
        write_durably(refusal, canonical(signed) + b"\n")
        raise RefusedBidError(say.REFUSED(problem=problem, refusal=refusal)) from problem
