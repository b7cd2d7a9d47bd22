"""Who was given which key, as the ledger tells it: issued and revoked at an index, valid as of an index.

A statement of a bidder counts if its key was issued to that bidder before the leaf that commits to the statement, and
was not revoked by then; what happens to the key afterwards does not matter (design.md §3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clients.auditor.checklist import AuditError, NotChecked
from crypto.canonical import parse
from crypto.encoding import unb64
from crypto.signature import key_id

if TYPE_CHECKING:
    from clients.auditor.evidence import Evidence


class Holder(NamedTuple):
    """To whom a key was issued, as what; `person` and `role` are "" where the leaf does not say."""

    organisation: str
    person: str
    role: str


class Register:
    """The keys that a dossier's leaves tell of.

    Args:
        evidence: the dossier.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._issued: dict[bytes, tuple[int, str]] = {}
        self._holders: dict[bytes, Holder] = {}
        self._revoked: dict[bytes, int] = {}
        self.codes: dict[str, str] = {}
        """Organisation id → 统一社会信用代码, of every organisation that a key was issued to."""
        for index, data, _ in evidence.leaves:
            if b'"kind":"key_' not in data:
                continue
            leaf = parse(data)
            if leaf["kind"] == "key_issued":
                key, organisation = unb64(leaf["key"]), leaf["organisation"]
                self._issued.setdefault(key, (index, organisation))
                holder = Holder(organisation, leaf.get("person", ""), leaf.get("role", ""))
                self._holders.setdefault(key, holder)
                if "credit_code" in leaf:
                    self.codes.setdefault(leaf["organisation"], leaf["credit_code"])
            elif leaf["kind"] == "key_revoked":
                self._revoked.setdefault(unb64(leaf["key"]), index)

    def holder(self, public: bytes) -> str | None:
        """Return the organisation that a key was issued to; None where no leaf says."""
        found = self._issued.get(public)
        return None if found is None else found[1]

    def whose(self, public: bytes) -> Holder | None:
        """Return to whom a key was issued, as what; None where no leaf says."""
        return self._holders.get(public)

    def require(self, public: bytes, organisation: str, index: int) -> None:
        """Check that a key was an organisation's as of a leaf.

        Args:
            public: 33 bytes.
            organisation: id.
            index: of the leaf that commits to what the key signed.

        Raises:
            NotChecked: the dossier holds no leaf about this key.
            AuditError: it was another's, came later, or was revoked before.
        """
        name = f"key {key_id(public)}"
        if public not in self._issued:
            raise NotChecked(f"no leaf of the dossier says to whom {name} was issued")
        since, holder = self._issued[public]
        if holder != organisation:
            raise AuditError(f"{name} was issued to {holder}, not to {organisation} (leaf {since})")
        if since >= index:
            raise AuditError(f"{name} was issued by leaf {since}, after leaf {index}")
        if self._revoked.get(public, index) < index:
            raise AuditError(f"{name} was revoked by leaf {self._revoked[public]}")
