"""A log as the ground has it, in a few lines: leaves, signed checkpoints, two witnesses."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.canonical import canonical
from crypto.tlog import checkpoint, cosignature
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.merkle import Tree
from crypto.tlog.proof import LogProof
from documents.logproof import RecordProof
from tests.documents import pki, samples

WITNESSES = ("water-supervision", "notary")


class Log:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.key = Ed25519PrivateKey.generate()
        self.witness_keys = {name: Ed25519PrivateKey.generate() for name in WITNESSES}
        self.tree = Tree()
        self.leaves: list[dict[str, Any]] = []

    def add(self, kind: str, **body: Any) -> int:
        leaf = {"v": 1, "centre": samples.CENTRE, "kind": kind, **body}
        self.leaves.append(leaf)
        return self.tree.add(canonical(leaf))

    def checkpoint(self, *, cosigned: bool = True) -> bytes:
        note = checkpoint.sign(Checkpoint(self.origin, self.tree.size, self.tree.root()), self.key)
        if cosigned:
            for name, key in self.witness_keys.items():
                note = cosignature.add(note, key, name, samples.T // 1000 + 900)
        return note

    def proof(self, index: int) -> RecordProof:
        path = tuple(self.tree.inclusion_proof(index))
        return RecordProof(
            samples.CENTRE, self.leaves[index], LogProof(index, path, self.checkpoint())
        )

    def certificates(self, world: pki.Pki):
        keys = {self.origin: self.key, **self.witness_keys}
        return [
            pki.certificate(name, key.public_key(), world.root.subject, world.root_key)
            for name, key in keys.items()
        ]
