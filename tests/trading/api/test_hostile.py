"""Whatever comes over the wire gets a declared answer: never a 500, never a foreign text back."""

import json
from typing import Any

import pytest
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import FormatError
from tests.trading.world import Someone, World
from trading.model import Role

BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"NaN",
    b'{"statement": NaN}',
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"statement":{},"key":"","signature":""}',
    b'{"statement":{},"key":"A","signature":"\\ud800"}',
    b'{"statement":{"v":1},"key":"' + b"A" * 44 + b'","signature":"' + b"A" * 88 + b'"}',
    b'{"statement":{"v":1e400},"key":"","signature":""}',
    b'{"statement":{"v":' + b"9" * 5000 + b'},"key":"","signature":""}',
    b'{"statement":{"x":"' + b"\\u0000" * 100 + b'"},"key":"","signature":"","role":"operator"}',
    b'{"key":"' + b"A" * 44 + b'"}',
    b'{"key":"' + b"\\uff11" * 44 + b'"}',
    b'{"reference":"x","statement":{"statement":{},"key":"","signature":""}}',
    b'{"person_name":"<script>","statement":{"statement":{},"key":"","signature":""}}',
    b'{"person_name":"\\ud800","statement":{},"invitation":"\\ud800"}',
    b"x" * 70_000,
]
PATHS = ["x", "..", "%00", "%2e%2e%2f", "a" * 3000, "<b>", "'--", "%F0%9F%98%80", "%ff", "{{7*7}}"]


@pytest.fixture(scope="module")
def declared(world: World) -> dict[tuple[str, str], set[str]]:
    """Declared statuses of every operation."""
    document = get_openapi(title="x", version="1", routes=world.app.routes)
    return {
        (method.upper(), path): set(operation["responses"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_the_description_declares_every_refusal_as_a_problem(world: World) -> None:
    document = get_openapi(title="x", version="1", routes=world.app.routes)
    for item in document["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert "application/problem+json" in answer["content"]
            assert {
                "400",
                "401",
                "403",
                "404",
                "409",
                "410",
                "413",
                "422",
                "429",
                "503",
                "507",
            } <= set(operation["responses"])
    json.dumps(document)


def send(world: World, method: str, path: str, body: bytes, who: Someone | None) -> Any:
    headers = {"content-type": "application/json"}
    if who is not None:
        headers["authorization"] = f"Bearer {who.token}"
    return world.runner.run(
        world.client.request(method, path, content=body or None, headers=headers)
    )


def test_hostile_bodies_get_declared_answers(
    world: World, everybody: dict[Role, Someone], declared: dict[tuple[str, str], set[str]]
) -> None:
    for (method, path), statuses in declared.items():
        if method != "POST":
            continue
        for body in BODIES:
            for who in (None, everybody[Role.OPERATOR], everybody[Role.BIDDER]):
                answer = send(world, method, path, body, who)
                assert str(answer.status_code) in statuses, (path, body[:60], answer.text)
                assert answer.status_code < 500, (path, body[:60])
                assert b"<script>" not in answer.content


def test_hostile_paths_get_declared_answers(
    world: World, everybody: dict[Role, Someone], declared: dict[tuple[str, str], set[str]]
) -> None:
    for (method, path), statuses in declared.items():
        if "{" not in path:
            continue
        for part in PATHS:
            address = path.split("{")[0] + part + path.split("}")[1]
            answer = send(world, method, address, b"", everybody[Role.OPERATOR])
            assert str(answer.status_code) in statuses | {"405", "307"}, (address, answer.text)
            assert answer.status_code < 500


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "<b>x</b>",
            "a\u202eb",
            "\x00",
            "𠮷" * 400,
            "字" * 501,
            "=1+1",
            "ٱلل",
            "e\u0301",
            "\U000e0001",
        ]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_form_with_anything_in_any_member_is_refused_or_taken_whole(
    world: World, data: st.DataObject
) -> None:
    """Signed by the right person, so that it reaches the forms behind the signature."""
    form = world.tender_form()
    place: Any = form if data.draw(st.booleans()) else form["sections"][0]
    member = data.draw(st.sampled_from(sorted(place)))
    place[member] = data.draw(JSON)
    try:
        answer = world.propose(world.one(Role.OPERATOR), "tender.create", form)
    except FormatError:
        return  # no canonical form, so nobody can sign it
    assert answer.status_code in (201, 404, 409, 422, 429), answer.text
    if answer.status_code == 429:
        world.clock.advance(600_000)
        for someone in world.people.values():
            world.login(someone)


@pytest.mark.parametrize("act", ["nothing", "", "KEY.ISSUE", "key.issue\n"])
def test_an_act_that_is_none_is_refused(world: World, act: str) -> None:
    assert world.propose(world.one(Role.OPERATOR), act, {}).status_code == 422


def test_a_member_too_many_is_refused_not_taken_along(world: World) -> None:
    operator = world.one(Role.OPERATOR)
    signed = world.signed(operator, "proposal", act="key.issue", body={}, role="supervisor")
    assert world.call("POST", "/proposals", signed, operator).status_code == 422
