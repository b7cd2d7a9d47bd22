"""Login: single use, 60 s, bound to origin, purpose, centre and key; revocation cuts at once."""

from typing import Any

import pytest

from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.statement import sign
from tests.trading.world import CENTRE, ORIGIN, World, nonce
from trading.model import Role
from trading.service.sessions import MAX_OF_KEY, MAX_TICKETS_OF_ONE


def challenge(world: World, key: SigningKey) -> dict[str, Any]:
    found: dict[str, Any] = world.call(
        "POST", "/session/challenge", {"key": b64(key.public)}
    ).json()
    return {"challenge": found["challenge"], "origin": found["origin"]}


def answer(world: World, key: SigningKey, said: dict[str, Any], **how: str) -> int:
    signed = sign(key, how.get("purpose", "login"), how.get("centre", CENTRE), said)
    return world.call("POST", "/session", signed).status_code


def test_a_challenge_works_once(world: World) -> None:
    key = world.one(Role.OPERATOR).key
    said = challenge(world, key)
    assert said["origin"] == ORIGIN
    assert answer(world, key, said) == 201
    assert answer(world, key, said) == 401


@pytest.mark.parametrize(("ms", "status"), [(59_999, 201), (60_000, 401)])
def test_a_challenge_lives_for_sixty_seconds(world: World, ms: int, status: int) -> None:
    key = world.one(Role.OPERATOR).key
    said = challenge(world, key)
    world.clock.advance(ms)
    assert answer(world, key, said) == status


@pytest.mark.parametrize(
    "how", [{"purpose": "offer"}, {"centre": "another-centre"}], ids=["purpose", "centre"]
)
def test_a_login_is_bound_to_purpose_and_centre(world: World, how: dict[str, str]) -> None:
    key = world.one(Role.OPERATOR).key
    assert answer(world, key, challenge(world, key), **how) == 401


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example"},
        {"origin": ""},
        {"challenge": "A" * 43},
        {"challenge": None},
        {"more": 1},
    ],
)
def test_a_login_says_exactly_challenge_and_origin(world: World, change: dict[str, Any]) -> None:
    key = world.one(Role.OPERATOR).key
    assert answer(world, key, challenge(world, key) | change) == 401


def test_a_challenge_asked_at_another_address_is_refused_here(world: World) -> None:
    key = world.one(Role.OPERATOR).key
    asked = world.call(
        "POST", "/session/challenge", {"key": b64(key.public)}, host="evil.example"
    ).json()
    said = {"challenge": asked["challenge"], "origin": asked["origin"]}
    assert said["origin"] == "http://evil.example"
    assert answer(world, key, said) == 401


def test_a_challenge_of_another_key_is_refused(world: World) -> None:
    said = challenge(world, world.one(Role.REVIEWER).key)
    assert answer(world, world.one(Role.OPERATOR).key, said) == 401


def test_an_unknown_key_gets_a_challenge_like_any_other_and_no_session(world: World) -> None:
    stranger = SigningKey.generate()
    assert answer(world, stranger, challenge(world, stranger)) == 401


@pytest.mark.both_databases
def test_a_session_ends_after_fifteen_idle_minutes_or_eight_hours(world: World) -> None:
    who = world.one(Role.OPERATOR)
    for _ in range(31):
        world.clock.advance(14 * 60_000)
        assert world.call("GET", "/organisations/me", who=who).status_code == 200
    world.clock.advance(15 * 60_000)
    assert world.call("GET", "/organisations/me", who=who).status_code == 401
    world.login(who)
    for _ in range(34):
        world.clock.advance(14 * 60_000)
        assert world.call("GET", "/organisations/me", who=who).status_code == 200
    world.clock.advance(14 * 60_000)
    assert world.call("GET", "/organisations/me", who=who).status_code == 401


@pytest.mark.both_databases
def test_only_the_hash_of_a_token_is_kept(world: World) -> None:
    token = world.one(Role.OPERATOR).token
    world.close()
    kept = b"".join(p.read_bytes() for p in world.settings.home.rglob("*") if p.is_file())
    world.open()
    assert token.encode() not in kept
    assert world.call("GET", "/organisations/me", who=world.one(Role.OPERATOR)).status_code == 200


@pytest.mark.both_databases
def test_an_idle_session_does_not_come_back_with_a_restart(world: World) -> None:
    who = world.one(Role.OPERATOR)
    world.clock.advance(14 * 60_000)
    assert world.call("GET", "/organisations/me", who=who).status_code == 200
    world.restart()
    assert world.call("GET", "/organisations/me", who=who).status_code == 200
    world.clock.advance(20 * 60_000)
    world.restart()
    assert world.call("GET", "/organisations/me", who=who).status_code == 401


def test_a_flood_of_challenges_shuts_nobody_out(world: World) -> None:
    key = world.one(Role.OPERATOR).key
    said = challenge(world, key)
    for _ in range(300):
        world.service.sessions.challenge(SigningKey.generate().public, ORIGIN)
    assert answer(world, key, said) == 201


def test_one_key_cannot_take_the_places_of_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.service.sessions.MAX_SESSIONS", MAX_OF_KEY + 8)
    flooder, other = world.one(Role.BIDDER), world.one(Role.OPERATOR)
    first = flooder.token
    for _ in range(MAX_OF_KEY + 8):
        world.clock.advance(1)
        assert world.login(flooder).status_code == 201
    assert world.call("GET", "/organisations/me", who=other).status_code == 200
    assert world.login(other).status_code == 201  # nobody else is shut out
    assert world.call("GET", "/organisations/me", who=flooder).status_code == 200
    assert world.service.sessions.by_token(first) is None  # its own oldest have ended
    world.restart()
    assert world.service.sessions.by_token(first) is None


def test_one_session_cannot_take_the_tickets_of_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.service.sessions.MAX_TICKETS", MAX_TICKETS_OF_ONE + 1)
    flooder, other = world.one(Role.BIDDER), world.one(Role.OPERATOR)
    made = [
        world.call("POST", "/session/ticket", who=flooder).json()["ticket"]
        for _ in range(MAX_TICKETS_OF_ONE + 3)
    ]
    assert world.call("POST", "/session/ticket", who=other).status_code == 201
    sessions = world.service.sessions
    assert sessions.by_ticket(made[0]) is None
    assert sessions.by_ticket(made[-1]) is not None


def test_a_challenge_of_before_a_restart_is_refused(world: World) -> None:
    key = world.one(Role.OPERATOR).key
    said = challenge(world, key)
    world.restart()
    assert answer(world, key, said) == 401


@pytest.mark.both_databases
def test_logging_out_ends_the_session_for_good(world: World) -> None:
    who = world.one(Role.OPERATOR)
    assert world.call("DELETE", "/session", who=who).status_code == 204
    assert world.call("GET", "/organisations/me", who=who).status_code == 401
    world.restart()
    assert world.call("GET", "/organisations/me", who=who).status_code == 401


@pytest.mark.both_databases
def test_revocation_cuts_sessions_and_open_sockets_at_once(world: World) -> None:
    bidder = world.one(Role.BIDDER)
    login = world.service.sessions.by_token(bidder.token)
    assert login is not None
    cut: list[str] = []
    login.watch(lambda: cut.append("socket"))
    key_id = login.actor.key_id
    world.carry("key.revoke", {"key_id": key_id, "reason": "离职"})
    assert cut == ["socket"]
    assert world.call("GET", "/organisations/me", who=bidder).status_code == 401
    assert world.login(bidder).status_code == 401


def test_a_holder_gives_up_its_own_key_alone(world: World) -> None:
    bidder = world.one(Role.BIDDER)
    key = world.service.state.keys[bidder.key.public]
    other = world.service.state.keys[world.one(Role.OPERATOR).key.public]
    refused = world.signed(bidder, "key_revocation", key_id=other.key_id, reason="x")
    assert world.call("POST", "/keys/revocation", refused, bidder).status_code == 403
    signed = world.signed(bidder, "key_revocation", key_id=key.key_id, reason="丢失")
    assert world.call("POST", "/keys/revocation", signed, bidder).status_code == 204
    assert not world.service.state.keys[bidder.key.public].live
    assert world.service.key_valid(bidder.key.public, key.issued_at_index)
    assert not world.service.key_valid(bidder.key.public, world.ground.ledger.size)


def test_a_ticket_opens_one_socket_within_thirty_seconds(world: World) -> None:
    who = world.one(Role.OPERATOR)
    made = [world.call("POST", "/session/ticket", who=who).json()["ticket"] for _ in range(2)]
    sessions = world.service.sessions
    assert sessions.by_ticket(made[0]) is not None
    assert sessions.by_ticket(made[0]) is None
    world.clock.advance(30_000)
    assert sessions.by_ticket(made[1]) is None


def test_a_stolen_session_alone_decides_nothing(world: World) -> None:
    """The thief has the operator's token, not the key."""
    operator, thief = world.one(Role.OPERATOR), SigningKey.generate()
    command = {"act": "key.issue", "body": {"enrolment": "x"}}
    fresh = {"nonce": nonce(), "at": world.clock.now()}
    signed = sign(thief, "proposal", CENTRE, command | fresh)
    refused = world.call("POST", "/proposals", signed, operator)
    assert refused.status_code == 401
    assert refused.json()["type"].endswith("statement-refused")


@pytest.mark.parametrize("drift", [-60_001, 60_001])
def test_a_stale_command_is_refused(world: World, drift: int) -> None:
    operator = world.one(Role.OPERATOR)
    body = {"act": "key.issue", "body": {}, "nonce": nonce(), "at": world.clock.now() + drift}
    signed = sign(operator.key, "proposal", CENTRE, body)
    assert world.call("POST", "/proposals", signed, operator).status_code == 401
