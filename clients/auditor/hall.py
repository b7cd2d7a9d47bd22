"""The hall of an opening, replayed: every event is what the machine answers, at that instant, to its command.

`bidding.opening.step` judges by phase and window; `evolve` alone would believe an event that came too late or in the
wrong phase. So each journalled event is turned back into the command it answered, and judged again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding import opening as o
from clients.auditor.checklist import AuditError, sentence
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trading.ground.chain import Row


def _bidder(state: o.State, body: Mapping[str, Any]) -> str:
    return state.bids[body["submission"]].line.bidder


def _lines(lines: Iterable[Mapping[str, Any]]) -> tuple[o.Line, ...]:
    return tuple(o.Line(x["submission"], x["bidder"], x["arrival"]) for x in lines)


_COMMANDS: Final[dict[str, Callable[[o.State, Mapping[str, Any]], o.Command]]] = {
    "signed_in": lambda _, b: o.SignIn(b["bidder"]),
    "moved": lambda _, b: o.Move(b["deadline"], b["reason"]),
    "closed": lambda _, b: o.Close(_lines(b["lines"]), b["digest"], _lines(b.get("excluded", ()))),
    "price_stated": lambda _, b: o.StatePrice(b["value"]),
    "float_drawn": lambda _, b: o.DrawFloat(b["value"]),
    "published": lambda *_: o.Publish(),
    "unlock_begun": lambda *_: o.BeginUnlock(),
    "answered": lambda _, b: o.Answer(
        b["custodian"],
        "answered" if b["status"] == "late" else b["status"],  # lateness is the machine's finding
        b["digest"],
        b["detail"],
    ),
    "supplemented": lambda _, b: o.Supplement(tuple(b["submissions"])),
    "quorum_missed": lambda _, b: o.MissQuorum(b["reason"]),
    "pledged": lambda s, b: o.Pledge(_bidder(s, b), b["statement"]),
    "pledges_missing": lambda *_: o.EndPledging(),
    "disclosed": lambda s, b: o.Disclose(_bidder(s, b), b["statement"], b["ref"]),
    "imported": lambda _, b: o.Import(
        tuple(
            o.Outcome(x["submission"], x["code"], x["summary"], x["manifest"])
            for x in b["outcomes"]
        )
    ),
    "decided": lambda _, b: o.Decide(
        b["submission"], b["verdict"], b["by"], b["reason"], b["role"], b["statement"]
    ),
    "reading_begun": lambda *_: o.BeginReading(),
    "read": lambda *_: o.ReadNext(),
    "confirming_begun": lambda *_: o.BeginConfirming(),
    "confirmed": lambda s, b: o.Confirm(_bidder(s, b), b["statement"]),
    "objected": lambda s, b: o.Object(
        _bidder(s, b), b["statement"], b["text"], o.files_of(b["files"])
    ),
    "objection_answered": lambda s, b: o.AnswerObjection(
        _bidder(s, b), b["text"], o.files_of(b["files"]), b["by"]
    ),
    "said": lambda _, b: o.Speak(b["speaker"], b["part"], b["text"], b["by"]),
    "muted": lambda _, b: o.Mute(b["bidder"], True, b["reason"], b["by"]),
    "unmuted": lambda _, b: o.Mute(b["bidder"], False, b["reason"], b["by"]),
    "identity_noted": lambda s, b: o.NoteIdentity(_bidder(s, b), b["text"], b["by"]),
    "reconvening_set": lambda _, b: o.Reconvene(b["at"], b["reason"]),
    "meeting_ended": lambda *_: o.EndMeeting(),
    "paused": lambda _, b: o.Pause(b["reason"]),
    "resumed": lambda *_: o.Resume(),
    "sealed": lambda *_: o.Seal(),
    "terminated": lambda _, b: o.Terminate(b["reason"]),
}
_FOLLOWING: Final = frozenset({"failed_too_few", "disclosing_begun"})  # second events of a command
KINDS: Final = frozenset(_COMMANDS) | _FOLLOWING
"""Rows of a section's stream that are the hall's own."""


def replay(
    state: o.State, rows: Iterable[Row], watch: Callable[[o.State, Row], None] | None = None
) -> o.State:
    """Judge every event of the hall again.

    Args:
        state: from `bidding.opening.begin`.
        rows: of the section's stream; those that are not the hall's are passed over.
        watch: told of the state before each event, and its row.

    Returns:
        The state after them.

    Raises:
        AuditError: naming the first row that the machine would not have written.
    """
    waiting: list[o.Event] = []
    for row in rows:
        if row.kind not in _COMMANDS and row.kind not in _FOLLOWING:
            continue
        if watch is not None:
            watch(state, row)
        if not waiting:
            if row.kind in _FOLLOWING:
                raise AuditError(f"row {row.seq}: {row.kind} follows from nothing")
            state, events = _step(state, row)
            waiting = list(events)
        if not waiting or (waiting[0].kind, waiting[0].body) != (row.kind, row.body):
            said = f"{waiting[0].kind} {waiting[0].body}" if waiting else "nothing"
            raise AuditError(f"row {row.seq} says {row.kind}, the rules say {said[:200]}")
        waiting.pop(0)
    if waiting:
        raise AuditError(f"the rows end before {waiting[0].kind}, which follows by the rules")
    return state


def _step(state: o.State, row: Row) -> tuple[o.State, tuple[o.Event, ...]]:
    try:
        return o.step(state, _COMMANDS[row.kind](state, row.body), row.at)
    except Problem as refusal:
        raise AuditError(
            f"row {row.seq}: {row.kind} was not allowed then: {sentence(refusal)}"
        ) from refusal
    except (KeyError, TypeError, AttributeError) as error:
        raise AuditError(f"row {row.seq}: {row.kind} lacks {error}") from error
