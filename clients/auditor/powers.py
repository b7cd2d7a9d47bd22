"""By what right each act was done, and for which version of the tender file each bid was made.

A bidder's own key needs no more than the leaf that issued it. A delegate's 委托代理人 acts by a delegation that the
bidder's own key signed: for this person, in this scope, for this section, from its arrival until its end. The entry of
a submission or withdrawal commits to its digest in the act's own slot, so that none can be written afterwards; ledger
leaves open what was used once the bidders are published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bidding.model import Delegations, PublishedBidders
from bidding.rules.versions import Edition, newest
from clients.auditor.checklist import AuditError, NotChecked, must
from clients.auditor.issued import Register
from clients.auditor.section import ACTS, FILES
from crypto import statement
from crypto.encoding import unb64
from crypto.signature import key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.auditor.issued import Holder
    from clients.auditor.section import Section
    from trading.ground.chain import Row

SCOPES: Final = {
    "submission": "submit",
    "withdrawal": "submit",
    "sign_in": "confirm",
    "confirmation": "confirm",
    "disclosure_pledge": "confirm",
    "objection": "object",
}
"""Purpose of what a bidder signs (a sign-in is not signed) → what a delegate must have been given for it."""

GRACE_MS: Final = 60_000  # a signed command is taken within a minute of its signing
SIGNED_IN: Final = "signed_in_by"
KEPT: Final = frozenset({"delegation_kept", "delegation_ended"})


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a bidder.

    Attributes:
        purpose: what was signed; of a sign-in, which is not signed, `sign_in`.
        key: 33 bytes that signed, or logged in.
        named: digest of the delegation that its entry names; None in the hall.
    """

    row: Row
    purpose: str
    bidder: str
    key: bytes
    at: int
    named: str | None = None


@dataclass(slots=True)
class Power:
    """A delegation that the section kept."""

    digest: str
    row: Row
    said: dict[str, Any]
    bidder: str
    ended: Row | None = None
    used: list[str] = field(default_factory=list)


def check(section: Section) -> str:
    """Check every act of a bidder against its key's holder and, where that is a delegate, the delegation.

    Raises:
        NotChecked: no leaf says whose a key is.
        AuditError: naming the act that nobody was entitled to do.
    """
    register = Register(section.evidence)
    powers = _kept(section, register)
    _signed_in(section)
    for act in _acts(section):
        _entitled(section, register, powers, act)
    _opened(section, powers)
    used = [
        f"{one.said['person']} for {one.bidder}: {', '.join(one.used)}" for one in powers.values()
    ]
    return "; ".join(used) or "bidders' own keys only"


def _acts(section: Section) -> Iterator[Act]:
    for row in section.rows:
        if row.kind == SIGNED_IN:
            yield Act(row, "sign_in", row.body["bidder"], unb64(row.body["key"]), row.at)
        elif row.kind in ACTS or row.kind == "statement_kept":
            signed, entry = row.body["signed"], row.body.get("entry")
            said = signed["statement"]
            if said["purpose"] in SCOPES:
                at, named = (entry["arrival"], entry["delegation"]) if entry else (row.at, None)
                signer = statement.signer(signed)
                yield Act(row, said["purpose"], said["bidder"], signer, at, named)


def _signed_in(section: Section) -> None:
    """Each sign-in says by which key."""
    came = {row.body["bidder"] for row in section.rows if row.kind == "signed_in"}
    by = {row.body["bidder"] for row in section.rows if row.kind == SIGNED_IN}
    must(came == by, f"a sign-in without its key, or a key without a sign-in: {sorted(came ^ by)}")


def _kept(section: Section, register: Register) -> dict[str, Power]:
    """Read what the section kept: each delegation signed by the bidder's own key, each end by the same bidder's."""
    powers: dict[str, Power] = {}
    for row in section.rows:
        if row.kind not in KEPT:
            continue
        where, body = f"row {row.seq}", row.body
        signed = body["signed"]
        digest, said = statement.digest(signed).hex(), signed["statement"]
        if row.kind == "delegation_kept":
            must(digest == body["granted"], f"{where}: the delegation kept is another than it says")
            must(digest not in powers, f"{where}: the delegation {digest[:16]}… is kept twice")
            _spoke(section, register, signed, body["bidder"], {"delegation"}, where)
            powers[digest] = Power(digest, row, said, body["bidder"])
        else:
            known = powers.get(body["granted"])
            must(known, f"{where}: what ends here was never kept")
            assert known is not None
            must(known.ended is None, f"{where}: the delegation had ended before")
            must(digest == body["ended"], f"{where}: it ended by another word than it says")
            _spoke(
                section,
                register,
                signed,
                known.bidder,
                {"delegation", "delegation_revocation"},
                where,
            )
            must(said.get("person") == known.said["person"], f"{where}: it is about another person")
            known.ended = row
        must(
            abs(int(said["at"]) - int(body["arrival"])) <= GRACE_MS,
            f"{where}: it was signed at {said['at']} and is said to have arrived at {body['arrival']}",
        )
    return powers


def _spoke(
    section: Section,
    register: Register,
    signed: dict[str, Any],
    bidder: str,
    purposes: set[str],
    where: str,
) -> None:
    """A word about a delegation is the bidder's own: its key issued to it as a bidder's."""
    purpose = str(signed["statement"]["purpose"])
    must(purpose in purposes, f"{where}: a {purpose} gives and takes no power")
    statement.verify(signed, purpose=purpose, centre=section.centre)
    key = statement.signer(signed)
    holder = _holder(register, key)
    must(
        (holder.organisation, holder.role) == (bidder, "bidder"),
        f"{where}: the {purpose} is by key {key_id(key)} of {holder.organisation} ({holder.role}), "
        f"not by {bidder}'s own",
    )


def _holder(register: Register, key: bytes) -> Holder:
    holder = register.whose(key)
    if holder is None:
        raise NotChecked(f"no leaf of the dossier says to whom key {key_id(key)} was issued")
    return holder


def _entitled(section: Section, register: Register, powers: dict[str, Power], act: Act) -> None:
    where = f"row {act.row.seq}: the {act.purpose} of {act.bidder}"
    holder = _holder(register, act.key)
    who = f"key {key_id(act.key)} of {holder.person or holder.organisation}"
    must(
        holder.organisation == act.bidder,
        f"{where} is by {who}, which is {holder.organisation}'s",
    )
    if holder.role == "bidder":
        must(not act.named, f"{where} is by the bidder's own key and names a delegation")
        return
    must(
        holder.role == "delegate",
        f"{where} is by {who}, a {holder.role}'s, which speaks for no bidder",
    )
    mine = [
        one for one in powers.values()
        if one.said["person"] == holder.person and (act.named is None or act.named == one.digest)
    ]  # fmt: skip
    must(mine, f"{where} is by {who}, to whom no delegation was given")
    faults = [fault for one in mine if (fault := _fault(section, one, act))]
    must(len(faults) < len(mine), f"{where} is by {who}: {'; '.join(faults)}")
    power = next(one for one in mine if not _fault(section, one, act))
    must(power.bidder == act.bidder, f"{where} is by a delegation of {power.bidder}")
    power.used.append(act.purpose)


def _fault(section: Section, power: Power, act: Act) -> str:
    """Say why a delegation does not carry an act, "" if it does."""
    said, scope, name = power.said, SCOPES[act.purpose], f"delegation {power.digest[:16]}…"
    if scope not in said["scopes"]:
        return f"{name} is for {', '.join(said['scopes'])}, not to {scope}"
    if said.get("targets") and section.id not in said["targets"]:
        return f"{name} is for {', '.join(said['targets'])}, not for {section.id}"
    if not power.row.body["arrival"] <= act.at < said["until"]:
        return f"{name} holds from {power.row.body['arrival']} until {said['until']}, it came at {act.at}"
    ended = power.ended
    # What was under way when the end came is taken; what comes after its row, or a minute later, is not.
    if ended and (act.row.seq > ended.seq or act.at >= ended.body["arrival"] + GRACE_MS):
        return f"{name} had ended at {ended.body['arrival']}, it came at {act.at}"
    return ""


def _opened(section: Section, powers: dict[str, Power]) -> None:
    """Hold the leaves that open delegations against the rows that keep them."""
    told: dict[str, str] = {}
    for leaf in section.about(Delegations.PURPOSE):
        for line in Delegations.from_leaf(leaf, section.centre).delegations:
            known = powers.get(line.granted)
            if known is None:
                raise AuditError(
                    f"a leaf opens delegation {line.granted[:16]}…, which no row keeps"
                )
            must(
                (line.bidder, line.person) == (known.bidder, known.said["person"]),
                f"a leaf opens delegation {line.granted[:16]}… as another's",
            )
            told[line.granted] = line.ended or told.get(line.granted, "")
    if PublishedBidders.PURPOSE not in section.named:
        must(not told, "delegations are opened and no bidder is published")
        return
    for one in powers.values():
        wanted = one.ended.body["ended"] if one.ended else ""
        must(
            told.get(one.digest) == wanted,
            f"row {one.row.seq}: the ledger does not tell of delegation {one.digest[:16]}… or its end",
        )


def versions(section: Section) -> str:
    """Check for which tender file each bid was sealed, and what its receipt says of it.

    Raises:
        AuditError: a bid names none of this section, or a receipt says something else.
    """
    editions: dict[str, Edition] = {}
    bids: dict[str, tuple[int, int]] = {}
    older = 0
    for row in section.rows:
        if row.kind in FILES:
            file = row.body["file"]
            edition = Edition(file["statement"]["version"], row.at)
            editions[statement.digest(file).hex()] = edition
        elif row.kind in ACTS:
            entry, said = row.body["entry"], row.body["signed"]["statement"]
            version = (
                bids[entry["replaces"]][0] if entry["kind"] == "withdrawal" else said["version"]
            )
            stood = newest(editions.values(), entry["arrival"])
            bids[entry["id"]] = (version, stood)
            if entry["kind"] == "withdrawal":
                continue
            edition = editions.get(said["tender_file"], Edition(0, 0))
            must(
                edition.version == version,
                f"{entry['id']} was sealed for version {version} of a tender file that is none here",
            )
            older += version < stood
        elif row.kind == "receipt" and row.body["id"] in bids:
            said = row.body["receipt"]["statement"]
            must(
                (said["version"], said["newest"]) == bids[row.body["id"]],
                f"the receipt of {row.body['id']} says version {said['version']} of {said['newest']}, "
                f"the events {' of '.join(map(str, bids[row.body['id']]))}",
            )
    return f"{len(editions)} versions, {older} bids came for one that was overtaken"
