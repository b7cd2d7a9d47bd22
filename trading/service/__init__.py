"""What the centre does: each part one file, all at one desk, one command at a time.

`desk` state, journal, signatures · `proposals` two people · `sessions` login · `enrolment` keys ·
`cards` custodians, witnesses · `tenders`, `auctions` what is traded · `deposits` · `holds`
suspend and resume · `core` TradingService, which ties them and answers the rooms above.
"""

from trading.service.core import TradingService
from trading.service.proposals import Effect, Proposals
from trading.service.sessions import Login

__all__ = ["Effect", "Login", "Proposals", "TradingService"]
