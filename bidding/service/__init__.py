"""What this room does, tied together: each part one file, all in one `Room`.

`uploads` tus · `intake` submissions, withdrawals, receipts, section trees · `ceremonies` keys ·
`trees` what slots commit to · `custody` release requests and answers · `run` the opening from T to the record · `paper` notices
and records · `core` BiddingService.
"""

from bidding.service.core import BiddingService

__all__ = ["BiddingService"]
