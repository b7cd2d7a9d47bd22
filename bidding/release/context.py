"""Checks of the release about the custodian, its key and the ledger it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import KeyAssign
from bidding.release.refused import RefusedError
from crypto.age.stanzas import recipient_text
from crypto.encoding import sha256_hex
from crypto.tlog.merkle import verify_consistency
from trading.ground.clock import beijing

if TYPE_CHECKING:
    from bidding.release.case import Case


def clock_forward(case: Case) -> str:
    """Own clock is not before the last instant it stored: a clock set back releases nothing."""
    view = case.view
    if view.now < view.last_time:
        raise RefusedError(
            f"The clock shows {beijing(view.now)}, but {beijing(view.last_time)} was seen before."
        )
    return beijing(view.now)


def not_held(case: Case) -> str:
    """`custodian hold SECTION` is this custodian's own veto."""
    if case.view.hold is not None:
        raise RefusedError(f"This custodian holds the section: {case.view.hold}.")
    return ""


def key_context(case: Case) -> str:
    """The certificate's own context names this centre, section, ceremony and purpose, and us."""
    view, request = case.view, case.request
    context = view.group.key_context
    named = (context.centre, context.section, context.ceremony, context.purpose)
    asked = (view.centre, request.section, request.ceremony, request.use)
    for name, made, wanted in zip(
        ("centre", "section", "ceremony", "purpose"), named, asked, strict=True
    ):
        if made != wanted:
            raise RefusedError(f"The key was made for the {name} {made}, not {wanted}.")
    index = view.group.index_of(view.host_key)
    return f"share {index} of {view.group.n}, {context.purpose}"


def head_signed(case: Case) -> str:
    """The head is a note of the pinned log."""
    return f"size {case.head.size}"


def run_complete(case: Case) -> str:
    """Frontier and leaves fold to the head's root: nothing was left out, slipped in or written so as to hide."""
    size = case.run.size
    if case.run.inexact is not None:
        raise RefusedError(f"Leaf {case.run.inexact} is not canonical JSON.")
    if size != case.head.size:
        raise RefusedError(f"The run ends at {size}, the head at {case.head.size}.")
    if case.roots[size] != case.head.root:
        raise RefusedError("The leaves shown are not those under the head.")
    return f"{size - case.request.start} leaves"


def log_consistent(case: Case) -> str:
    """The head continues the very history that this custodian last cosigned."""
    last = case.view.last
    if last is None:
        return "nothing cosigned before"
    size, root = last
    if size > case.head.size:
        raise RefusedError(f"The head ({case.head.size}) is older than what was cosigned ({size}).")
    if size >= case.request.start:
        if case.roots[size] != root:
            raise RefusedError(f"At size {size} the log shows another root than was cosigned.")
    elif size:
        proof = [bytes.fromhex(node) for node in case.request.consistency]
        verify_consistency(size, case.head.size, proof, root, case.head.root)
    return f"from size {size}"


def key_assigned(case: Case) -> str:
    """The section's only assignment is of this very key, and none can lie before the run.

    A run that begins with the assignment shows no earlier one, under which bids may have been taken.
    So a custodian's run begins with what it had cosigned before the key was there.
    """
    view, request = case.view, case.request
    placed = case.one(KeyAssign)
    leaf, context = placed.leaf, view.group.key_context
    if view.born is None and placed.index != request.start:
        raise RefusedError("The run does not begin with the key's assignment.")
    if view.born is not None and request.start > view.born:
        raise RefusedError(
            f"The run begins at {request.start}, the key was made after {view.born}: "
            "an earlier assignment could lie between."
        )
    if leaf.recipient != recipient_text(view.group.recipient):
        raise RefusedError("Another key was assigned to this section.")
    if leaf.certificate != view.certificate or leaf.ceremony != request.ceremony:
        raise RefusedError("The assignment names another ceremony.")
    if leaf.use != context.purpose:
        raise RefusedError(f"A {context.purpose} key was assigned for {leaf.use}.")
    if leaf.earliest_t != context.earliest or leaf.deadline < context.earliest:
        raise RefusedError(
            f"The key answers from {beijing(context.earliest)}; the assignment says "
            f"{beijing(leaf.earliest_t)} and {beijing(leaf.deadline)}."
        )
    if leaf.seed != sha256_hex(bytes.fromhex(request.seed)):
        raise RefusedError("The seed shown is not the one committed to.")
    return f"leaf {placed.index}"
