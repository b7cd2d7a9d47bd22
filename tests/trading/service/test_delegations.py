"""Delegates 委托代理人: nothing without a delegation, only its scope within, nothing after it, cut at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.world import Someone, World
from trading.model import Actor, Delegation, Grant, Role, Scope, State, code_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

DAY = 86_400_000


@pytest.fixture
def world(tmp_path: Path, stored: str) -> Iterator[World]:
    with World(tmp_path / "home") as made:
        made.first_people()
        made.announced(deadline=made.clock.now() // 1000 * 1000 + 2 * DAY)
        yield made


def grant(world: World, by: Someone, whom: str, **changes: Any) -> httpx.Response:
    said = {"person": whom, "scopes": ["object"], "until": world.clock.now() + DAY, **changes}
    return world.call("POST", "/delegations", world.signed(by, "delegation", **said), by)


def revoke(world: World, by: Someone, person: str) -> httpx.Response:
    signed = world.signed(by, "delegation_revocation", person=person)
    return world.call("POST", "/delegations/revocation", signed, by)


def ask(world: World, who: Someone) -> int:
    (section,) = world.service.state.sections
    path = f"/sections/{section}/questions"
    return world.call("POST", path, {"text": "抗渗等级是多少？"}, who).status_code


def test_a_delegate_acts_in_scope_until_told_otherwise(world: World) -> None:
    bidder, delegate = world.one(Role.BIDDER), world.one(Role.DELEGATE)
    assert delegate.organisation == bidder.organisation
    assert ask(world, delegate) == 403  # a key of one's own is no power
    assert grant(world, bidder, delegate.person, scopes=["submit", "offer"]).status_code == 201
    assert ask(world, delegate) == 401  # a grant ends the old session
    world.login(delegate)
    assert ask(world, delegate) == 403  # not in scope
    assert grant(world, bidder, delegate.person, scopes=["object", "object"]).status_code == 201
    world.login(delegate)
    assert ask(world, delegate) == 204
    (shown,) = world.get("/delegations", bidder)
    assert (shown["scopes"], shown["name"]) == (["object"], "欧阳喆")
    world.restart()
    assert ask(world, delegate) == 204
    assert revoke(world, bidder, delegate.person).status_code == 204
    assert ask(world, delegate) == 401  # cut at once, as a revoked key is
    world.login(delegate)
    assert ask(world, delegate) == 403
    assert revoke(world, bidder, delegate.person).status_code == 404
    assert world.get("/delegations", bidder)[0]["revoked_at"] == world.clock.now()


def test_a_delegation_ends_with_its_last_instant_and_its_sockets_with_it(world: World) -> None:
    bidder, delegate = world.one(Role.BIDDER), world.one(Role.DELEGATE)
    until = world.clock.now() + 60_000
    assert grant(world, bidder, delegate.person, until=until).status_code == 201
    world.login(delegate)
    login = world.service.sessions.by_token(delegate.token)
    assert login is not None
    assert login.stored.expires_at == until
    world.clock.set(until - 1)
    assert ask(world, delegate) == 204
    assert login.touch(until - 1)
    world.clock.set(until)
    assert not login.touch(until)
    assert ask(world, delegate) == 401
    world.login(delegate)
    assert ask(world, delegate) in (401, 403)


def test_who_may_delegate_what_to_whom(world: World) -> None:
    bidder, delegate = world.one(Role.BIDDER), world.one(Role.DELEGATE)
    other = world.hire(Role.BIDDER, code_for_tests(2), "投标单位2")
    assert grant(world, other, delegate.person).status_code == 404
    assert grant(world, bidder, other.person).status_code == 404
    assert grant(world, bidder, bidder.person).status_code == 404
    assert grant(world, delegate, delegate.person).status_code == 403
    assert grant(world, world.one(Role.OPERATOR), delegate.person).status_code == 403
    now = world.clock.now()
    for changes in (
        {"until": now}, {"until": now + 367 * DAY}, {"scopes": []}, {"scopes": ["everything"]},
        {"person": "per_x"}, {"until": "soon"}, {"more": 1}, {"targets": ["sec_x"]}, {"targets": "x"},
    ):  # fmt: skip
        answer = grant(world, bidder, delegate.person, **changes)
        assert answer.status_code in (404, 409, 422), (changes, answer.text)
    assert world.get("/delegations", bidder) == []
    assert grant(world, bidder, delegate.person).status_code == 201
    assert revoke(world, other, delegate.person).status_code == 404
    assert world.get("/delegations", other) == []


def test_names_are_in_no_row_and_deposits_are_the_bidders_own(world: World) -> None:
    bidder, delegate = world.one(Role.BIDDER), world.one(Role.DELEGATE)
    every = ["submit", "confirm", "object", "offer"]
    assert grant(world, bidder, delegate.person, scopes=every).status_code == 201
    world.login(delegate)
    (section,) = world.service.state.sections
    assert world.deposit(delegate, section).status_code == 403
    rows = [str(dict(row.body)) for row in world.ground.journal.rows("trading")]
    assert not [row for row in rows if "欧阳喆" in row]


@given(
    st.sets(st.sampled_from(Scope), min_size=1),
    st.sampled_from(Scope),
    st.integers(0, 100),
    st.integers(0, 120),
    st.one_of(st.none(), st.integers(0, 100)),
)
def test_a_delegation_covers_its_scopes_in_its_time_and_nothing_else(
    scopes: set[Scope], asked: Scope, until: int, now: int, revoked: int | None
) -> None:
    made = Delegation("del_a", "org_a", "per_a", tuple(sorted(scopes)), until, 0, revoked)
    assert made.covers(asked, now) == (asked in scopes and now < until and revoked is None)


TARGETS = ["sec_a", "sec_b", "ses_a", "lot_a1", "lot_a2", "lot_b1"]


@given(
    st.sets(st.sampled_from(TARGETS)), st.sets(st.sampled_from([*TARGETS, "word"]), max_size=3),
    st.sampled_from(Scope),
)  # fmt: skip
def test_a_delegation_for_some_targets_is_for_no_other(
    given_for: set[str], where: set[str], scope: Scope
) -> None:
    """Lots a1 and a2 belong to session a; who is delegated for a session is so for its lots."""
    made = Delegation("del_a", "org_a", "per_a", (scope,), 9, 0, targets=tuple(sorted(given_for)))
    state = State(
        sections={"sec_a": Mock(), "sec_b": Mock()},
        sessions={"ses_a": Mock()},
        lots={"lot_a1": Mock(session="ses_a"), "lot_a2": Mock(session="ses_a"), "lot_b1": Mock(session="ses_b")},
        delegations={"per_a": made},
        grants={"del_a": Grant(made, {})},
    )  # fmt: skip
    who = Actor("per_a", "org_a", Role.DELEGATE, "k", b"")
    known = {"lot_a1": "ses_a", "lot_a2": "ses_a"}
    named = where - {"word"}
    inside = all(one in given_for or known.get(one) in given_for for one in named)
    expected = not given_for or (inside and (bool(named) or scope is Scope.SUBMIT))
    assert state.acts_for_bidder(who, scope, 1, where) == expected
    assert not state.acts_for_bidder(who, scope, 9, where)
