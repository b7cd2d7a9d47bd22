"""The fake centre as bidders meet it: sessions, tus uploads that may be cut, submissions, receipts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bidding.model import Entry, Receipt, Refusal
from clients.sdk.wire import API, Answer, WireError
from crypto import statement
from crypto.canonical import canonical
from crypto.encoding import b64
from crypto.section_tree import SectionTree, slot_commitment, slot_salt
from tests.clients import scene
from tests.clients.fake_centre import FakeCentre

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.sdk.wire import Body

SEED = bytes([5]) * 32


class BidCentre(FakeCentre):
    """Takes bids of one section.

    Attributes:
        files: upload id → bytes held.
        cut_after: cut the connection once so many bytes of an upload have come; None never.
        lose_answer: take the next submission and cut the connection before answering.
        late: refuse everything as late.
        lie: what the next receipt says instead.
        version: of the tender file that it shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log.add({"v": 1, "kind": "born"})
        self.files: dict[str, bytearray] = {}
        self.lengths: dict[str, int] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.cut_after: int | None = None
        self.lose_answer = False
        self.late = False
        self.lie: dict[str, Any] = {}
        self.version = 1
        self.patched = 0
        self.tree = SectionTree(SEED)
        self.tokens = 0
        self.expired = False

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        target = path[len(API) :]
        self.before(method, target)
        if target.startswith("/uploads"):
            return self._upload(method, target, headers, body)
        return super().send(method, path, headers, body)

    def _upload(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        assert headers["Tus-Resumable"] == "1.0.0"
        assert headers["Authorization"] == f"Bearer token-{self.tokens}"
        if method == "POST":
            name = f"upl_{len(self.files)}"
            self.files[name] = bytearray()
            self.lengths[name] = int(headers["Upload-Length"])
            return Answer(201, {"location": f"{API}/uploads/{name}"}, b"")
        name = path.rsplit("/", 1)[-1]
        if name not in self.files:
            return Answer(404, {}, b'{"type":"urn:kaibiao:problem:upload-unknown"}')
        held = self.files[name]
        if method == "HEAD":
            return Answer(200, {"upload-offset": str(len(held))}, b"")
        assert method == "PATCH"
        assert int(headers["Upload-Offset"]) == len(held)
        for block in body:  # type: ignore[union-attr]
            assert isinstance(block, bytes)
            held += block
            self.patched += len(block)
            if self.cut_after is not None and self.patched >= self.cut_after:
                self.cut_after = None
                raise WireError("cut")
        return Answer(204, {"upload-offset": str(len(held))}, b"")

    def _route(self, method: str, path: list[str], query: dict[str, str], told: Any) -> Any:
        match (method, path):
            case ("POST", ["session", "challenge"]):
                return {"challenge": "c" * 43, "origin": "http://elsewhere"}
            case ("POST", ["session"]):
                body = statement.verify(told, purpose="login", centre=scene.CENTRE)
                assert body == {"challenge": "c" * 43, "origin": "http://centre.test"}
                self.tokens += 1
                return 201, {"token": f"token-{self.tokens}"}
            case ("GET", ["sections", "sec_a", "tender.json"]):
                return {"statement": {"version": self.version}}
            case ("POST", ["sections", "sec_a", "submissions"]):
                return self._submit(told)
            case ("POST", ["sections", "sec_a", "withdrawals"]):
                return self._taken(told["withdrawal"], "withdrawal", 0)
        return super()._route(method, path, query, told)

    def _submit(self, told: dict[str, Any]) -> Any:
        signed = told["submission"]
        held = self.files[told["upload"]]
        assert len(held) == self.lengths[told["upload"]] == signed["statement"]["size"]
        if self.late:
            refusal = Refusal(
                tender="ten_a",
                section="sec_a",
                statement=statement.digest(signed).hex(),
                code="bid-deadline-passed",
                reason="late",
                arrival=scene.T0 + 20,
                deadline=scene.T0,
            )
            signed = statement.sign(scene.centre_key(), "refusal", scene.CENTRE, refusal.to_body())
            kind = "urn:kaibiao:problem:bid-deadline-passed"
            return 410, {"type": kind, "detail": "20 ms late", "refusal": signed}
        receipt = self._taken(signed, "submission", signed["statement"]["size"])
        if self.lose_answer:
            self.lose_answer = False
            raise WireError("the answer was lost")
        return receipt

    def _taken(self, signed: dict[str, Any], kind: Any, size: int) -> Any:
        digest = statement.digest(signed).hex()
        if digest not in self.receipts:
            self.receipts[digest] = self._receipt(signed, kind, digest, size)
        return 201, self.receipts[digest]

    def _receipt(self, signed: dict[str, Any], kind: Any, digest: str, size: int) -> Any:
        slot = scene.BORN // 1000 + len(self.receipts)
        said = signed["statement"]
        entry = Entry(
            section="sec_a",
            kind=kind,
            id=f"act_{len(self.receipts)}",
            slot=slot,
            arrival=slot * 1000 + 7,
            statement=digest,
            replaces=said.get("submission", ""),
            delegation="",
        )
        place = self.tree.place(entry.id.encode())
        self.tree.put(place, entry.to_bytes(scene.CENTRE), slot)
        salt = slot_salt(SEED, slot)
        commitment = slot_commitment(salt, self.tree.root()).hex()
        leaf = canonical(
            {
                "v": 1,
                "centre": scene.CENTRE,
                "kind": "slot",
                "slot": slot,
                "sections": {"sec_a": commitment},
                "lots": {},
            }
        )
        index = self.log.add(leaf)
        size_now = self.log.tree.size
        body = Receipt(
            tender="ten_a",
            section="sec_a",
            bidder=said["bidder"],
            sha256=said.get("sha256", self._last_hash),
            size=size,
            version=said.get("version", 1),
            newest=self.version,
            entry=entry,
            index=place,
            path=tuple(node.hex() for node in self.tree.path(place)),
            salt=salt.hex(),
            leaf=leaf.decode(),
            leaf_index=index,
            inclusion=tuple(node.hex() for node in self.log.tree.inclusion_proof(index, size_now)),
            checkpoint=self.log.checkpoint().decode(),
            issued=(slot + 1) * 1000,
        ).to_body()
        self._last_hash = str(body["sha256"])
        return statement.sign(scene.centre_key(), "receipt", scene.CENTRE, {**body, **self.lie})

    _last_hash = "0" * 64


def log_certificate(centre: FakeCentre) -> str:
    """The log's key as a certificate, its note key's name the subject."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    from tests.clients.fake_centre import ORIGIN

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ORIGIN)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(centre.log.key.public_key())
        .serial_number(9)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(centre.log.key, None)
    )
    return made.public_bytes(Encoding.PEM).decode()


def statement_of(path: Any) -> dict[str, Any]:
    """A signed statement out of a file."""
    return dict(json.loads(path.read_text()))


__all__ = ["BidCentre", "b64", "log_certificate", "statement_of"]
