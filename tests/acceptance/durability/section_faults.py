"""The judge of a section: what a stored home holds, compared with what those outside were told.

It reads the home and knows nothing else of the centre. A fault is a sentence; no sentence, no fault.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import text

from bidding.opening import Phase
from bidding.store import Shelf
from tests.acceptance.durability.section import PRICES, Cast, Told
from tests.bidding.handed_in import read
from tests.trading.world import CENTRE
from trading.ground.database import open_database, open_snapshot
from trading.ground.journal import Journal, Row
from trading.ground.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def stored(home: Path) -> list[Row]:
    """The rows that a home holds; every chain is verified."""
    database = open_database(Settings(home=home).database_url, home)
    try:
        return list(Journal(database, CENTRE).rows())
    finally:
        database.close()


def uploads_of(home: Path) -> set[str]:
    """The uploads that its database names."""
    with open_snapshot(Settings(home=home).database_url) as connection:
        return set(connection.execute(text("SELECT id FROM upload")).scalars())


def faults_of_bids(home: Path, cast: Cast, told: Told) -> list[str]:
    """What the home and the bidders' memory say against each other; empty when all is well."""
    found: list[str] = []
    rows = stored(home)
    book = Shelf(CENTRE, rows).books[cast.section]
    taken = Counter(row.body["entry"]["statement"] for row in rows if row.kind == "submission")
    issued = Counter(row.body["id"] for row in rows if row.kind == "receipt")
    found += [f"{digest} was taken twice" for digest, count in taken.items() if count > 1]
    found += [f"{act} has {count} receipts" for act, count in issued.items() if count > 1]
    for number, receipt in told.receipts.items():
        entry = read(receipt).entry  # its proofs hold
        kept = book.kept.get(entry.id)
        if kept is None or kept.entry != entry or book.receipts.get(entry.id) != receipt:
            found.append(f"the receipt of bidder {number} was told and is lost")
            continue
        assert kept.blob is not None
        for copy in ("1", "2"):
            path = home / "blobs" / copy / kept.blob.name
            if not path.exists() or path.read_bytes() != cast.files[number]:
                found.append(f"copy {copy} of bidder {number} is not what was handed in")
    slots = [row.body["slot"] for row in rows if row.stream == "ledger" and row.kind == "slot"]
    if slots != list(range(slots[0], slots[0] + len(slots))):
        found.append("the slots have a gap")
    names = {kept.blob.name for kept in book.kept.values() if kept.blob}
    for copy in ("1", "2"):
        if {path.name for path in (home / "blobs" / copy).iterdir()} != names:
            found.append(f"blobs/{copy} holds what nobody named")
    known = uploads_of(home)
    found += [f"{path.name} is nobody's" for path in (home / "uploads").iterdir()
              if path.name not in known]  # fmt: skip
    return found


ONCE = (
    "closed", "price_stated", "float_revealed", "float_drawn", "published", "unlock_begun",
    "imported", "reading_begun", "confirming_begun", "confirmed", "sealed", "record_issued",
)  # fmt: skip
LEAVES = {
    "key_assign": 1, "float_commit": 1, "close_list": 1, "control_price": 1, "float_result": 1,
    "published_bidders": 1, "release": 2, "opened": 1,
}  # fmt: skip


def faults_of_opening(home: Path, cast: Cast, told: Told) -> list[str]:
    """What the home says against one opening of the bids that were received, and against what was told."""
    found: list[str] = []
    rows = stored(home)
    book = Shelf(CENTRE, rows).books[cast.section]
    mine = [row for row in rows if row.stream == f"bidding/{cast.section}"]
    kinds = Counter(row.kind for row in mine)
    found += [f"{kind}: {kinds[kind]} times" for kind in ONCE if kinds[kind] != 1]
    if kinds["read"] != 3:
        found.append(f"{kinds['read']} bids were read out")
    leaves = {kind: len(those) for kind, those in book.leaves.items()}
    if leaves != LEAVES:
        found.append(f"the ledger has {leaves}")
    said = {row.body["digest"] for row in mine if row.kind == "answered"}
    records = {row.body["record"] for row in rows if row.kind == "record"}
    for act in told.acts:
        there = act in kinds or act in said or act in records or act == "read_all"
        if not there:
            found.append(f"{act} was acknowledged and is lost")
    if book.opening is None or book.opening.phase is not Phase.SEALED:
        return [*found, "it is not sealed"]
    prices = [bid.summary.get("total_price") for bid in book.opening.bids.values()]
    if sorted(prices) != sorted(PRICES[:3]):
        found.append(f"it opened {prices}")
    opened = {path.name for path in (home / "opened").iterdir()}
    if opened != set(book.opening.bids):
        found.append(f"opened/ holds {opened}")
    papers = Counter(
        row.body["type"] for row in rows if row.stream == "ledger" and row.kind == "record"
    )
    if papers != {"notice": 1, "opening": 1}:
        found.append(f"the ledger has records {papers}")
    for row in rows:
        if row.stream == "documents":
            for copy in ("1", "2"):
                data = (home / "blobs" / copy / row.body["blob"]).read_bytes()
                if hashlib.sha256(data).hexdigest() != row.body["sha256"]:
                    found.append("the record's paper is not what the ledger says")
    return found
