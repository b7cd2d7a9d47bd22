"""Idempotency keys: a repeated command acts once and gets its first answer, whatever becomes of the first."""

import asyncio

import pytest
from starlette.testclient import TestClient

from tests.trading.ground.edged import AUTH, protect, small_app
from trading.ground.http import Edge


@pytest.fixture
def acts():
    return []


@pytest.fixture
def app(acts):
    return small_app(acts)


@pytest.fixture
def client(app, lite, clock):
    with TestClient(
        protect(app, lite, clock), base_url="http://centre", raise_server_exceptions=True
    ) as client:
        yield client


def keyed(client, key, amount="1", **headers):
    return client.post(
        "/acts", json={"amount": amount}, headers={**AUTH, "idempotency-key": key, **headers}
    )


def test_a_repeated_command_gets_its_first_answer_and_acts_once(client, acts):
    first, second = keyed(client, "key-00001"), keyed(client, "key-00001")
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert acts == ["1"]
    assert keyed(client, "key-00002").json()["number"] == 2


def test_a_key_with_another_body_is_refused(client, acts):
    keyed(client, "key-00001")
    answer = keyed(client, "key-00001", "2")
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:kaibiao:problem:idempotency-key-reused",
    )
    assert acts == ["1"]


def test_a_key_belongs_to_its_caller(client, acts):
    keyed(client, "key-00001")
    keyed(client, "key-00001", authorization="Bearer other")
    assert acts == ["1", "1"]


def test_answers_outlive_a_restart_and_expire_after_a_day(app, database, clock, acts):
    for _ in range(2):
        with TestClient(protect(app, database, clock)) as client:
            keyed(client, "key-00001")
    assert acts == ["1"]
    clock.advance(24 * 3600 * 1000)
    with TestClient(protect(app, database, clock)) as client:
        keyed(client, "key-00001")
    assert acts == ["1", "1"]


def test_refusals_are_remembered_but_not_failures_of_ours(client, acts):
    for how, times in (("gone", 1), ("login", 2), ("often", 2)):
        acts.clear()
        for _ in range(2):
            client.post(f"/refuse/{how}", headers={**AUTH, "idempotency-key": "key-00001"})
        assert len(acts) == times, how


def test_an_unforeseen_failure_frees_its_key(client, acts):
    for _ in range(2):
        assert (
            client.post("/refuse/bug", headers={**AUTH, "idempotency-key": "key-00001"}).status_code
            == 503
        )
    assert acts == ["bug", "bug"]


@pytest.mark.parametrize("key", ["short", "x" * 201, "has space in it", "\tkey-000001"])
def test_a_malformed_key_is_refused(client, key, acts):
    answer = keyed(client, key)
    assert answer.status_code == 422 or acts == []


def test_without_a_caller_a_key_means_nothing(client, acts):
    for _ in range(2):
        client.post("/acts", json={"amount": "1"}, headers={"idempotency-key": "key-00001"})
    assert acts == ["1", "1"]


def test_the_same_command_twice_at_once_acts_once(app, database, clock, acts):
    import httpx

    async def story():
        transport = httpx.ASGITransport(protect(app, database, clock))
        async with httpx.AsyncClient(transport=transport, base_url="http://centre") as client:
            headers = {**AUTH, "idempotency-key": "key-00001"}
            answers = await asyncio.gather(
                *(client.post("/acts", json={"amount": "1"}, headers=headers) for _ in range(10))
            )
        return {answer.content for answer in answers}

    assert len(asyncio.run(story())) == 1
    assert acts == ["1"]


def test_control_the_edge_alone_does_not_remember(app, clock, acts):
    with TestClient(Edge(app, clock)) as client:
        keyed(client, "key-00001")
        keyed(client, "key-00001")
    assert acts == ["1", "1"]
