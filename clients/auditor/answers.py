"""What people said in the hall: confirmations 无异议, objections 异议 and decisions, each a signed word about this reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.model import Confirmation, Decision, Objection, Reconvening
from bidding.opening.companion import reading
from clients.auditor.checklist import AuditError, NotChecked, must
from clients.auditor.issued import Register
from crypto import statement
from crypto.signature import key_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bidding.opening import State
    from clients.auditor.section import Section
    from trading.ground.chain import Row

_SAID: Final[dict[str, type[Confirmation | Objection]]] = {
    "confirmed": Confirmation,
    "objected": Objection,
}


def check(section: Section) -> str:
    """Check that every confirmation and objection is the bidder's signed word about this very reading.

    Raises:
        AuditError: with the row whose statement is missing, another's, or about something else.
    """
    kept = {
        statement.digest(row.body["signed"]).hex(): row.body["signed"]
        for row in section.rows
        if row.kind == "statement_kept"
    }
    keys = {
        sealed.entry.id: statement.signer(sealed.signed) for sealed in section.entries
    }  # submission → key that handed it in
    register, told = Register(section.evidence), list[str]()

    def watch(state: State, row: Row) -> None:
        if row.kind == "reconvening_set":
            told.append(_reconvened(section, row))
        if row.kind == "decided":
            told.append(_decided(section, register, kept.get(row.body["statement"]), row))
        kind = _SAID.get(row.kind)
        if kind is None:
            return
        where, bid = f"row {row.seq}", state.bids[row.body["submission"]]
        signed = kept.get(row.body["statement"])
        if signed is None:
            raise AuditError(f"{where}: the signed {row.kind} of {bid.line.bidder} is missing")
        said = kind.from_body(statement.verify(signed, purpose=kind.PURPOSE, centre=section.centre))
        must(
            (said.section, said.bidder) == (section.id, bid.line.bidder),
            f"{where}: the statement is of {said.bidder} about {said.section}",
        )
        if isinstance(said, Confirmation):
            must(
                said.reading == reading(section.id, state),
                f"{where}: {said.bidder} confirmed another reading than the one in the record",
            )
        else:
            must(said.text == row.body["text"], f"{where}: the objection has another text")
            files = [one.to_body() for one in said.files]
            must(files == row.body["files"], f"{where}: the objection came with other files")
        key = statement.signer(signed)
        same = key == keys.get(bid.line.submission)
        if not same:  # whoever signs for a bidder has a key that was issued to it
            register.require(key, said.bidder, section.leaves.end)
        told.append(f"{said.bidder} {row.kind}{'' if same else ' (by another key than its bid)'}")

    section.replay(watch)
    return ", ".join(told) or "nobody answered"


def _reconvened(section: Section, row: Row) -> str:
    """A date of reconvening is the word of two: the supervisor's and the centre's own."""
    for other in section.rows:
        if other.kind != "order_kept":
            continue
        centre, supervisor = other.body["centre"], other.body["supervisor"]
        said = [
            Reconvening.from_body(
                statement.verify(one, purpose=Reconvening.PURPOSE, centre=section.centre)
            )
            for one in (centre, supervisor)
        ]
        wanted = (section.id, row.body["at"], row.body["reason"])
        if said[0] != said[1] or (said[0].section, said[0].time, said[0].reason) != wanted:
            continue
        must(
            statement.signer(supervisor) != statement.signer(centre),
            f"row {row.seq}: one key signed for both",
        )
        if section.keys.given:
            section.keys.signed_by_centre(statement.signer(centre), section.centre)
            section.keys.whose(statement.signer(supervisor))
            must(
                statement.signer(supervisor) in section.keys.supervisors(section.centre),
                f"row {row.seq}: no supervisor's key signed the reconvening",
            )
        return f"reconvened for {row.body['at']} by two"
    raise AuditError(f"row {row.seq}: nobody signed this reconvening")


def _decided(
    section: Section, register: Register, signed: Mapping[str, Any] | None, row: Row
) -> str:
    """A decision about a bid that did not open is the signed word of somebody who may decide."""
    if signed is None:
        raise AuditError(
            f"row {row.seq}: no signed decision about {row.body['submission']} is here"
        )
    body = statement.verify(signed, purpose=Decision.PURPOSE, centre=section.centre)
    said = Decision.from_body(body).to_body()
    wanted = {name: row.body[name] for name in ("submission", "verdict", "reason")}
    must(
        said["section"] == section.id and said.items() >= wanted.items(),
        f"row {row.seq}: the signed decision says something else",
    )
    who = _decider(section, register, statement.signer(signed))
    return f"{said['submission']} {said['verdict']} by {who}"


def _decider(section: Section, register: Register, key: bytes) -> str:
    """Say who decided: the supervisor, or one who does not bid here (the tenderer, whose key is in the ledger).

    Raises:
        NotChecked: the dossier does not show whose key it is.
        AuditError: a bidder has decided about a bid.
    """
    if key in section.keys.supervisors(section.centre):
        return f"the supervisor's key {key_id(key)}"
    holder = register.holder(key)
    if holder is None:
        section.keys.whose(key)
        raise NotChecked(f"nothing here says whose key {key_id(key)} is, which decided about a bid")
    bidders = {
        party
        for sealed in section.entries
        for party in sealed.signed["statement"].get("parties", ())
    }
    must(holder not in bidders, f"{holder} bids here and has decided about a bid")
    return f"key {key_id(key)} of {holder}"
