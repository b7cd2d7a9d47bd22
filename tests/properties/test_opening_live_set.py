"""Bids handed in, replaced and withdrawn in any order: the live set and the receipts never diverge.

The model below is a dictionary of lists and knows nothing of `bidding`; the system is its rules and the section
tree that receipts come from.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bidding.model import BiddingError, Entry
from bidding.release.acts import check_acts
from bidding.rules.bids import Act, live, replaced_by, require_open, withdrawn_by
from bidding.service.trees import Grown
from crypto.section_tree import verify_path

T = 1_773_104_400_000
BIDDERS = ("甲", "乙", "丙")


@dataclass
class Model:
    """What ought to be: each bidder's versions, the last one live unless withdrawn."""

    versions: dict[str, list[tuple[str, int, str]]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)

    def last(self, bidder: str) -> str | None:
        own = self.versions.get(bidder, [])
        return own[-1][0] if own and own[-1][0] not in self.out else None

    def submit(self, bidder: str, key: str, named: str | None, at: int) -> str:
        if at >= T:
            return "late"
        own = {id_: owner for id_, _, owner in self.versions.get(bidder, [])}
        if named is None:
            return "exists" if self.last(bidder) else "ok"
        if named not in own:
            return "unknown"
        last = self.last(bidder)
        return "ok" if own[named] == key and (last is None or own[last] == key) else "key"

    def withdraw(self, bidder: str, key: str, named: str, at: int) -> str:
        if at >= T:
            return "late"
        own = {id_: owner for id_, _, owner in self.versions.get(bidder, [])}
        if named not in own:
            return "unknown"
        if own[named] != key:
            return "key"
        return "ok" if self.last(bidder) == named else "gone"

    def live(self) -> list[str]:
        found = [
            (at, id_)
            for versions in self.versions.values()
            for id_, at, _ in versions[-1:]
            if id_ not in self.out
        ]
        return [id_ for _, id_ in sorted(found)]


CODES = {
    "bid-deadline-passed": "late",
    "bid-exists": "exists",
    "bid-unknown": "unknown",
    "bid-key-differs": "key",
    "bid-not-live": "gone",
}


def judged(now: int, work: Callable[[], str]) -> tuple[str, str]:
    """What the rules say, in the model's words."""
    try:
        require_open(now, T)
        return "ok", work()
    except BiddingError as error:
        return CODES[error.code], ""


class FakeBook:
    """What `Grown` reads of a book."""

    def __init__(self) -> None:
        self.centre = "test-centre"
        self.kept: dict[str, Any] = {}


@dataclass
class FakeKept:
    act: Act
    entry: Entry
    index: int


class LiveSet(RuleBasedStateMachine):
    """Any number of devices, keys and instants around the deadline."""

    @initialize(spread=st.sampled_from([3_000, 60_000]))
    def begin(self, spread: int) -> None:
        self.now = T - spread
        self.model = Model()
        self.acts: dict[str, Act] = {}
        self.book = FakeBook()
        self.grown = Grown(bytes(32))
        self.shuffle = random.Random(1)
        self.number = 0
        self.receipts = 0

    @rule(ms=st.sampled_from([0, 1, 1, 7, 999, 1000, 2500]))
    def time(self, ms: int) -> None:
        before = self.now // 1000
        self.now += ms
        if self.now // 1000 != before:
            self.slot(self.now // 1000 - 1)

    def slot(self, slot: int) -> None:
        """The slot is over: its root is committed and every act of it gets a receipt."""
        for kept, path in self.grown.grow(self.book, slot):  # type: ignore[arg-type]
            verify_path(self.grown.root, kept.index, kept.entry.to_bytes("test-centre"), path)
            self.receipts += 1

    @rule(
        bidder=st.sampled_from(BIDDERS),
        key=st.sampled_from([b"1", b"1", b"1", b"2"]),
        which=st.integers(-3, 6),
        foreign=st.booleans(),
    )
    def submit(self, bidder: str, key: bytes, which: int, foreign: bool) -> None:
        named = self.pick(bidder, which, foreign)
        wanted = self.model.submit(bidder, key.decode(), named, self.now)
        found, replaces = judged(self.now, lambda: replaced_by(self.acts, bidder, key, named or ""))
        assert found == wanted
        if found != "ok":
            return
        id_ = self.keep("submission", bidder, key, replaces)
        self.model.versions.setdefault(bidder, []).append((id_, self.now, key.decode()))

    @rule(
        bidder=st.sampled_from(BIDDERS),
        key=st.sampled_from([b"1", b"1", b"1", b"2"]),
        which=st.integers(-3, 6),
        foreign=st.booleans(),
    )
    def withdraw(self, bidder: str, key: bytes, which: int, foreign: bool) -> None:
        named = self.pick(bidder, which, foreign) or "bid_none"
        wanted = self.model.withdraw(bidder, key.decode(), named, self.now)
        found, replaces = judged(self.now, lambda: withdrawn_by(self.acts, bidder, key, named))
        assert found == wanted
        if found != "ok":
            return
        self.keep("withdrawal", bidder, key, replaces)
        self.model.out.add(named)

    def pick(self, bidder: str, which: int, foreign: bool) -> str | None:
        owners = [b for b in BIDDERS if (b != bidder) == foreign]
        known = [id_ for b in owners for id_, _, _ in self.model.versions.get(b, [])]
        return known[which % len(known)] if known and which >= 0 else None

    def keep(self, kind: Any, bidder: str, key: bytes, replaces: str) -> str:
        self.number += 1
        id_ = f"{'bid' if kind == 'submission' else 'wdr'}_{self.number:04}"
        act = Act(
            id=id_, kind=kind, arrival=self.now, slot=self.now // 1000, bidder=bidder,
            parties=(bidder,), key=key, statement=f"{self.number:064x}", replaces=replaces,
            encapsulation=id_, sha256=id_, size=1,
        )  # fmt: skip
        entry = Entry(
            section="sec_a", kind=kind, id=id_, slot=self.now // 1000, arrival=self.now,
            statement=act.statement, replaces=replaces, delegation="",
        )  # fmt: skip
        self.acts[id_] = act
        self.book.kept[id_] = FakeKept(act, entry, self.number * 7 % 4096)
        return id_

    @invariant()
    def the_live_set_is_the_models_in_whatever_order_acts_are_shown(self) -> None:
        heap = list(self.acts.values())
        self.shuffle.shuffle(heap)
        assert [act.id for act in live(heap)] == self.model.live()

    @invariant()
    def a_custodian_finds_the_acts_consistent(self) -> None:
        check_acts(self.acts)

    def teardown(self) -> None:
        if hasattr(self, "grown"):
            self.slot(self.now // 1000)
            assert self.receipts == len(self.acts)  # each act has one receipt, none has two


class LateByAMillisecond(LiveSet):
    """A planted fault: T itself counts as in time."""

    @rule(bidder=st.sampled_from(BIDDERS))
    def submit_at_t(self, bidder: str) -> None:
        self.now = max(self.now, T)
        found, _ = judged(self.now - (self.now == T), lambda: "")
        assert found == self.model.submit(bidder, "1", None, self.now)


def test_the_machine_finds_a_planted_fault() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            LateByAMillisecond,
            settings=settings(
                max_examples=50, database=None, derandomize=True, phases=[Phase.generate]
            ),
        )


TestLiveSet = LiveSet.TestCase
TestLiveSet.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
