"""``python -m clients.bench.commits FOLDER SECONDS``: what this disk allows, with the store of the journal.

Two rates, one JSON object: plain commits of one row each through the driver, and the journal with one
transaction per offer: each waits until the one before it is durable. A process of its own, so that the slow
disk can be put under it as under the server.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Final

BODY: Final = {"by": "107", "do": "bid", "offer": "x" * 600, "verdict": {"ok": True, "seq": 1}}


def raw(path: Path, seconds: float) -> float:
    """Commits of one row each in a second: SQLite, WAL, `synchronous=FULL`, no code of ours."""
    text = json.dumps(BODY)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (position INTEGER PRIMARY KEY, body TEXT, chain BLOB)")
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (body, chain) VALUES (?, ?)", (text, bytes(32)))
        connection.execute("COMMIT")
        count += 1
    rate = count / (time.perf_counter() - begin)
    connection.close()
    return rate


async def single(home: Path, seconds: float) -> float:
    """Offers a second through our journal when each has a transaction to itself."""
    from trading.ground.chain import Draft
    from trading.ground.database import open_database
    from trading.ground.journal import Journal

    database = open_database(f"sqlite:///{home / 'kaibiao.db'}", home)
    journal = Journal(database, "bench")
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        await journal.append(Draft("lot:bench", "auction.decided", dict(BODY), 1))
        count += 1
    rate = count / (time.perf_counter() - begin)
    journal.close()
    database.close()
    return rate


def main(folder: Path, seconds: float) -> None:
    """Measures both and prints them."""
    folder.mkdir()
    plain = raw(folder / "plain.db", seconds)
    print(json.dumps({"raw": plain, "single": asyncio.run(single(folder / "home", seconds))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
