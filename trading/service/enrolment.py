"""How keys come to count: invitation, enrolment with proof of possession, issuance by two people.

On a fresh home the first operator, reviewer and supervisor come in by one-time codes that lie in
`first-run.json`; every later key takes two people. Each issuance and revocation is a ledger leaf
in the same transaction, and the organisation sees it. No private key ever comes from the centre;
a supervisor may also bring its own certificate.
"""

import json
import os
from base64 import b32encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from crypto import random
from crypto.encoding import b64, sha256_hex
from crypto.signature import key_id
from trading.ground.ids import new_id
from trading.model import (
    ACTS,
    Actor,
    BusyError,
    ConflictError,
    Enrolment,
    ForbiddenError,
    Key,
    MalformedError,
    Organisation,
    Person,
    Proposal,
    Role,
    UnknownError,
    credit_code,
)
from trading.model.codec import to_json
from trading.model.texts import name
from trading.rules.conduct import check_role, may_bring_certificate
from trading.service.certificates import check_own, for_organisation
from trading.service.desk import Desk, key_of
from trading.service.forms import EnrolmentCard, EnrolmentTarget, RevocationForm, read
from trading.service.proposals import Effect, Proposals

FIRST: Final = (Role.OPERATOR, Role.REVIEWER, Role.SUPERVISOR)
FIRST_RUN: Final = "first-run.json"
MAX_WAITING: Final = 10_000
MAX_PERSON_NAME: Final = 100
CODE_BYTES: Final = 20  # 160 bits: cannot be guessed in any number of tries


class Enrolments:
    """Keys of people, from request to revocation."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        acts = {act.name: act for act in ACTS}
        proposals.add(acts["key.issue"], self._check_issue, self._issue)
        proposals.add(acts["key.revoke"], self._check_revoke, self._revoke)

    async def invite_first(self, home: Path) -> None:
        """On a home without any key: write one-time codes for the first three people.

        The file comes before the journal rows, so that a crash between the two loses no code.
        """
        state = self._desk.state
        if state.keys or state.invitations:
            return
        path = home / FIRST_RUN
        codes = _read_codes(path)
        if codes is None:
            codes = {role.value: b32encode(random.token(CODE_BYTES)).decode() for role in FIRST}
            _write_codes(path, self._desk.settings.centre, codes)
        now = self._desk.clock.now()
        await self._desk.append(
            *(
                self._desk.row(
                    "invitation.made",
                    {"role": role, "code_sha256": sha256_hex(code.encode())},
                    now,
                )
                for role, code in codes.items()
            )
        )

    async def enrol(
        self,
        signed: Mapping[str, Any],
        *,
        person_name: str,
        certificate: str,
        invitation: str,
        arrival: int,
    ) -> tuple[str, Key | None]:
        """Take a request for a key.

        Args:
            signed: statement of purpose `key_enrolment`, signed by the key itself.
            person_name: kept apart from it, in the erasable private table.
            certificate: a supervisor's own (PEM), or empty.
            invitation: a one-time code, or empty.
            arrival: stamp of the request, ms UTC.

        Returns:
            The enrolment's id, and the key if the invitation let it in at once.

        Raises:
            TradingError: the proof, a code, a role or a text does not hold.
        """
        public = key_of(signed)
        card = read(EnrolmentCard, self._desk.said(signed, "key_enrolment", public))
        role = _role(card.role)
        code = credit_code(card.credit_code)
        name(card.organisation, "organisation")
        name(person_name, "person_name", MAX_PERSON_NAME)
        if certificate:
            self._check_brought(role, certificate, public)
        async with self._desk.turn:
            enrolment = Enrolment(
                new_id("enr"), card.organisation, code.text, code.test, card.person,
                "", "", public, role, certificate, arrival,
            )  # fmt: skip
            self._check_new(enrolment)
            invited = sha256_hex(invitation.encode()) if invitation else ""
            if invited and self._desk.state.invitations.get(invited) is not role:
                raise ForbiddenError(
                    "invitation-refused",
                    "邀请码无效",
                    "The code is not one of this centre for this role, or it was used.",
                )
            person = card.person or new_id("per")
            ref, commitment = await self._desk.private.put(person, "name", person_name)
            enrolment = Enrolment(
                enrolment.id, card.organisation, code.text, code.test, person,
                ref, commitment, public, role, certificate, arrival,
            )  # fmt: skip
            request = {"enrolment": to_json(enrolment), "statements": [dict(signed)]}
            await self._desk.append(self._desk.row("enrolment.requested", request, arrival))
            if not invited:
                return enrolment.id, None
            key, effect = self._effect(enrolment, invited, arrival)
            body = {**effect.body, "proposal": "", "statements": [dict(signed)], "by": []}
            await self._desk.append(self._desk.row("key.issued", body, arrival), *effect.drafts)
            return enrolment.id, self._desk.state.keys[key.public]

    def _check_brought(self, role: Role, certificate: str, public: bytes) -> None:
        if not may_bring_certificate(role):
            raise MalformedError(
                "certificate-unasked",
                "该角色证书由中心签发",
                "Keys of this role are certified by the centre; leave certificate empty.",
            )
        check_own(certificate, public)

    def status(self, enrolment_id: str) -> tuple[str, Key | None]:
        """`waiting` or `issued` with the key; whoever knows the random id may ask.

        Raises:
            UnknownError: there is no such enrolment, or nobody issued it within a week.
        """
        if enrolment_id in self._desk.state.enrolments:
            return "waiting", None
        public = self._desk.state.issued.get(enrolment_id)
        if public is None:
            raise UnknownError("enrolment-unknown", "没有该登记申请", "There is no such enrolment.")
        return "issued", self._desk.state.keys[public]

    async def revoke_own(self, who: Actor, signed: Mapping[str, Any], arrival: int) -> None:
        """A holder gives up its own key: one person is enough, the effect is immediate.

        Raises:
            LoginError: not a fresh statement of purpose `key_revocation` by this very key.
        """
        async with self._desk.turn:
            command = self._desk.step_up(who, signed, "key_revocation", arrival)
            form = read(RevocationForm, command)
            if form.key_id != who.key_id:
                raise ForbiddenError(
                    "key-not-yours",
                    "只能自行吊销本人密钥",
                    "Another's key is revoked by two people (act key.revoke).",
                )
            key = self._desk.state.keys[who.public]
            body = {"key_id": key.key_id, "proposal": "", "statements": [dict(signed)]}
            await self._desk.append(
                self._desk.row("key.revoked", body, arrival), self._revocation(key, arrival)
            )

    def _check_issue(self, body: Mapping[str, Any], _at: int) -> None:
        self._check_new(self._waiting(body))

    async def _issue(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        return self._effect(self._waiting(proposal.body), "", at)[1]

    def _effect(self, enrolment: Enrolment, invitation: str, at: int) -> tuple[Key, Effect]:
        state = self._desk.state
        known = state.codes.get(enrolment.credit_code)
        organisation = (
            state.organisations[known]
            if known
            else Organisation(
                new_id("org"), enrolment.organisation_name, enrolment.credit_code, enrolment.test
            )
        )
        certificate = enrolment.certificate or for_organisation(
            self._desk.authority, enrolment.public, organisation
        )
        key = Key(
            key_id(enrolment.public), enrolment.public, enrolment.person,
            organisation.id, enrolment.role, certificate,
        )  # fmt: skip
        person = Person(
            enrolment.person, organisation.id, enrolment.name_ref, enrolment.name_commitment
        )
        leaf = {
            "key": b64(key.public),
            "key_id": key.key_id,
            "organisation": organisation.id,
            "credit_code": organisation.credit_code,
            "person": key.person,
            "role": key.role.value,
            "certificate": sha256_hex(certificate.encode()),
        }
        body = {
            "enrolment": enrolment.id,
            "invitation": invitation,
            "organisation": to_json(organisation),
            "person": to_json(person),
            "key": to_json(key),
        }
        result = {"key_id": key.key_id, "organisation": organisation.id, "person": key.person}
        return key, Effect(body, (self._desk.leaf("key_issued", leaf, at),), result)

    def _check_new(self, enrolment: Enrolment) -> None:
        state = self._desk.state
        # By the short id, not the point: 64 bits can be made to collide, and people revoke by it.
        short = key_id(enrolment.public)
        others = (e for e in state.enrolments.values() if e.id != enrolment.id)
        if short in state.key_ids or any(key_id(e.public) == short for e in others):
            raise ConflictError(
                "key-known", "密钥已登记", "This key was presented before; make a fresh one."
            )
        if len(state.enrolments) >= MAX_WAITING:
            raise BusyError(
                "enrolments-full",
                "待处理登记过多",
                "Ask again when the centre has worked them off.",
            )
        organisation = state.codes.get(enrolment.credit_code, "")
        if organisation and (state.organisations[organisation].name != enrolment.organisation_name):
            raise ConflictError(
                "organisation-name-differs",
                "单位名称与已登记的不一致",
                "The credit code is registered under another name; write it as registered.",
            )
        known = state.people.get(enrolment.person)
        if known is not None and known.organisation != organisation:
            raise ConflictError(
                "person-elsewhere",
                "该人员属于其他单位",
                "This person is registered with another organisation.",
            )
        check_role(
            state,
            organisation=organisation,
            person=enrolment.person,
            role=enrolment.role,
            test=enrolment.test,
            live=self._desk.settings.live,
        )

    def _waiting(self, body: Mapping[str, Any]) -> Enrolment:
        target = read(EnrolmentTarget, dict(body)).enrolment
        enrolment = self._desk.state.enrolments.get(target)
        if enrolment is None:
            raise UnknownError(
                "enrolment-unknown", "没有该登记申请", "There is no such waiting enrolment."
            )
        return enrolment

    def _check_revoke(self, body: Mapping[str, Any], _at: int) -> None:
        self._revocable(body)

    async def _revoke(self, proposal: Proposal, _who: Actor, at: int) -> Effect:
        key = self._revocable(proposal.body)
        return Effect({"key_id": key.key_id}, (self._revocation(key, at),), {"key_id": key.key_id})

    def _revocable(self, body: Mapping[str, Any]) -> Key:
        form = read(RevocationForm, dict(body))
        key = self._desk.state.keys.get(self._desk.state.key_ids.get(form.key_id, b""))
        if key is None or not key.live:
            raise UnknownError("key-unknown", "没有该有效密钥", "There is no such valid key.")
        return key

    def _revocation(self, key: Key, at: int) -> Any:
        leaf = {"key": b64(key.public), "key_id": key.key_id}
        return self._desk.leaf("key_revoked", leaf, at)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise MalformedError(
            "role-unknown", "没有该角色", f"Roles: {', '.join(sorted(Role))}."
        ) from error


def _read_codes(path: Path) -> dict[str, str] | None:
    if not path.exists():
        return None
    codes: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["invitations"]
    return codes


def _write_codes(path: Path, centre: str, codes: Mapping[str, str]) -> None:
    text = json.dumps(
        {
            "v": 1,
            "centre": centre,
            "note": "一次性邀请码：交给各自本人，用后即失效。One-time codes: give each to its person.",
            "invitations": dict(codes),
        },
        ensure_ascii=False,
        indent=2,
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
