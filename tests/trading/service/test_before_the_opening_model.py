"""The time between notice and opening, command by command, against a model that imports nothing of it.

Addenda, questions, objections, answers and the clock in any order: what stands must be what the model says, before and
after a restart. The model knows the periods of 演示: a change two seconds before T, an objection two seconds before.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.trading.world import Someone, World
from trading.model import Role, code_for_tests

LEAD = 2000
BIDDERS = 3


class BeforeTheOpening(RuleBasedStateMachine):
    """A centre and the model beside it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "home").__enter__()
        self.world.first_people()
        _, self.section = self.world.announced()
        self.bidders = [
            self.world.hire(Role.BIDDER, code_for_tests(50 + n), f"投标单位{n}")
            for n in range(BIDDERS)
        ]
        self.deadline = self.world.service.section(self.section).deadline
        self.versions = 1
        self.asked: list[str] = []
        self.told: dict[str, str] = {}
        self.open: dict[str, int] = {}
        self.settled = 0

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.__exit__()
            self.folder.cleanup()

    @property
    def now(self) -> int:
        return self.world.clock.now()

    def sent(self, path: str, body: Any, who: Someone) -> int:
        return self.world.call("POST", f"/sections/{self.section}{path}", body, who).status_code

    @rule(ms=st.sampled_from([1, 999, 1000, 3000]))
    def pass_time(self, ms: int) -> None:
        self.world.clock.advance(ms)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(affects=st.booleans(), later=st.sampled_from([0, 1000, 3000, -1000, 1]))
    def amend(self, affects: bool, later: int) -> None:
        deadline = self.deadline + later
        body = {
            "section": self.section, "title": "补遗", "text": "x", "affects_bids": affects, "deadline": deadline,
        }  # fmt: skip
        proposed = self.world.propose(self.world.one(Role.TENDERER), "section.amend", body)
        lawful = (
            self.now < self.deadline
            and later in (0, 1000, 3000)
            and not (affects and self.now > deadline - LEAD)
        )
        assert (proposed.status_code == 201) == lawful, proposed.text
        if lawful:
            assert (
                self.world.confirm(self.world.one(Role.REVIEWER), proposed.json()).status_code
                == 200
            )
            self.versions, self.deadline = self.versions + 1, deadline

    @rule(who=st.integers(0, BIDDERS - 1))
    def ask(self, who: int) -> None:
        text = f"第 {len(self.asked)} 个问题"
        taken = self.sent("/questions", {"text": text}, self.bidders[who])
        assert taken == (204 if self.now < self.deadline else 410)
        if taken == 204:
            self.asked.append(text)

    @rule(affects=st.booleans())
    def answer(self, affects: bool) -> None:
        owner = self.world.one(Role.TENDERER)
        waiting = self.world.get(f"/sections/{self.section}/questions", owner)
        assert sorted(q["text"] for q in waiting) == sorted(set(self.asked) - set(self.told))
        for one in waiting[:1]:
            said = {
                "section": self.section, "question": one["id"], "text": "答", "affects_bids": affects, "addendum": 0,
            }  # fmt: skip
            signed = self.world.signed(owner, "answer", **said)
            done = self.sent(f"/questions/{one['id']}/answer", signed, owner)
            late = self.now >= self.deadline
            lawful = not late and not (affects and self.now > self.deadline - LEAD)
            assert done == (204 if lawful else 410 if late else 409)
            if lawful:
                self.told[one["text"]] = "答"

    @rule(who=st.integers(0, BIDDERS - 1))
    def object(self, who: int) -> None:
        body = self.world.signed(
            self.bidders[who], "document_objection", section=self.section, text="不妥"
        )
        answer = self.world.call(
            "POST", f"/sections/{self.section}/objections", body, self.bidders[who]
        )
        in_time = self.now <= self.deadline - LEAD
        expected = 410 if not in_time else 409 if who in self.open.values() else 201
        assert answer.status_code == expected, answer.text
        if expected == 201:
            self.open[answer.json()["objection"]] = who

    @rule()
    def settle(self) -> None:
        owner = self.world.one(Role.TENDERER)
        for id_ in list(self.open)[:1]:
            said = {"section": self.section, "objection": id_, "text": "已修改", "addendum": 0}
            signed = self.world.signed(owner, "objection_answer", **said)
            assert self.sent(f"/objections/{id_}/answer", signed, owner) == 204  # after T too
            del self.open[id_]
            self.settled += 1

    @invariant()
    def what_stands_is_what_the_model_says(self) -> None:
        if not hasattr(self, "world"):
            return
        shown = self.world.get(f"/sections/{self.section}/announcement")
        assert shown["version"] == self.versions
        assert shown["deadline"] == self.deadline
        assert shown["held"] == bool(self.open)
        assert sorted(q["text"] for q in shown["questions"]) == sorted(self.told)
        assert sum(o["answered_at"] is not None for o in shown["objections"]) == self.settled
        assert {o["id"] for o in shown["objections"] if not o["answer"]} == set(self.open)
        assert all(o["organisation"] == "" for o in shown["objections"])


TestBeforeTheOpening = BeforeTheOpening.TestCase
TestBeforeTheOpening.settings = settings(
    max_examples=4, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
