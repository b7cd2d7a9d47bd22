"""Floor 1: the trading centre's own business, on its ground.

`ground/` holds what every floor above stands on (clock, journal, ledger, live hub …);
the files beside it hold organisations and people, tenders, sections, lots and access.
Imports go down only: nothing here knows of `documents`, `bidding`, `auction` or `clients`.
"""
