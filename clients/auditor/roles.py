"""Whose word a signed statement has to be, by its purpose; a true signature by another of the pinned keys is none.

A receipt, a refusal and what stands in a dossier have checks of their own. This is for a statement in hand that is
shown alone: a tender file, an order of two, a custodian's answer. What a statement of an unknown purpose means, its
signature does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clients.auditor.checklist import AuditError, NotChecked
from crypto import statement
from crypto.signature import key_id
from documents.checks import Check, run

if TYPE_CHECKING:
    from clients.auditor.keys import Keys

CENTRE: Final = "centre"
CUSTODIAN: Final = "custodian or witness"
SUPERVISOR: Final = "supervisor"
WHO: Final = {
    "tender": (CENTRE,),
    "qualification": (CENTRE,),
    "postponement": (CENTRE, SUPERVISOR),
    "termination": (CENTRE, SUPERVISOR),
    "supplement": (CENTRE, SUPERVISOR),
    "quorum_failure": (CENTRE, SUPERVISOR),
    "reconciliation": (CENTRE, SUPERVISOR),
    "late_witness": (SUPERVISOR,),
    "release": (CUSTODIAN,),
    "release_refusal": (CUSTODIAN,),
    "hold": (CUSTODIAN,),
    "enrolment": (CUSTODIAN,),
}
"""Purpose → who may sign it."""


def check(value: dict[str, Any], keys: Keys) -> Check:
    """Check who signed a statement that has no checklist of its own.

    Args:
        value: its JSON, {} where it is none.
        keys: pinned.
    """
    title = "由有权者签署 · signed by whoever may say this"
    return run("slip.role", title, lambda: _role(value, keys))


def _role(value: dict[str, Any], keys: Keys) -> str:
    if not value.get("statement"):
        raise NotChecked("the statement could not be read")
    purpose, centre = str(value["statement"].get("purpose")), str(value["statement"].get("centre"))
    if purpose not in WHO:
        raise NotChecked(
            f"only its signature was checked: what a {purpose!r} means is not known here"
        )
    keys.need()
    key = statement.signer(value)
    held = {
        CENTRE: keys.centres(centre),
        SUPERVISOR: keys.supervisors(centre),
        CUSTODIAN: keys.custodians,
    }
    for who in WHO[purpose]:
        if key in held[who]:
            return f"{purpose} by a {who}'s key {key_id(key)}; what it says is not derived from anything"
    if SUPERVISOR in WHO[purpose]:
        keys.whose(key)
    raise AuditError(
        f"key {key_id(key)} is no {' or '.join(WHO[purpose])}'s, who alone signs a {purpose}"
    )
