"""The hall as a meeting, at the pure machine: who may speak when, mutes, reconvening, silence by regime."""

from dataclasses import replace
from typing import Any

import pytest

from bidding import opening as o
from bidding.opening.meeting import meets
from bidding.opening.silence import answer as silence
from tests.bidding.test_opening import (
    MINUTE,
    TERMS,
    T,
    answer,
    begin,
    close,
    code,
    confirming,
    go,
    imported,
    unlocking,
)
from trading.model import Regime


def say(who: str = "org_a", part: Any = "bidder") -> o.Speak:
    return o.Speak(who, part, "请主持人说明", "per_x")


def sealed(**codes: str) -> o.State:
    state = confirming(**codes)
    assert state.confirm is not None
    return go(state, (o.Seal(), state.confirm.end))


def test_nobody_speaks_before_the_bidders_are_published() -> None:
    """A host's word before could already be about who has come."""
    state = begin()
    steps: list[tuple[o.Command, int]] = [
        (close(), T), (o.StatePrice(""), T + 1), (o.DrawFloat(""), T + 2), (o.Publish(), T + 3)
    ]  # fmt: skip
    for command, now in steps:
        for speaker in (say(), say("org_centre", "host"), say("org_s", "supervisor")):
            assert code(state, speaker, now) == "opening-phase"
        assert code(state, o.Mute("org_a", True, "x"), now) == "opening-phase"
        assert code(state, o.NoteIdentity("org_a", "x"), now) == "opening-phase"
        state = go(state, (command, now))
    assert go(state, (say(), T + 3), (say("org_centre", "host"), T + 3)).messages == 2


def test_who_is_not_on_the_list_has_no_word() -> None:
    assert code(unlocking(), say("org_z"), T + 9 * MINUTE) == "not-listed"
    assert code(unlocking(), o.Mute("org_z", True, "x"), T + 9 * MINUTE) == "not-listed"


def test_talk_goes_on_while_the_procedure_is_paused() -> None:
    state = go(imported(), (o.Pause("停电"), T + 12 * MINUTE))
    state = go(state, (say("org_host", "host"), T + 13 * MINUTE), (say(), T + 13 * MINUTE))
    assert state.messages == 2
    assert code(state, o.BeginReading(), T + 13 * MINUTE) == "opening-paused"
    assert code(state, o.NoteIdentity("org_a", "x"), T + 13 * MINUTE) == "opening-paused"


@pytest.mark.parametrize("whom", ["org_a", ""])
def test_a_mute_stops_messages_and_no_right(whom: str) -> None:
    state = confirming()
    assert state.confirm is not None
    now = state.confirm.start
    state = go(state, (o.Mute(whom, True, "刷屏"), now))
    assert code(state, say(), now) == "speaker-muted"
    assert state.muted("org_b") is (whom == "")
    assert (
        go(state, (say("org_host", "host"), now), (say("org_s", "supervisor"), now)).messages == 2
    )
    assert o.step(state, o.Mute(whom, True, "again"), now)[1] == ()
    objected = go(state, (o.Object("org_a", "s", "唱标有误"), now), (o.SignIn("org_a"), now))
    assert objected.bids["bid_a"].answer == "objected"
    heard = go(state, (o.Mute(whom, False, "已警示"), now + 1), (say(), now + 1))
    assert heard.mutings == (o.Muting(whom, now, now + 1, "刷屏"),)
    assert o.step(heard, o.Mute(whom, False, "again"), now + 2)[1] == ()


def test_a_mute_of_all_is_lifted_apart_from_that_of_one() -> None:
    state, now = unlocking(), T + 9 * MINUTE
    state = go(state, (o.Mute("", True, "x"), now), (o.Mute("org_a", True, "y"), now))
    state = go(state, (o.Mute("", False, ""), now + 1))
    assert state.muted("org_a")
    assert not state.muted("org_b")


def test_twenty_messages_within_a_minute_and_not_one_more() -> None:
    state, now = unlocking(), T + 9 * MINUTE
    for _ in range(20):
        state = go(state, (say(), now))
    assert code(state, say(), now + MINUTE - 1) == "messages-too-many"
    assert go(state, (say("org_b"), now)).messages == 21
    assert go(state, (say(), now + MINUTE)).messages == 21


def test_a_paused_hall_goes_on_at_the_date_and_not_a_millisecond_before() -> None:
    """O3 with a date: the window ends at the resumption plus what was left of it."""
    state = unlocking()
    pause, date = T + 15 * MINUTE, T + 3 * 60 * MINUTE
    assert code(state, o.Reconvene(date, "x"), pause) == "opening-not-paused"
    state = go(state, (o.Pause("停电"), pause))
    assert code(state, o.Reconvene(pause + 1, "x"), pause + 1) == "reconvenes-past"
    state = go(state, (o.Reconvene(date, "供电恢复"), pause + 1))
    assert code(state, o.Resume(), date - 1) == "reconvenes-later"
    state = go(state, (o.Reconvene(date + MINUTE, "再推迟"), date - 1))  # two may set another date
    assert code(state, o.Resume(), date) == "reconvenes-later"
    state = go(state, (o.Resume(), date + MINUTE))
    assert state.unlock == o.Window(T + 8 * MINUTE, date + MINUTE + 23 * MINUTE)
    assert state.reconvene is None
    assert [why for _, _, why in state.reconvenings] == ["供电恢复", "再推迟"]
    assert go(state, (answer("c1"), date + 24 * MINUTE - 1)).answered[0].status == "answered"
    assert go(state, (answer("c1"), date + 24 * MINUTE)).answered[0].status == "late"


def test_a_sealed_hall_meets_again_only_to_talk() -> None:
    state = sealed()
    record = state.bids
    date = T + 24 * 60 * MINUTE
    assert code(state, say(), date) == "opening-ended"
    state = go(state, (o.Reconvene(date, "宣布评标结果"), date - MINUTE))
    assert code(state, say(), date - 1) == "opening-ended"
    assert code(state, o.EndMeeting(), date - 1) == "no-meeting"
    assert not meets(state, date - 1)
    assert meets(state, date)
    state = go(state, (say(), date), (say("org_host", "host"), date), (o.Mute("", True, "x"), date))
    assert code(state, say(), date + 1) == "speaker-muted"
    assert code(state, o.Reconvene(date + MINUTE, "x"), date + 1) == "meeting-runs"
    for command in (
        o.Confirm("org_a", "s"), o.Object("org_a", "s", "x"), o.ReadNext(), o.Seal(), o.Pause("x"),
        o.NoteIdentity("org_a", "x"), o.SignIn("org_a"), o.Terminate("x"),
    ):  # fmt: skip
        assert code(state, command, date + 1) == "opening-ended"
    state = go(state, (o.EndMeeting(), date + 2))
    assert code(state, say("org_host", "host"), date + 2) == "opening-ended"
    assert state.phase is o.Phase.SEALED
    assert state.bids == record


def test_what_was_never_opened_never_reconvenes() -> None:
    failed = go(begin(), (o.Close((), "d"), T))
    assert code(failed, o.Reconvene(T + MINUTE, "x"), T) == "opening-ended"
    ended = go(begin(), (o.Terminate("x"), T - 1))
    assert code(ended, o.Reconvene(T + MINUTE, "x"), T) == "opening-ended"
    assert code(begin(), o.Reconvene(T, "x"), T - 1) == "opening-not-paused"


def test_an_exception_of_identity_is_noted_between_publication_and_record() -> None:
    state = go(confirming(), (o.NoteIdentity("org_b", "委托书已补正", "per_h"), T + 13 * MINUTE))
    assert state.identity == (("bid_b", T + 13 * MINUTE, "委托书已补正"),)
    assert code(sealed(), o.NoteIdentity("org_b", "x"), T + 60 * MINUTE) == "opening-ended"


@pytest.mark.parametrize(
    ("regime", "absent"), [("works", "none"), ("procurement", "deemed_accepted_absent")]
)
def test_silence_is_read_by_regime_and_only_of_who_took_no_part(regime: str, absent: str) -> None:
    """law.md §8: 工 not confirmed; 采 deemed accepted, only with no sign-in and no act at all (87号令 42)."""
    first = replace(begin(), terms=replace(TERMS, regime=Regime(regime)))
    steps: list[tuple[o.Command, int]] = [
        (o.SignIn("org_b"), T - 1), (close(), T), (o.StatePrice(""), T), (o.DrawFloat(""), T),
        (o.Publish(), T), (say("org_c"), T), (o.BeginUnlock(), T), (answer("c1"), T),
        (answer("c2"), T),
        (o.Import(tuple(o.Outcome(f"bid_{n}", "opened", {}) for n in "abcd")), T),
        (o.BeginReading(), T), *[(o.ReadNext(), T)] * 4, (o.BeginConfirming(), T),
        (o.Confirm("org_d", "s"), T + 1),
    ]  # fmt: skip
    state = go(first, *steps)
    assert silence(state, state.bids["bid_a"]) == "none"  # nothing is deemed while it may answer
    state = go(state, (o.Seal(), T + 10 * MINUTE))
    said = {id_[-1]: silence(state, bid) for id_, bid in state.bids.items()}
    assert said == {"a": absent, "b": "none", "c": "none", "d": "confirmed"}
