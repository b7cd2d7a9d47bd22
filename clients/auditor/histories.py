"""Evidence of two histories 双史证据 in a file: two notes of one key that cannot both be true (ledger-v1 §6.5).

A *valid* file means that the accusation holds: the pinned key of the log, or of a witness, has signed two histories of
one log. Nothing but the file and the pinned key is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.auditor.checklist import AuditError, Check, Checklist, NotChecked
from clients.auditor.keys import NO_TRUST
from crypto.tlog import note
from crypto.tlog.evidence import Evidence

if TYPE_CHECKING:
    from clients.auditor.keys import Keys

FIELDS: Final = frozenset({"v", "key", "first", "second", "index", "places"})
TITLES: Final = {
    "form": "证据格式完整 · the evidence has its exact form",
    "two-histories": "同一密钥签署了两份历史 · one key has signed two histories",
    "accused": "被指密钥为预先登记者 · the accused key is a pinned one of the log or a witness",
}


def is_evidence(value: Any) -> bool:
    """Say whether a JSON value is meant to be evidence."""
    return isinstance(value, dict) and value.keys() >= FIELDS


def check(value: Any, keys: Keys) -> tuple[Check, ...]:
    """Check evidence.

    Args:
        value: the file's JSON.
        keys: pinned.
    """
    todo = Checklist("evidence", TITLES)
    read: list[Evidence] = []

    def form() -> str:
        read.append(Evidence.from_json(value))
        return f"SHA-256 {read[0].digest}"

    def two() -> str:
        first, second = read[0].verify()
        where = "" if read[0].index is None else f", leaf {read[0].index} differs"
        return (
            f"{first.origin}: {first.size} leaves with root {first.root.hex()[:16]}…, "
            f"{second.size} with {second.root.hex()[:16]}…{where}"
        )

    def accused() -> str:
        (key,) = note.parse_keys([read[0].key])
        if not keys.given:
            raise NotChecked(NO_TRUST)
        if keys.trust.notes.get(key.name) != key.public:
            raise AuditError(f"the key {key.name} is not in the trust file")
        return f"{key.name}, {'the log' if key.kind == note.ED25519 else 'a witness'}"

    todo.check("form", form)
    todo.check("two-histories", two, needs=["form"])
    todo.check("accused", accused, needs=["form"])
    return todo.checks
