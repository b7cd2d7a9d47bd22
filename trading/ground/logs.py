"""Logs for operators: one JSON object a line, and never a secret in it.

The journal is history; logs are for whoever mends the machine. They hold event names and fields:
no key, share, token, price or personal number, and no line per request (requests would tell who
prepares a bid, and how many do).
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

import structlog

from trading.ground.clock import rfc3339

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import EventDict, Processor, WrappedLogger

    from trading.ground.clock import Clock

HIDDEN: Final = "[hidden]"
MAX_CAUSES: Final = 5
MAX_FRAMES: Final = 30

_SECRET_NAMES = re.compile(
    r"(^|_)(amount|amounts|authorization|ceiling|cookie|key|nonce|passphrase|passw(or)?d|phone|"
    r"plaintext|price|prices|proof|reserve|salt|scalar|secret|seed|share|shares|token)($|_)",
    re.IGNORECASE,
)
_SAFE_NAMES = frozenset({"key_id", "idempotency_key_sha256"})
_SECRET_TEXTS = re.compile(
    r"AGE-SECRET-KEY-[0-9A-Z-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?i:bearer)\s+\S+"
    r"|\b[1-9]\d{16}[\dXx]\b"  # 公民身份号码
    r"|\b1[3-9]\d{9}\b",  # mobile numbers
    re.DOTALL,
)
_REFUSED_HANDSHAKE: Final = "ASGI callable returned without completing handshake."
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def redact(name: str, value: object) -> object:
    """Return what a log may show of a field: secrets hidden, bytes counted, foreign text tamed."""
    if _SECRET_NAMES.search(name) and name not in _SAFE_NAMES:
        return HIDDEN
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {str(key): redact(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(name, item) for item in value]
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", _SECRET_TEXTS.sub(HIDDEN, value))
    if value is None or isinstance(value, bool | int):
        return value
    return redact(name, str(value))


def configure(level: str, clock: Clock, stream: TextIO | None = None) -> None:
    """Send every log of this process, our own and the libraries', through one JSON renderer.

    Args:
        level: as in `logging`.
        clock: stamps the lines; the same clock that decides.
        stream: where to; standard error by default.
    """

    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"at": rfc3339(clock.now()), **event}

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        stamp,
        _trace,
        _redact_event,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "alembic"):
        logger = logging.getLogger(chatty)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, root.level))
    socket_log = logging.getLogger("uvicorn.error")
    if _no_refused_handshake not in socket_log.filters:
        socket_log.addFilter(_no_refused_handshake)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _no_refused_handshake(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn says of each handshake that was refused, as if the house had made an error.

    A refusal is an answer like any other, and one line for each would tell who knocks. A handler that ends with
    no answer at all is told of by the edge itself (`trading.ground.http`).
    """
    return record.exc_info is not None or record.getMessage() != _REFUSED_HANDSHAKE


def _trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say where an error was raised and of what kind; its text may hold what somebody sent."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        kinds: list[str] = []
        places: list[str] = []
        cause: BaseException | None = error
        while cause is not None and len(kinds) < MAX_CAUSES:
            kinds.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
            places += [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(cause.__traceback__)[-MAX_FRAMES:]
            ]
            cause = cause.__cause__ or cause.__context__
        event["error"] = kinds
        event["trace"] = places
    return event


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    kept: dict[str, Any] = {}
    for name, value in event.items():
        kept[name] = value if name.startswith("_") else redact(name, value)
    return kept
