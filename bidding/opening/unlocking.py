"""The part of the machine between published bidders and import: answers, or the quorum's failure.

    unlocking ─t answers─────────────────────────────→ imported
        ↘ two declare a failure                          ↑
          pledging ─all bidders sign→ disclosing ─keys in, or their time over
                  ↘ not all sign: failed_quorum, and nothing is opened

Release ends for the key when a failure is declared: no answer counts any more.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from bidding.model import UnknownError
from bidding.opening import commands as c
from bidding.opening.event import Event, bid_of, conflict, enter, late, require, wrong_phase
from bidding.opening.state import Bid, Line, Phase, Reply, State, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

V = TypeVar("V")


def decide(state: State, command: c.Command, now: int) -> list[Event] | None:
    """Judge a command of this part; None if it is another's. Errors as `machine.step`."""
    match command:
        case c.BeginUnlock():
            require(state, Phase.BIDDERS_PUBLISHED)
            return [Event("unlock_begun", {"end": now + state.terms.unlock_ms})]
        case c.Answer():
            return _answer(state, command, now)
        case c.Supplement():
            return _supplement(state, command)
        case c.MissQuorum(reason):
            return _miss(state, reason, now)
        case c.Pledge(bidder, statement):
            return _pledge(state, bidder, statement, now)
        case c.EndPledging():
            require(state, Phase.PLEDGING)
            if state.pledge is not None and state.pledge.holds(now):
                conflict("pledge-window-open", "承诺时限未到", "Bidders may still pledge.")
            missing = [id_ for id_ in state.bids if id_ not in state.pledges]
            return [Event("pledges_missing", {"submissions": missing})]
        case c.Disclose():
            return _disclose(state, command, now)
    return None


def evolve(state: State, event: Event, at: int) -> State | None:
    """Return the state after an event of this part; None if it is another's."""
    body = event.body
    match event.kind:
        case "unlock_begun":
            return enter(replace(state, unlock=Window(at, body["end"])), Phase.UNLOCKING, at)
        case "answered":
            reply = Reply(body["custodian"], body["status"], at, body["digest"], body["detail"])
            return replace(state, replies=_with(state.replies, reply.custodian, reply))
        case "supplemented":
            return _supplemented(state, body["submissions"])
        case "quorum_missed":
            return enter(replace(state, pledge=Window(at, body["end"])), Phase.PLEDGING, at)
        case "pledged":
            return replace(
                state, pledges=_with(state.pledges, body["submission"], body["statement"])
            )
        case "pledges_missing":
            return enter(state, Phase.FAILED_QUORUM, at)
        case "disclosing_begun":
            return enter(replace(state, disclose=Window(at, body["end"])), Phase.DISCLOSING, at)
        case "disclosed":
            return replace(state, disclosed=_with(state.disclosed, body["submission"], body["ref"]))
    return None


def check_importable(state: State) -> None:
    """Refuse an import before t answers, or after a failure before keys are in or time is over.

    Raises:
        ConflictError: `quorum-missing`, `disclosure-window-open` or `opening-phase`.
    """
    if state.phase is not Phase.DISCLOSING:
        require(state, Phase.UNLOCKING)
        if len(state.answered) < state.terms.threshold:
            conflict("quorum-missing", "托管人尚未足数", "Fewer custodians than needed answered.")


def _answer(state: State, answer: c.Answer, now: int) -> list[Event]:
    if answer.custodian not in state.terms.custodians:
        raise UnknownError("custodian-unknown", "不是本标段的托管人", "It holds no share here.")
    before = state.replies.get(answer.custodian)
    if before is not None and before.digest == answer.digest:
        return []  # the identical answer again
    if state.pledge is not None:
        conflict("release-ended", "已宣布托管失效", "Release has ended for this key.")
    if before is not None and before.status != "refused":
        conflict("already-answered", "已答复", "One answer for each key; the first one stands.")
    if state.unlock is None:  # after it an answer still counts, if only to name who was wrong
        wrong_phase(state, Phase.UNLOCKING)
    overdue = answer.status == "answered" and now >= state.unlock.end
    body = {
        "custodian": answer.custodian,
        "status": "late" if overdue else answer.status,
        "digest": answer.digest,
        "detail": answer.detail,
    }
    return [Event("answered", body)]


def _supplement(state: State, command: c.Supplement) -> list[Event]:
    require(state, Phase.UNLOCKING)  # the published bidders stand, no price is known
    wrong = [id_ for id_ in command.submissions if id_ not in state.excluded]
    if wrong or not command.submissions:
        conflict(
            "supplement-foreign",
            "补充名单只能列入因故未列的有效投标",
            "A supplement names bids that the close list excluded with a reason, no other.",
        )
    return [Event("supplemented", {"submissions": list(command.submissions)})]


def _supplemented(state: State, submissions: list[str]) -> State:
    """Put bids back by arrival; who had answered is asked anew, for more than before."""
    back: list[Line] = [state.excluded[id_] for id_ in submissions]
    lines = sorted(back, key=lambda line: (line.arrival, line.submission))
    bids = {**state.bids, **{line.submission: Bid(line=line) for line in lines}}
    left = {id_: line for id_, line in state.excluded.items() if id_ not in submissions}
    replies = {
        who: reply
        for who, reply in state.replies.items()
        if reply.status not in {"answered", "late"}
    }
    return replace(
        state,
        bids=MappingProxyType(bids),
        excluded=MappingProxyType(left),
        replies=MappingProxyType(replies),
    )


def _miss(state: State, reason: str, now: int) -> list[Event]:
    require(state, Phase.UNLOCKING)
    if state.unlock is not None and state.unlock.holds(now):
        conflict("unlock-window-open", "解锁时限未到", "Custodians may still answer.")
    if len(state.answered) >= state.terms.threshold:
        conflict("quorum-there", "托管人已足数", "Enough custodians have answered.")
    lawful = sum(reply.status == "refused" for reply in state.replies.values())
    if len(state.answered) + lawful >= state.terms.threshold:
        conflict(
            "quorum-refused",
            "托管人依规拒绝，不属托管失效",
            "Custodians refuse by their rule, which is no failure; remove what they name.",
        )
    return [Event("quorum_missed", {"reason": reason, "end": now + state.terms.unlock_ms})]


def _pledge(state: State, bidder: str, statement: str, now: int) -> list[Event]:
    bid = bid_of(state, bidder).line.submission
    if bid in state.pledges:
        return []  # it stands, whichever words it was made in
    require(state, Phase.PLEDGING)
    if state.pledge is not None and not state.pledge.holds(now):
        raise late(state.pledge.end)
    events = [Event("pledged", {"submission": bid, "statement": statement})]
    if len(state.pledges) + 1 == len(state.bids):
        events.append(Event("disclosing_begun", {"end": now + state.terms.unlock_ms}))
    return events


def _disclose(state: State, command: c.Disclose, now: int) -> list[Event]:
    bid = bid_of(state, command.bidder).line.submission
    if bid in state.disclosed:
        return []  # the key that fits has been handed over; there is no other
    require(state, Phase.DISCLOSING)
    if state.disclose is not None and not state.disclose.holds(now):
        raise late(state.disclose.end)
    body = {"submission": bid, "statement": command.statement, "ref": command.ref}
    return [Event("disclosed", body)]


def _with(known: Mapping[str, V], key: str, value: V) -> Mapping[str, V]:
    return MappingProxyType({**known, key: value})
