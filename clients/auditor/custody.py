"""The custodians' part of an opening, from public data alone: key, answers, proofs, combination.

Nobody can open a bid without t of the answers that stand here, and whoever has them can check each: an answer is
signed by the custodian the tender names, answers exactly the close list, and its batched proof (RFC 9497) shows that
the very share certified at the ceremony made it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bidding.model import Release
from clients.auditor.checklist import AuditError, must
from crypto import statement
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.signature import key_id
from crypto.threshold import Answer, check_partial, combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bidding.model import Opened, TenderFile
    from clients.auditor.keys import Keys
    from crypto.certificate import GroupKey


@dataclass(slots=True)
class Answers:
    """What the custodians answered.

    Attributes:
        right: DKG index → custodian id, digest of the signed answer, its points; the proof holds.
        wrong: custodian id → why its answer does not hold.
    """

    right: dict[int, tuple[str, str, Answer]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def releases(
    said: Iterable[tuple[Mapping[str, Any], Sequence[str]]],
    tender: TenderFile,
    group: GroupKey,
    centre: str,
    close_list: str,
) -> Answers:
    """Check every release: signature, statement, proof.

    Args:
        said: the release statements as journalled, each with the encapsulations that were to be
            answered for then, base64, in order; a supplement makes them more.
        tender: names the custodians and their keys.
        group: certified; holds the verification shares.
        centre: id of the centre.
        close_list: SHA-256 of the close list's leaf, hex.

    Raises:
        AuditError: a statement is not the named custodian's, or answers something else. That is no
            wrong answer of a custodian: no honest centre takes it.
    """
    answers = Answers()
    numbers = {one.custodian: n for n, one in enumerate(tender.custodians, 1)}
    for one, asked in said:
        who = str(one["statement"].get("custodian"))
        if who not in numbers:
            raise AuditError(f"a release is of {who}, which is no custodian of this section")
        index = numbers[who]
        try:
            key = unb64(tender.custodians[index - 1].key)
            body = statement.verify(one, purpose=Release.PURPOSE, centre=centre, key=key)
        except CryptoError as error:
            raise AuditError(f"the release of {who} (custodian {index}): {error}") from error
        release = Release.from_body(body)
        wanted = (tender.section, tender.ceremony, index, close_list)
        given = (release.section, release.ceremony, release.index, release.close_list)
        must(
            given == wanted and release.encapsulations == tuple(asked),
            f"the release of {who} answers another section, key, list or order",
        )
        try:
            answer = _proved(release, group, asked)
        except CryptoError as error:
            answers.wrong[who] = str(error)
            continue
        answers.right[index] = (who, statement.digest(one).hex(), answer)
    return answers


def _proved(release: Release, group: GroupKey, asked: Sequence[str]) -> Answer:
    points = [Point.parse(unb64(text)) for text in asked]
    partials = [Point.parse(unb64(text)) for text in release.partials]
    check_partial(group.share(release.index), points, partials, unb64(release.proof), release.index)
    return Answer(tuple(partials), unb64(release.proof))


def pinned(tender: TenderFile, keys: Keys) -> str:
    """Hold the tender's custodians against the pinned keys.

    Raises:
        NotChecked: nothing is pinned.
        AuditError: a custodian's host or statement key is another than the pinned one.
    """
    keys.need()
    for number, one in enumerate(tender.custodians, 1):
        host, spoken = unb64(one.host_key), unb64(one.key)
        must(
            host in keys.hosts,
            f"the host key {key_id(host)} of custodian {number} ({one.organisation}) is not pinned",
        )
        must(
            spoken in keys.statements,
            f"the key {key_id(spoken)} of custodian {number} ({one.organisation}) is not pinned",
        )
    return f"{len(tender.custodians)} custodians, {tender.t} of them open"


def combined(answers: Answers, leaf: Opened, tender: TenderFile, asked: Sequence[str]) -> str:
    """Combine the answers that the centre used and compare with the points in the ledger.

    Raises:
        AuditError: other custodians were used, others are called wrong, or a point differs.
    """
    by_name = {
        who: (index, digest, answer) for index, (who, digest, answer) in answers.right.items()
    }
    used: dict[int, tuple[Point, ...]] = {}
    must(
        len(leaf.custodians) == len(leaf.releases) == tender.t,
        f"the ledger names {len(leaf.custodians)} custodians, {tender.t} are needed",
    )
    for who, digest in zip(leaf.custodians, leaf.releases, strict=True):
        must(who in by_name, f"the ledger says {who} was used, but no right answer of it is here")
        index, known, answer = by_name[who]
        must(known == digest, f"the ledger names another answer of {who}")
        used[index] = answer.partials
    must(
        set(leaf.wrong) == set(answers.wrong),
        f"the ledger calls {sorted(leaf.wrong)} wrong, the proofs say {sorted(answers.wrong)}",
    )
    points = dict(zip(asked, combine(used, tender.t), strict=True))
    for bid in leaf.bids:
        must(
            bid.encapsulation in points and points[bid.encapsulation].compressed() == unb64(bid.dh),
            f"bid {bid.submission}: the combined value is another than the ledger's",
        )
    names = ", ".join(leaf.custodians)
    wrong = f"; wrong by proof: {', '.join(sorted(leaf.wrong))}" if leaf.wrong else ""
    return f"{len(leaf.bids)} values from {names}{wrong}"
