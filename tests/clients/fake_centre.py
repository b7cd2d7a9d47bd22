"""A centre small enough to lie: log, ceremonies and partials in memory, behind the wire's Transport."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.wire import API, Answer, Body
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.tlog import checkpoint, merkle, note
from tests.clients import scene

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ORIGIN = f"{scene.CENTRE}/ledger/log1"


class Log:
    """A ledger that can be made to show another history."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
        self.leaves: list[bytes] = []
        self.tree = merkle.Tree()
        self.cosigned: list[bytes] = []

    @property
    def vkey(self) -> str:
        return note.vkey(ORIGIN, self.key)

    def add(self, leaf: bytes | dict[str, Any]) -> int:
        data = leaf if isinstance(leaf, bytes) else canonical(leaf)
        self.leaves.append(data)
        return self.tree.add(data)

    def checkpoint(self, size: int | None = None) -> bytes:
        size = self.tree.size if size is None else size
        head = checkpoint.Checkpoint(ORIGIN, size, self.tree.root(size))
        return checkpoint.sign(head, self.key)


class FakeCentre:
    """Answers like the centre; `before` sees every request and may raise instead."""

    def __init__(self) -> None:
        self.log = Log()
        self.ceremonies: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[int, dict[str, Any]]] = defaultdict(
            lambda: {1: {}, 2: {}, 3: {}}
        )
        self.requests: dict[str, Any] = {}
        self.partials: list[dict[str, Any]] = []
        self.cosigned: list[str] = []
        self.evidence: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda _method, _path: None

    def hold_ceremony(self, context: Any) -> None:
        self.ceremonies[context.ceremony] = {"context": context, "roster": scene.custodians()}

    # --- Transport -----------------------------------------------------------------------

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        parts = urlsplit(path)
        assert parts.path.startswith(API)
        target = parts.path[len(API) :]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append((method, target))
        self.before(method, target)
        told = json.loads(body) if isinstance(body, bytes) and body else None
        found = self._route(method, target.strip("/").split("/"), query, told)
        if isinstance(found, bytes):
            return Answer(200, {}, found)
        if isinstance(found, tuple):
            return Answer(found[0], {}, json.dumps(found[1]).encode())
        return Answer(200, {}, json.dumps(found).encode())

    def close(self) -> None:
        return

    def _route(self, method: str, path: list[str], query: dict[str, str], told: Any) -> Any:
        match (method, path):
            case ("GET", ["centre"]):
                return {"id": scene.CENTRE, "server_time": "2027-01-15T08:00:00.000Z"}
            case ("GET", ["ledger", "checkpoint"]):
                return self.log.checkpoint()
            case ("GET", ["ledger", "consistency"]):
                start, end = int(query["from"]), int(query["to"])
                return {"proof": [b64(h) for h in self.log.tree.consistency_proof(start, end)]}
            case ("GET", ["ledger", "leaves"]):
                start, end = int(query["from"]), int(query["to"])
                return {"leaves": [b64(leaf) for leaf in self.log.leaves[start:end]]}
            case ("GET", ["ledger", "checkpoints", size]) if int(size) <= self.log.tree.size:
                return self.log.checkpoint(int(size))
            case ("GET", ["ledger", "evidence"]):
                return {"evidence": [{"evidence": one} for one in self.evidence]}
            case ("POST", ["ledger", "evidence"]):
                self.evidence.append(told["evidence"])
                return {}
            case ("POST", ["custody", "recoveries"]):
                return {"answers": [], "messages": [], "cosigned": list(self.cosigned)}
            case ("POST", ["ledger", "cosignatures"]):
                self.log.cosigned.append(told["note"].encode())
                return {}
            case ("GET", ["custody", "tasks"]):
                return {"tasks": self.tasks(query["custodian"])}
            case ("GET", ["custody", "ceremonies", ceremony]):
                return self.remains(ceremony)
            case ("POST", ["custody", "ceremonies", ceremony, "messages"]):
                body = told["statement"]
                self.messages[ceremony][body["round"]][body["custodian"]] = told
                return {}
            case ("GET", ["custody", "sections", section, "release-request"]):
                return self.requests[section]
            case ("POST", ["custody", "sections", _, "partials"]):
                self.partials.append(told)
                return {}
        return 404, {"type": "urn:kaibiao:problem:not-found", "title": "没有", "detail": "none"}

    # --- ceremonies ----------------------------------------------------------------------

    def tasks(self, custodian: str) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        for ceremony, held in self.ceremonies.items():
            names = [key.name for key in held["roster"]]
            got = self.messages[ceremony]
            done = 1 + sum(len(got[number]) == len(names) for number in (1, 2))
            if custodian not in names or custodian in got[done]:
                continue
            before = [got[done - 1][name] for name in names] if done > 1 else []
            first = [got[1][name] for name in names] if done == 3 else []
            asked.append(
                {
                    "kind": "ceremony",
                    "ceremony": ceremony,
                    "round": done,
                    "context": b64(held["context"].to_bytes()),
                    "messages": before,
                    "first": first,
                }
            )
        return asked + [{"kind": "release", "section": section} for section in self.requests]

    def remains(self, ceremony: str) -> dict[str, Any]:
        held = self.ceremonies[ceremony]
        names = [key.name for key in held["roster"]]
        got = self.messages[ceremony]
        return {
            "certificate": held.get("certificate"),
            "rounds": {str(number): [got[number][name] for name in names] for number in (1, 2)},
        }

    def copy_of(self, signed: bytes) -> Any:
        return parse(signed)
