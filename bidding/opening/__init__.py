"""The opening hall 开标大厅 as a pure machine: `step(state, command, now) -> (state, events)`.

`state` what is known · `commands` what may be asked · `machine` decides, and folds events, with
`unlocking` for what happens between published bidders and import ·
`blame` whose fault it is when a bid or a custodian fails. No clock, no database: the journal keeps
the events, and folding them again gives the same state.
"""

from bidding.opening.blame import propose
from bidding.opening.commands import (
    Answer,
    AnswerObjection,
    BeginConfirming,
    BeginReading,
    BeginUnlock,
    Close,
    Command,
    Confirm,
    Decide,
    Disclose,
    DrawFloat,
    EndPledging,
    Import,
    MissQuorum,
    Move,
    Object,
    Pause,
    Pledge,
    Publish,
    ReadNext,
    Resume,
    Seal,
    SignIn,
    StatePrice,
    Supplement,
    Terminate,
)
from bidding.opening.event import Event
from bidding.opening.machine import evolve, step
from bidding.opening.state import (
    Bid,
    Line,
    Outcome,
    Phase,
    Reply,
    State,
    Terms,
    Window,
)

__all__ = [
    "Answer",
    "AnswerObjection",
    "BeginConfirming",
    "BeginReading",
    "BeginUnlock",
    "Bid",
    "Close",
    "Command",
    "Confirm",
    "Decide",
    "Disclose",
    "DrawFloat",
    "EndPledging",
    "Event",
    "Import",
    "Line",
    "MissQuorum",
    "Move",
    "Object",
    "Outcome",
    "Pause",
    "Phase",
    "Pledge",
    "Publish",
    "ReadNext",
    "Reply",
    "Resume",
    "Seal",
    "SignIn",
    "State",
    "StatePrice",
    "Supplement",
    "Terminate",
    "Terms",
    "Window",
    "evolve",
    "propose",
    "step",
]
