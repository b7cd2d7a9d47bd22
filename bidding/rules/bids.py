"""Deadline, replacement 替换, withdrawal 撤回, and which bids are live.

A time limit is `[start, end)`: an act whose last byte arrived at T exactly is late, whatever any
timer did (电子签名法 Art. 11; domain.md §0). A bidder has at most one live bid in a section. The live
set needs no order among acts: an act names the one live submission it ended (`replaces`), so that
custodians reach the same set from a heap of entries that tell neither rank nor number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bidding.model import ConflictError, ForbiddenError, LateError, MalformedError
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_ACTS: Final = 64
"""Of one bidder in one section: its tree has 4,096 places, and nobody may fill it alone."""

MAX_LATE: Final = 20
"""Late acts of one bidder that are put on record, each with a signed refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One accepted act of a bidder.

    Attributes:
        arrival: ms UTC; `slot`: of the ledger in which it was first committed.
        key: 33 bytes that signed it; `statement`: hex digest of what was signed.
        replaces: the live submission it ended, or "".
        encapsulation, sha256, size: of a submission; "" and 0 for a withdrawal.
    """

    id: str
    kind: Literal["submission", "withdrawal"]
    arrival: int
    slot: int
    bidder: str
    parties: tuple[str, ...]
    key: bytes
    statement: str
    replaces: str
    encapsulation: str = ""
    sha256: str = ""
    size: int = 0


def require_open(arrival: int, deadline: int) -> None:
    """Refuse what came at or after the deadline.

    Args:
        arrival: stamp of the last body byte, ms UTC.
        deadline: T, ms UTC.

    Raises:
        LateError: `bid-deadline-passed`, with both instants and the difference.
    """
    if arrival >= deadline:
        raise LateError(
            "bid-deadline-passed",
            "投标截止时间已过，不予受理",
            f"Its last byte arrived at {beijing(arrival)}, {arrival - deadline} ms after the "
            f"deadline {beijing(deadline)} 北京时间. An earlier complete bid stands.",
            rule="招标投标法 28; 电子招标投标办法 27",
            arrival=arrival,
            deadline=deadline,
        )


def live(acts: Iterable[Act]) -> list[Act]:
    """Return the submissions that count, in reading order: by arrival, then by id."""
    known = list(acts)
    ended = {act.replaces for act in known}
    bids = [act for act in known if act.kind == "submission" and act.id not in ended]
    return sorted(bids, key=lambda act: (act.arrival, act.id))


def replaced_by(acts: Mapping[str, Act], bidder: str, key: bytes, supersedes: str) -> str:
    """Return the id of the live submission that a new one will end, or "".

    Two devices may both replace version 1: the second to arrive ends the first's version, so that
    the last committed wins and both are logged (reliability.md U15).

    Args:
        acts: the section's accepted acts by id.
        bidder: lead organisation of the new submission.
        key: 33 bytes that signed it.
        supersedes: the submission it names, or "".

    Raises:
        ConflictError: `bid-exists`, the bidder has a live bid and names none;
            `bid-unknown`, the named one is none of this bidder's;
            `bid-acts-too-many`, it has handed in so often that only withdrawing is left.
        ForbiddenError: `bid-key-differs`, another key submitted the named or the live one.
    """
    if sum(act.bidder == bidder for act in acts.values()) >= MAX_ACTS - 1:
        raise ConflictError(
            "bid-acts-too-many",
            "本单位在本标段的递交次数已达上限",
            f"A bidder has at most {MAX_ACTS} acts in a section; the last one is kept for a withdrawal.",
        )
    current = next((act for act in live(acts.values()) if act.bidder == bidder), None)
    if not supersedes:
        if current is not None:
            raise ConflictError(
                "bid-exists",
                "本单位已有有效投标",
                "To replace it, name its receipt (seal --supersedes); or withdraw it first.",
                current=current.id,
            )
        return ""
    _own(acts, bidder, key, supersedes)
    if current is None:
        return ""
    # The named one may be long withdrawn, and the live one another key's.
    return _own(acts, bidder, key, current.id).id


def withdrawn_by(acts: Mapping[str, Act], bidder: str, key: bytes, submission: str) -> str:
    """Return the id of the live submission that a withdrawal ends.

    Raises:
        ConflictError: `bid-unknown`, none of this bidder's; `bid-not-live`, replaced or withdrawn.
        ForbiddenError: `bid-key-differs`.
    """
    named = _own(acts, bidder, key, submission)
    if all(act.id != named.id for act in live(acts.values())):
        raise ConflictError(
            "bid-not-live", "该投标已被替换或撤回", "Only the bid that counts can be withdrawn."
        )
    return named.id


def check_acts(acts: Mapping[str, Act]) -> None:
    """Check what intake promises of a section's acts, from the acts alone.

    1. an act ends a submission that is among them, of the same bidder and signed by the same key;
    2. no submission is ended twice;
    3. a bidder has at most one live bid;
    4. following `replaces` never comes back to where it began.

    Raises:
        MalformedError: `acts-inconsistent`, with the id of the act.
    """
    ended: set[str] = set()
    for act in acts.values():
        target = acts.get(act.replaces)
        if act.kind == "withdrawal" and target is None:
            raise _inconsistent(act, "withdraws a submission that is not among them")
        if act.replaces:
            if target is None or target.kind != "submission" or target.id == act.id:  # 1
                raise _inconsistent(act, "ends a submission that is not among them")
            if (target.bidder, target.key) != (act.bidder, act.key):
                raise _inconsistent(act, "ends another bidder's submission")
            if act.replaces in ended:  # 2
                raise _inconsistent(act, "ends a submission that another act ended")
            ended.add(act.replaces)
    bidders = [act.bidder for act in live(acts.values())]
    if len(set(bidders)) != len(bidders):  # 3
        raise MalformedError(
            "acts-inconsistent", "投标记录不一致", "A bidder has two live bids in one section."
        )
    for act in acts.values():  # 4
        step, hops = act, 0
        while step.replaces and hops <= len(acts):
            step, hops = acts[step.replaces], hops + 1
        if hops > len(acts):
            raise _inconsistent(act, "ends itself by a detour")


def _own(acts: Mapping[str, Act], bidder: str, key: bytes, submission: str) -> Act:
    named = acts.get(submission)
    if named is None or named.kind != "submission" or named.bidder != bidder:
        # The same answer for another's bid as for none: nobody learns who bids.
        raise ConflictError(
            "bid-unknown", "没有这份投标", "The bid named here is none of this bidder's."
        )
    if named.key != key:
        raise ForbiddenError(
            "bid-key-differs",
            "须由递交时的密钥签名",
            "Replacing and withdrawing are signed by the key that submitted.",
        )
    return named


def _inconsistent(act: Act, what: str) -> MalformedError:
    return MalformedError("acts-inconsistent", "投标记录不一致", f"{act.kind} {act.id} {what}.")
