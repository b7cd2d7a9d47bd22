"""What the room speaks of: errors, statements with their exact field lists, checks.

`errors` the BiddingError family · `shapes` strict reading of JSON into frozen dataclasses ·
`tender` the file `seal --tender` reads · `bid` what bidders sign and get · `leaf` what the centre writes into the ledger 存证日志 ·
`custody` what custodians 密钥托管人 and supervisor sign · `check` the line of a checklist.
"""

from bidding.model.bid import (
    Confirmation,
    Entry,
    FileEntry,
    Manifest,
    Objection,
    Receipt,
    Refusal,
    Submission,
    Withdrawal,
)
from bidding.model.check import Check, failed, passed, unchecked
from bidding.model.custody import (
    CeremonyMessage,
    Decision,
    Enrolment,
    Hold,
    LateWitness,
    Postponement,
    Release,
    ReleaseRefusal,
    Supplement,
    Termination,
)
from bidding.model.errors import (
    BiddingError,
    ConflictError,
    ForbiddenError,
    LateError,
    MalformedError,
    PackageError,
    TooLargeError,
    UnknownError,
)
from bidding.model.leaf import (
    Announced,
    CloseList,
    ControlPrice,
    Excluded,
    FloatCommit,
    FloatResult,
    FloatReveal,
    KeyAssign,
    ListedBid,
    Opened,
    OpenedBid,
    PublishedBidders,
)
from bidding.model.shapes import Body
from bidding.model.tender import Custodian, Limits, SummaryField, TenderFile

__all__ = [
    "Announced",
    "BiddingError",
    "Body",
    "CeremonyMessage",
    "Check",
    "CloseList",
    "Confirmation",
    "ConflictError",
    "ControlPrice",
    "Custodian",
    "Decision",
    "Enrolment",
    "Entry",
    "Excluded",
    "FileEntry",
    "FloatCommit",
    "FloatResult",
    "FloatReveal",
    "ForbiddenError",
    "Hold",
    "KeyAssign",
    "LateError",
    "LateWitness",
    "Limits",
    "ListedBid",
    "MalformedError",
    "Manifest",
    "Objection",
    "Opened",
    "OpenedBid",
    "PackageError",
    "Postponement",
    "PublishedBidders",
    "Receipt",
    "Refusal",
    "Release",
    "ReleaseRefusal",
    "Submission",
    "SummaryField",
    "Supplement",
    "TenderFile",
    "Termination",
    "TooLargeError",
    "UnknownError",
    "Withdrawal",
    "failed",
    "passed",
    "unchecked",
]
