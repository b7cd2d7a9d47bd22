"""Custodians and witnesses: they made their own keys and present a signed card.

The centre, two people of it, only registers what was presented; everybody compares fingerprints
outside this system, and sealers pin custodians' keys beforehand (design §2, Its key).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crypto.encoding import b64, unb64
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.tlog.note import COSIGNATURE, VerifierKey
from trading.ground.journal import Draft
from trading.model import (
    ACTS,
    Actor,
    ConflictError,
    Custodian,
    LoginError,
    MalformedError,
    Proposal,
    Witness,
)
from trading.model.codec import to_json
from trading.model.texts import name
from trading.service.certificates import as_brought, check_own, note_key
from trading.service.desk import Desk, key_of, name_of
from trading.service.forms import CardForm, CustodianCard, WitnessCard, read
from trading.service.proposals import Effect, Proposals


class Cards:
    """Registration of custodians 密钥托管人 and log witnesses."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["custodian.register"], self._check_custodian, self._custodian)
        proposals.add(acts["witness.register"], self._check_witness, self._witness)

    def _check_custodian(self, body: Mapping[str, Any], _at: int) -> None:
        self._read_custodian(body)

    async def _custodian(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        card = self._read_custodian(proposal.body)
        certificates = self._certified(card.certificates, card.public, card.organisation)
        custodian = replace(card, certificates=(*certificates, self._certified_note(card.witness)))
        fact = {"custodian": custodian.id, "fingerprint": custodian.fingerprint}
        return Effect(
            {"custodian": to_json(custodian)},
            (
                self._desk.leaf("custodian_registered", {**fact, "card": custodian.card}, at),
                self._witness_leaf(custodian.witness, "custodian", at),
            ),
            fact,
        )

    def _check_witness(self, body: Mapping[str, Any], _at: int) -> None:
        self._read_witness(body)

    async def _witness(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        card = self._read_witness(proposal.body)
        certificates = self._certified(card.certificates, card.public, card.organisation)
        witness = replace(card, certificates=(*certificates, self._certified_note(card.vkey)))
        fact = {"witness": witness.id, "fingerprint": witness.fingerprint}
        return Effect(
            {"witness": to_json(witness)},
            (
                self._desk.leaf("witness_registered", {**fact, "card": witness.card}, at),
                self._witness_leaf(witness.vkey, "witness", at),
            ),
            fact,
        )

    def _certified(
        self, presented: tuple[str, ...], public: bytes, organisation: str
    ) -> tuple[str, ...]:
        return presented or (as_brought(self._desk.authority, public, organisation),)

    def _witness_leaf(self, vkey: str, role: str, at: int) -> Draft:
        """The leaf by which the ledger itself learns whose cosignatures count."""
        name = VerifierKey.parse(vkey).name
        return self._desk.leaf("witness", {"witness": name, "vkey": vkey, "role": role}, at)

    def _certified_note(self, vkey: str) -> str:
        return note_key(self._desk.authority, VerifierKey.parse(vkey))

    def _read_custodian(self, body: Mapping[str, Any]) -> Custodian:
        form = read(CardForm, dict(body))
        signed = form.card.model_dump()
        public = key_of(signed)
        card = read(CustodianCard, self._desk.said(signed, "enrolment", public))
        self._check_own_card(card.organisation, card.key, form.certificate, public)
        host = _point(card.host_key)
        state = self._desk.state
        others = state.custodians.values()
        self._refuse_known(
            card.custodian in state.custodians
            or any(public in (c.public, c.host_key) or host == c.host_key for c in others)
            or any(card.organisation == c.organisation for c in others),
            _vkey(card.witness),
        )
        return Custodian(
            card.custodian, card.organisation, signed, public, host, card.witness,
            name_of(signed), (form.certificate,) if form.certificate else (),
        )  # fmt: skip

    def _read_witness(self, body: Mapping[str, Any]) -> Witness:
        form = read(CardForm, dict(body))
        signed = form.card.model_dump()
        public = key_of(signed)
        card = read(WitnessCard, self._desk.said(signed, "witness_enrolment", public))
        self._check_own_card(card.organisation, card.key, form.certificate, public)
        state = self._desk.state
        self._refuse_known(
            card.witness in state.witnesses
            or any(w.public == public for w in state.witnesses.values()),
            _vkey(card.vkey),
        )
        return Witness(
            card.witness, card.organisation, signed, public, card.vkey,
            name_of(signed), (form.certificate,) if form.certificate else (),
        )  # fmt: skip

    def _check_own_card(self, organisation: str, key: str, certificate: str, public: bytes) -> None:
        name(organisation, "organisation")
        if key != b64(public):
            raise LoginError(
                "card-not-own",
                "身份卡须由本人密钥签名",
                "The card must name the key that signed it.",
            )
        if certificate:
            check_own(certificate, public)

    def _refuse_known(self, known: bool, vkey: VerifierKey) -> None:
        state = self._desk.state
        texts = [c.witness for c in state.custodians.values()]
        texts += [w.vkey for w in state.witnesses.values()]
        others = [VerifierKey.parse(text) for text in texts]
        if known or any(vkey.name == o.name or vkey.public == o.public for o in others):
            raise ConflictError(
                "card-known",
                "该身份卡或密钥已登记",
                "Id, organisation, note key name and every key of a custodian or witness are its "
                "own and stand once: no organisation holds two shares.",
            )


def _point(text: str) -> bytes:
    try:
        return Point.parse(unb64(text)).compressed()
    except CryptoError as error:
        raise MalformedError(
            "card-key-malformed", "身份卡中的密钥不正确", "host_key is 33 bytes of a P-256 point."
        ) from error


def _vkey(text: str) -> VerifierKey:
    refusal = MalformedError(
        "card-vkey-malformed",
        "身份卡中的见证密钥不正确",
        "Write a note verifier key of a cosigner (type 4): name+hash+base64.",
    )
    try:
        vkey = VerifierKey.parse(text)
    except CryptoError as error:
        raise refusal from error
    if vkey.kind != COSIGNATURE:
        raise refusal
    return vkey
