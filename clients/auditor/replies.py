"""What is said of each custodian 托管人, held against its own signed words: who answered, refused, was wrong, kept silent.

A custodian is called wrong by proof only, and a refusal is a signed statement like an answer. So every line of the
hall about a custodian has a signed word behind it, every signed word has a line, and the ledger says the same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bidding.model import ReleaseRefusal
from clients.auditor.checklist import AuditError, must
from crypto import statement
from crypto.encoding import unb64
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from clients.auditor.section import Section
    from trading.ground.chain import Row

DETAIL = 1000  # characters of a refusal that the hall repeats


def check(section: Section) -> str:
    """Hold the hall's lines and the ledger's about custodians against what they signed.

    Raises:
        AuditError: with the custodian of whom something else is said.
    """
    signed = _signed(section)
    told = [row for row in section.rows if row.kind == "answered"]
    for row in told:
        _line(section, row, signed)
    lines = {row.body["digest"] for row in told}
    for digest, (who, _) in signed.items():
        must(digest in lines, f"{who} spoke, and the hall has no line of it")
    _ledger(section, told)
    replies = section.state.replies
    silent = sorted(set(section.state.terms.custodians) - set(replies))
    said = [f"{who} {reply.status}" for who, reply in replies.items()]
    return ", ".join(said + [f"{who} silent" for who in silent])


def _signed(section: Section) -> dict[str, tuple[str, dict[str, Any]]]:
    """Digest → custodian and statement of every release and refusal among the events."""
    keys = {one.custodian: unb64(one.key) for one in section.tender.custodians}
    found = {}
    for row in section.rows:
        if row.kind != "release":
            continue
        signed, who = row.body["signed"], row.body["custodian"]
        purpose = signed["statement"]["purpose"]
        must(who in keys, f"row {row.seq}: {who} is no custodian of this section")
        try:
            said = statement.verify(signed, purpose=purpose, centre=section.centre, key=keys[who])
        except CryptoError as error:
            raise AuditError(f"row {row.seq}, {purpose} of {who}: {error}") from error
        must(
            (said["custodian"], said["section"]) == (who, section.id),
            f"row {row.seq}: {who} did not say this, or not of this section",
        )
        found[statement.digest(signed).hex()] = (who, signed)
    return found


def _line(section: Section, row: Row, signed: dict[str, tuple[str, dict[str, Any]]]) -> None:
    who, status = row.body["custodian"], row.body["status"]
    speaker, words = signed.get(row.body["digest"], ("", {}))
    must(speaker == who, f"row {row.seq}: {who} is said to be {status}, and signed nothing like it")
    if words["statement"]["purpose"] != ReleaseRefusal.PURPOSE:
        must(status != "refused", f"row {row.seq}: {who} is said to have refused, it answered")
        wrong = who in section.answers().wrong
        must(
            (status == "wrong") == wrong,
            f"{who} is said to be {status}, its proof is {'wrong' if wrong else 'right'}",
        )
        return
    must(status == "refused", f"row {row.seq}: {who} is said to be {status}, it refused")
    said = words["statement"]
    must(
        row.body["detail"] == f"{said['check']}: {said['detail']}"[:DETAIL],
        f"row {row.seq}: {who} refused for another reason than the hall says",
    )


def _ledger(section: Section, told: list[Row]) -> None:
    """Its leaves name each answer as the hall does."""
    wanted = Counter(
        (row.body["custodian"], row.body["status"], row.body["digest"])
        for row in told
        if row.body["status"] != "refused"
    )
    found = Counter(
        (leaf["custodian"], leaf["status"], leaf["sha256"]) for leaf in section.about("release")
    )
    for who, status, _ in (wanted - found) + (found - wanted):
        raise AuditError(f"the ledger and the hall do not say the same of {who} ({status})")
