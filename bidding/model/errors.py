"""The error family of this floor: every refusal says what happened, whose move it is, what to do.

BiddingError
├── MalformedError     a statement, header or package breaks a rule of form
│   └── PackageError   what is inside a bid does not fit: the bidder's own, recheckable
├── ForbiddenError     this person may not do this here and now
├── UnknownError       there is no such section, upload or bid, or none to know of
├── ConflictError      the state has moved on, or is not there yet
├── LateError          the deadline or the window is over
├── TooLargeError      a bound with a number is exceeded
└── TooManyError       too often within a time
"""

from trading.ground.problems import Kind, Problem


class BiddingError(Problem):
    """Root of the family; see `trading.ground.problems.Problem` for the arguments."""


class MalformedError(BiddingError):
    """The content breaks a rule of form; mend it and send it again."""

    kind = Kind.INVALID


class PackageError(MalformedError):
    """What is inside the bid does not fit; `code` is the reason that the opening record prints."""


class ForbiddenError(BiddingError):
    """This person may not do this here and now."""

    kind = Kind.FORBIDDEN


class UnknownError(BiddingError):
    """There is no such thing, or none that this person may know of."""

    kind = Kind.NOT_FOUND


class ConflictError(BiddingError):
    """The state has moved on, or is not there yet; read it again, then decide."""

    kind = Kind.CONFLICT


class LateError(BiddingError):
    """The deadline or the window is over, `[start, end)`: an event at `end` is late."""

    kind = Kind.GONE


class TooLargeError(BiddingError):
    """A bound with a number is exceeded."""

    kind = Kind.TOO_LARGE


class TooManyError(BiddingError):
    """Too often within a time; wait, then try again."""

    kind = Kind.TOO_MANY
