"""An auction told again, purely: from a scenario file, or from journal rows.

scenario.py   a scenario in, its result out (contract/auction)
closed.py     values that stay closed for a while, and how they are opened
book.py       the rows of one auction, folded; every verdict is held against the engine
"""

from auction.replay.scenario import (
    Scenario,
    decode,
    outcome_json,
    parse_scenario,
    replay,
    run,
    verdict_json,
)

__all__ = ["Scenario", "decode", "outcome_json", "parse_scenario", "replay", "run", "verdict_json"]
