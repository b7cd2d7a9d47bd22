"""Releases as a machine: three custodians asked in any order, honestly and not, through holds, restarts, drops and replays.

Each custodian judges by the real rule (`bidding.release`) from a memory that is all that survives a restart. The same
question is judged once and remembered: the rule is pure. Promise: whatever the order, no partial comes out that should
not, a custodian says one thing only, and what any two of three say opens every bid.
"""

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bidding.release import CustodianView, TwoSigned, decide
from crypto import threshold
from crypto.encoding import b64, unb64
from crypto.p256 import Point
from crypto.threshold import Answer
from tests.bidding.release_cast import (
    HOSTS,
    SECTION,
    T,
    both,
    held,
    postponement,
    published,
    two_histories,
)
from tests.bidding.release_scene import Built, Scene

SHARES = held(SECTION, "live", T, 3)[2]
GROUP = SHARES[0].group
LATER = both(postponement(T + 60_000)).to_body()
STAMPS = (T // 1000,) * 3

QUESTIONS = {
    "honest": Scene(stamps=STAMPS),
    "one left out": Scene(
        stamps=STAMPS, change_list=lambda leaf: replace(leaf, bids=leaf.bids[1:])
    ),
    "one doubled": Scene(
        stamps=STAMPS, change_list=lambda leaf: replace(leaf, bids=(*leaf.bids, leaf.bids[0]))
    ),
    "an earlier T": Scene(deadline=T - 1000, assigned=T - 1000, stamps=(T // 1000 - 1,) * 3),
    "a slot dropped": Scene(stamps=STAMPS, drop_slot=T // 1000 - 3),
    "a leaf dropped": Scene(stamps=STAMPS, change_leaves=lambda leaves: leaves[:-1]),
    "no witness": Scene(stamps=()),
    "for a rehearsal": Scene(stamps=STAMPS, use="rehearsal"),
    "two histories": Scene(stamps=STAMPS, before_slots=lambda _: (published(two_histories()),)),
}
HONEST = Built(QUESTIONS["honest"])
POINTS = [Point.parse(unb64(bid.encapsulation)) for bid in HONEST.listed.bids]


@cache
def asked(question: str) -> tuple[CustodianView, Any, list[bytes]]:
    return QUESTIONS[question].build()


@cache
def judged(
    question: str, number: int, now: int, last: int, hold: str | None, handed: bool, answered: str
) -> tuple[str, tuple[str, ...], str]:
    """(close list, encapsulations, "") of an answer, or ("", (), id of the check that refuses)."""
    view, request, leaves = asked(question)
    mine = replace(
        view,
        host_key=HOSTS[number].public,
        now=now,
        last_time=last,
        hold=hold,
        handed=(TwoSigned.from_body(LATER),) if handed else (),
        answered=answered or None,
    )
    verdict = decide(mine, request, leaves)
    if verdict.answer is None:
        assert verdict.refusal is not None
        return "", (), verdict.refusal.id
    return verdict.answer.close_list, verdict.answer.encapsulations, ""


@cache
def partials(number: int) -> tuple[tuple[str, ...], str]:
    made, proof = threshold.partial(SHARES[number].secret, POINTS)
    return tuple(b64(point.compressed()) for point in made), b64(proof)


@dataclass
class Keeper:
    """One custodian; `disk` is what it has stored, as text, and nothing else survives a restart."""

    number: int
    disk: str = "{}"
    skew: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    def store(self) -> None:
        self.disk = json.dumps(self.memory)

    def restart(self) -> None:
        self.memory = json.loads(self.disk)

    def ask(self, question: str, now: int) -> str:
        """The answer as text, or "" with the refusal kept in `why`."""
        now += self.skew
        last = self.memory.get("clock", 0)
        if now >= last:  # the instant is stored before anything is judged by it
            self.memory["clock"] = now
            self.store()
        listed, wanted, self.why = judged(
            question, self.number, now, last, self.memory.get("hold"),
            bool(self.memory.get("handed")), self.memory.get("answered", ""),
        )  # fmt: skip
        if not listed:
            return ""
        kept = self.memory.setdefault("said", {})
        if listed not in kept:
            self.memory["answered"] = listed
            kept[listed] = json.dumps([listed, wanted, *partials(self.number)])
            self.store()  # before it is sent
        return str(kept[listed])


class Releases(RuleBasedStateMachine):
    """A centre that asks what it likes, and a network that loses and repeats."""

    who = st.integers(0, 2)

    @initialize()
    def begin(self) -> None:
        self.now = T - 2000
        self.keepers = [Keeper(number) for number in range(3)]
        self.said: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
        self.arrived: dict[int, str] = {}

    @rule(ms=st.sampled_from([1, 999, 1000, 2000, 60_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(i=who, skew=st.sampled_from([0, -3_600_000, 5000]))
    def a_clock_is_set(self, i: int, skew: int) -> None:
        self.keepers[i].skew = skew

    @rule(i=who)
    def restart(self, i: int) -> None:
        self.keepers[i].restart()

    @rule(i=who, reason=st.sampled_from(["court order", None]))
    def hold_or_lift(self, i: int, reason: str | None) -> None:
        self.keepers[i].memory["hold"] = reason
        self.keepers[i].store()

    @rule(i=who)
    def an_extension_is_handed_to_one(self, i: int) -> None:
        self.keepers[i].memory["handed"] = True
        self.keepers[i].store()

    @rule(i=who, question=st.sampled_from([*QUESTIONS, "honest", "honest"]), lost=st.booleans())
    def ask(self, i: int, question: str, lost: bool) -> None:
        keeper = self.keepers[i]
        before = keeper.memory.get("clock", 0)
        answer = keeper.ask(question, self.now)
        own = self.now + keeper.skew
        fit = (
            question == "honest"
            and own >= max(T, before)
            and not keeper.memory.get("hold")
            and not keeper.memory.get("handed")
        )
        assert bool(answer) == fit, (question, keeper.why)
        if answer:
            self.said[i].add(answer)
            if not lost:
                self.arrived[i] = answer

    @precondition(lambda self: any(self.said.values()))
    @rule(i=who)
    def an_old_answer_comes_again(self, i: int) -> None:
        for answer in self.said[i]:
            assert self.arrived.setdefault(i, answer) == answer

    @rule()
    def everybody_is_asked_honestly(self) -> None:
        for i in range(3):
            self.ask(i, "honest", lost=False)

    @precondition(lambda self: self.arrived)
    @rule(drop=st.sets(st.integers(0, 2)), liar=st.sampled_from([None, 0, 1, 2]))
    def open(self, drop: set[int], liar: int | None) -> None:
        got = {i: json.loads(text) for i, text in self.arrived.items() if i not in drop}
        honest = {i for i in got if i != liar}
        assert opened(frozenset(got), liar) == (len(honest) >= 2)

    @invariant()
    def a_custodian_says_one_thing(self) -> None:
        assert all(len(words) <= 1 for words in getattr(self, "said", {}).values())


@cache
def opened(numbers: frozenset[int], liar: int | None) -> bool:
    """Whether these answers open every bid to its own value; a liar is named and nobody else."""
    answers = {}
    for i in numbers:
        made, proof = partials(i)
        points = [Point.parse(unb64(text)) for text in made]
        if i == liar:
            points.reverse()
        answers[i + 1] = Answer(tuple(points), unb64(proof))
    try:
        unlocked = threshold.unlock(GROUP, POINTS, answers)
    except threshold.ProofError:
        return False
    assert set(unlocked.wrong) <= ({liar + 1} if liar is not None else set())
    assert list(unlocked.points) == list(whole())
    return True


@cache
def whole() -> tuple[Point, ...]:
    """The right values, by the first and the last custodian."""
    rows = {n + 1: [Point.parse(unb64(text)) for text in partials(n)[0]] for n in (0, 2)}
    return tuple(threshold.combine(rows, 2))


Releases.TestCase.settings = settings(max_examples=300, stateful_step_count=12, deadline=None)
TestReleases = Releases.TestCase


class Forgetful(Keeper):
    """Negative control: a custodian that sends before it stores."""

    def store(self) -> None:
        return


def test_the_machine_finds_a_custodian_that_forgets_its_clock() -> None:
    keeper = Forgetful(0)
    assert keeper.ask("honest", T + 5000)
    keeper.restart()
    keeper.skew = -4000
    assert keeper.ask("honest", T + 5000)  # behind what it had seen, and it answers all the same
    sound = Keeper(0)
    assert sound.ask("honest", T + 5000)
    sound.restart()
    sound.skew = -4000
    assert not sound.ask("honest", T + 5000)
    assert sound.why == "clock-forward"
