"""What the demo's steps share: folders, processes, people with their sessions, and what became of things."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clients.demo.stage import StepFailedError
from clients.sdk.acts import Desk, command, enrol
from clients.sdk.session import login
from clients.sdk.wire import Centre
from crypto.signature import SigningKey
from trading.ground.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clients.demo.processes import Cast
    from clients.demo.stage import Stage

CENTRE: Final = "demo-centre"
POLL_SECONDS: Final = 0.05
START_SECONDS: Final = 30
FAST: Final = 16  # --fast divides file sizes by this


def case(name: str) -> dict[str, Any]:
    """One of the demo's own cases."""
    text = files("clients.demo").joinpath("cases", f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))


@dataclass
class Person:
    """Somebody who acts: an organisation's person with one key and one session."""

    name: str
    organisation: str
    credit_code: str
    role: str
    key: SigningKey
    centre: Centre
    id: str = ""
    """Of the organisation, once the key is issued."""

    person: str = ""


@dataclass
class World:
    """One run of the demo.

    Attributes:
        out: what `--out` names; everything the demo leaves lies there.
        stage, cast: the lines on the screen, the processes.
        fast: files ÷ 16, windows at their minimum.
    """

    out: Path
    stage: Stage
    cast: Cast
    fast: bool
    seed: int
    keep: Path
    port: int = 0
    clock: SystemClock = field(default_factory=SystemClock)
    people: dict[str, Person] = field(default_factory=dict)
    custodians: list[Path] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The centre's home."""
        return self.keep / "centre"

    @property
    def server(self) -> str:
        """The centre's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def trust(self) -> Path:
        """What verifiers and sealers pin."""
        return self.out / "trust.pem"

    def centre(self) -> Centre:
        """A connection without a session."""
        return Centre.at(self.server)

    def start_centre(self) -> None:
        """Start the server, always on the same port, and wait until it is ready."""
        self.port = self.port or _free_port()
        self.cast.start("centre", "serve", "--home", str(self.home), "--port", str(self.port))
        self.until("the centre is ready", self._ready, START_SECONDS)

    def _ready(self) -> bool:
        if "centre" in self.cast.died():
            raise StepFailedError(f"the centre ended:\n{self.cast.last_words('centre')}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def until(self, what: str, holds: Callable[[], Any], seconds: int) -> Any:
        """Poll until something holds and return it.

        Raises:
            StepFailedError: it did not in time.
        """
        end = time.monotonic() + seconds
        while True:
            found = holds()
            if found:
                return found
            if time.monotonic() > end:
                raise StepFailedError(f"{what}: not within {seconds} s")
            time.sleep(POLL_SECONDS)

    def sleep_until(self, ms: int) -> None:
        """Wait for an instant of the server's clock, which is this machine's."""
        while (left := ms - self.clock.now()) > 0:
            time.sleep(left / 1000)

    def join(
        self,
        who: str,
        *,
        name: str,
        organisation: str,
        credit_code: str,
        role: str,
        invitation: str = "",
    ) -> Person:
        """Make a key for somebody and ask for it to be known; staff issue it by two signatures."""
        person = Person(name, organisation, credit_code, role, SigningKey.generate(), self.centre())
        card = {"organisation": organisation, "credit_code": credit_code, "role": role}
        answer = enrol(
            person.centre, person.key, CENTRE, card, person_name=name, invitation=invitation
        )
        if answer["status"] != "issued":
            self.desk().act("key.issue", {"enrolment": answer["enrolment"]})
            answer = person.centre.call("GET", f"/enrolments/{answer['enrolment']}")
        person.id, person.person = answer["organisation"], answer["person"]
        self.facts.setdefault("certificates", {})[who] = answer["certificate"]
        person.centre.login = lambda centre: login(centre, person.key, CENTRE)
        login(person.centre, person.key, CENTRE)
        self.people[who] = person
        return person

    def desk(self, second: str = "reviewer") -> Desk:
        """The operator and a second person, acting together."""
        one, other = self.people["operator"], self.people[second]
        return Desk(CENTRE, (one.centre, one.key), (other.centre, other.key), self.clock)

    def command(self, who: str, purpose: str, body: dict[str, Any]) -> dict[str, Any]:
        """A fresh signed command of somebody."""
        return command(self.people[who].key, purpose, CENTRE, body, self.clock)

    def size(self, mib: int) -> int:
        """Bytes of a file that the case gives in MiB."""
        return (mib << 20) // (FAST if self.fast else 1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
