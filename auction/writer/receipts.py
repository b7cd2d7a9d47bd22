"""Receipts: one signature for all rows of a commit, a path for each of them.

The centre signs one statement (purpose `batch_head`) over the Merkle root (RFC 6962) of all auction
rows that one commit made durable; a leaf is the canonical row with its chain hash. A receipt is the
row, its path to that root, and the statement: it verifies offline, with the centre's key alone
(`auction.record.verify_receipt`), and later its chain hash must stand in the transcript.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import SUITE, sign
from crypto.tlog.merkle import all_proofs, leaf_hash
from trading.ground.chain import Row, text_of

PURPOSE = "batch_head"
KEPT = 2_000  # rows whose receipt is kept until it is asked for

_PLAIN = frozenset({"auction.decided", "auction.unheard"})
_encode = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode


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
        self._name = canonical(centre)
        self._now = now
        self._soon = soon
        self._gathered: list[Row] = []
        self._sealed: dict[int, msgspec.Raw] = {}

    def gather(self, row: Row) -> None:
        """Take a row that has become durable."""
        if not self._gathered:
            self._soon(self._seal)
        self._gathered.append(row)

    def receipt(self, row: Row) -> msgspec.Raw:
        """Give the receipt of a durable row; asked for again, or later, it gets a head of its own.

        Returns:
            Its JSON, for a message that carries it.
        """
        found = self._sealed.pop(row.position, None)
        return self._receipts([row])[0] if found is None else found

    def _seal(self) -> None:
        rows, self._gathered = self._gathered, []
        self._sealed |= zip([row.position for row in rows], self._receipts(rows), strict=True)
        while len(self._sealed) > KEPT:
            del self._sealed[next(iter(self._sealed))]

    def _receipts(self, rows: list[Row]) -> list[msgspec.Raw]:
        """Write the receipts of a commit: each row is written once, for its leaf and for its receipt."""
        leaves = [_canonical(row) for row in rows]
        root, paths = all_proofs([leaf_hash(leaf) for leaf in leaves])
        body = {"root": root.hex(), "size": len(rows), "at": self._now()}
        head = _encode(sign(self._key, PURPOSE, self._centre, body))
        written = cache(_quoted)  # neighbours share most of their paths
        return [
            msgspec.Raw(
                b'{"v":1,"purpose":"offer_receipt","suite":"%s","centre":%s,"row":%s,"index":%d,"path":[%s],"head":%s}'
                % (
                    SUITE.encode(),
                    self._name,
                    leaf,
                    index,
                    b",".join(written(node) for node in path),
                    head,
                )
            )
            for index, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
        ]


def _quoted(node: bytes) -> bytes:
    return b'"%s"' % b64(node).encode()


def _canonical(row: Row) -> bytes:
    """Write a durable row as RFC 8785 wants; its body was canonical when it entered the journal.

    A row of an offer has plain members only, and an encoder that sorts them writes just that. What
    else there is goes the long way, which looks at every member.
    """
    form = row_json(row)
    return _sorted(form) if row.kind in _PLAIN else text_of(form)


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
