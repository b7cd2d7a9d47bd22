"""How people come in: invitations, proof of possession, two-person issuance, cards."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import sign
from tests.trading.world import CENTRE, CODES, Someone, World, vkey
from trading.ground.clock import moment
from trading.model import ConflictError, Role, code_for_tests


def own_certificate(key: SigningKey, world: World) -> str:
    now = moment(world.clock.now())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "水务行政监督处")])
    made = (
        x509.CertificateBuilder(
            name, name, key.private.public_key(), 7, now, now.replace(year=2030)
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key.private, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def test_a_fresh_home_invites_three_people_and_tells_nobody_else(fresh: World) -> None:
    file = fresh.settings.home / "first-run.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(fresh.service.state.invitations.values()) == {
        Role.OPERATOR,
        Role.REVIEWER,
        Role.SUPERVISOR,
    }
    rows = b"".join(fresh.ground.journal.texts("trading"))
    assert fresh.invitation(Role.OPERATOR).encode() not in rows


def test_a_crash_between_file_and_journal_loses_no_code(tmp_path: Path) -> None:
    with World(tmp_path / "home") as world:
        code = world.invitation(Role.REVIEWER)
    database = tmp_path / "home" / "kaibiao.db"
    for path in database.parent.glob("kaibiao.db*"):
        path.unlink()
    (tmp_path / "home" / "checkpoint").unlink(missing_ok=True)
    with World(tmp_path / "home") as world:
        assert world.invitation(Role.REVIEWER) == code
        world.first_people()


def test_an_invitation_works_once_for_its_role(fresh: World) -> None:
    code = fresh.invitation(Role.OPERATOR)
    centre = (CODES["centre"], "centre")
    wrong = fresh.enrol(SigningKey.generate(), Role.REVIEWER, *centre, invitation=code)
    assert wrong.status_code == 403
    first = fresh.enrol(SigningKey.generate(), Role.OPERATOR, *centre, invitation=code)
    assert first.json()["issued_at_index"] >= 0
    again = fresh.enrol(SigningKey.generate(), Role.OPERATOR, *centre, invitation=code)
    assert again.status_code == 403
    supervision = (CODES["supervision"], "supervision")
    forged = fresh.enrol(SigningKey.generate(), Role.SUPERVISOR, *supervision, invitation="A" * 32)
    assert forged.status_code == 403


def test_an_enrolment_proves_possession_of_its_key(world: World) -> None:
    mine, other = SigningKey.generate(), SigningKey.generate()
    card = {
        "organisation": "某公司",
        "credit_code": code_for_tests(2),
        "role": "bidder",
        "person": "",
    }
    statement = sign(mine, "key_enrolment", CENTRE, card)
    for stolen in (
        statement | {"key": b64(other.public)},
        sign(mine, "enrolment", CENTRE, card),
        sign(mine, "key_enrolment", "another", card),
    ):
        body = {"statement": stolen, "person_name": "某人"}
        assert world.call("POST", "/enrolments", body).status_code == 401
    assert not world.service.state.enrolments


def test_issuance_takes_two_people_and_is_a_ledger_entry_shown_to_the_organisation(
    world: World,
) -> None:
    key = SigningKey.generate()
    asked = world.enrol(key, "bidder", code_for_tests(1), "广东恒𣲗水利建设集团有限公司").json()
    assert asked["status"] == "waiting"
    assert world.login(Someone(key, Role.BIDDER)).status_code == 401
    operator, reviewer = world.one(Role.OPERATOR), world.one(Role.REVIEWER)
    (waiting,) = world.get("/enrolments", operator)
    assert (waiting["person_name"], waiting["test"]) == ("欧阳喆", True)
    proposed = world.propose(operator, "key.issue", {"enrolment": asked["enrolment"]}).json()
    alone = world.confirm(operator, proposed)
    assert (alone.status_code, alone.json()["type"][-9:]) == (403, "four-eyes")
    assert world.confirm(world.one(Role.SUPERVISOR), proposed).status_code == 403
    before = world.ground.ledger.size
    done = world.confirm(reviewer, proposed)
    assert done.status_code == 200
    assert world.confirm(reviewer, proposed).status_code == 404
    status = world.get(f"/enrolments/{asked['enrolment']}")
    assert status["status"] == "issued"
    assert status["issued_at_index"] == before
    assert b'"kind":"key_issued"' in world.ground.ledger.leaf(before)
    assert asked["enrolment"] not in world.service.state.enrolments
    bidder = Someone(key, Role.BIDDER)
    world.login(bidder)
    own = world.get("/organisations/me", bidder)
    assert [k["key_id"] for k in own["keys"]] == [status["key_id"]]
    assert own["people"][0]["name"] == "欧阳喆"


def test_one_event_carries_both_signatures(world: World) -> None:
    world.one(Role.BIDDER)
    row = [r for r in world.ground.journal.rows("trading") if r.kind == "key.issued"][-1]
    purposes = [s["statement"]["purpose"] for s in row.body["statements"]]
    assert purposes == ["proposal", "confirmation"]
    assert len({s["key"] for s in row.body["statements"]}) == 2


def test_no_name_of_a_person_is_in_the_journal_or_in_a_certificate(world: World) -> None:
    world.one(Role.BIDDER)
    for stream in ("trading", "ledger"):
        assert "欧阳喆" not in b"".join(world.ground.journal.texts(stream)).decode()
    for key in world.service.state.keys.values():
        assert "欧阳喆" not in str(x509.load_pem_x509_certificate(key.certificate.encode()).subject)


def test_an_erased_name_leaves_everything_else_standing(world: World) -> None:
    bidder = world.one(Role.BIDDER)
    world.runner.run(world.ground.private.erase(bidder.person))
    assert world.get("/organisations/me", bidder)["people"][0]["name"] == ""


def test_a_proposal_expires_after_ten_minutes(world: World) -> None:
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    body = {"enrolment": asked["enrolment"]}
    proposed = world.propose(world.one(Role.OPERATOR), "key.issue", body).json()
    world.clock.advance(599_999)
    assert len(world.get("/proposals", world.one(Role.REVIEWER))) == 1
    world.clock.advance(1)
    assert world.confirm(world.one(Role.REVIEWER), proposed).status_code == 410
    assert world.get("/proposals", world.one(Role.REVIEWER)) == []


def test_a_proposal_is_void_when_its_proposer_is_revoked(world: World) -> None:
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    operator = world.one(Role.OPERATOR)
    proposed = world.propose(operator, "key.issue", {"enrolment": asked["enrolment"]}).json()
    key_id = world.service.state.keys[operator.key.public].key_id
    world.carry("key.revoke", {"key_id": key_id, "reason": "离职"}, Role.REVIEWER, Role.SUPERVISOR)
    assert world.confirm(world.one(Role.REVIEWER), proposed).status_code == 403


def test_a_confirmation_signs_the_proposal_it_confirms(world: World) -> None:
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    body = {"enrolment": asked["enrolment"]}
    proposed = world.propose(world.one(Role.OPERATOR), "key.issue", body).json()
    other = proposed | {"digest": "0" * 64}
    assert world.confirm(world.one(Role.REVIEWER), other).status_code == 422
    assert world.confirm(world.one(Role.REVIEWER), proposed).status_code == 200


def test_a_repeated_command_is_taken_once_also_after_a_restart(world: World) -> None:
    operator = world.one(Role.OPERATOR)
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    signed = world.signed(
        operator, "proposal", act="key.issue", body={"enrolment": asked["enrolment"]}
    )
    assert world.call("POST", "/proposals", signed, operator).status_code == 201
    assert world.call("POST", "/proposals", signed, operator).status_code == 409
    world.restart()
    assert world.call("POST", "/proposals", signed, operator).status_code == 409


def test_a_supervisor_may_bring_its_own_certificate_and_nobody_else(fresh: World) -> None:
    key = SigningKey.generate()
    code = fresh.invitation(Role.SUPERVISOR)
    place = (CODES["supervision"], "水务行政监督处")
    certificate = own_certificate(key, fresh)
    foreign = own_certificate(SigningKey.generate(), fresh)
    for wrong in (foreign, "no certificate", "\u0000"):
        answer = fresh.enrol(key, "supervisor", *place, certificate=wrong, invitation=code)
        assert answer.status_code == 422
    answer = fresh.enrol(key, "supervisor", *place, certificate=certificate, invitation=code)
    assert answer.json()["certificate"] == certificate
    bidder = SigningKey.generate()
    own = own_certificate(bidder, fresh)
    assert fresh.enrol(bidder, "bidder", code_for_tests(1), certificate=own).status_code == 422


@pytest.mark.parametrize(
    ("role", "code", "organisation", "status"),
    [
        ("bidder", code_for_tests(1), "公司", 201),
        ("bidder", "91440000MA4W0001XY", "公司", 422),
        ("bidder", CODES["centre"], "centre", 409),  # the centre may not bid here
        ("bidder", CODES["centre"], "another name", 409),
        ("auditor", CODES["centre"], "centre", 409),
        ("custodian", code_for_tests(1), "公司", 422),
        ("king", code_for_tests(1), "公司", 422),
        ("bidder", code_for_tests(1), "<b>甲&乙</b>", 201),
        ("bidder", code_for_tests(1), "公\u202e司", 422),
        ("bidder", code_for_tests(1), "字" * 500, 201),
        ("bidder", code_for_tests(1), "字" * 501, 422),
        ("bidder", code_for_tests(1), "公\U0003fff0司", 422),
    ],
)
def test_what_an_enrolment_may_say(
    world: World, role: str, code: str, organisation: str, status: int
) -> None:
    answer = world.enrol(SigningKey.generate(), role, code, organisation)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/")


def test_a_key_enrols_once(world: World) -> None:
    key = SigningKey.generate()
    assert world.enrol(key, "bidder", code_for_tests(1)).status_code == 201
    assert world.enrol(key, "bidder", code_for_tests(1)).status_code == 409
    operator = world.one(Role.OPERATOR)
    assert world.enrol(operator.key, "bidder", code_for_tests(1)).status_code == 409


def test_a_request_nobody_issued_is_forgotten_after_a_week(world: World) -> None:
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    world.clock.advance(7 * 86_400_000)
    assert world.get(f"/enrolments/{asked['enrolment']}")["status"] == "waiting"
    world.enrol(SigningKey.generate(), "bidder", code_for_tests(2))  # any later row of the floor
    assert world.call("GET", f"/enrolments/{asked['enrolment']}").status_code == 404


def test_one_person_cannot_fill_the_table_of_proposals(world: World) -> None:
    form = world.tender_form() | {"agent": CODES["tenderer"]}
    operator = world.one(Role.OPERATOR)
    answers = [world.propose(operator, "tender.create", form).status_code for _ in range(51)]
    assert answers == [201] * 50 + [429]
    assert world.propose(world.one(Role.TENDERER), "tender.create", form).status_code == 201


def test_a_live_centre_refuses_test_codes(tmp_path: Path) -> None:
    with pytest.raises(ConflictError):
        World(tmp_path / "nowhere", ruleset="月球")
    with World(tmp_path / "home", live=True, ruleset="全国") as world:
        code = world.invitation(Role.OPERATOR)
        answer = world.enrol(
            SigningKey.generate(), "operator", CODES["centre"], "centre", invitation=code
        )
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("test-code-in-live-centre")


def test_a_custodian_presents_a_card_signed_by_its_own_key(world: World) -> None:
    card = world.custodian(1)
    world.carry("custodian.register", {"card": card})
    (listed,) = world.get("/roster")["custodians"]
    assert listed["card"] == card
    assert len(listed["certificates"]) == 2
    assert listed["registered_at_index"] >= 0
    assert "custodian-1" in world.ground.ledger.witnesses
    operator = world.one(Role.OPERATOR)

    def refused(body: object) -> int:
        return world.propose(operator, "custodian.register", {"card": body}).status_code

    assert refused(card) == 409
    said = card["statement"]
    fields = {k: said[k] for k in ("custodian", "organisation", "key", "host_key", "witness")}
    other = SigningKey.generate()
    assert refused(sign(other, "enrolment", CENTRE, fields)) == 401  # not the key it names
    mine = fields | {"key": b64(other.public)}
    assert refused(sign(other, "enrolment", CENTRE, mine)) == 409  # id and organisation taken
    second = mine | {"custodian": "custodian-2", "organisation": "另一单位"}
    assert refused(sign(other, "enrolment", CENTRE, second)) == 409  # host and note key taken
    host = second | {"host_key": b64(SigningKey.generate().public)}
    assert refused(sign(other, "enrolment", CENTRE, host)) == 409  # note key taken
    fresh = host | {"witness": vkey("custodian-2")}
    assert refused(sign(other, "enrolment", CENTRE, fresh | {"host_key": "AAAA"})) == 422
    assert refused(sign(other, "enrolment", CENTRE, fresh | {"witness": "x+y+z"})) == 422
    assert refused(sign(other, "enrolment", CENTRE, fresh)) == 201


def test_a_witness_without_a_share_is_registered_in_the_ledger(world: World) -> None:
    key = SigningKey.generate()
    body = {
        "witness": "supervision-log",
        "organisation": "水务行政监督处",
        "key": b64(key.public),
        "vkey": vkey("supervision-log"),
    }
    card = sign(key, "witness_enrolment", CENTRE, body)
    world.carry("witness.register", {"card": card}, Role.OPERATOR, Role.SUPERVISOR)
    assert world.get("/roster")["witnesses"][0]["witness"] == "supervision-log"
    assert "supervision-log" in world.ground.ledger.witnesses
