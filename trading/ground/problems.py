"""The root of all error families of the centre, and their RFC 9457 form.

Each floor derives its own family from `Problem` (`TradingError`, `BiddingError` …). A problem
says what happened, whose move it is and what to do next. Only this file knows HTTP statuses;
`http.py` turns a problem into an answer. Pure: imported by files that decide.

    Problem
    ├── Invalid            the content breaks a rule of form
    ├── Unauthenticated    nobody is logged in, or the signature does not hold
    ├── Forbidden          this person may not do this here and now
    ├── NotFound           there is no such thing, or nothing this person may know of
    ├── Conflict           the state has moved on, or not yet far enough
    ├── Gone               the time for it is over
    ├── TooLarge           a bound with a number is exceeded
    ├── TooMany            ask again later
    └── Unavailable        the centre cannot answer safely now
        ├── StorageFailed  the journal has stopped (fail-stop)
        └── StorageFull    no room left
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Final

URN: Final = "urn:kaibiao:problem:"
MEDIA_TYPE: Final = "application/problem+json"


class Kind(StrEnum):
    """What sort of refusal it is; the HTTP status follows from it."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    TOO_EARLY = "too_early"
    GONE = "gone"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"


STATUS: Final[dict[Kind, int]] = {
    Kind.MALFORMED: 400,
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NOT_ALLOWED: 405,
    Kind.TIMEOUT: 408,
    Kind.CONFLICT: 409,
    Kind.TOO_EARLY: 409,  # not 425: that status speaks of TLS early data (RFC 8470)
    Kind.GONE: 410,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
    Kind.STORAGE_FULL: 507,
}


class Problem(Exception):  # noqa: N818 (RFC 9457 calls it a problem; families end in Error)
    """A refusal that its reader can act on.

    Args:
        code: stable, lower case with hyphens, as `bid-deadline-passed`.
        title: one Chinese phrase, the same for every case of this code.
        detail: what happened here, whose move it is, what to do. No foreign text in it.
        kind: overrides the class's kind.
        rule: the article, RFC section or spec step that says so; may be empty.
        facts: further members of the answer, JSON values (RFC 9457 §3.2).
    """

    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(
        self,
        code: str,
        title: str,
        detail: str = "",
        *,
        kind: Kind | None = None,
        rule: str = "",
        **facts: Any,
    ) -> None:
        super().__init__(f"{code}: {title}" + (f" ({detail})" if detail else ""))
        self.code = code
        self.title = title
        self.detail = detail
        self.rule = rule
        self.facts = facts
        self.status = STATUS[kind or type(self).kind]

    def document(self, server_time: str) -> dict[str, Any]:
        """Return the problem+json members, `server_time` as RFC 3339 text.

        Facts never override the standard members.
        """
        members: dict[str, Any] = {
            **self.facts,
            "type": URN + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "server_time": server_time,
        }
        if self.rule:
            members["rule"] = self.rule
        return members


class Invalid(Problem):
    """The content breaks a rule of form; mend it and send it again."""

    kind = Kind.INVALID


class Unauthenticated(Problem):
    """Nobody is logged in, or the signature does not hold; log in or sign again."""

    kind = Kind.UNAUTHENTICATED


class Forbidden(Problem):
    """This person may not do this here and now."""

    kind = Kind.FORBIDDEN


class NotFound(Problem):
    """There is no such thing, or none that this person may know of."""

    kind = Kind.NOT_FOUND


class Conflict(Problem):
    """The state has moved on, or is not there yet; read it again, then decide."""

    kind = Kind.CONFLICT


class Gone(Problem):
    """The time for it is over."""

    kind = Kind.GONE


class TooLarge(Problem):
    """A bound with a number is exceeded."""

    kind = Kind.TOO_LARGE


class TooMany(Problem):
    """Too much at once; ask again later."""

    kind = Kind.TOO_MANY


class Unavailable(Problem):
    """The centre cannot answer safely now; nothing was decided, ask again."""

    kind = Kind.UNAVAILABLE


class StorageFailed(Unavailable):
    """The journal met a storage error and has stopped; the owner reloads it (fail-stop)."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "storage-failed",
            "存储故障，已停止受理",
            detail
            or "The command was not acknowledged: whether it was kept is in doubt until the same"
            " request with the same key is sent again, which never acts twice.",
        )


class StorageFull(Problem):
    """No room left on the volume; nothing was kept."""

    kind = Kind.STORAGE_FULL

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "storage-full",
            "存储空间不足",
            detail or "Nothing was kept. The centre must make room; then send it again.",
        )
