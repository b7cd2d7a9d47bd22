"""Checks of the release about who spoke with which key: one history of the log, keys issued to bidders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bidding.model import CloseList, Reconciliation
from bidding.release.closing import announced, two_signed
from bidding.release.refused import RefusedError
from bidding.rules.draw import CENTRE_PARTY
from crypto import statement
from crypto.canonical import parse
from crypto.encoding import b64
from crypto.tlog.merkle import leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from bidding.release.case import Case

ISSUED = "key_issued"


def one_history(case: Case) -> str:
    """Nothing shows that the log has signed two histories, unless centre and supervisor have answered it.

    Evidence counts wherever it was seen: in a leaf of the run, in what this custodian keeps, in the
    cosigned checkpoints of this very request. An accused witness is not counted any more; it cannot
    stop a release. Evidence about a key that is not of this log says nothing.
    """
    for note in case.cosigned:
        if case.roots.get(note.size, note.root) != note.root:
            raise RefusedError(f"The log has signed two roots of size {note.size}.")
    against = {digest for digest, one in case.accused.items() if one.key == case.view.log}
    open_ = against - _reconciled(case)
    if open_:
        raise RefusedError(
            f"The log has signed two histories, evidence {min(open_)[:16]}…; centre and supervisor "
            "have not reconciled them."
        )
    names = sorted(one.key.split("+")[0] for one in case.accused.values())
    return f"accused: {', '.join(names)}" if names else "nobody is accused"


def _reconciled(case: Case) -> set[str]:
    """Digests of the evidence that two have looked at for this section."""
    found: set[str] = set()
    for both in announced(case):
        body = two_signed(both, Reconciliation.PURPOSE, case)
        if body is not None:
            said = Reconciliation.from_body(body)
            if said.section == case.request.section:
                found.update(said.evidence)
    return found


def keys_issued(case: Case) -> str:
    """Each act's key was issued to its bidder by a leaf before the act's slot, and not revoked by then.

    So was the key of each party that committed to the float draw, before its commitment.

    The issuance may lie before the run, so the request carries each such leaf with its path under the
    closing checkpoint. A revocation is seen where it stands in the run; one before the run the centre
    checks at submission and an auditor in the dossier.
    """
    closing = case.one(CloseList).leaf
    root = bytes.fromhex(closing.closing_root)
    issued: dict[str, tuple[int, str]] = {}
    for one in case.request.issued:
        data = one.leaf.encode()
        path = [bytes.fromhex(node) for node in one.path]
        verify_inclusion(one.index, closing.closing_size, leaf_hash(data), path, root)
        leaf = parse(data)
        if (leaf["kind"], leaf["centre"]) != (ISSUED, case.view.centre):
            raise RefusedError(f"Leaf {one.index} issues no key of this centre.")
        issued[leaf["key"]] = (one.index, leaf["organisation"])
    for sealed in case.request.entries:
        key, act = b64(statement.signer(sealed.signed)), case.acts[sealed.entry.id]
        slot = case.run.slots.get(sealed.entry.slot, case.request.start)
        index, holder = issued.get(key, (slot, ""))
        if index >= slot or holder != act.bidder:
            raise RefusedError(f"The key of {act.id} is not shown to be issued to its bidder.")
        if case.run.revoked.get(key, slot) < slot:
            raise RefusedError(f"The key of {act.id} was revoked before it was used.")
    for placed in case.commits:
        signed = placed.leaf.signed
        party, key = signed["statement"]["party"], b64(statement.signer(signed))
        index, holder = issued.get(key, (placed.index, ""))
        if party != CENTRE_PARTY and (index >= placed.index or holder != party):
            raise RefusedError(
                f"The key that committed to the float draw for {party} is not shown to be issued to it."
            )
        if case.run.revoked.get(key, placed.index) < placed.index:
            raise RefusedError(f"The key of {party} was revoked before it committed.")
    return f"{len(issued)} keys"
