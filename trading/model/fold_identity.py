"""How rows about people, keys, custodians and witnesses change the state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from crypto.encoding import unb64
from trading.model.codec import from_json
from trading.model.identity import (
    Custodian,
    Delegation,
    Enrolment,
    Grant,
    Key,
    Organisation,
    Person,
    Role,
    Witness,
)
from trading.model.state import State


def _invited(state: State, body: Mapping[str, Any], _at: int) -> None:
    state.invitations[body["code_sha256"]] = Role(body["role"])


def _requested(state: State, body: Mapping[str, Any], _at: int) -> None:
    enrolment = from_json(Enrolment, body["enrolment"])
    state.enrolments[enrolment.id] = enrolment


def _issued(state: State, body: Mapping[str, Any], _at: int) -> None:
    """A key comes into force: only now are organisation and person known."""
    organisation = from_json(Organisation, body["organisation"])
    person = from_json(Person, body["person"])
    key = from_json(Key, body["key"])
    state.organisations.setdefault(organisation.id, organisation)
    state.codes.setdefault(organisation.credit_code, organisation.id)
    known = state.people.get(person.id, person)
    state.people[person.id] = replace(known, key_ids=(*known.key_ids, key.key_id))
    state.keys[key.public] = key
    state.key_ids[key.key_id] = key.public
    state.issued[body["enrolment"]] = key.public
    state.enrolments.pop(body["enrolment"], None)
    state.invitations.pop(body["invitation"], None)


def _custodian(state: State, body: Mapping[str, Any], _at: int) -> None:
    custodian = from_json(Custodian, body["custodian"])
    state.custodians[custodian.id] = custodian


def _witness(state: State, body: Mapping[str, Any], _at: int) -> None:
    witness = from_json(Witness, body["witness"])
    state.witnesses[witness.id] = witness


def _delegated(state: State, body: Mapping[str, Any], _at: int) -> None:
    made = from_json(Delegation, body["delegation"])
    (signed,) = body["statements"]
    _end(state, made.person, signed, made.granted_at)
    state.delegations[made.person] = made
    state.grants[made.id] = Grant(made, signed)


def _undelegated(state: State, body: Mapping[str, Any], at: int) -> None:
    known = state.delegations[body["person"]]
    _end(state, known.person, body["statements"][0], at)
    state.delegations[known.person] = replace(known, revoked_at=at)


def _end(state: State, person: str, signed: Mapping[str, Any], at: int) -> None:
    known = state.delegations.get(person)
    if known is not None and known.revoked_at is None:
        grant = state.grants[known.id]
        state.grants[known.id] = replace(grant, ended=signed, ended_at=at)


def _pass(_state: State, _body: Mapping[str, Any], _at: int) -> None:
    """A revocation counts from its leaf, which is in the same transaction."""


def _leaf_issued(state: State, body: Mapping[str, Any], index: int) -> None:
    public = unb64(body["key"])
    state.keys[public] = replace(state.keys[public], issued_at_index=index)


def _leaf_revoked(state: State, body: Mapping[str, Any], index: int) -> None:
    public = unb64(body["key"])
    key = state.keys[public]
    if key.revoked_at_index is None:
        state.keys[public] = replace(key, revoked_at_index=index)


def _leaf_custodian(state: State, body: Mapping[str, Any], index: int) -> None:
    known = state.custodians[body["custodian"]]
    state.custodians[known.id] = replace(known, registered_at_index=index)


def _leaf_witness(state: State, body: Mapping[str, Any], index: int) -> None:
    known = state.witnesses[body["witness"]]
    state.witnesses[known.id] = replace(known, registered_at_index=index)


Handler = Callable[[State, Mapping[str, Any], int], None]

HANDLERS: Final[Mapping[str, Handler]] = {
    "invitation.made": _invited,
    "enrolment.requested": _requested,
    "key.issued": _issued,
    "key.revoked": _pass,
    "delegation.granted": _delegated,
    "delegation.revoked": _undelegated,
    "custodian.registered": _custodian,
    "witness.registered": _witness,
}
LEAVES: Final[Mapping[str, Handler]] = {
    "key_issued": _leaf_issued,
    "key_revoked": _leaf_revoked,
    "custodian_registered": _leaf_custodian,
    "witness_registered": _leaf_witness,
}
