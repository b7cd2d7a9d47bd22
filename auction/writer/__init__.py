"""Who writes auctions down: one actor a lot, one signature a commit.

lot.py        the actor: decides, queues, discloses, ends
receipts.py   Merkle paths under one signed head for all rows of a commit
heard.py      which offers were heard before, by the client's key
heads.py      chain heads by slot, for the ledger
memory.py     what a restart need not fold again
"""

from auction.writer.heads import Heads
from auction.writer.lot import Decision, LotWriter
from auction.writer.receipts import Sealer

__all__ = ["Decision", "Heads", "LotWriter", "Sealer"]
