"""What this floor keeps outside the journal: login sessions; and what it reads: RuleSet files.

Rows are built only here. Everything else this floor knows is folded from the journal
(`trading.model.fold`), so there is no business table that could disagree with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlmodel import col, delete, select

from crypto.canonical import parse
from trading.ground.tables import SessionRow
from trading.model import LEAF_KINDS, LEDGER, STREAM, Row, RuleSet
from trading.rules.loading import read_calendar, read_rulesets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlmodel import Session

    from trading.ground.journal import Journal

_CONCERNS_US: Final = re.compile(f'"kind":"(?:{"|".join(sorted(LEAF_KINDS))})"'.encode())

RULESETS: Final = Path(__file__).parent / "rulesets"


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """One login as it is kept. `digest`: hex of SHA-256 of the token, which itself is nowhere."""

    digest: str
    person: str
    key_id: str
    created_at: int
    seen_at: int
    expires_at: int


class LeafRow(NamedTuple):
    """A ledger leaf as the fold reads it; when it was appended does not matter."""

    stream: str
    seq: int
    at: int
    kind: str
    body: dict[str, Any]


def keep_login(session: Session, login: StoredLogin) -> None:
    """Write a login, or write again when it was last seen."""
    session.merge(
        SessionRow(
            token_sha256=login.digest,
            person=login.person,
            key=login.key_id,
            created_at=login.created_at,
            seen_at=login.seen_at,
            expires_at=login.expires_at,
        )
    )


def drop_logins(session: Session, digests: list[str]) -> None:
    """Forget logins."""
    session.exec(delete(SessionRow).where(col(SessionRow.token_sha256).in_(digests)))


def logins(session: Session) -> list[StoredLogin]:
    """Read all logins."""
    return [
        StoredLogin(
            row.token_sha256, row.person, row.key, row.created_at, row.seen_at, row.expires_at
        )
        for row in session.exec(select(SessionRow))
    ]


def history(journal: Journal) -> Iterator[Row]:
    """The rows this floor is folded from: its own stream, then the ledger leaves that concern it.

    A leaf only gives a key or a registration its index, so it may come after all rows of the
    stream. Of the ledger, one leaf a second, only such leaves are parsed.
    """
    yield from journal.rows(STREAM)
    for seq, text in enumerate(journal.texts(LEDGER), 1):
        if _CONCERNS_US.search(text):
            body = parse(text)
            yield LeafRow(LEDGER, seq, 0, body["kind"], body)


def load_rulesets(folder: Path = RULESETS) -> list[RuleSet]:
    """Read every RuleSet and calendar of a folder.

    Raises:
        MalformedError: a file is not of the documented form.
    """
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}
    calendar = read_calendar(text for name, text in files.items() if name.startswith("calendar-"))
    return [
        ruleset
        for name, text in files.items()
        if not name.startswith("calendar-")
        for ruleset in read_rulesets(text, calendar)
    ]
