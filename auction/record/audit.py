"""Recomputes an auction from its rows alone: chain, verdicts, phases, result, signatures.

No server, no database, no key of the centre. What the rows keep closed (a reserve) is not checked
and named so. Anybody can run it over the transcript.

Source: design.md promise 5; spec/auction.md §8.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auction.model import CENTRE, AuctionError, Phase, Reason
from auction.record.right import check_rights, in_time
from auction.replay import outcome_json
from auction.replay.book import Book, JournalError, evolve, losers
from auction.replay.closed import (
    Closed,
    ClosedError,
    Disclosure,
    Opener,
    by_disclosure,
    disclosure_from,
)
from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.signature import verify
from crypto.statement import PREFIX
from crypto.statement import verify as verify_statement
from trading.ground.chain import Row, verify_row

UNBOUNDED = "999999999999999"
"""A reserve that no offer meets, where the rows say that it was not met and there is no cap."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the rows prove.

    Attributes:
        book: the auction as its rows tell it.
        delegations: paddle → certified key (33 bytes) that delegated; whether that key was the
            holder's stands in the ledger and is the caller's to check.
        not_checked: what the rows keep closed.
        shared: groups of paddles whose offers one delegated key signed: one device spoke for several
            seats. No rule forbids it (reliability.md A7), so it blocks nothing and is said.
    """

    book: Book
    delegations: Mapping[str, frozenset[bytes]]
    not_checked: tuple[str, ...]
    shared: tuple[tuple[str, ...], ...] = ()


Watch = Callable[[Book, Row], None]
"""Told of every row, after it was folded."""


def rows_from_json(values: Iterable[Any]) -> list[Row]:
    """Read rows of a transcript; their positions are 0.

    Raises:
        JournalError: one has another form.
    """
    rows = []
    for number, value in enumerate(values, 1):
        try:
            chain = bytes.fromhex(value["chain"])
            stream, seq, at = str(value["stream"]), int(value["seq"]), int(value["at"])
            rows.append(Row(0, stream, seq, at, str(value["kind"]), dict(value["body"]), chain))
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(number, "not a row of a transcript") from error
    return rows


def audit(
    rows: Sequence[Row],
    centre: str,
    watch: Watch | None = None,
    reserve: Disclosure | None = None,
) -> Audit:
    """Recompute an auction.

    1. one stream, numbered from 1, each row chained to the one before and stamped no earlier; 2. every offer signed by the
    delegated key of its paddle, and saying what the row says; 3. every verdict and every phase as
    the engine gives them; 4. the result as the engine gives it; 5. 优先购买权 with those, and with all
    of those, to whom notice or proof gives it (`right.py`).

    Args:
        rows: all rows of one auction.
        centre: id of the centre.
        watch: told of every row after it was folded.
        reserve: value and salt of the reserve, for whoever was given the slip (a court); then it is
            checked against its commitment and decided with, and nothing is left unchecked.

    Raises:
        JournalError: the row and the check that failed.
    """
    _check_chain(rows, centre)
    opener = _opener(rows, reserve)
    book = Book()
    delegations: dict[str, set[bytes]] = {}
    devices: dict[str, set[str]] = {}
    admitted: list[str] = []
    for row in rows:
        try:
            if row.kind == "auction.decided":
                _check_offer(book, row, opener)
            elif row.kind == "auction.entered":
                key = _delegator(row, centre, book, opener)
                delegations.setdefault(row.body["paddle"], set()).update(key)
                devices.setdefault(row.body["delegate"], set()).add(row.body["paddle"])
            elif in_time(book, row):
                admitted.append(row.body["paddle"])
            evolve(book, row, opener)
            if row.kind == "auction.result":
                _check_result(book, row)
                check_rights(book, row, admitted)
        except JournalError:
            raise
        except (AuctionError, CryptoError, KeyError, TypeError, ValueError) as error:
            raise JournalError(row.seq, f"it cannot be followed: {error}") from error
        if watch is not None:
            watch(book, row)
    unknown = book.reserve is not None and reserve is None
    open_questions = ("reserve_price",) if unknown else ()
    found = {paddle: frozenset(keys) for paddle, keys in delegations.items()}
    shared = tuple(tuple(sorted(paddles)) for paddles in devices.values() if len(paddles) > 1)
    return Audit(book, found, open_questions, shared)


def _check_chain(rows: Sequence[Row], centre: str) -> None:
    previous, last = bytes(32), 0
    for number, row in enumerate(rows, 1):
        if row.stream != rows[0].stream or row.seq != number:
            raise JournalError(number, "a row is missing, or of another auction")
        if row.at < last:
            raise JournalError(number, "its stamp goes back")
        try:
            sound = verify_row(row, previous, centre)
        except (CryptoError, AuctionError) as error:
            raise JournalError(number, "its body has no canonical form") from error
        if not sound:
            raise JournalError(number, "the chain does not hold")
        previous, last = row.chain, row.at


def _opener(rows: Sequence[Row], given: Disclosure | None) -> Opener:
    """Open what rows disclose; a reserve nobody was given counts as the result says it was met or not."""
    disclosed: dict[str, Disclosure] = {}
    reserve: Closed | None = None
    cap, unmet = UNBOUNDED, False
    for row in rows:
        if row.kind == "auction.disclosed":
            found = [disclosure_from(value) for value in row.body.get("values", ())]
            disclosed |= {item.commitment: item for item in found}
        elif row.kind == "auction.announced":
            reserve = row.body.get("reserve")
            rules = row.body.get("rules", {})
            worst = "0" if rules.get("direction") == "down" else UNBOUNDED
            cap = rules.get("price_cap") or worst
        elif row.kind == "auction.result":
            unmet = row.body.get("outcome", {}).get("reason") == Reason.RESERVE_NOT_MET
    look_up = by_disclosure(disclosed)

    def opener(closed: Closed) -> Disclosure:
        if reserve is not None and closed == reserve:
            if given is not None:
                if given.commitment != closed["commitment"]:
                    raise JournalError(
                        1, "the reserve given does not fit the commitment in the rules"
                    )
                return given
            if not unmet:
                raise ClosedError("The reserve stays closed.")
            return Disclosure(cap, "")
        return look_up(closed)

    return opener


def _check_offer(book: Book, row: Row, opener: Opener) -> None:
    body = row.body
    if body["by"] == CENTRE:
        return
    if "closed" in body:
        body = {**body, **json.loads(opener(body["closed"]).value)}
    said = json.loads(body["offer"])
    seat = book.seats[body["by"]]
    if not seat.delegate or row.at >= seat.until:
        raise JournalError(row.seq, "no delegated key could sign at its arrival")
    try:
        verify(seat.delegate, PREFIX + body["offer"].encode(), unb64(body["signature"]))
    except CryptoError as error:
        raise JournalError(row.seq, "the offer's signature does not hold") from error
    content = {
        name: said[name]
        for name in ("amount", "commit", "nonce")
        if isinstance(said.get(name), str)
    }
    told = (said["lot"], said["paddle"], said["do"], said["key"], content)
    if told != (book.lot, body["by"], body["do"], body["key"], body.get("content", {})):
        raise JournalError(row.seq, "the row says other things than the signed offer")


def _delegator(row: Row, centre: str, book: Book, opener: Opener) -> list[bytes]:
    """Give the certified key that signed a delegation; none while the row keeps it closed."""
    signed = row.body["delegation"]
    if "commitment" in signed:
        try:
            signed = json.loads(opener(signed).value)
        except ClosedError:
            return []
    said = verify_statement(signed, purpose="delegation", centre=centre)
    told = (said["lot"], said["paddle"], unb64(said["delegate"]).hex(), said["expires_at"])
    body = row.body
    if told != (book.lot, body["paddle"], body["delegate"], body["expires_at"]):
        raise JournalError(row.seq, "the row says other things than the signed delegation")
    return [unb64(signed["key"])]


def _check_result(book: Book, row: Row) -> None:
    outcome = book.live.outcome
    assert outcome is not None
    if row.body["outcome"] != outcome_json(book.live.rules, outcome):
        raise JournalError(row.seq, "the engine gives another result")
    if row.body["deposits_released"] != losers(book, (won.bidder for won in outcome.winners)):
        raise JournalError(row.seq, "other deposits go back than those of the losers")
    events = {Phase.SOLD: "DEAL_CONFIRMED", Phase.UNSOLD: "NO_DEAL"}
    if row.body["event"] != events.get(outcome.status, "TERMINATED"):
        raise JournalError(row.seq, "the result has another name")
