"""The machine: `step` judges a command by phase and instant, `evolve` applies an event.

Refusals are errors with stable codes and change nothing.

    bidding → closed → control_price → float_draw → bidders_published → unlocking → imported
            ↘ failed_fewer_than_3                     → reading_out → confirming → sealed

What happens while unlocking, and when the quorum fails, is in `unlocking`; messages, mutes and
reconvening are in `meeting`.

Windows are `[start, end)`. While a pause runs nothing but its end, signing in, speaking, the date of
reconvening and termination is taken; a resumed window ends at resume + what was left (domain.md §1.3, O3).
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bidding.model import UnknownError
from bidding.opening import commands as c
from bidding.opening import meeting, unlocking
from bidding.opening.blame import propose
from bidding.opening.event import Event, bid_of, conflict, enter, late, require, wrong_phase
from bidding.opening.state import ENDED, Bid, File, Line, Phase, State, Window
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
    after = unlocking.evolve(state, event, at) or meeting.evolve(state, event, at)
    if after is not None:
        return after
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
            excluded = MappingProxyType(
                {
                    line["submission"]: Line(line["submission"], line["bidder"], line["arrival"])
                    for line in body.get("excluded", ())
                }
            )
            return enter(replace(state, bids=bids, excluded=excluded), Phase.CLOSED, at)
        case "failed_too_few":
            return enter(state, Phase.FAILED_FEWER_THAN_3, at)
        case "price_stated":
            return enter(replace(state, price=body["value"]), Phase.CONTROL_PRICE, at)
        case "float_drawn":
            return enter(replace(state, point=body["value"]), Phase.FLOAT_DRAW, at)
        case "published":
            return enter(state, Phase.BIDDERS_PUBLISHED, at)
        case "imported":
            return enter(_imported(state, body), Phase.IMPORTED, at)
        case "decided":
            return _with(
                state, body["submission"], result=body["verdict"], decided_by=body["by"],
                decided_as=body["role"], decided_at=at, decision=body["statement"],
                reason=body["reason"],
            )  # fmt: skip
        case "reading_begun":
            return enter(state, Phase.READING_OUT, at)
        case "read":
            return _with(state, body["submission"], read_at=at)
        case "confirming_begun":
            return enter(replace(state, confirm=Window(at, body["end"])), Phase.CONFIRMING, at)
        case "confirmed" | "objected":
            return _with(
                state, body["submission"], answer=event.kind, answered_at=at,
                statement=body["statement"], text=body.get("text", ""),
                files=files_of(body.get("files", ())),
            )  # fmt: skip
        case "objection_answered":
            return _with(
                state, body["submission"], reply=body["text"], replied_at=at,
                reply_files=files_of(body["files"]),
            )  # fmt: skip
        case "paused":
            return replace(state, paused=at, pauses=(*state.pauses, (at, None, body["reason"])))
        case "resumed":
            return _resumed(state, at)
        case "sealed":
            return enter(state, Phase.SEALED, at)
        case "terminated":
            return enter(state, Phase.TERMINATED, at)
        case _:
            return state  # rows of the section that are not the hall's


def files_of(listed: Iterable[Mapping[str, Any]]) -> tuple[File, ...]:
    """Return the files that an event names."""
    return tuple(File(one["name"], one["size"], one["sha256"]) for one in listed)


def _decide(state: State, command: c.Command, now: int) -> list[Event]:
    events = meeting.decide(state, command, now)
    if events is not None:
        return events
    if state.phase in ENDED:
        conflict("opening-ended", "开标已结束", "This opening has ended; its record is read-only.")
    match command:
        case c.SignIn(bidder):
            if bidder in state.sign_ins:
                return []
            return [Event("signed_in", {"bidder": bidder})]
        case c.Terminate(reason):
            return [Event("terminated", {"reason": reason})]
        case c.Resume():
            if state.paused is None:
                conflict("opening-not-paused", "并未中止", "There is no pause to end.")
            meeting.check_resumable(state, now)
            return [Event("resumed", {})]
    if state.paused is not None:
        conflict(
            "opening-paused",
            "开标已中止",
            f"Paused since {beijing(state.paused)}; resume it first.",
        )
    return _decide_running(state, command, now)


def _decide_running(state: State, command: c.Command, now: int) -> list[Event]:
    events = unlocking.decide(state, command, now)
    if events is not None:
        return events
    match command:
        case c.Pause(reason):
            return [Event("paused", {"reason": reason})]
        case c.Move(deadline, reason):
            require(state, Phase.BIDDING)
            if now >= state.deadline:
                raise late(state.deadline)
            if deadline <= state.deadline:
                conflict("deadline-earlier", "开标时间只能推迟", "T moves only later.")
            return [Event("moved", {"deadline": deadline, "reason": reason})]
        case c.Close():
            return _close(state, command, now)
        case c.StatePrice(value):
            require(state, Phase.CLOSED)
            return [Event("price_stated", {"value": value})]
        case c.DrawFloat(value):
            require(state, Phase.CONTROL_PRICE)
            return [Event("float_drawn", {"value": value})]
        case c.Publish():
            require(state, Phase.FLOAT_DRAW)
            return [Event("published", {})]
        case c.Import(outcomes):
            return _import(state, outcomes)
        case c.Decide():
            return _decide_bid(state, command)
        case c.BeginReading():
            require(state, Phase.IMPORTED)
            return [Event("reading_begun", {})]
        case c.ReadNext():
            require(state, Phase.READING_OUT)
            bid = state.next_to_read
            if bid is None:
                conflict("reading-done", "唱标已完成", "Every bid has been read out.")
            return [Event("read", {"submission": bid.line.submission})]
        case c.BeginConfirming():
            require(state, Phase.READING_OUT)
            if state.next_to_read is not None:
                conflict("reading-not-done", "唱标尚未完成", "Bids are still to be read out.")
            return [Event("confirming_begun", {"end": now + state.terms.confirm_ms})]
        case c.Confirm(bidder, statement):
            return _respond(state, bidder, Event("confirmed", {"statement": statement}), now)
        case c.Object(bidder, statement, text, files):
            body = {"statement": statement, "text": text, "files": _named(files)}
            return _respond(state, bidder, Event("objected", body), now)
        case c.AnswerObjection(bidder, text, files, by):
            require(state, Phase.CONFIRMING)
            bid = bid_of(state, bidder)
            if bid.answer != "objected" or bid.reply:
                conflict("no-open-objection", "没有待答复的异议", "There is nothing to answer.")
            body = {
                "submission": bid.line.submission,
                "text": text,
                "files": _named(files),
                "by": by,
            }
            return [Event("objection_answered", body)]
        case c.Seal():
            return _seal(state, now)
    msg = f"a command that nobody handles: {command!r}"
    raise AssertionError(msg)


def _close(state: State, close: c.Close, now: int) -> list[Event]:
    require(state, Phase.BIDDING)
    if now < state.deadline:
        conflict("too-early", "未到开标时间", f"Bids may come until {beijing(state.deadline)}.")
    for lines in (close.lines, close.excluded):
        if list(lines) != sorted(lines, key=lambda line: (line.arrival, line.submission)) or any(
            line.arrival >= state.deadline for line in lines
        ):
            conflict("close-list-wrong", "投标名单不符", "Listed by arrival, all before T.")
    body: dict[str, Any] = {"lines": _lines(close.lines), "digest": close.digest}
    if close.excluded:
        body["excluded"] = _lines(close.excluded)
    events = [Event("closed", body)]
    count = len({line.bidder for line in (*close.lines, *close.excluded)})
    if count < state.terms.minimum:  # the count at T decides; nothing is decrypted
        events.append(Event("failed_too_few", {"count": count, "minimum": state.terms.minimum}))
    return events


def _named(files: tuple[File, ...]) -> list[dict[str, Any]]:
    return [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in files]


def _lines(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [
        {"submission": line.submission, "bidder": line.bidder, "arrival": line.arrival}
        for line in lines
    ]


def _import(state: State, outcomes: tuple[Any, ...]) -> list[Event]:
    unlocking.check_importable(state)
    if [outcome.submission for outcome in outcomes] != list(state.bids):
        conflict(
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
        wrong_phase(state, Phase.IMPORTED)
    bid = state.bids.get(command.submission)
    if bid is None:
        raise UnknownError("bid-unknown", "没有这份投标", "It is not on the close list.")
    if bid.opened:
        conflict(
            "bid-opened", "该投标已解密", "There is nothing to decide about a bid that opened."
        )
    if bid.decided_by:
        conflict("already-decided", "已作出决定", "Somebody decided before; it stands.")
    if command.verdict == "remedied":
        conflict(
            "remedy-too-late",
            "补救须在导入之前",
            "A copy is mended before the import, by repair or a supplementary list; afterwards nothing is opened.",
        )
    body = {
        "submission": command.submission,
        "verdict": command.verdict,
        "by": command.by,
        "role": command.role,
        "reason": command.reason,
        "statement": command.statement,
    }
    return [Event("decided", body)]


def _respond(state: State, bidder: str, event: Event, now: int) -> list[Event]:
    if state.phase is not Phase.CONFIRMING or state.confirm is None:
        wrong_phase(state, Phase.CONFIRMING)
    bid = bid_of(state, bidder)
    if bid.answer == event.kind and bid.statement == event.body["statement"]:
        return []  # the identical answer again
    if not state.confirm.holds(now):
        raise late(state.confirm.end)
    if bid.answer:
        conflict("already-answered", "已确认，不可更改", "One answer; the first one stands.")
    return [Event(event.kind, {"submission": bid.line.submission, **event.body})]


def _seal(state: State, now: int) -> list[Event]:
    require(state, Phase.CONFIRMING)
    waiting = [bid for bid in state.bids.values() if not bid.answer]
    if waiting and state.confirm is not None and state.confirm.holds(now):
        conflict("confirm-window-open", "确认时限未到", "Bidders may still answer.")
    if any(bid.answer == "objected" and not bid.reply for bid in state.bids.values()):
        conflict("objection-open", "异议尚未答复", "Answer every objection first (实施条例 44).")
    if any(not bid.opened and not bid.decided_by for bid in state.bids.values()):
        conflict(
            "bid-undecided", "解密失败原因尚未认定",
            "The cause of a failure is only proposed; supervisor or tenderer decides by name first (§1.4).",
        )  # fmt: skip
    return [Event("sealed", {})]


def _resumed(state: State, at: int) -> State:
    since, _, reason = state.pauses[-1]
    return replace(
        state,
        paused=None,
        reconvene=None,
        pauses=(*state.pauses[:-1], (since, at, reason)),
        unlock=_thawed(state.unlock, since, at),
        confirm=_thawed(state.confirm, since, at),
        pledge=_thawed(state.pledge, since, at),
        disclose=_thawed(state.disclose, since, at),
    )


def _thawed(window: Window | None, since: int, at: int) -> Window | None:
    """Return a window after a pause: its end is the resumption and what was left of it."""
    if window is None or window.end <= since:
        return window
    return Window(window.start, at + window.end - since)


def _with(state: State, submission: str, **changes: Any) -> State:
    bids = {**state.bids, submission: replace(state.bids[submission], **changes)}
    return replace(state, bids=MappingProxyType(bids))
