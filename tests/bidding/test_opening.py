"""The opening machine: phases, windows, pauses, blame, each boundary a millisecond to either side."""

from typing import Any

import pytest

from bidding import opening as o
from bidding.model import BiddingError, ConflictError, LateError, UnknownError

T = 1_773_104_400_000  # 2026-03-10 09:00:00 北京时间
MINUTE = 60_000
TERMS = o.Terms(
    section="sec_a", minimum=3, threshold=2, custodians=("c1", "c2", "c3"), unlock_ms=30 * MINUTE,
    confirm_ms=10 * MINUTE,
)  # fmt: skip
LINES = tuple(o.Line(f"bid_{n}", f"org_{n}", T - 1000 + i) for i, n in enumerate("abcd"))
OPENED = {"total_price": "1.00"}
FILES = (o.File("依据.pdf", 9, "f" * 64),)


def begin() -> o.State:
    return o.State(terms=TERMS, deadline=T)


def go(state: o.State, *steps: tuple[o.Command, int]) -> o.State:
    for command, now in steps:
        state, _ = o.step(state, command, now)
    return state


def code(state: o.State, command: o.Command, now: int) -> str:
    with pytest.raises(BiddingError) as caught:
        o.step(state, command, now)
    return caught.value.code


def close(lines: tuple[o.Line, ...] = LINES) -> o.Close:
    return o.Close(lines, "d" * 64)


def answer(custodian: str, status: Any = "answered", digest: str = "") -> o.Answer:
    return o.Answer(custodian, status, digest or custodian * 32)


def outcomes(**codes: str) -> o.Import:
    return o.Import(
        tuple(
            o.Outcome(line.submission, codes.get(line.submission, "opened"), OPENED)
            for line in LINES
        )
    )


def unlocking(at: int = T + 8 * MINUTE) -> o.State:
    return go(
        begin(), (close(), T), (o.StatePrice("9.00"), T + 1), (o.DrawFloat("0.50"), T + 2),
        (o.Publish(), T + 3), (o.BeginUnlock(), at),
    )  # fmt: skip


def imported(**codes: str) -> o.State:
    state = go(unlocking(), (answer("c1"), T + 9 * MINUTE), (answer("c3"), T + 10 * MINUTE))
    return go(state, (outcomes(**codes), T + 11 * MINUTE))


def confirming(**codes: str) -> o.State:
    at = T + 12 * MINUTE
    state = go(imported(**codes), (o.BeginReading(), at))
    for number in range(4):
        state = go(state, (o.ReadNext(), at + number))
    return go(state, (o.BeginConfirming(), at + 10))


def test_the_deadline_itself_is_the_first_instant_of_the_opening() -> None:
    assert code(begin(), close(), T - 1) == "too-early"
    assert go(begin(), (close(), T)).phase is o.Phase.CLOSED


def test_the_close_list_is_by_arrival_and_holds_nothing_late() -> None:
    late = (*LINES, o.Line("bid_e", "org_e", T))
    assert code(begin(), close(late), T) == "close-list-wrong"
    assert code(begin(), close(LINES[::-1]), T) == "close-list-wrong"
    just = (*LINES, o.Line("bid_e", "org_e", T - 1))
    assert len(go(begin(), (close(just), T)).bids) == 5


def test_o2_two_bidders_are_not_opened() -> None:
    state, events = o.step(begin(), close(LINES[:2]), T)
    assert state.phase is o.Phase.FAILED_FEWER_THAN_3
    assert [event.kind for event in events] == ["closed", "failed_too_few"]
    assert code(state, o.StatePrice(""), T + 1) == "opening-ended"
    assert code(state, answer("c1"), T + 1) == "opening-ended"


def test_three_bids_of_two_bidders_are_two_bidders() -> None:
    twice = (*LINES[:2], o.Line("bid_x", "org_a", T - 1))
    assert go(begin(), (close(twice), T)).phase is o.Phase.FAILED_FEWER_THAN_3


def test_nobody_but_the_rule_moves_the_early_phases_out_of_order() -> None:
    closed = go(begin(), (close(), T))
    for command in (o.DrawFloat(""), o.Publish(), o.BeginUnlock(), outcomes(), o.BeginReading()):
        assert code(closed, command, T + 1) == "opening-phase"


def test_o4_a_custodian_early_or_foreign_is_refused() -> None:
    assert code(begin(), answer("c1"), T - 1) == "opening-phase"
    with pytest.raises(UnknownError):
        o.step(unlocking(), answer("c9"), T + 9 * MINUTE)


def test_o5_the_host_cannot_read_while_custodians_answer() -> None:
    for command in (o.BeginReading(), o.ReadNext(), o.BeginConfirming(), o.Seal()):
        assert code(unlocking(), command, T + 9 * MINUTE) == "opening-phase"


def test_fewer_than_t_answers_import_nothing() -> None:
    state = go(unlocking(), (answer("c1"), T + 9 * MINUTE))
    assert code(state, outcomes(), T + 9 * MINUTE) == "quorum-missing"
    wrong = go(state, (answer("c2", "wrong"), T + 9 * MINUTE))
    assert code(wrong, outcomes(), T + 9 * MINUTE) == "quorum-missing"


def test_all_bids_are_imported_at_once_or_none() -> None:
    state = go(unlocking(), (answer("c1"), T + 9 * MINUTE), (answer("c2"), T + 9 * MINUTE))
    some = o.Import(outcomes().outcomes[:3])
    assert code(state, some, T + 10 * MINUTE) == "import-incomplete"
    assert code(state, o.Import(outcomes().outcomes[::-1]), T + 10 * MINUTE) == "import-incomplete"
    assert go(state, (outcomes(), T + 10 * MINUTE)).phase is o.Phase.IMPORTED


def test_an_answer_again_changes_nothing_and_a_second_one_is_refused() -> None:
    state = go(unlocking(), (answer("c1"), T + 9 * MINUTE))
    same, events = o.step(state, answer("c1"), T + 9 * MINUTE + 5)
    assert same is state
    assert events == ()
    assert code(state, answer("c1", digest="e" * 64), T + 9 * MINUTE) == "already-answered"


def test_a_lawful_refusal_may_be_followed_by_an_answer() -> None:
    state = go(unlocking(), (answer("c1", "refused", "f" * 64), T + 9 * MINUTE))
    state = go(state, (answer("c1"), T + 9 * MINUTE + 1))
    assert state.replies["c1"].status == "answered"


def test_an_answer_at_the_end_of_the_window_is_late_and_counts_all_the_same() -> None:
    end = T + 38 * MINUTE
    assert go(unlocking(), (answer("c1"), end - 1)).replies["c1"].status == "answered"
    late = go(unlocking(), (answer("c1"), end))
    assert late.replies["c1"].status == "late"
    assert len(late.answered) == 1


def test_a_wrong_answer_after_the_import_is_still_named() -> None:
    state = go(imported(), (answer("c2", "wrong"), T + 12 * MINUTE))
    assert state.replies["c2"].status == "wrong"


def test_a_quorum_is_missed_only_after_the_window_and_never_when_it_is_there() -> None:
    end = T + 38 * MINUTE
    assert code(unlocking(), o.MissQuorum("x"), end - 1) == "unlock-window-open"
    assert go(unlocking(), (o.MissQuorum("x"), end)).phase is o.Phase.PLEDGING
    there = go(unlocking(), (answer("c1"), end - 2), (answer("c2"), end - 1))
    assert code(there, o.MissQuorum("x"), end) == "quorum-there"


def test_o3_a_pause_freezes_the_window() -> None:
    state = go(unlocking(), (o.Pause("platform fault"), T + 15 * MINUTE))
    assert code(state, answer("c1"), T + 16 * MINUTE) == "opening-paused"
    assert code(state, o.Pause("again"), T + 16 * MINUTE) == "opening-paused"
    resumed = go(state, (o.Resume(), T + 27 * MINUTE))
    assert resumed.unlock == o.Window(T + 8 * MINUTE, T + 50 * MINUTE)
    assert resumed.pauses == ((T + 15 * MINUTE, T + 27 * MINUTE, "platform fault"),)
    assert code(resumed, o.Resume(), T + 28 * MINUTE) == "opening-not-paused"


def test_a_pause_over_an_ended_window_does_not_reopen_it() -> None:
    state = go(unlocking(), (o.Pause("x"), T + 40 * MINUTE), (o.Resume(), T + 41 * MINUTE))
    assert state.unlock == o.Window(T + 8 * MINUTE, T + 38 * MINUTE)


def test_a_pause_over_t_holds_the_close_back() -> None:
    state = go(begin(), (o.Pause("x"), T - 1))
    assert code(state, close(), T) == "opening-paused"
    assert go(state, (o.Resume(), T + 5), (close(), T + 5)).phase is o.Phase.CLOSED


def test_t_moves_only_later_and_only_before_it_has_come() -> None:
    assert code(begin(), o.Move(T, "x"), T - 1) == "deadline-earlier"
    assert code(begin(), o.Move(T - 1, "x"), T - 2) == "deadline-earlier"
    with pytest.raises(LateError):
        o.step(begin(), o.Move(T + 1000, "x"), T)
    state = go(begin(), (o.Move(T + 1000, "x"), T - 1))
    assert code(state, close(), T + 999) == "too-early"
    assert go(state, (close(), T + 1000)).phase is o.Phase.CLOSED


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("opened", "opened"),
        ("header-foreign-recipient", "deemed_revoked"),
        ("stanza-damaged", "deemed_revoked"),
        ("header-mac", "deemed_revoked"),
        ("payload-damaged", "deemed_revoked"),
        ("package-signature", "deemed_revoked"),
        ("summary-value", "deemed_revoked"),
        ("stored-copy-corrupt", "deemed_withdrawn"),
        ("server-fault", "deemed_withdrawn"),
        ("something-else", "undetermined"),
    ],
)
def test_a_failure_is_proposed_as_whose_cause_it_is(result: str, verdict: str) -> None:
    state = imported(bid_b=result)
    assert state.bids["bid_b"].result == verdict
    assert [bid.result for id_, bid in state.bids.items() if id_ != "bid_b"] == ["opened"] * 3


def test_a_named_person_decides_once_and_only_about_what_failed() -> None:
    state = imported(bid_b="payload-damaged")
    decide = o.Decide("bid_b", "deemed_withdrawn", "监督人", "copy damaged by us")
    decided = go(state, (decide, T + 12 * MINUTE))
    assert decided.bids["bid_b"].result == "deemed_withdrawn"
    assert decided.bids["bid_b"].decided_by == "监督人"
    assert code(decided, decide, T + 12 * MINUTE) == "already-decided"
    opened = o.Decide("bid_a", "deemed_revoked", "监督人", "x")
    assert code(state, opened, T + 12 * MINUTE) == "bid-opened"
    with pytest.raises(UnknownError):
        o.step(state, o.Decide("bid_z", "remedied", "监督人", "x"), T + 12 * MINUTE)


def test_reading_goes_by_arrival_and_confirming_waits_for_it() -> None:
    state = go(imported(), (o.BeginReading(), T + 12 * MINUTE))
    assert code(state, o.BeginConfirming(), T + 12 * MINUTE) == "reading-not-done"
    for number in range(4):
        state, events = o.step(state, o.ReadNext(), T + 12 * MINUTE + number)
        assert events[0].body == {"submission": LINES[number].submission}
    assert code(state, o.ReadNext(), T + 13 * MINUTE) == "reading-done"
    assert go(state, (o.BeginConfirming(), T + 13 * MINUTE)).phase is o.Phase.CONFIRMING


def test_confirmations_lock_and_end_with_the_window() -> None:
    state = confirming()
    assert state.confirm is not None
    end = state.confirm.end
    done = go(state, (o.Confirm("org_a", "s1"), end - 1))
    assert done.bids["bid_a"].answer == "confirmed"
    assert go(done, (o.Confirm("org_a", "s1"), end + 99)) is done
    assert code(done, o.Object("org_a", "s2", "x"), end - 1) == "already-answered"
    assert code(state, o.Confirm("org_a", "s1"), end) == "opening-window-over"
    with pytest.raises(UnknownError):
        o.step(state, o.Confirm("org_z", "s1"), end - 1)


def test_sealing_waits_for_the_window_unless_all_have_answered() -> None:
    state = confirming()
    assert state.confirm is not None
    assert code(state, o.Seal(), state.confirm.end - 1) == "confirm-window-open"
    silent = go(state, (o.Seal(), state.confirm.end))
    assert silent.phase is o.Phase.SEALED
    assert {bid.answer for bid in silent.bids.values()} == {""}  # silence is no consent
    now = state.confirm.start + 1
    for line in LINES:
        state = go(state, (o.Confirm(line.bidder, line.bidder), now))
    assert go(state, (o.Seal(), now)).phase is o.Phase.SEALED


def test_an_objection_is_answered_before_the_record_is_sealed() -> None:
    state = confirming()
    assert state.confirm is not None
    end = state.confirm.end
    state = go(state, (o.Object("org_b", "s", "唱标金额有误"), end - 1))
    assert code(state, o.Seal(), end) == "objection-open"
    assert code(state, o.AnswerObjection("org_a", "x"), end) == "no-open-objection"
    state = go(state, (o.AnswerObjection("org_b", "与开标一览表一致"), end))
    assert go(state, (o.Seal(), end)).phase is o.Phase.SEALED


@pytest.mark.parametrize("found", ["something-else", "header-mac", "stored-copy-corrupt"])
def test_every_failure_waits_for_a_named_persons_decision(found: str) -> None:
    """Whatever a proof proposes, the record is not sealed on a proposal (§1.4)."""
    state = confirming(bid_c=found)
    assert state.confirm is not None
    end = state.confirm.end
    assert code(state, o.Seal(), end) == "bid-undecided"
    remedied = o.Decide("bid_c", "remedied", "per_s", "x")
    assert code(state, remedied, end) == "remedy-too-late"  # after the import nothing is opened
    decide = o.Decide("bid_c", "deemed_withdrawn", "监督人", "x")
    assert go(state, (decide, end), (o.Seal(), end)).phase is o.Phase.SEALED


def test_signing_in_is_optional_and_counts_once() -> None:
    state = go(begin(), (o.SignIn("org_a"), T - 5))
    assert o.step(state, o.SignIn("org_a"), T - 1)[1] == ()
    assert state.sign_ins == {"org_a": T - 5}


def test_a_terminated_section_opens_nothing() -> None:
    state = go(begin(), (o.Terminate("x"), T - 1))
    assert code(state, close(), T) == "opening-ended"


def test_folding_the_events_again_gives_the_same_state() -> None:
    state, log = begin(), []
    script: list[tuple[o.Command, int]] = [
        (o.SignIn("org_a"), T - 9), (close(), T), (o.StatePrice("9.00"), T + 1),
        (o.DrawFloat(""), T + 2), (o.Publish(), T + 3), (o.Speak("org_a", "bidder", "x", "per_a"), T + 3),
        (o.Mute("org_a", True, "x", "per_h"), T + 3), (o.NoteIdentity("org_b", "x", "per_h"), T + 3),
        (o.BeginUnlock(), T + 4), (o.Pause("x"), T + 5), (o.Reconvene(T + 9, "x"), T + 6),
        (o.Mute("org_a", False, "x", "per_h"), T + 7), (o.Resume(), T + 9), (answer("c2", "wrong"), T + 10),
        (answer("c1"), T + 10), (answer("c3"), T + 11), (outcomes(bid_d="header-mac"), T + 12),
        (o.BeginReading(), T + 13), *[(o.ReadNext(), T + 14 + n) for n in range(4)],
        (o.BeginConfirming(), T + 20), (o.Confirm("org_a", "s"), T + 21),
        (o.Object("org_b", "s2", "x", FILES), T + 22), (o.AnswerObjection("org_b", "y", FILES, "per_h"), T + 23),
        (o.Decide("bid_d", "deemed_revoked", "per_s", "x", "supervisor", "d"), T + 24),
        (o.Seal(), T + 20 + 10 * MINUTE), (o.Reconvene(T + 21 * MINUTE, "x"), T + 11 * MINUTE),
        (o.Speak("org_a", "bidder", "x"), T + 21 * MINUTE), (o.EndMeeting(), T + 22 * MINUTE),
    ]  # fmt: skip
    for command, now in script:
        state, events = o.step(state, command, now)
        log += [(event, now) for event in events]
    again = begin()
    for event, at in log:
        again = o.evolve(again, event, at)
    assert again == state
    assert state.phase is o.Phase.SEALED


def test_a_foreign_row_changes_nothing() -> None:
    state = imported()
    assert o.evolve(state, o.Event("receipt", {"id": "x"}), T) is state


def test_a_refusal_is_a_conflict_with_both_sides_named() -> None:
    with pytest.raises(ConflictError) as caught:
        o.step(begin(), o.Publish(), T)
    assert "float_draw" in caught.value.detail
    assert "bidding" in caught.value.detail
