"""The log and the witnesses that a tender file names, held against those that are pinned.

A centre that prints a log of its own making could show bidders one history and custodians another, and witnesses of its
own making would cosign it. So where a trust file pins the log or witnesses, a sealer believes no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.model import Check, failed, passed, unchecked
from crypto.errors import CryptoError
from crypto.tlog.note import VerifierKey

if TYPE_CHECKING:
    from bidding.model import TenderFile
    from clients.trust import Trust

TITLES: Final = {
    "log-pinned": "the log is the one that was pinned beforehand",
    "witnesses-pinned": "every witness was pinned beforehand",
}


def check(tender: TenderFile, centre: str, trust: Trust) -> tuple[Check, ...]:
    """Hold the log and the witnesses of a tender file against pinned keys.

    Args:
        tender: what the file says.
        centre: id of the centre.
        trust: pinned keys.

    Returns:
        Two checks; one for which nothing is pinned is not made, and not essential.
    """
    return _log(tender, centre, trust), _witnesses(tender, trust)


def _log(tender: TenderFile, centre: str, trust: Trust) -> Check:
    title, logs = TITLES["log-pinned"], trust.logs(centre)
    if not logs:
        told = f"The trust file pins no log of {centre}."
        return unchecked("log-pinned", title, told, essential=False)
    try:
        key = VerifierKey.parse(tender.ledger)
    except CryptoError as error:
        return failed("log-pinned", title, f"The log's key cannot be read: {error}.")
    if logs.get(key.name) != key.public:
        return failed(
            "log-pinned", title,
            f"The tender names the log {key.name}; pinned for {centre} is {', '.join(sorted(logs))}, "
            "by another key. After a restore the centre hands out a new trust file.",
        )  # fmt: skip
    return passed("log-pinned", title, key.name)


def _witnesses(tender: TenderFile, trust: Trust) -> Check:
    title, known = TITLES["witnesses-pinned"], trust.witnesses()
    if not known:
        told = "The trust file pins no witness."
        return unchecked("witnesses-pinned", title, told, essential=False)
    for text in tender.witnesses:
        try:
            key = VerifierKey.parse(text)
        except CryptoError as error:
            return failed(
                "witnesses-pinned", title, f"The key of a witness cannot be read: {error}."
            )
        if known.get(key.name) != key.public:
            return failed(
                "witnesses-pinned", title,
                f"The tender names the witness {key.name} with a key that is none of the {len(known)} pinned.",
            )  # fmt: skip
    return passed("witnesses-pinned", title, f"{len(tender.witnesses)} of {len(known)}")
