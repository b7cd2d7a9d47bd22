"""The ground: what every floor stands on, and nothing about any tender.

Pure and quick to import: `ids money clock problems`.
Truth: `database journal ledger slots blobs private`. Motion: `timers live outbox`.
Edge: `settings logs http ca backup`. `ground.open_ground` ties them for `main`.
This file imports nothing, so that a verb like `seal` pays only for what it uses.
"""
