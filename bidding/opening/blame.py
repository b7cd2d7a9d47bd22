"""Whose fault it is: what the system proposes, and what it rests on (domain.md §1.4 as amended).

Custodians open; bidders attempt nothing. So a bid that fails with a proved Diffie-Hellman value is
the sealer's own doing (视为撤销), anything else is not (视为撤回). The system proposes, a named
person decides where no proof decides.
"""

from __future__ import annotations

from typing import Final

DEEMED_REVOKED: Final = "deemed_revoked"  # 视为撤销: the bidder's cause
DEEMED_WITHDRAWN: Final = "deemed_withdrawn"  # 视为撤回: any other cause
UNDETERMINED: Final = "undetermined"

# Each is found by `package.unseal` from the sealed file and public points alone.
# After a quorum failure: pledged, and no key that fits was handed over.
_SEALERS_OWN: Final = ("header-", "stanza-", "payload-", "package-", "summary-", "disclosure-")
# Not the bidder's: our copies, our machine, our custodians.
_OTHERS: Final = frozenset({"stored-copy-corrupt", "server-fault", "quorum-missed"})


def propose(code: str) -> str:
    """Return the verdict that a result code proposes: deemed_revoked, deemed_withdrawn, undetermined."""
    if code.startswith(_SEALERS_OWN):
        return DEEMED_REVOKED
    return DEEMED_WITHDRAWN if code in _OTHERS else UNDETERMINED
