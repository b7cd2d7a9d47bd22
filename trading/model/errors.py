"""The one error family of this floor.

    TradingError
    ├── MalformedError   a field is not what it must be; mend it and send it again
    ├── LoginError       no session, an expired one, or a signature that does not hold
    ├── ForbiddenError   this person may not do this here and now
    ├── UnknownError     there is no such thing, or none that this person may know of
    ├── ConflictError    the state has moved on, or is not there yet
    ├── LateError        the time for it is over
    ├── BusyError        too much at once; ask again later
    └── UnlawfulError    a rule of the RuleSet forbids it; `rule` names the article

Each carries what `ground.problems` needs: `code` (stable, lower case with hyphens), a Chinese
title, an English detail that says whose move it is, and facts as JSON values.
"""

from trading.ground.problems import Kind, Problem


class TradingError(Problem):
    """A refusal of the centre's own business: people, rules, tenders, deposits."""


class MalformedError(TradingError):
    """A field is not what it must be; mend it and send it again."""

    kind = Kind.INVALID


class LoginError(TradingError):
    """Nobody is logged in, or the signature does not hold; log in or sign again."""

    kind = Kind.UNAUTHENTICATED


class ForbiddenError(TradingError):
    """This person may not do this here and now."""

    kind = Kind.FORBIDDEN


class UnknownError(TradingError):
    """There is no such thing, or none that this person may know of."""

    kind = Kind.NOT_FOUND


class ConflictError(TradingError):
    """The state has moved on, or is not there yet; read it again, then decide."""

    kind = Kind.CONFLICT


class LateError(TradingError):
    """The time for it is over."""

    kind = Kind.GONE


class BusyError(TradingError):
    """Too much at once; ask again later."""

    kind = Kind.TOO_MANY


class UnlawfulError(TradingError):
    """A rule of the RuleSet forbids it; `rule` names the article, `facts` what would be lawful."""

    kind = Kind.CONFLICT
