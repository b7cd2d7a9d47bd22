"""State as a pure fold of journal rows, and nothing else.

`evolve(state, row)` is the only way in which state changes. At start every row is folded again,
so no table can disagree with the journal. The dictionaries change in place, for a year of rows
must fold in a second; the things in them are frozen. Rows of other rooms, and kinds this floor
does not know, are passed over.

Two streams are read: `trading`, whose rows are the centre's acts, and `ledger`, whose leaves
give keys and registrations the index from which they count. A leaf must come after the row it
belongs to; when exactly makes no difference.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from trading.model import fold_announcement, fold_business, fold_identity
from trading.model.acts import ENROLMENT_MS, PROPOSAL_MS, Proposal
from trading.model.codec import from_json
from trading.model.identity import Actor
from trading.model.state import LEDGER, STREAM, Row, State

Handler = Callable[[State, Mapping[str, Any], int], None]

_TRADING: Final[Mapping[str, Handler]] = {
    **fold_identity.HANDLERS,
    **fold_business.HANDLERS,
    **fold_announcement.HANDLERS,
}


LEAF_KINDS: Final = frozenset(fold_identity.LEAVES)
"""Kinds of ledger leaves that the fold reads; all others are passed over."""


def evolve(state: State, row: Row) -> State:
    """Fold one journal row into the state, in place, and return it."""
    if row.stream == STREAM:
        _forget_old(state, row.at)
        _remember_nonces(state, row)
        if row.kind == "proposal.made":
            _propose(state, row)
        else:
            if handler := _TRADING.get(row.kind):
                handler(state, row.body, row.at)
            # An act of a room above has no handler here; its proposal is carried all the same.
            state.proposals.pop(row.body.get("proposal", ""), None)
    elif row.stream == LEDGER and (leaf := fold_identity.LEAVES.get(row.kind)):
        leaf(state, row.body, row.seq - 1)  # leaves are counted from 0
    return state


def fold(rows: Iterable[Row]) -> State:
    """Fold rows, in the order of the journal, from nothing."""
    state = State()
    for row in rows:
        evolve(state, row)
    return state


def _propose(state: State, row: Row) -> None:
    body = row.body
    (statement,) = body["statements"]
    state.proposals[body["id"]] = Proposal(
        body["id"],
        statement["statement"]["act"],
        statement["statement"]["body"],
        statement,
        body["digest"],
        from_json(Actor, body["by"]),
        row.at,
        row.at + PROPOSAL_MS,
    )


def _remember_nonces(state: State, row: Row) -> None:
    for signed in row.body.get("statements", ()):
        nonce = signed["statement"].get("nonce")
        if nonce is not None:
            state.nonces[nonce] = row.at


def _forget_old(state: State, now: int) -> None:
    # Rows come in the order of their instants, so these dictionaries age from the front.
    for proposal in list(state.proposals.values()):
        if now < proposal.expires_at:
            break
        del state.proposals[proposal.id]
    for enrolment in list(state.enrolments.values()):
        if now - enrolment.at < ENROLMENT_MS:
            break
        del state.enrolments[enrolment.id]
    for nonce, at in list(state.nonces.items()):
        if now - at < PROPOSAL_MS:
            break
        del state.nonces[nonce]
