"""What may be asked of an opening. Who may ask is the access table's matter, not this file's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bidding.opening.state import File, Line, Outcome


@dataclass(frozen=True, slots=True)
class Command:
    """Root of all commands."""


@dataclass(frozen=True, slots=True)
class SignIn(Command):
    """签到: a bidder comes into the hall. Optional; absence voids nothing."""

    bidder: str


@dataclass(frozen=True, slots=True)
class Move(Command):
    """延期: T moves later, by centre and supervisor."""

    deadline: int
    reason: str


@dataclass(frozen=True, slots=True)
class Close(Command):
    """The deadline has passed: these bids are listed, in reading order. Runs by the rule.

    `excluded`: live bids that the list leaves out with a logged reason.
    """

    lines: tuple[Line, ...]
    digest: str
    excluded: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class StatePrice(Command):
    """公布最高投标限价, in 元, or "" where there is none."""

    value: str


@dataclass(frozen=True, slots=True)
class DrawFloat(Command):
    """The 浮动点 that commit and reveal gave, or "" where the method has none."""

    value: str


@dataclass(frozen=True, slots=True)
class Publish(Command):
    """公布投标人名单: first disclosure."""


@dataclass(frozen=True, slots=True)
class BeginUnlock(Command):
    """The window for custodians' answers begins."""


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """A custodian answered; whether its proof holds was checked outside.

    Attributes:
        status: answered (the proof holds), wrong (it does not), refused (a signed refusal).
        digest: SHA-256 of the signed answer.
    """

    custodian: str
    status: Literal["answered", "wrong", "refused"]
    digest: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Supplement(Command):
    """补充名单: centre and supervisor put excluded bids back, their reason being mended."""

    submissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissQuorum(Command):
    """Centre and supervisor decide: fewer than t can answer, release ends for this key."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pledge(Command):
    """A bidder signs that it will hand over its file key; `statement`: digest, hex."""

    bidder: str
    statement: str


@dataclass(frozen=True, slots=True)
class EndPledging(Command):
    """The time to pledge is over and somebody has not. Runs by the rule."""


@dataclass(frozen=True, slots=True)
class Disclose(Command):
    """A bidder hands over a file key; that it fits the header was checked outside.

    `ref`: where it lies, in no row of the journal, until all is imported.
    """

    bidder: str
    statement: str
    ref: str


@dataclass(frozen=True, slots=True)
class Import(Command):
    """批量导入: what came of every listed bid, all at once."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Decide(Command):
    """A named person decides about one bid that did not open; the system had only proposed (§1.4).

    Attributes:
        by: person id, no name: names are personal data and stand in no row. `role`: in which it decides.
        statement: SHA-256 of the signed decision, hex.
    """

    submission: str
    verdict: Literal["deemed_revoked", "deemed_withdrawn", "remedied"]
    by: str
    reason: str
    role: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class BeginReading(Command):
    """唱标 begins."""


@dataclass(frozen=True, slots=True)
class ReadNext(Command):
    """The next bid is read out."""


@dataclass(frozen=True, slots=True)
class BeginConfirming(Command):
    """开标记录确认 begins; every bid has been read."""


@dataclass(frozen=True, slots=True)
class Confirm(Command):
    """无异议: locks."""

    bidder: str
    statement: str


@dataclass(frozen=True, slots=True)
class Object(Command):
    """有异议: raised in the hall, to be answered at once (实施条例 44); its files are named by hash."""

    bidder: str
    statement: str
    text: str
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerObjection(Command):
    """The tenderer's answer to an objection. `by`: id of the person who gave it."""

    bidder: str
    text: str
    files: tuple[File, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Speak(Command):
    """发言: a message to everybody in the hall.

    Attributes:
        speaker: organisation id; `part`: as what it speaks; `by`: person id.
    """

    speaker: str
    part: Literal["bidder", "host", "supervisor"]
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Mute(Command):
    """禁言, or its end: of one bidder, or of all ("")."""

    bidder: str
    muted: bool
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoteIdentity(Command):
    """身份核验例外: what did not fit about a bidder's delegate, and why it was let pass or not."""

    bidder: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Reconvene(Command):
    """复会: a paused hall goes on no earlier than `at`, or a sealed one meets again then. By two."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class EndMeeting(Command):
    """The meeting after the record is over."""


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """中止: the running window freezes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """恢复: the window goes on with what was left of it."""


@dataclass(frozen=True, slots=True)
class Seal(Command):
    """The opening record is drawn up; read-only from here."""


@dataclass(frozen=True, slots=True)
class Terminate(Command):
    """终止, by centre and supervisor."""

    reason: str
