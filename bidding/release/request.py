"""What a custodian judges by: the centre's request, and what the custodian knows by itself.

The two are kept apart on purpose. Nothing of the request is believed: every field of it is either
checked against the view or recomputed from the ledger's leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bidding.model import Entry  # noqa: TC001 (fields are read by their annotations)
from bidding.model.shapes import Body, Count, Hex32, Ident, Json, LongText, Text, Use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crypto.certificate import GroupKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry(Body):
    """One accepted act, opened to custodians and supervisor after the close.

    Attributes:
        index: its place in the section's tree.
        entry: what the tree holds there.
        signed: the signed Submission or Withdrawal whose digest `entry.statement` is.
        possession: proof by the encapsulation's ephemeral key, base64; "" where waived.
    """

    PURPOSE: ClassVar[str] = "sealed_entry"

    index: Count
    entry: Entry
    signed: Json
    possession: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey(Body):
    """A ledger leaf that issues a key: index, bytes as served, RFC 6962 path under the closing root."""

    PURPOSE: ClassVar[str] = "issued_key"

    index: Count
    leaf: LongText
    path: tuple[Hex32, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSigned(Body):
    """One statement signed by the centre and by the supervisor (`custodian take FILE`)."""

    PURPOSE: ClassVar[str] = "two_signed"

    centre: Json
    supervisor: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest(Body):
    """`GET /custody/sections/{id}/release-request`: everything but the leaves themselves.

    Attributes:
        start: index of the section's key_assign leaf; the run of leaves begins there. A custodian
            makes it begin earlier, at what it had cosigned before there was a key (`view.born`).
        frontier: roots of the full subtrees of the tree of size `start`, largest first, hex.
        head: the checkpoint the run ends at, a signed note; its size bounds the run.
        cosigned: signed notes with witnesses' cosignatures, of sizes from closing to head.
        consistency: RFC 6962 proof from the custodian's last cosigned size to the head, wanted
            only where that size is below `start`.
        seed: the section's seed, hex.
        entries: all acts accepted in time, in any order.
        issued: the leaf that issued each key which signed an act, proved under the closing checkpoint.
        late_witness: supervisor-signed LateWitness statements; empty without an outage.
    """

    PURPOSE: ClassVar[str] = "release_request"

    section: Ident
    use: Use
    ceremony: Ident
    start: Count
    frontier: tuple[Hex32, ...]
    head: LongText
    cosigned: tuple[LongText, ...]
    consistency: tuple[Hex32, ...]
    seed: Hex32
    entries: tuple[SealedEntry, ...]
    issued: tuple[IssuedKey, ...]
    late_witness: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianView:
    """What the custodian knows by itself, pinned or remembered.

    Attributes:
        centre: id of the centre; `centre_keys`, `supervisor_keys`: pinned statement keys, 33 bytes.
        custodian: own id; `host_key`: own DKG key, 33 bytes.
        group: the section's key from the success certificate, verified at the ceremony.
        certificate: SHA-256 of the certificate's canonical form, hex.
        now: own clock, ms UTC; `last_time`: the last instant it has stored.
        log: note verifier key of the ledger; `witnesses`: those of the *other* witnesses.
        last: size and root of the checkpoint it last cosigned; None before the first.
        hold: reason of its own veto, None without one.
        handed: postponements, terminations and supplements handed to it directly.
        answered: digest of the close list it has answered with this key, hex; None before.
        evidence: what it has seen of two histories (`crypto.tlog.evidence`), JSON.
        born: size of the log that it had cosigned before it signed for the key, so that no leaf about
            the section's bids lies before; None for who was not there (an auditor).
    """

    centre: str
    centre_keys: frozenset[bytes]
    supervisor_keys: frozenset[bytes]
    custodian: str
    host_key: bytes
    group: GroupKey
    certificate: str
    now: int
    last_time: int
    log: str
    witnesses: tuple[str, ...]
    last: tuple[int, bytes] | None = None
    hold: str | None = None
    handed: Sequence[TwoSigned] = ()
    answered: str | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    born: int | None = None
