"""The companion tables of an opening record: 签到表, 递交时间表, decisions, identity exceptions, mutes.

Of an opening that failed they name nobody: nothing was published, and its bidders may bid again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from documents.model import (
    CustodyAnswer,
    Decided,
    Delivery,
    Enclosure,
    IdentityNote,
    Muting,
    SignIn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bidding.model import TenderFile
    from bidding.opening.state import Bid, File, State

    Named = Callable[[str], str]
    """Organisation or person id → the name that is printed."""

EVERYBODY: Final = "全体投标人"


def sign_ins(state: State, bids: Iterable[Bid], name: Named) -> tuple[SignIn, ...]:
    """Return 投标人签到表: when each listed bidder came in. Absence alone voids nothing."""
    found = []
    for bid in bids:
        at = state.sign_ins.get(bid.line.bidder)
        late = at is not None and at >= state.deadline
        status = "absent" if at is None else "late" if late else "signed_in"
        found.append(SignIn(bidder=name(bid.line.bidder), at=at, status=status))
    return tuple(found)


def deliveries(rows: Iterable[Any], outcome: str, name: Named) -> tuple[Delivery, ...]:
    """Return 投标文件递交时间表: every submission, replacement, withdrawal and refusal, by arrival."""
    if outcome != "opened":
        return ()
    found = []
    for row in rows:
        if row.kind in {"submission", "withdrawal"}:
            entry, said = row.body["entry"], row.body["signed"]["statement"]
            act = "withdrawn" if entry["kind"] == "withdrawal" else "submitted"
            if act == "submitted" and entry["replaces"]:
                act = "replaced"
            found.append(_delivery(name, said["bidder"], act, entry, said.get("sha256", "")))
        elif row.kind == "refused":
            said = row.body["refusal"]["statement"]
            found.append(_delivery(name, row.body["parties"][0], "refused", said, ""))
    return tuple(sorted(found, key=lambda one: (one.at, one.sha256)))


def decisions(bids: Iterable[Bid], name: Named, person: Named) -> tuple[Decided, ...]:
    """Return who decided about each bid that did not open, as what, and its signed word."""
    return tuple(
        Decided(
            bidder=name(bid.line.bidder),
            code=bid.code,
            verdict=bid.result,
            by=person(bid.decided_by),
            role=bid.decided_as,
            reason=bid.reason,
            at=bid.decided_at,
            statement=bid.decision,
        )
        for bid in bids
        if bid.decided_by
    )


def identity(state: State, name: Named) -> tuple[IdentityNote, ...]:
    """Return 身份核验例外, in order."""
    return tuple(
        IdentityNote(bidder=name(state.bids[id_].line.bidder), at=at, text=text)
        for id_, at, text in state.identity
    )


def mutings(state: State, name: Named) -> tuple[Muting, ...]:
    """Return every 禁言, in order."""
    return tuple(
        Muting(
            bidder=name(one.bidder) if one.bidder else EVERYBODY,
            since=one.since,
            until=one.until,
            reason=one.reason,
        )
        for one in state.mutings
    )


def custody(state: State, tender: TenderFile) -> tuple[CustodyAnswer, ...]:
    """Return how each custodian answered, in the order of the tender file."""
    answers = []
    for index, one in enumerate(tender.custodians, 1):
        reply = state.replies.get(one.custodian)
        status = "silent"
        if reply is not None and reply.status in {"answered", "late"}:
            status = "answered"
        elif reply is not None and reply.status == "wrong":
            status = "wrong"
        detail = ""
        if reply is not None:
            wrong = "部分解密与其公开份额不符，证明不成立"
            told = {"late": "逾时应答", "wrong": wrong, "refused": f"依规拒绝：{reply.detail}"}
            detail = told.get(reply.status, reply.detail)
        answers.append(
            CustodyAnswer(
                index=index,
                organisation=one.organisation,
                status=status,
                at=reply.at if reply is not None else None,
                detail=detail,
            )
        )
    return tuple(answers)


def attached(files: Iterable[File]) -> tuple[Enclosure, ...]:
    """Return the files of an objection or answer."""
    return tuple(Enclosure(name=one.name, size=one.size, sha256=one.sha256) for one in files)


def delegates(rows: Iterable[Any]) -> dict[str, list[str]]:
    """Return bidder → persons who acted for it here by a delegation, each once, in order."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.kind == "delegation_kept":
            people = found.setdefault(row.body["bidder"], [])
            if (person := row.body["signed"]["statement"]["person"]) not in people:
                people.append(person)
    return found


def other_delegate(named: str, acted: tuple[str, ...]) -> str:
    """A remark where the bid names another representative than those whom the bidder delegated."""
    if not named or not acted or named in acted:
        return ""
    return f"开标一览表所列委托代理人为{named}，授权委托书所载为{'、'.join(acted)}"


def reading(section: str, state: State) -> str:
    """Return the digest of what was read out, hex: what a bidder's confirmation 无异议 signs.

    Canonical JSON of {"v": 1, "section", "reading": [[submission, bidder, result, code, summary], …]}.
    """
    table = [
        [bid.line.submission, bid.line.bidder, bid.result, bid.code, dict(bid.summary)]
        for bid in state.bids.values()
    ]
    return sha256_hex(canonical({"v": 1, "section": section, "reading": table}))


def _delivery(name: Named, bidder: str, act: str, said: Mapping[str, Any], sha256: str) -> Delivery:
    return Delivery(bidder=name(bidder), act=act, at=said["arrival"], sha256=sha256)
