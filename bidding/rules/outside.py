"""A submission judged on its outside only: nobody can look inside before the opening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import ConflictError, Entry, MalformedError, Submission, Withdrawal
from bidding.rules.bids import Act
from crypto import possession, statement
from crypto.age.stanzas import check_tag, parse_recipient
from crypto.canonical import canonical
from crypto.encoding import unb64
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crypto.age.header import P256Tag

MAX_PARTIES: Final = 16
"""Of one consortium 联合体, as `trading.model` bounds it."""


def read_submission(signed: Mapping[str, Any], centre: str) -> tuple[Submission, bytes, str]:
    """Check the signature of a submission; return what it says, its key and its digest (hex).

    Raises:
        MalformedError: `statement-invalid`, or a field does not fit.
    """
    try:
        body = statement.verify(signed, purpose=Submission.PURPOSE, centre=centre)
        key, digest = statement.signer(signed), statement.digest(signed)
    except CryptoError as error:
        raise _invalid(str(error)) from error
    said = Submission.from_body(body)
    distinct = len(set(said.parties)) == len(said.parties) <= MAX_PARTIES
    if said.parties[:1] != (said.bidder,) or not distinct:
        raise MalformedError(
            "parties-malformed",
            "联合体成员不合要求",
            f"Name at most {MAX_PARTIES} different organisations, the lead first.",
            rule="招标投标法 31",
        )
    return said, key, digest.hex()


def read_withdrawal(signed: Mapping[str, Any], centre: str) -> tuple[Withdrawal, bytes, str]:
    """Check the signature of a withdrawal; return what it says, its key and its digest (hex).

    Raises:
        MalformedError: `statement-invalid`, or a field does not fit.
    """
    try:
        body = statement.verify(signed, purpose=Withdrawal.PURPOSE, centre=centre)
        key, digest = statement.signer(signed), statement.digest(signed)
    except CryptoError as error:
        raise _invalid(str(error)) from error
    return Withdrawal.from_body(body), key, digest.hex()


def read_act(entry: Entry, signed: Mapping[str, Any], centre: str) -> Act:
    """Return the act of a tree entry and the signed statement that it names.

    Raises:
        MalformedError: the signature does not hold, or entry and statement differ.
    """
    if entry.kind == "submission":
        said, key, digest = read_submission(signed, centre)
        act = Act(
            id=entry.id, kind=entry.kind, arrival=entry.arrival, slot=entry.slot,
            bidder=said.bidder, parties=said.parties, key=key, statement=digest,
            replaces=entry.replaces, encapsulation=said.encapsulation, sha256=said.sha256,
            size=said.size,
        )  # fmt: skip
        section = said.section
    else:
        taken, key, digest = read_withdrawal(signed, centre)
        if entry.replaces != taken.submission:
            raise _invalid("the entry ends another submission than the withdrawal names")
        act = Act(
            id=entry.id, kind=entry.kind, arrival=entry.arrival, slot=entry.slot,
            bidder=taken.bidder, parties=(taken.bidder,), key=key, statement=digest,
            replaces=entry.replaces,
        )  # fmt: skip
        section = taken.section
    if digest != entry.statement or section != entry.section:
        raise _invalid("the entry names another statement")
    return act


def check_possession(said: Submission | Act, signed: Mapping[str, Any], proof: str) -> None:
    """Check that whoever submits made this encapsulation: E, E + δG and aE of another do not pass.

    Args:
        said: the submission, or the act that was read from it.
        signed: its signed form; the proof is over the canonical bytes of its statement.
        proof: 64 bytes in base64.

    Raises:
        MalformedError: `possession-invalid`.
    """
    try:
        possession.check(unb64(said.encapsulation), canonical(signed["statement"]), unb64(proof))
    except CryptoError as error:
        raise MalformedError(
            "possession-invalid",
            "密文归属证明无效",
            "The proof of possession does not fit this encapsulation and statement. Seal anew.",
        ) from error


def check_unique(said: Submission, others: Iterable[Act]) -> None:
    """Refuse an encapsulation or a file that the section already has.

    Raises:
        ConflictError: `bid-duplicate`; the answer is the same whosever the other is.
    """
    for other in others:
        if other.kind == "submission" and (
            other.encapsulation == said.encapsulation or other.sha256 == said.sha256
        ):
            raise ConflictError(
                "bid-duplicate",
                "该密文已递交过",
                "This encapsulation or file was submitted before. Seal the bid anew.",
            )


def check_header(said: Submission, stanza: P256Tag) -> None:
    """Hold the file's p256tag stanza against the statement and the section's recipient.

    The four-byte tag catches honest mistakes; a forged one shows at the opening and is the
    sealer's fault (design.md §6, U12).

    Raises:
        MalformedError: `header-differs` or `header-foreign-recipient`.
    """
    if stanza.enc != unb64(said.encapsulation):
        raise MalformedError(
            "header-differs", "密文与声明不符", "The file's encapsulation is not the one stated."
        )
    try:
        check_tag(stanza, parse_recipient(said.recipient))
    except CryptoError as error:
        raise MalformedError(
            "header-foreign-recipient",
            "密文不是为本标段加密的",
            "The file is sealed to another recipient. Seal it with this section's tender file.",
        ) from error


def _invalid(detail: str) -> MalformedError:
    return MalformedError("statement-invalid", "声明签名无效", f"{detail}. Sign it again.")
