"""Checks of the release about T: who moved it, whether it has come, and by what all judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    Announced,
    CloseList,
    KeyAssign,
    LateWitness,
    Postponement,
    QuorumFailure,
    Termination,
)
from bidding.release.refused import RefusedError
from bidding.release.request import TwoSigned
from crypto import statement
from crypto.errors import CryptoError
from trading.ground.clock import beijing
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bidding.release.case import Case

WINDOW_MS: Final = 60_000  # design.md §2, release: cosignatures stamped in [T, T + 60 s]
WITNESSES: Final = 2


def close_listed(case: Case) -> str:
    """One close list, of this section and purpose."""
    placed = case.one(CloseList)
    if placed.leaf.use != case.request.use:
        raise RefusedError(f"The close list is for {placed.leaf.use}.")
    return f"leaf {placed.index}, {len(placed.leaf.bids)} bids"


def deadline_agreed(case: Case) -> str:
    """T of the list is the assigned one as moved by two-signed postponements, none left out."""
    deadline = case.one(KeyAssign).leaf.deadline
    moves = sorted(_moves(case), key=lambda move: (move.previous, move.deadline))
    for move in moves:
        deadline = max(deadline, move.deadline)
    listed = case.one(CloseList).leaf.deadline
    if listed != deadline:
        raise RefusedError(f"T is {beijing(deadline)}, but the list says {beijing(listed)}.")
    earliest = case.view.group.key_context.earliest
    if listed < earliest:
        raise RefusedError(f"This key answers not before {beijing(earliest)}.")
    return f"T = {beijing(listed)}"


def time_reached(case: Case) -> str:
    """Own clock ≥ T; `[start, end)`, so T itself is the first instant."""
    deadline = case.one(CloseList).leaf.deadline
    if case.view.now < deadline:
        raise RefusedError(f"It is {beijing(case.view.now)}, T is {beijing(deadline)}.")
    return f"{case.view.now - deadline} ms after T"


def closing_checkpoint(case: Case) -> str:
    """The list's closing size ends with the leaf of the slot that ends at T."""
    leaf = case.one(CloseList).leaf
    slot = leaf.deadline // 1000 - 1
    found = case.run.ends.get(slot, [])
    if leaf.slot != slot or len(found) != 1:
        raise RefusedError(
            f"The section's slots end with slot {slot} {len(found)} times, not once."
        )
    if found[0] + 1 != leaf.closing_size:
        raise RefusedError(f"The smallest checkpoint with slot {slot} is {found[0] + 1}.")
    if case.roots.get(leaf.closing_size, b"").hex() != leaf.closing_root:
        raise RefusedError("The closing root is not that of the log at this size.")
    return f"size {leaf.closing_size}, slot {slot}"


def witnessed(case: Case) -> str:
    """Two other witnesses cosigned the closing checkpoint or a later one of the same log, in time."""
    leaf = case.one(CloseList).leaf
    start, end = leaf.deadline, leaf.deadline + WINDOW_MS
    late_too = any(_allows_late(case, signed) for signed in case.request.late_witness)
    names: set[str] = set()
    accused = {
        one.key for one in case.accused.values()
    }  # who has signed two histories counts for none
    for note in case.cosigned:
        if note.size < leaf.closing_size or case.roots.get(note.size) != note.root:
            continue
        names.update(
            name
            for name, at in note.cosigners
            if name not in accused and (start <= at <= end or (late_too and at > end))
        )
    if len(names) < WITNESSES:
        raise RefusedError(f"{len(names)} other witnesses cosigned it in time, {WITNESSES} needed.")
    return ", ".join(sorted(name.split("+")[0] for name in names))


def answered_once(case: Case) -> str:
    """One answer per key: the identical list again gets the identical answer, another none."""
    digest, before = case.one(CloseList).digest, case.view.answered
    if before is not None and before != digest:
        raise RefusedError(f"This key answered for the list {before[:16]}…, not {digest[:16]}….")
    return "again" if before else "first answer"


def two_signed(both: TwoSigned, purpose: str, case: Case) -> dict[str, Any] | None:
    """Return what centre and supervisor both signed for this purpose; None if it is another's.

    Raises:
        CryptoError: a signature does not hold.
    """
    if both.centre.get("statement", {}).get("purpose") != purpose:
        return None
    centre = case.view.centre
    one = statement.verify(both.centre, purpose=purpose, centre=centre)
    two = statement.verify(both.supervisor, purpose=purpose, centre=centre)
    if (
        statement.signer(both.centre) not in case.view.centre_keys
        or statement.signer(both.supervisor) not in case.view.supervisor_keys
        or one != two
    ):
        raise RefusedError(f"A {purpose} is not signed by both centre and supervisor.")
    return one


def announced(case: Case) -> Iterator[TwoSigned]:
    """Give what the ledger announced about the section, then what was handed over directly."""
    for placed in case.of(Announced):
        statements = placed.leaf.statements
        if len(statements) != 2:
            raise RefusedError(f"Leaf {placed.index} is not signed by two.")
        yield TwoSigned(centre=statements[0], supervisor=statements[1])
    yield from case.view.handed


def _allows_late(case: Case, signed: dict[str, Any]) -> bool:
    """Say whether this is a supervisor's LateWitness for this very closing checkpoint."""
    leaf = case.one(CloseList).leaf
    try:
        body = statement.verify(signed, purpose=LateWitness.PURPOSE, centre=case.view.centre)
        said = LateWitness.from_body(body)
    except (CryptoError, Problem):
        return False
    return (
        statement.signer(signed) in case.view.supervisor_keys
        and said.section == leaf.section
        and (said.closing_size, said.closing_root) == (leaf.closing_size, leaf.closing_root)
    )


def _moves(case: Case) -> Iterator[Postponement]:
    for both in announced(case):
        ended = two_signed(both, Termination.PURPOSE, case)
        if _ends(case, ended, Termination):
            raise RefusedError("The section was terminated by centre and supervisor.")
        missed = two_signed(both, QuorumFailure.PURPOSE, case)
        if _ends(case, missed, QuorumFailure):
            raise RefusedError(
                "Centre and supervisor declared the quorum failed: release has ended."
            )
        moved = two_signed(both, Postponement.PURPOSE, case)
        if moved is not None:
            move = Postponement.from_body(moved)
            if move.section == case.request.section:
                yield move


def _ends(case: Case, body: dict[str, Any] | None, kind: type[Termination | QuorumFailure]) -> bool:
    """Say whether this ends release for the section; to who looks back it does not."""
    return (
        body is not None and kind.from_body(body).section == case.request.section and not case.over
    )
