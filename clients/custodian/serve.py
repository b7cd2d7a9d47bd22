"""The custodian's loop: it calls the centre, never the other way round.

    every interval: witness the log · answer ceremonies · answer release requests

Whatever fails is said in one line and tried again; a custodian ends only when it is told to. While its clock
shows less than before it signs nothing but the refusal that says so.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError
from clients.custodian import histories
from clients.custodian.ceremony import Ceremonies, Task
from clients.custodian.cosigner import Cosigner
from clients.custodian.release import Releases
from clients.errors import ClientError, UnfitError
from clients.sdk import ledger
from clients.sdk.session import login
from crypto.encoding import unb64
from crypto.errors import CryptoError
from trading.ground.clock import beijing

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from clients.custodian.home import Home
    from clients.custodian.roster import Roster
    from clients.sdk.wire import Centre
    from trading.ground.clock import Clock

QUIET_MS: Final = 60_000
"""The same line is said again only after a minute."""

WAITS_FOR_OTHERS: Final = frozenset({"witnessed"})
PATIENCE_MS: Final = 5_000
"""Other witnesses need a moment after T; a refusal for their sake is not put on record at once."""


@dataclass
class Custodian:
    """One custodian at work, or a log witness, who has no share and no tasks.

    Args:
        home: keys and memory.
        roster: pinned at `join`.
        centre: where to call.
        clock: own clock.
        say: takes the lines for people.
    """

    home: Home
    roster: Roster
    centre: Centre
    clock: Clock
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    _said: dict[str, int] = field(default_factory=dict, init=False)
    _waiting: dict[str, int] = field(default_factory=dict, init=False)
    _looked: int = field(default=-QUIET_MS, init=False)

    def __post_init__(self) -> None:
        self.cosigner = Cosigner(self.home, self.roster.ledger)
        self.ceremonies = Ceremonies(self.home, self.roster)
        self.releases = Releases(self.home, self.roster, self.cosigner)
        self.centre.login = lambda centre: login(
            centre, self.home.keys.statement, self.home.identity.centre
        )

    def serve(self, stop: threading.Event, interval_ms: int) -> None:
        """Works until told to stop.

        Args:
            stop: set from a signal handler.
            interval_ms: pause between two calls.
        """
        self._tell(f"{self.home.keys.name} of {self.home.identity.organisation} serves")
        while not stop.is_set():
            self.step()
            stop.wait(interval_ms / 1000)

    def step(self) -> None:
        """One round of everything; never raises for what the centre or the network does."""
        now = self.clock.now()
        awake = self._try("clock", lambda: self.home.state.see_time(now) >= 0)
        if awake:
            self._try("log", lambda: self._witness(now))
            self._try("evidence", lambda: self._histories(now))
        if self.home.identity.role == "custodian":
            self._try("tasks", lambda: self._tasks(now, awake=awake))

    def _witness(self, now: int) -> bool:
        return self.cosigner.step(self.centre, now)

    def _histories(self, now: int) -> bool:
        """Looks once a minute whether anybody has proved two histories; keeps and says what is new."""
        if now - self._looked < QUIET_MS:
            return False
        self._looked = now
        state = self.home.state
        before = {one["key"] for one in histories.kept(state)}
        found = histories.learn(state, self.roster, ledger.evidence(self.centre), now)
        for one in found:
            if one.key not in before:
                self._tell(
                    f"{one.key.partition('+')[0]} has signed two histories, evidence {one.digest[:16]}…; "
                    "tell the supervisor"
                )
        return bool(found)

    def _tasks(self, now: int, *, awake: bool) -> bool:
        asked = self.centre.call("GET", "/custody/tasks", query={"custodian": self.home.keys.name})
        tasks = asked.get("tasks", []) if isinstance(asked, dict) else asked
        for task in tasks:
            if task.get("kind") == "ceremony" and awake:
                self._try(f"ceremony {task.get('ceremony')}", lambda: self._ceremony(task, now))  # noqa: B023
            elif task.get("kind") == "release":
                self._try(f"release {task.get('section')}", lambda: self._release(task, now))  # noqa: B023
        return bool(tasks)

    def _ceremony(self, task: Mapping[str, Any], now: int) -> bool:
        read = Task(
            ceremony=str(task["ceremony"]),
            round=int(task["round"]),
            context=unb64(task["context"]),
            messages=tuple(task.get("messages", ())),
            first=tuple(task.get("first", ())),
        )
        message = self.ceremonies.answer(read, now)
        self.centre.call("POST", f"/custody/ceremonies/{read.ceremony}/messages", message)
        done = "its share is kept" if read.round == 3 else "answered"
        self._tell(f"ceremony {read.ceremony}: round {read.round}, {done}")
        return True

    def _release(self, task: Mapping[str, Any], now: int) -> bool:
        section = str(task["section"])
        signed, verdict = self.releases.answer(self.centre, section, now)
        if verdict.refusal is not None and verdict.refusal.id in WAITS_FOR_OTHERS:
            since = self._waiting.setdefault(section, now)
            if now - since < PATIENCE_MS:
                return False
        else:
            self._waiting.pop(section, None)
        self.centre.call("POST", f"/custody/sections/{section}/partials", signed)
        if verdict.answer is not None:
            count = len(verdict.answer.encapsulations)
            self._tell(f"section {section}: {count} partial decryptions released")
        elif verdict.refusal is not None:
            self._tell(
                f"section {section}: refused, {verdict.refusal.id}: {verdict.refusal.detail}",
            )
        return True

    def _try(self, what: str, act: Callable[[], bool]) -> bool:
        """Does one thing; what goes wrong is said and left for the next round.

        Raises:
            UnfitError: the memory cannot be written; going on would break promises.
        """
        try:
            return act()
        except UnfitError:
            raise
        except (ClientError, CryptoError, BiddingError) as error:
            self._tell(f"{what}: {error}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Foreign JSON of another shape than agreed; the centre's fault, never our end.
            self._tell(
                f"{what}: the centre's answer is malformed ({type(error).__name__}: {error})"
            )
        return False

    def _tell(self, line: str) -> None:
        now = self.clock.now()
        if now - self._said.get(line, -QUIET_MS) >= QUIET_MS:
            if len(self._said) > 1000:
                self._said.clear()
            self._said[line] = now
            self.say(f"{beijing(now)} {line}")
