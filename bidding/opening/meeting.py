"""The part of the machine that is talk: messages, mutes, identity exceptions, reconvening.

Nobody speaks before the bidders are published: until then a name, or a silence, would tell who bids. A mute
stops messages only; signing in, confirming and objecting are rights, and nobody can be muted out of them.

A reconvening 复会 is a date that two people set. A paused hall does not go on before it; a sealed one meets
again then, for questions and announcements: its record is read-only and stays so.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from bidding.model import TooManyError
from bidding.opening import commands as c
from bidding.opening.event import Event, bid_of, conflict, wrong_phase
from bidding.opening.state import ENDED, Muting, Phase, State
from trading.ground.clock import beijing

OPEN: Final = frozenset(
    {
        Phase.BIDDERS_PUBLISHED,
        Phase.UNLOCKING,
        Phase.PLEDGING,
        Phase.DISCLOSING,
        Phase.IMPORTED,
        Phase.READING_OUT,
        Phase.CONFIRMING,
    }
)
"""Phases in which the hall talks."""
MOST: Final = 20  # messages of one speaker
WITHIN_MS: Final = 60_000


def decide(state: State, command: c.Command, now: int) -> list[Event] | None:
    """Judge a command of this part; None if it is another's. Errors as `machine.step`."""
    match command:
        case c.Speak():
            return _speak(state, command, now)
        case c.Mute():
            return _mute(state, command, now)
        case c.NoteIdentity(bidder, text, by):
            _require_talk(state, now, sealed=False)
            if state.paused is not None:
                conflict("opening-paused", "开标已中止", "Resume the opening first.")
            submission = bid_of(state, bidder).line.submission
            return [Event("identity_noted", {"submission": submission, "text": text, "by": by})]
        case c.Reconvene(at, reason):
            return _reconvene(state, at, reason, now)
        case c.EndMeeting():
            if not meets(state, now):
                conflict("no-meeting", "没有进行中的复会", "There is no meeting to end.")
            return [Event("meeting_ended", {})]
    return None


def evolve(state: State, event: Event, at: int) -> State | None:
    """Return the state after an event of this part; None if it is another's."""
    body = event.body
    match event.kind:
        case "said":
            who = body["speaker"]
            newest = (*state.spoken.get(who, ()), at)[-MOST:]
            spoken = MappingProxyType({**state.spoken, who: newest})
            return replace(state, messages=body["no"], spoken=spoken)
        case "muted":
            one = Muting(body["bidder"], at, None, body["reason"])
            return replace(state, mutings=(*state.mutings, one))
        case "unmuted":
            ended = tuple(
                replace(one, until=at)
                if one.until is None and one.bidder == body["bidder"]
                else one
                for one in state.mutings
            )
            return replace(state, mutings=ended)
        case "identity_noted":
            noted = (body["submission"], at, body["text"])
            return replace(state, identity=(*state.identity, noted))
        case "reconvening_set":
            known = (*state.reconvenings, (at, body["at"], body["reason"]))
            return replace(state, reconvene=body["at"], reconvenings=known)
        case "meeting_ended":
            return replace(state, reconvene=None)
    return None


def meets(state: State, now: int) -> bool:
    """Say whether a sealed hall is met again now."""
    return state.phase is Phase.SEALED and state.reconvene is not None and now >= state.reconvene


def check_resumable(state: State, now: int) -> None:
    """Refuse to go on before the date of reconvening.

    Raises:
        ConflictError: `reconvenes-later`.
    """
    if state.reconvene is not None and now < state.reconvene:
        conflict(
            "reconvenes-later",
            "未到复会时间",
            f"Bidders were told that it goes on at {beijing(state.reconvene)} 北京时间; two may set another date.",
        )


def _require_talk(state: State, now: int, *, sealed: bool = True) -> None:
    if state.phase in OPEN or (sealed and meets(state, now)):
        return
    if state.phase in ENDED:
        conflict("opening-ended", "开标已结束", "This opening has ended; its record is read-only.")
    wrong_phase(state, Phase.BIDDERS_PUBLISHED)


def _speak(state: State, said: c.Speak, now: int) -> list[Event]:
    _require_talk(state, now)
    if said.part == "bidder":
        bid_of(state, said.speaker)
        if state.muted(said.speaker):
            conflict(
                "speaker-muted", "已被禁言",
                "Messages are stopped; an objection goes by the form for objections, always.",
            )  # fmt: skip
    newest = state.spoken.get(said.speaker, ())
    if len(newest) == MOST and now - newest[0] < WITHIN_MS:
        raise TooManyError(
            "messages-too-many", "发言过于频繁", f"At most {MOST} messages within a minute."
        )
    body = {
        "no": state.messages + 1,
        "speaker": said.speaker,
        "part": said.part,
        "text": said.text,
        "by": said.by,
    }
    return [Event("said", body)]


def _mute(state: State, command: c.Mute, now: int) -> list[Event]:
    _require_talk(state, now)
    if command.bidder:
        bid_of(state, command.bidder)
    running = any(one.until is None and one.bidder == command.bidder for one in state.mutings)
    if running is command.muted:
        return []  # it is so already
    kind = "muted" if command.muted else "unmuted"
    body = {"bidder": command.bidder, "reason": command.reason, "by": command.by}
    return [Event(kind, body)]


def _reconvene(state: State, at: int, reason: str, now: int) -> list[Event]:
    if state.phase is not Phase.SEALED:
        if state.phase in ENDED:
            conflict("opening-ended", "开标已结束", "Nothing was opened here that could go on.")
        if state.paused is None:
            conflict("opening-not-paused", "并未中止", "A hall that goes on needs no date for it.")
    elif meets(state, now):
        conflict("meeting-runs", "复会正在进行", "End the meeting before another one is set.")
    if at <= now:
        conflict("reconvenes-past", "复会时间须在将来", "People must be able to come.")
    return [Event("reconvening_set", {"at": at, "reason": reason})]
