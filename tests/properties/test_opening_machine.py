"""Any command at any instant: the opening machine agrees with a model that is a list of names and a few numbers.

The model imports nothing of `bidding`; the test does, to ask the machine. More than ten thousand commands are asked in
every run, counted one by one.
"""

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

from bidding import opening as o
from bidding.model import BiddingError
from tests.properties.opening_model import BIDS, CONFIRM, ENDED, ORDER, UNLOCK, Model, T

TERMS = o.Terms(
    section="sec_a", minimum=3, threshold=2, custodians=("c1", "c2", "c3"), unlock_ms=UNLOCK,
    confirm_ms=CONFIRM,
)  # fmt: skip
FILES = (o.File("依据.pdf", 9, "f" * 64),)


class Machine(RuleBasedStateMachine):
    """Commands of everybody, sensible or not, at instants that creep past every boundary."""

    asked = 0  # commands so far, taken and refused

    @initialize(
        bidders=st.sampled_from([2, 3, 3, 3]),
        odd=st.sampled_from(["opened", "header-mac", "x"]),
        walked=st.integers(0, 17),
        fails=st.booleans(),
    )
    def begin(self, bidders: int, odd: str, walked: int, fails: bool) -> None:
        """Walk some way of an honest opening first, or late phases would hardly be met."""
        self.now = T - 3
        self.state = o.State(terms=TERMS, deadline=T)
        self.model = Model()
        self.lines = tuple(o.Line(f"bid_{n}", n, T - 9) for n in BIDS[:bidders])
        self.odd = odd
        self.log: list[tuple[o.Event, int]] = []
        way = [
            lambda: self.time(3),
            self.close,
            *(lambda name=name: self.by_the_rule(name) for name in ORDER[2:6]),
            lambda: self.custodian("c1", "answered", "1"),
            lambda: self.custodian("c3", "answered", "1"),
            lambda: self.import_all(missing=False),
            self.begin_reading,
            *(self.read for _ in BIDS),
            self.begin_confirming,
            *(lambda who=who: self.decide(who, "deemed_revoked") for who in BIDS[-1:]),
            lambda: self.time(CONFIRM),
            self.seal,
            lambda: self.reconvene(1),
        ]
        if fails and bidders == 3:  # too few answers: another way from unlocking on
            way[7:] = [
                lambda: self.time(UNLOCK),
                self.quorum_missed,
                *(lambda who=who: self.pledge(who) for who in BIDS),
                *(lambda who=who: self.disclose(who) for who in BIDS),
            ]
        for step in way[: walked + 1]:
            step()

    def ask(self, command: o.Command, *, allowed: bool, quiet: bool = False) -> bool:
        type(self).asked += 1
        try:
            state, events = o.step(self.state, command, self.now)
        except BiddingError:
            assert not allowed, command
            return False
        assert allowed or quiet, command
        assert not quiet or events == ()
        self.log += [(event, self.now) for event in events]
        self.state = state
        return bool(events)

    @rule(ms=st.sampled_from([1, 2, 500, 1000, 2999, 3000, 5000]))
    def time(self, ms: int) -> None:
        self.now += ms

    @rule()
    def close(self) -> None:
        if self.ask(
            o.Close(self.lines, "d"), allowed=self.model.next("closed", self.now) and self.now >= T
        ):
            self.model.at = "closed" if len(self.lines) >= 3 else "failed_fewer_than_3"

    @rule(which=st.sampled_from(["control_price", "float_draw", "bidders_published", "unlocking"]))
    def by_the_rule(self, which: str) -> None:
        command = {
            "control_price": o.StatePrice("1.00"),
            "float_draw": o.DrawFloat(""),
            "bidders_published": o.Publish(),
            "unlocking": o.BeginUnlock(),
        }[which]
        if self.ask(command, allowed=self.model.next(which, self.now)):
            self.model.at = which
            if which == "unlocking":
                self.model.unlock_end = self.now + UNLOCK

    @rule(
        who=st.sampled_from(["c1", "c2", "c3"]),
        word=st.sampled_from(["answered", "answered", "wrong", "refused"]),
        digest=st.sampled_from(["1", "1", "2"]),
    )
    def custodian(self, who: str, word: Any, digest: str) -> None:
        m = self.model
        before = m.answered.get(who)
        old = self.state.replies.get(who)
        name = who + word + digest
        running = m.at not in ENDED and m.frozen is None
        again = running and old is not None and old.digest == name
        asked = running and m.unlock_end > 0 and m.pledge_end == 0
        if self.ask(
            o.Answer(who, word, name),
            allowed=asked and not again and before in {None, "refused"},
            quiet=again,
        ):
            m.answered[who] = "late" if word == "answered" and self.now >= m.unlock_end else word

    @rule()
    def quorum_missed(self) -> None:
        m = self.model
        allowed = (
            m.at == "unlocking" and m.frozen is None and self.now >= m.unlock_end
            and m.good() + sum(word == "refused" for word in m.answered.values()) < 2
        )  # fmt: skip
        if self.ask(o.MissQuorum("x"), allowed=allowed):
            m.at, m.pledge_end = "pledging", self.now + UNLOCK

    @rule(who=st.sampled_from(BIDS))
    def pledge(self, who: str) -> None:
        m = self.model
        running = m.at not in ENDED and m.frozen is None and who in self.state_bidders()
        again = running and who in m.pledged
        fresh = running and not again and m.at == "pledging" and self.now < m.pledge_end
        if self.ask(o.Pledge(who, who), allowed=fresh, quiet=again):
            m.pledged.add(who)
            if len(m.pledged) == len(self.lines):
                m.at, m.disclose_end = "disclosing", self.now + UNLOCK

    @rule()
    def end_pledging(self) -> None:
        m = self.model
        over = m.at == "pledging" and m.frozen is None and self.now >= m.pledge_end
        if self.ask(o.EndPledging(), allowed=over):
            m.at = "failed_quorum"

    @rule(who=st.sampled_from(BIDS))
    def disclose(self, who: str) -> None:
        m = self.model
        running = m.at not in ENDED and m.frozen is None and who in self.state_bidders()
        again = running and who in m.disclosed
        fresh = running and not again and m.at == "disclosing" and self.now < m.disclose_end
        if self.ask(o.Disclose(who, who, "prv"), allowed=fresh, quiet=again):
            m.disclosed.add(who)

    def state_bidders(self) -> set[str]:
        return {bid.line.bidder for bid in self.state.bids.values()}

    @rule(missing=st.booleans())
    def import_all(self, missing: bool) -> None:
        m = self.model
        results = [o.Outcome(line.submission, "opened", {"p": "1"}) for line in self.lines]
        results[-1] = o.Outcome(self.lines[-1].submission, self.odd)
        command = o.Import(tuple(results[:-1] if missing else results))
        if self.ask(
            command, allowed=m.frozen is None and not missing and (
                (m.at == "unlocking" and m.good() >= 2) or m.at == "disclosing")
        ):  # fmt: skip
            m.at, m.undecided = "imported", self.odd != "opened"

    @rule(
        which=st.sampled_from(BIDS),
        verdict=st.sampled_from(["deemed_withdrawn", "deemed_revoked", "remedied"]),
    )
    def decide(self, which: str, verdict: Any) -> None:
        m = self.model
        late = m.at in {"imported", "reading_out", "confirming"} and m.frozen is None
        open_ = self.odd != "opened" and which == self.lines[-1].bidder
        decided = bool(
            self.state.bids.get(f"bid_{which}") and self.state.bids[f"bid_{which}"].decided_by
        )
        command = o.Decide(f"bid_{which}", verdict, "per_s", "x", "supervisor", "d")
        mended = verdict == "remedied"  # after the import nothing is opened any more
        if self.ask(command, allowed=late and open_ and not decided and not mended):
            m.undecided = False

    @rule()
    def begin_reading(self) -> None:
        if self.ask(o.BeginReading(), allowed=self.model.next("reading_out", self.now)):
            self.model.at = "reading_out"

    @rule()
    def read(self) -> None:
        m = self.model
        if self.ask(
            o.ReadNext(), allowed=m.at == "reading_out" and m.frozen is None and m.read < 3
        ):
            m.read += 1

    @rule()
    def begin_confirming(self) -> None:
        m = self.model
        if self.ask(o.BeginConfirming(), allowed=m.next("confirming", self.now) and m.read == 3):
            m.at, m.end = "confirming", self.now + CONFIRM

    @rule(who=st.sampled_from(BIDS), objects=st.booleans())
    def respond(self, who: str, objects: bool) -> None:
        m = self.model
        here = m.at == "confirming" and m.frozen is None
        word = "objected" if objects else "confirmed"
        command = o.Object(who, word, "x", FILES) if objects else o.Confirm(who, word)
        again = here and m.answers.get(who) == word
        if self.ask(
            command, allowed=here and self.now < m.end and who not in m.answers, quiet=again
        ):
            m.answers[who] = word
            if objects:
                m.open_objections.add(who)

    @rule(who=st.sampled_from(BIDS))
    def reply(self, who: str) -> None:
        m = self.model
        here = m.at == "confirming" and m.frozen is None and who in m.open_objections
        if self.ask(o.AnswerObjection(who, "because", FILES, "per_h"), allowed=here):
            m.open_objections.discard(who)

    @rule()
    def seal(self) -> None:
        m = self.model
        over = len(m.answers) == 3 or self.now >= m.end
        ready = over and not m.open_objections and not m.undecided
        if self.ask(o.Seal(), allowed=m.next("sealed", self.now) and ready):
            m.at = "sealed"

    @rule()
    def pause(self) -> None:
        m = self.model
        if self.ask(o.Pause("x"), allowed=m.at not in ENDED and m.frozen is None):
            m.frozen = self.now

    @rule()
    def resume(self) -> None:
        m = self.model
        come = m.date is None or self.now >= m.date
        if self.ask(o.Resume(), allowed=m.at not in ENDED and m.frozen is not None and come):
            assert m.frozen is not None
            m.date = None
            for name in ("end", "unlock_end", "pledge_end", "disclose_end"):
                if getattr(m, name) > m.frozen:
                    setattr(m, name, getattr(m, name) + self.now - m.frozen)
            m.frozen = None

    @rule(who=st.sampled_from([*BIDS, "z", "host"]), times=st.sampled_from([1, 1, 1, 21]))
    def speak(self, who: str, times: int) -> None:
        m = self.model
        for _ in range(times):
            listed = who == "host" or who in self.state_bidders()
            silenced = who != "host" and bool({who, ""} & m.muted)
            lately = [at for name, at in m.said if name == who and self.now - at < 60_000]
            allowed = m.talks(self.now) and listed and not silenced and len(lately) < 20
            part: Any = "host" if who == "host" else "bidder"
            if self.ask(o.Speak(who, part, "x", "per_x"), allowed=allowed):
                m.said.append((who, self.now))

    @rule(who=st.sampled_from([*BIDS, "z", ""]), muted=st.booleans())
    def mute(self, who: str, muted: bool) -> None:
        m = self.model
        known = m.talks(self.now) and (who == "" or who in self.state_bidders())
        change = muted is not (who in m.muted)
        command = o.Mute(who, muted, "x", "per_h")
        if self.ask(command, allowed=known and change, quiet=known and not change):
            (m.muted.add if muted else m.muted.discard)(who)

    @rule(who=st.sampled_from([*BIDS, "z"]))
    def note_identity(self, who: str) -> None:
        m = self.model
        here = m.at != "sealed" and m.talks(self.now) and m.frozen is None
        self.ask(o.NoteIdentity(who, "x", "per_h"), allowed=here and who in self.state_bidders())

    @rule(ahead=st.sampled_from([-1, 0, 1, 1, 500, 3000]))
    def reconvene(self, ahead: int) -> None:
        m = self.model
        if m.at == "sealed":
            may = not m.talks(self.now)
        else:
            may = m.at not in ENDED and m.frozen is not None
        if self.ask(o.Reconvene(self.now + ahead, "x"), allowed=may and ahead > 0):
            m.date = self.now + ahead

    @rule()
    def end_meeting(self) -> None:
        m = self.model
        if self.ask(o.EndMeeting(), allowed=m.at == "sealed" and m.talks(self.now)):
            m.date = None

    @rule(who=st.sampled_from(BIDS))
    def sign_in(self, who: str) -> None:
        m = self.model
        running = m.at not in ENDED
        again = running and who in self.state.sign_ins
        self.ask(o.SignIn(who), allowed=running and not again, quiet=again)

    @invariant()
    def a_mute_takes_no_right_and_silence_no_bid(self) -> None:
        assert self.state.messages == len(self.model.said)
        assert {one.bidder for one in self.state.mutings if one.until is None} == self.model.muted
        assert self.state.reconvene == self.model.date

    @invariant()
    def phases_agree(self) -> None:
        assert self.state.phase == self.model.at
        assert (self.state.paused is None) == (self.model.frozen is None)

    @invariant()
    def nothing_of_a_bid_is_known_before_all_are_imported(self) -> None:
        if self.model.at in {*ORDER[:6], "pledging", "disclosing", "failed_quorum"}:
            assert not any(bid.summary or bid.code for bid in self.state.bids.values())

    def teardown(self) -> None:
        again = o.State(terms=TERMS, deadline=T)
        for event, at in getattr(self, "log", []):
            again = o.evolve(again, event, at)
        assert not hasattr(self, "state") or again == self.state


class Generous(Machine):
    """A planted fault in the model: the window still holds at its end.

    Its runs begin in that window: which examples are drawn also hangs on what else this process has imported, and
    one run in four of those that begin anywhere missed it.
    """

    @initialize(
        bidders=st.just(3),
        odd=st.sampled_from(["opened", "header-mac", "x"]),
        walked=st.just(13),
        fails=st.just(False),
    )
    def begin(self, bidders: int, odd: str, walked: int, fails: bool) -> None:
        super().begin(bidders, odd, walked, fails)
        assert self.model.at == "confirming"

    @rule(who=st.sampled_from(BIDS))
    def respond_at_the_end(self, who: str) -> None:
        m = self.model
        if m.at == "confirming" and m.frozen is None and who not in m.answers:
            self.now = max(self.now, m.end)
            self.ask(o.Confirm(who, "confirmed"), allowed=self.now <= m.end)


def test_the_machine_finds_a_planted_fault() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Generous,
            settings=settings(
                max_examples=300,
                stateful_step_count=80,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
            ),
        )


def test_more_than_ten_thousand_commands_agree_with_the_model() -> None:
    Machine.asked = 0
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=400, stateful_step_count=30, deadline=None)
    )
    assert Machine.asked >= 10_000
