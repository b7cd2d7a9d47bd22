"""A custodian's decision: may it answer for this section, now? Pure; docs/spec/release-v1.md.

`request` what it is shown and what it knows itself · `run` a gapless run of ledger leaves ·
`judge` the named checks, in the order of the specification.
"""

from bidding.release.judge import Answer, Verdict, decide, evaluate
from bidding.release.request import CustodianView, IssuedKey, ReleaseRequest, SealedEntry, TwoSigned

__all__ = [
    "Answer",
    "CustodianView",
    "IssuedKey",
    "ReleaseRequest",
    "SealedEntry",
    "TwoSigned",
    "Verdict",
    "decide",
    "evaluate",
]
