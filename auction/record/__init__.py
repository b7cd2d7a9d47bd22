"""The record of an auction, from its rows alone: pure, for the centre's paper and for every auditor.

audit.py     chain, signatures, verdicts, result: recomputed, or the row that is wrong named
facts.py     transcript and deal confirmations as facts for `documents`
receipt.py   an offer's receipt, checked offline
"""

from auction.record.audit import Audit, audit, rows_from_json
from auction.record.facts import confirmation_facts, transcript_facts
from auction.record.receipt import ReceiptError, verify_receipt

__all__ = [
    "Audit",
    "ReceiptError",
    "audit",
    "confirmation_facts",
    "rows_from_json",
    "transcript_facts",
    "verify_receipt",
]
