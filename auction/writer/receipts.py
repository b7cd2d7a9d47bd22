"""Receipts: one signature for all rows of a commit, a path for each of them.

The centre signs one statement (purpose `batch_head`) over the Merkle root (RFC 6962) of all auction
rows that one commit made durable; a leaf is the canonical row with its chain hash. A receipt is the
row, its path to that root, and the statement: it verifies offline, with the centre's key alone
(`auction.record.verify_receipt`), and later its chain hash must stand in the transcript.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import SUITE, sign
from crypto.tlog.merkle import all_proofs, leaf_hash
from trading.ground.chain import Row, text_of

PURPOSE = "batch_head"
KEPT = 2_000  # rows whose path is kept until it is asked for


class Sealer:
    """Gathers the rows of a commit and signs their root once.

    Args:
        centre: the centre's id.
        key: the centre's statement key.
        now: the clock.
        soon: calls a function after the rows of one commit have been shown (`loop.call_soon`).
    """

    def __init__(
        self,
        centre: str,
        key: SigningKey,
        now: Callable[[], int],
        soon: Callable[[Callable[[], None]], Any],
    ) -> None:
        self._centre = centre
        self._key = key
        self._now = now
        self._soon = soon
        self._gathered: list[Row] = []
        self._sealed: dict[int, dict[str, Any]] = {}

    def gather(self, row: Row) -> None:
        """Take a row that has become durable."""
        if not self._gathered:
            self._soon(self._seal)
        self._gathered.append(row)

    def receipt(self, row: Row) -> dict[str, Any]:
        """Give the receipt of a durable row; asked for again, or later, it gets a head of its own."""
        found = self._sealed.pop(row.position, None)
        return self._receipts([row])[0] if found is None else found

    def _seal(self) -> None:
        rows, self._gathered = self._gathered, []
        self._sealed |= zip([row.position for row in rows], self._receipts(rows), strict=True)
        while len(self._sealed) > KEPT:
            del self._sealed[next(iter(self._sealed))]

    def _receipts(self, rows: list[Row]) -> list[dict[str, Any]]:
        forms = [row_json(row) for row in rows]
        root, paths = all_proofs([leaf_hash(text_of(form)) for form in forms])
        body = {"root": root.hex(), "size": len(rows), "at": self._now()}
        written = cache(b64)  # neighbours share most of their paths
        head = sign(self._key, PURPOSE, self._centre, body)
        return [
            {
                "v": 1,
                "purpose": "offer_receipt",
                "suite": SUITE,
                "centre": self._centre,
                "row": form,
                "index": index,
                "path": [written(node) for node in path],
                "head": head,
            }
            for index, (form, path) in enumerate(zip(forms, paths, strict=True))
        ]


def row_json(row: Row) -> dict[str, Any]:
    """A row as receipts and transcripts hold it; its place in the whole journal is left out."""
    return {
        "stream": row.stream,
        "seq": row.seq,
        "at": row.at,
        "kind": row.kind,
        "body": row.body,
        "chain": row.chain.hex(),
    }
