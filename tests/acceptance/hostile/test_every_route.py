"""Every route of the composed centre, by its own description, for whoever asks: no fault, no undeclared answer.

schemathesis draws the cases from the description that the centre serves; a dictionary of payloads is put
into them; whole bodies and paths from the dictionary go to every route besides. What the edge makes of an
error that nobody foresaw is a 503 of code `unforeseen`, which is declared: here it is a failure like a 500.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Config, GenerationMode

from tests.acceptance.hostile.payloads import BODIES, SEGMENTS, SURROGATES, VALUES
from tests.acceptance.hostile.served import Served
from trading.model import LOGIN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis.schemas import APIOperation

    from tests.trading.world import Someone

SEED = 20261124
TUS = {"content-type": "application/json", "upload-length": "3", "upload-offset": "0"}
QUERIES = (
    "since=%ff", "from=-1&to=9", "from=9&to=1", f"from=0&to={'9' * 400}", "index=0&size=0", "target=%00",
    "custodian=%ED%A0%80", "subject=' OR 1=1 --", "subject=<script>alert(1)</script>", "lang=<b>", "x=" + "y" * 8_000,
)  # fmt: skip
REFUSALS = ("400", "401", "403", "404", "409", "410", "412", "413", "415", "422", "429", "460")
CONFIG: dict[str, Any] = {
    "checks": {
        # A signature, a checksum of an id or a time cannot be said in JSON Schema: what fits it may be refused.
        "positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSALS]},
        "negative_data_rejection": {"expected-statuses": ["405", "406", *REFUSALS]},
    }
}
TRACES = re.compile(
    rb"Traceback|File \"|line \d+, in |sqlalchemy|sqlite3|pydantic_core|<script|\bat 0x"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Served]:
    """A centre that takes bids and has an auction, behind its real server."""
    with Served(tmp_path_factory.mktemp("served") / "home") as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        made.session({"start_price": "100.00", "increment": "10.00"}, ahead=3_600_000)
        made.everybody()
        yield made


@pytest.fixture(scope="module")
def description(served: Served) -> dict[str, Any]:
    """What the centre says of itself."""
    found: dict[str, Any] = served.get("/openapi.json")
    return found


def roles(served: Served) -> list[Someone | None]:
    """Nobody, a bidder, an operator, a supervisor: who reaches most."""
    return [None, *(served.one(role) for role in (Role.BIDDER, Role.OPERATOR, Role.SUPERVISOR))]


def judge(answer: requests.Response, declared: set[str], what: object) -> None:
    """One answer: declared, foreseen, with nothing of our inside in it."""
    status = answer.status_code
    assert str(status) in declared, (what, status, answer.text[:300])
    assert status != 500, what
    if "json" in answer.headers.get("content-type", ""):
        assert ":unforeseen" not in answer.text, (what, answer.text[:300])
    if status >= 400 and answer.request.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json", what
        document = answer.json()
        assert document["status"] == status
        assert document["type"].startswith("urn:kaibiao:problem:")
    if status >= 400:
        assert not TRACES.search(answer.content), (what, answer.text[:500])
    assert answer.headers["x-content-type-options"] == "nosniff"


class Attacker:
    """One identity with one connection."""

    def __init__(self, served: Served, who: Someone | None) -> None:
        self.served, self.who = served, who
        self.base = f"http://{served.address}"
        self.session = requests.Session()

    def send(
        self, method: str, path: str, data: bytes = b"", headers: Any = None, query: str = ""
    ) -> requests.Response:
        """Send a request whose address stands as it is written here."""
        every = {**(headers or {}), **bearer(self.who)}
        request = requests.Request(method, self.base, headers=every, data=data).prepare()
        request.url = self.base + path + (f"?{query}" if query else "")
        return self.session.send(request, timeout=30, allow_redirects=False)

    def refresh(self) -> None:
        """Log in again: a drawn case may have logged out."""
        if self.who is not None:
            self.served.login(self.who)


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """A drawn value with one leaf replaced from the dictionary."""
    payload = draw(st.sampled_from((*VALUES, *SURROGATES)))
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: draw(mutations(value[name]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(mutations(value[place])), *value[place + 1 :]]
    return payload


def has_half(value: Any) -> bool:
    """Whether a value holds half a surrogate pair anywhere, names of members included."""
    if isinstance(value, dict):
        return any(map(has_half, value)) or any(map(has_half, value.values()))
    if isinstance(value, list):
        return any(map(has_half, value))
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def run(
    served: Served,
    description: dict[str, Any],
    who: Someone | None,
    examples: int,
    number: int = SEED,
) -> int:
    """Draw cases for every operation and judge every answer; returns how many were sent."""
    attacker = Attacker(served, who)
    schema = schemathesis.openapi.from_dict(description, config=Config.from_dict(CONFIG))
    schema.config.update(base_url=attacker.base)
    return sum(
        draw_cases(attacker, found.ok(), description, examples, number)
        for found in schema.get_all_operations()
    )


def draw_cases(
    attacker: Attacker,
    operation: APIOperation,
    description: dict[str, Any],
    examples: int,
    number: int = SEED,
) -> int:
    """Draw cases for one operation, the same ones for the same number."""
    sent = 0
    declared = set(description["paths"][operation.path][operation.method]["responses"])
    strategy = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def attack(data: st.DataObject) -> None:
        nonlocal sent
        case = data.draw(strategy)
        alone: bytes | None = None
        if isinstance(case.body, dict | list) and data.draw(st.booleans()):
            changed = data.draw(mutations(case.body))
            if has_half(changed):  # the tool's validator falls over it: sent past it
                alone = json.dumps(changed).encode()
            else:
                case.body = changed
        parts = case.as_transport_kwargs(base_url=attacker.base)
        if alone is not None:
            parts = {**parts, "json": None, "data": alone}
            parts["headers"] = {**parts["headers"], "Content-Type": "application/json"}
        parts["headers"] = {**parts["headers"], **bearer(attacker.who)}
        answer = attacker.session.request(**parts, timeout=30)
        sent += 1
        judge(answer, declared, (number, operation.method, answer.request.url, answer.request.body))
        if alone is None:
            case.validate_response(answer)
        if operation.path.endswith("/session") and operation.method == "delete":
            attacker.refresh()

    attack()
    return sent


def bearer(who: Someone | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}"} if who else {}


def test_drawn_cases_get_declared_answers(served: Served, description: dict[str, Any]) -> None:
    for who in roles(served):
        assert run(served, description, who, 6) > 300


@pytest.mark.soak
@pytest.mark.parametrize("role", [None, *sorted(LOGIN)])
def test_many_drawn_cases_get_declared_answers(
    served: Served, description: dict[str, Any], role: Role | None
) -> None:
    """Other ones each time, for every role that can log in."""
    who = None if role is None else served.one(role)
    examples = 100 if who in roles(served) else 25
    assert run(served, description, who, examples, int.from_bytes(os.urandom(4))) > 50 * examples


def admitted(served: Served) -> dict[tuple[str, str], Someone | None]:
    """For each route somebody whom the table lets through, so that the handler itself is met."""
    people = served.everybody()
    found: dict[tuple[str, str], Someone | None] = {}
    for row in served.get("/access")["rows"]:
        role = row["roles"][0]
        found[row["method"], row["path"]] = None if role == "public" else people[Role(role)]
    return found


def bodies(number: int) -> list[bytes]:
    """All small bodies, and in turn one of those that take long to read."""
    long = [body for body in BODIES if len(body) > 5_000]
    return [*(body for body in BODIES if len(body) <= 5_000), long[number % len(long)]]


def test_bodies_and_paths_of_the_dictionary_get_declared_answers(
    served: Served, description: dict[str, Any]
) -> None:
    """Every body to every route that takes one, from one whom the gate lets through; every path segment."""
    lot = next(iter(served.service.state.lots))
    real = {"{section}": served.section, "{section_id}": served.section, "{lot}": lot}
    real["{upload}"] = "upl_x"
    who = admitted(served)
    for number, (path, item) in enumerate(description["paths"].items()):
        for method, operation in item.items():
            declared = set(operation["responses"])
            row = "GET" if method == "head" else method.upper()
            attacker = Attacker(served, who[row, path])
            filled = re.sub(r"\{\w+\}", lambda m: real.get(m[0], "x"), path)
            for body in bodies(number) if method in ("post", "patch", "put") else ():
                answer = attacker.send(method.upper(), filled, body, TUS)
                judge(answer, declared, (method, filled, body[:80]))
            for part in SEGMENTS if "{" in path else ():
                hostile = re.sub(r"\{\w+\}", lambda _, part=part: part, path)
                answer = attacker.send(method.upper(), hostile)
                judge(answer, declared | {"404", "405", "307"}, (method, hostile))
            if "{" not in path and method == "get":
                for query in QUERIES:
                    answer = attacker.send("GET", path, query=query)
                    judge(answer, declared, (path, query))


def test_pages_stay_pages_whatever_the_address(served: Served, description: dict[str, Any]) -> None:
    """Pages are no part of the description: they answer HTML or a problem, never a fault."""
    for method, path in admitted(served):
        if path in description["paths"] or method != "GET" or path.startswith("/api/"):
            continue
        for part in SEGMENTS if "{" in path else ("",):
            address = re.sub(r"\{[^}]+\}", lambda _, part=part: part, path)
            for query in ("", *QUERIES):
                answer = Attacker(served, None).send("GET", address, query=query)
                assert answer.status_code < 500, (address, query)
                assert ":unforeseen" not in answer.text
                assert not TRACES.search(answer.content.replace(b"<script type", b"")), address
                assert "alert(1)" not in answer.text


def test_the_judge_finds_a_planted_fault(served: Served) -> None:
    answer = requests.get(f"http://{served.address}/api/v1/centre", timeout=10)
    with pytest.raises(AssertionError):
        judge(answer, {"204"}, "planted")
    answer.status_code, answer._content = 503, b"Traceback (most recent call last)"
    with pytest.raises(AssertionError):
        judge(answer, {"503"}, "planted")
