"""A centre that lies: it holds every key and file of the real one, and asks a custodian to release early.

It passes everything on to the real centre but what it forges: a ledger that goes on with a close list nobody else has
seen, signed by the real log key, and a release request built upon it. What the custodian answers is kept.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from bidding.model import CloseList, KeyAssign
from bidding.release import ReleaseRequest
from bidding.release.run import Fold
from clients.sdk import ledger
from clients.sdk.wire import Centre
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint, sign
from crypto.tlog.fold import frontier_of
from crypto.tlog.merkle import Tree
from trading.ground.ca import read_log_key

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

API: Final = "/api/v1"
SLOT_MS: Final = 1000


class FalseCentre:
    """Serves while the `with` block lasts.

    Args:
        server: address of the real centre.
        home: the real centre's home, whose log key signs the forgery.
        section: the section to be opened early.
        ceremony: whose key it has.
        deadline: what the forged close list says, ms UTC; on a slot boundary.

    Attributes:
        answers: what the custodian posted, in order.
    """

    def __init__(self, server: str, home: Path, section: str, ceremony: str, deadline: int) -> None:
        self.answers: list[dict[str, Any]] = []
        self._real = urlsplit(server)
        self._section = section
        self._leaves, self._head, self._request = _forge(server, home, section, ceremony, deadline)
        self._tree = Tree()
        for leaf in self._leaves:
            self._tree.add(leaf)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        """Begin to serve in a thread."""
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, target: str, body: bytes) -> bytes | None:
        """What is forged, or None for what the real centre shall answer."""
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(API), parse_qs(parts.query)
        place = f"/custody/sections/{self._section}"
        if path == "/custody/tasks":
            return _json({"tasks": [{"kind": "release", "section": self._section}]})
        if path == f"{place}/release-request":
            return _json(self._request.to_body())
        if path == f"{place}/partials" and method == "POST":
            self.answers.append(json.loads(body))
            return _json({})
        if path == "/ledger/checkpoint":
            return self._head
        if path == "/ledger/cosignatures":
            return _json({"new": 0})
        if path == "/ledger/leaves":
            start, end = int(query["from"][0]), int(query["to"][0])
            return _json({"leaves": [b64(leaf) for leaf in self._leaves[start:end]]})
        if path == "/ledger/consistency":
            proof = self._tree.consistency_proof(int(query["from"][0]), int(query["to"][0]))
            return _json({"proof": [b64(step) for step in proof]})
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        false, real = self, self._real

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                forged = false.answer(self.command, self.path, body)
                status, content = (200, forged) if forged is not None else self._pass(body)
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _pass(self, body: bytes) -> tuple[int, bytes]:
                way = http.client.HTTPConnection(real.hostname or "", real.port, timeout=10)
                kept = {"content-type", "authorization", "accept"}
                headers = {k: v for k, v in self.headers.items() if k.lower() in kept}
                way.request(self.command, self.path, body or None, headers)
                answer = way.getresponse()
                content = answer.read()
                way.close()
                return answer.status, content

            do_GET = do_POST = _serve  # noqa: N815  names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def _seed(home: Path, section: str) -> str:
    """The section's seed, which lies in the centre's database and nowhere else."""
    database = sqlite3.connect(f"file:{home / 'kaibiao.db'}?mode=ro", uri=True)
    row = database.execute(
        "SELECT value FROM private WHERE subject = ? AND field = 'bid-seed'", (section,)
    ).fetchone()
    database.close()
    return str(row[0])


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _forge(
    server: str, home: Path, section: str, ceremony: str, deadline: int
) -> tuple[list[bytes], bytes, ReleaseRequest]:
    """The real ledger with a forged close list behind it, its signed head, and a request upon it."""
    real = Centre.at(server)
    log = str(real.about()["ledger_vkey"])
    tree = open_checkpoint(ledger.checkpoint(real), log)
    leaves = list(ledger.leaves(real, 0, tree.size))
    real.close()
    start, assigned = next(
        (index, KeyAssign.from_leaf(leaf, leaf["centre"]))
        for index, leaf in enumerate(map(parse, leaves))
        if leaf["kind"] == KeyAssign.PURPOSE and leaf["section"] == section
    )
    close = CloseList(
        section=section,
        tender=assigned.tender,
        use="live",
        deadline=deadline,
        slot=deadline // SLOT_MS - 1,
        closing_size=tree.size,
        closing_root=tree.root.hex(),
        bids=(),
        excluded=(),
    )
    leaves.append(canonical(close.to_leaf(parse(leaves[0])["centre"])))
    fold = Fold(start, frontier_of(leaves[:start]))
    for leaf in leaves[start:]:
        fold.add(leaf)
    head = sign(Checkpoint(tree.origin, fold.size, fold.root()), read_log_key(home / "keys"))
    request = ReleaseRequest(
        section=section,
        use="live",
        ceremony=ceremony,
        start=start,
        frontier=tuple(step.hex() for step in frontier_of(leaves[:start])),
        head=head.decode(),
        cosigned=(),
        consistency=(),
        seed=_seed(home, section),
        entries=(),
        issued=(),
        late_witness=(),
    )
    return leaves, head, request
