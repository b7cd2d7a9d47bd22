"""A custodian killed with SIGKILL at every durable write and at every call, and what it says afterwards.

The child is forked from this warmed process and dies at the n-th such step of a whole life: three rounds of a
ceremony, cosignatures, a release. Then the home is opened again and lives to the end. Whatever the child had
said must be said again, byte for byte.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from clients.custodian.ceremony import certificate_of
from clients.custodian.home import Home
from clients.custodian.state import State
from crypto import statement
from crypto.canonical import canonical
from crypto.cocktail import Participant
from crypto.encoding import b64, unb64
from tests.clients import scene
from tests.clients.fake_centre import FakeCentre
from tests.clients.opening_scene import Opening
from tests.clients.team import Team, make_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Fates:
    """Names the steps of a life and ends it at one of them."""

    def __init__(self, last: int | None) -> None:
        self.names: list[str] = []
        self.last = last

    def step(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class Stage(FakeCentre):
    """A centre with four other custodians in it, which keeps what it is sent on disk."""

    def __init__(self, sent: Path, fates: Fates) -> None:
        super().__init__()
        self._sent = sent
        self._fates = fates
        self.log.add({"v": 1, "kind": "born"})
        self.hold_ceremony(scene.context(scene.custodians()))

    def send(self, method: str, path: str, headers: Any, body: Any) -> Any:
        # Dying before the centre has it is the same as dying after the write before.
        if method == "POST" and b'"statement"' in body:
            with self._sent.open("ab") as file:
                file.write(body + b"\n")
                file.flush()
        answer = super().send(method, path, headers, body)
        # After the centre has it, before the custodian knows.
        self._fates.step(f"{method} {path.split('?', maxsplit=1)[0].rsplit('/', 1)[-1]}")
        return answer

    def others(self) -> None:
        """The other four answer what the first has said."""
        got = self.messages["cer_a"]
        me = scene.custodians()[0].name
        first = [got[1][me]["statement"]["message"]] if me in got[1] else []
        for key, messages in zip(scene.custodians()[1:], answers(*first), strict=True):
            for number, message in enumerate(messages, 1):
                self._say(key, number, message)

    def _say(self, key: Any, number: int, message: bytes) -> None:
        body = {
            "ceremony": "cer_a",
            "custodian": key.name,
            "round": number,
            "message": b64(message),
        }
        signed = statement.sign(key.statement, "ceremony_message", scene.CENTRE, body)
        self.messages["cer_a"][number][key.name] = signed


@cache
def answers(own: str = "") -> list[list[bytes]]:
    """What the other four say, in round 2 too once the first message is known."""
    told = scene.context(scene.custodians())
    people = [
        Participant(key.host, n, told.custodians, told.t, told.to_bytes(), bytes([n]) * 32)
        for n, key in enumerate(scene.custodians()[1:], 2)
    ]
    first = [each.round1() for each in people]
    if not own:
        return [[message] for message in first]
    everyone = [unb64(own), *first]
    return [[message, each.round2(everyone)] for message, each in zip(first, people, strict=True)]


def said(sent: Path) -> dict[str, set[bytes]]:
    """Everything the custodian ever sent, by what it was about."""
    found: dict[str, set[bytes]] = defaultdict(set)
    for line in sent.read_bytes().splitlines() if sent.exists() else []:
        told = json.loads(line)
        body = told["statement"]
        found[f"{body['purpose']} {body.get('round', '')}"].add(canonical(told))
    return found


def live(home: Home, stage: Stage, team: Team) -> None:
    """A whole life of the first custodian; harmless to begin again."""
    custodian = team.custodian(home)
    custodian.centre.transport = stage
    team.clock.set(scene.BORN + 1000)
    custodian.step()
    stage.others()
    custodian.step()
    custodian.step()
    stage.ceremonies.clear()
    certificate = certificate_of(home, "cer_a")
    if "sec_a" not in stage.requests:
        team.clock.set(scene.T0 - 6000)
        custodian.step()
        Opening(stage, certificate, scene.custodians()[2:4]).ask()
    team.clock.set(scene.T0 + 1000)
    custodian.step()
    custodian.step()


def relive(sent: Path, home: Home, team: Team) -> None:
    """The same life after the crash, before a centre that has what reached it."""
    stage = Stage(sent, Fates(None))
    for line in sent.read_bytes().splitlines() if sent.exists() else []:
        body = json.loads(line)["statement"]
        if body["purpose"] == "ceremony_message":
            stage.messages["cer_a"][body["round"]][body["custodian"]] = json.loads(line)
    # The centre forgets that it was answered, so that everything is asked a second time.
    for round_ in stage.messages["cer_a"].values():
        round_.pop(home.keys.name, None)
    live(home, stage, team)


def die_at(n: int, folder: Path, patch: Callable[[], None] = lambda: None) -> bool:
    """One life that ends at step n, and the next that goes on; says whether step n was reached."""
    home_path, sent = folder / "home-1", folder / "sent"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            patch()
            fates = Fates(n)
            _count_writes(fates)
            team = Team(folder, 0)
            live(Home.open(home_path, "pass"), Stage(sent, fates), team)
            status = 0
        finally:
            os._exit(status)
    _, result = os.waitpid(child, 0)
    if os.WIFEXITED(result):
        assert os.WEXITSTATUS(result) == 0
        return False
    assert os.WTERMSIG(result) == signal.SIGKILL
    team = Team(folder, 0)
    with Home.open(home_path, "pass") as home:
        relive(sent, home, team)
    return True


def _count_writes(fates: Fates) -> None:
    write = State._write

    def counted(self: State, sql: str, values: tuple[object, ...]) -> None:
        # Dying before a write is the same as dying after the step before it.
        write(self, sql, values)
        fates.step(f"{'forget' if sql.startswith('DELETE') else 'keep'} {values[0]}")

    State._write = counted  # type: ignore[method-assign]


def fresh(folder: Path, n: int) -> Path:
    place = folder / str(n)
    shutil.copytree(folder / "template", place)
    return place


@pytest.fixture
def template(tmp_path: Path) -> Path:
    make_home(tmp_path / "template", 1).close()
    scene.ready()
    return tmp_path


def test_killed_at_any_step_a_custodian_says_the_same_afterwards(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One nonce for all lives, so that the other four are computed once, here in the parent.
    monkeypatch.setattr("crypto.cocktail.token", lambda n: bytes([7]) * n)
    whole, fates = Team(template / "whole", 1), Fates(None)
    with monkeypatch.context() as patched:
        patched.setattr(State, "_write", State._write)  # comes back as it was
        _count_writes(fates)
        live(whole.homes[0], Stage(template / "whole.sent", fates), whole)
    whole.close()
    assert set(fates.names) == STEPS
    every = said(template / "whole.sent")
    assert sorted(every) == [*(f"ceremony_message {n}" for n in (1, 2, 3)), "release "]
    n = 1
    while die_at(n, place := fresh(template, n)):
        assert said(place / "sent") == every, n
        shutil.rmtree(place)
        n += 1
    assert n > len(fates.names) > 30


STEPS = {
    *("keep clock", "keep checkpoint", "GET checkpoint", "GET consistency", "POST cosignatures"),
    *("GET tasks", "keep ceremony", "keep ceremony-round-1", "keep ceremony-round-2"),
    *("keep ceremony-round-3", "POST messages", "keep certificate", "keep bundle", "keep share"),
    "keep born",
    *("forget ceremony", "GET release-request", "GET evidence", "GET leaves", "keep answered"),
    *("keep release", "POST partials"),
}
"""Every durable write and every call of a custodian's life, by name."""


def forget() -> None:
    """Nothing that is said is kept."""

    def say(self: State, kind: str, subject: str, content: bytes, at: int) -> bytes:
        return content

    State.say = say  # type: ignore[method-assign]


def send_first() -> None:
    """What is said is kept two words later: after it was sent."""
    keep, waiting = State.say, []

    def say(self: State, kind: str, subject: str, content: bytes, at: int) -> bytes:
        while len(waiting) > 1:
            keep(*waiting.pop(0))
        known = self.said(kind, subject)
        if known is None:
            waiting.append((self, kind, subject, content, at))
        return known or content

    State.say = say  # type: ignore[method-assign]


@pytest.mark.parametrize("fault", [forget, send_first])
def test_a_memory_that_forgets_or_keeps_too_late_is_found_out(
    template: Path, fault: Callable[[], None]
) -> None:
    """Negative control: a home whose words are not kept before they are sent says something else."""
    found = set()
    for n in range(1, 8):  # the ceremony; nobody who forgets gets further
        place = fresh(template, n)
        if not die_at(n, place, fault):
            break
        found.update(len(versions) for versions in said(place / "sent").values())
    assert max(found) > 1
