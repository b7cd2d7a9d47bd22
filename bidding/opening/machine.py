"""The machine: `step` judges a command by phase and instant, `evolve` applies an event.

Refusals are errors with stable codes and change nothing.

    bidding → closed → control_price → float_draw → bidders_published → unlocking → imported
            ↘ failed_fewer_than_3                     → reading_out → confirming → sealed

Windows are `[start, end)`. While a pause runs nothing but its end, signing in and termination is
taken; a resumed window ends at resume + what was left (domain.md §1.3, O3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NoReturn

from bidding.model import ConflictError, LateError, UnknownError
from bidding.opening import commands as c
from bidding.opening.blame import UNDETERMINED, propose
from bidding.opening.state import ENDED, Bid, Line, Phase, Reply, State, Window
from trading.ground.clock import beijing


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a journal kind and a JSON body. `at` is kept beside it by the journal."""

    kind: str
    body: dict[str, Any]


def step(state: State, command: c.Command, now: int) -> tuple[State, tuple[Event, ...]]:
    """Judge one command.

    Args:
        state: what is known.
        command: what is asked.
        now: the instant by which it is judged, ms UTC; never read from a clock here.

    Returns:
        The next state and the events to journal; none where a repetition changes nothing.

    Raises:
        ConflictError: `opening-phase`, `opening-paused` and others: not here, not now.
        LateError: `opening-window-over`.
        UnknownError: a bidder, custodian or bid that is not of this opening.
    """
    events = tuple(_decide(state, command, now))
    for event in events:
        state = evolve(state, event, now)
    return state, events


def evolve(state: State, event: Event, at: int) -> State:
    """Return the state after an event that happened at `at`."""
    body = event.body
    match event.kind:
        case "signed_in":
            return replace(state, sign_ins=MappingProxyType({**state.sign_ins, body["bidder"]: at}))
        case "moved":
            return replace(state, deadline=body["deadline"])
        case "closed":
            lines = [
                Line(line["submission"], line["bidder"], line["arrival"]) for line in body["lines"]
            ]
            bids = MappingProxyType({line.submission: Bid(line=line) for line in lines})
            return _enter(replace(state, bids=bids), Phase.CLOSED, at)
        case "failed_too_few":
            return _enter(state, Phase.FAILED_FEWER_THAN_3, at)
        case "price_stated":
            return _enter(replace(state, price=body["value"]), Phase.CONTROL_PRICE, at)
        case "float_drawn":
            return _enter(replace(state, point=body["value"]), Phase.FLOAT_DRAW, at)
        case "published":
            return _enter(state, Phase.BIDDERS_PUBLISHED, at)
        case "unlock_begun":
            return _enter(replace(state, unlock=Window(at, body["end"])), Phase.UNLOCKING, at)
        case "answered":
            reply = Reply(body["custodian"], body["status"], at, body["digest"], body["detail"])
            return replace(
                state, replies=MappingProxyType({**state.replies, reply.custodian: reply})
            )
        case "quorum_missed":
            return _enter(state, Phase.FAILED_QUORUM, at)
        case "imported":
            return _enter(_imported(state, body), Phase.IMPORTED, at)
        case "decided":
            return _with(
                state, body["submission"], result=body["verdict"], decided_by=body["by"],
                reason=body["reason"],
            )  # fmt: skip
        case "reading_begun":
            return _enter(state, Phase.READING_OUT, at)
        case "read":
            return _with(state, body["submission"], read_at=at)
        case "confirming_begun":
            return _enter(replace(state, confirm=Window(at, body["end"])), Phase.CONFIRMING, at)
        case "confirmed" | "objected":
            return _with(
                state, body["submission"], answer=event.kind, answered_at=at,
                statement=body["statement"], text=body.get("text", ""),
            )  # fmt: skip
        case "objection_answered":
            return _with(state, body["submission"], reply=body["text"], replied_at=at)
        case "paused":
            return replace(state, paused=at, pauses=(*state.pauses, (at, None, body["reason"])))
        case "resumed":
            return _resumed(state, at)
        case "sealed":
            return _enter(state, Phase.SEALED, at)
        case "terminated":
            return _enter(state, Phase.TERMINATED, at)
        case _:
            return state  # rows of the section that are not the hall's


def _decide(state: State, command: c.Command, now: int) -> list[Event]:
    if state.phase in ENDED:
        _conflict("opening-ended", "开标已结束", "This opening has ended; its record is read-only.")
    match command:
        case c.SignIn(bidder):
            if bidder in state.sign_ins:
                return []
            return [Event("signed_in", {"bidder": bidder})]
        case c.Terminate(reason):
            return [Event("terminated", {"reason": reason})]
        case c.Resume():
            if state.paused is None:
                _conflict("opening-not-paused", "并未中止", "There is no pause to end.")
            return [Event("resumed", {})]
    if state.paused is not None:
        _conflict(
            "opening-paused",
            "开标已中止",
            f"Paused since {beijing(state.paused)}; resume it first.",
        )
    return _decide_running(state, command, now)


def _decide_running(state: State, command: c.Command, now: int) -> list[Event]:
    match command:
        case c.Pause(reason):
            return [Event("paused", {"reason": reason})]
        case c.Move(deadline, reason):
            _require(state, Phase.BIDDING)
            if now >= state.deadline:
                raise _late(state.deadline)
            if deadline <= state.deadline:
                _conflict("deadline-earlier", "开标时间只能推迟", "T moves only later.")
            return [Event("moved", {"deadline": deadline, "reason": reason})]
        case c.Close(lines, digest):
            return _close(state, lines, digest, now)
        case c.StatePrice(value):
            _require(state, Phase.CLOSED)
            return [Event("price_stated", {"value": value})]
        case c.DrawFloat(value):
            _require(state, Phase.CONTROL_PRICE)
            return [Event("float_drawn", {"value": value})]
        case c.Publish():
            _require(state, Phase.FLOAT_DRAW)
            return [Event("published", {})]
        case c.BeginUnlock():
            _require(state, Phase.BIDDERS_PUBLISHED)
            return [Event("unlock_begun", {"end": now + state.terms.unlock_ms})]
        case c.Answer():
            return _answer(state, command, now)
        case c.MissQuorum(reason):
            _require(state, Phase.UNLOCKING)
            if state.unlock is not None and state.unlock.holds(now):
                _conflict("unlock-window-open", "解锁时限未到", "Custodians may still answer.")
            if len(state.answered) >= state.terms.threshold:
                _conflict("quorum-there", "托管人已足数", "Enough custodians have answered.")
            return [Event("quorum_missed", {"reason": reason})]
        case c.Import(outcomes):
            return _import(state, outcomes)
        case c.Decide():
            return _decide_bid(state, command)
        case c.BeginReading():
            _require(state, Phase.IMPORTED)
            return [Event("reading_begun", {})]
        case c.ReadNext():
            _require(state, Phase.READING_OUT)
            bid = state.next_to_read
            if bid is None:
                _conflict("reading-done", "唱标已完成", "Every bid has been read out.")
            return [Event("read", {"submission": bid.line.submission})]
        case c.BeginConfirming():
            _require(state, Phase.READING_OUT)
            if state.next_to_read is not None:
                _conflict("reading-not-done", "唱标尚未完成", "Bids are still to be read out.")
            return [Event("confirming_begun", {"end": now + state.terms.confirm_ms})]
        case c.Confirm(bidder, statement):
            return _respond(state, bidder, Event("confirmed", {"statement": statement}), now)
        case c.Object(bidder, statement, text):
            body = {"statement": statement, "text": text}
            return _respond(state, bidder, Event("objected", body), now)
        case c.AnswerObjection(bidder, text):
            _require(state, Phase.CONFIRMING)
            bid = _bid_of(state, bidder)
            if bid.answer != "objected" or bid.reply:
                _conflict("no-open-objection", "没有待答复的异议", "There is nothing to answer.")
            return [Event("objection_answered", {"submission": bid.line.submission, "text": text})]
        case c.Seal():
            return _seal(state, now)
    msg = f"a command that nobody handles: {command!r}"
    raise AssertionError(msg)


def _close(state: State, lines: tuple[Line, ...], digest: str, now: int) -> list[Event]:
    _require(state, Phase.BIDDING)
    if now < state.deadline:
        _conflict("too-early", "未到开标时间", f"Bids may come until {beijing(state.deadline)}.")
    if list(lines) != sorted(lines, key=lambda line: (line.arrival, line.submission)) or any(
        line.arrival >= state.deadline for line in lines
    ):
        _conflict("close-list-wrong", "投标名单不符", "Listed by arrival, all before T.")
    listed = [
        {"submission": line.submission, "bidder": line.bidder, "arrival": line.arrival}
        for line in lines
    ]
    events = [Event("closed", {"lines": listed, "digest": digest})]
    count = len({line.bidder for line in lines})
    if count < state.terms.minimum:  # the count at T decides; nothing is decrypted
        events.append(Event("failed_too_few", {"count": count, "minimum": state.terms.minimum}))
    return events


def _answer(state: State, answer: c.Answer, now: int) -> list[Event]:
    if answer.custodian not in state.terms.custodians:
        raise UnknownError("custodian-unknown", "不是本标段的托管人", "It holds no share here.")
    before = state.replies.get(answer.custodian)
    if before is not None and before.digest == answer.digest:
        return []  # the identical answer again
    if before is not None and before.status != "refused":
        _conflict("already-answered", "已答复", "One answer for each key; the first one stands.")
    if state.unlock is None:  # after it an answer still counts, if only to name who was wrong
        _phase(state, Phase.UNLOCKING)
    late = answer.status == "answered" and now >= state.unlock.end
    body = {
        "custodian": answer.custodian,
        "status": "late" if late else answer.status,
        "digest": answer.digest,
        "detail": answer.detail,
    }
    return [Event("answered", body)]


def _import(state: State, outcomes: tuple[Any, ...]) -> list[Event]:
    _require(state, Phase.UNLOCKING)
    if len(state.answered) < state.terms.threshold:
        _conflict("quorum-missing", "托管人尚未足数", "Fewer custodians than needed have answered.")
    if [outcome.submission for outcome in outcomes] != list(state.bids):
        _conflict(
            "import-incomplete", "导入不完整", "All listed bids are imported at once, in order."
        )
    body = [
        {
            "submission": outcome.submission,
            "code": outcome.code,
            "summary": dict(outcome.summary),
            "manifest": outcome.manifest,
        }
        for outcome in outcomes
    ]
    return [Event("imported", {"outcomes": body})]


def _imported(state: State, body: dict[str, Any]) -> State:
    bids = dict(state.bids)
    for outcome in body["outcomes"]:
        code = outcome["code"]
        bids[outcome["submission"]] = replace(
            bids[outcome["submission"]],
            result=code if code in {"opened", "remedied"} else propose(code),
            code=code,
            summary=MappingProxyType(dict(outcome["summary"])),
            manifest=outcome["manifest"],
        )
    return replace(state, bids=MappingProxyType(bids))


def _decide_bid(state: State, command: c.Decide) -> list[Event]:
    if state.phase not in {Phase.IMPORTED, Phase.READING_OUT, Phase.CONFIRMING}:
        _phase(state, Phase.IMPORTED)
    bid = state.bids.get(command.submission)
    if bid is None:
        raise UnknownError("bid-unknown", "没有这份投标", "It is not on the close list.")
    if bid.result in {"opened", "remedied"}:
        _conflict(
            "bid-opened", "该投标已解密", "There is nothing to decide about a bid that opened."
        )
    if bid.decided_by:
        _conflict("already-decided", "已作出决定", f"{bid.decided_by} decided before.")
    body = {
        "submission": command.submission,
        "verdict": command.verdict,
        "by": command.by,
        "reason": command.reason,
    }
    return [Event("decided", body)]


def _respond(state: State, bidder: str, event: Event, now: int) -> list[Event]:
    if state.phase is not Phase.CONFIRMING or state.confirm is None:
        _phase(state, Phase.CONFIRMING)
    bid = _bid_of(state, bidder)
    if bid.answer == event.kind and bid.statement == event.body["statement"]:
        return []  # the identical answer again
    if not state.confirm.holds(now):
        raise _late(state.confirm.end)
    if bid.answer:
        _conflict("already-answered", "已确认，不可更改", "One answer; the first one stands.")
    return [Event(event.kind, {"submission": bid.line.submission, **event.body})]


def _seal(state: State, now: int) -> list[Event]:
    _require(state, Phase.CONFIRMING)
    waiting = [bid for bid in state.bids.values() if not bid.answer]
    if waiting and state.confirm is not None and state.confirm.holds(now):
        _conflict("confirm-window-open", "确认时限未到", "Bidders may still answer.")
    if any(bid.answer == "objected" and not bid.reply for bid in state.bids.values()):
        _conflict("objection-open", "异议尚未答复", "Answer every objection first (实施条例 44).")
    if any(bid.result == UNDETERMINED for bid in state.bids.values()):
        _conflict("bid-undetermined", "解密失败原因未定", "The supervisor decides first (§1.4).")
    return [Event("sealed", {})]


def _resumed(state: State, at: int) -> State:
    since, _, reason = state.pauses[-1]
    return replace(
        state,
        paused=None,
        pauses=(*state.pauses[:-1], (since, at, reason)),
        unlock=_thawed(state.unlock, since, at),
        confirm=_thawed(state.confirm, since, at),
    )


def _thawed(window: Window | None, since: int, at: int) -> Window | None:
    """Return a window after a pause: its end is the resumption and what was left of it."""
    if window is None or window.end <= since:
        return window
    return Window(window.start, at + window.end - since)


def _bid_of(state: State, bidder: str) -> Bid:
    bid = state.of_bidder(bidder)
    if bid is None:
        raise UnknownError("not-listed", "不在投标人名单上", "This bidder has no bid on the list.")
    return bid


def _with(state: State, submission: str, **changes: Any) -> State:
    bids = {**state.bids, submission: replace(state.bids[submission], **changes)}
    return replace(state, bids=MappingProxyType(bids))


def _enter(state: State, phase: Phase, at: int) -> State:
    return replace(state, phase=phase, phases=(*state.phases, (phase, at)))


def _require(state: State, phase: Phase) -> None:
    if state.phase is not phase:
        _phase(state, phase)


def _phase(state: State, wanted: Phase) -> NoReturn:
    _conflict(
        "opening-phase", "开标阶段不符", f"This belongs to phase {wanted}; it is {state.phase} now."
    )


def _late(end: int) -> LateError:
    return LateError("opening-window-over", "时限已过", f"It ended at {beijing(end)} 北京时间.")


def _conflict(code: str, title: str, detail: str) -> NoReturn:
    raise ConflictError(code, title, detail)
