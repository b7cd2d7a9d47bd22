"""The promises of spec/auction.md §8, and a slow second reading of the whole spec that must agree."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction import engine
from auction.engine import step
from auction.model import (
    Accepted,
    Command,
    Do,
    Entered,
    Outcome,
    Phase,
    RaiseBase,
    Refused,
    State,
    amount_or_none,
)
from auction.replay import Scenario, decode, parse_scenario, replay
from tests.properties.auction_scripts import scenario
from tests.properties.slow_auction import SlowAuction

seeds = st.integers(0, 2**32)


def parsed(seed: int) -> Scenario:
    return parse_scenario(decode(json.dumps(scenario(seed)).encode()))


def moves(played: Scenario) -> list[tuple[State, State, int, Command, tuple[engine.Event, ...]]]:
    """Every move: the state advanced to the command's instant, the state after, and what happened."""
    state, found = engine.begin(played.rules), []
    for at, command in played.commands:
        before, crossed = engine.advance(state, at)
        after, events = engine.apply(state, command, at)
        assert events[: len(crossed)] == crossed
        found.append((before, after, at, command, events))
        state = after
    return found


def accepted_amount(before: State, command: Command) -> int:
    amount = amount_or_none(command.amount, engine.ladder(before).scale)
    assert amount is not None
    return amount


def disagreement(seed: int) -> tuple[Any, Any] | None:
    script = scenario(seed)
    fast, slow = replay(json.dumps(script).encode()), SlowAuction(script).run()
    return None if fast == slow else (fast, slow)


@settings(max_examples=800)
@given(seeds)
def test_the_engine_and_the_slow_reading_of_the_rules_agree(seed: int) -> None:
    assert disagreement(seed) is None


def test_the_slow_reading_finds_a_planted_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: step.Step, at: int, window: int) -> int:
        return max(self.state.ends or 0, at + window + 1)

    monkeypatch.setattr(step.Step, "extended", late)
    assert any(disagreement(seed) for seed in range(200))


@settings(max_examples=150)
@given(seeds)
def test_a_refused_command_changes_nothing(seed: int) -> None:
    for before, after, _, _, events in moves(parsed(seed)):
        if isinstance(events[-1], Refused):
            assert after == before


@settings(max_examples=150)
@given(seeds)
def test_accepted_commands_are_numbered_without_a_gap(seed: int) -> None:
    verdicts = [events[-1] for *_, events in moves(parsed(seed))]
    numbers = [verdict.seq for verdict in verdicts if isinstance(verdict, Accepted)]
    assert numbers == list(range(1, len(numbers) + 1))


@settings(max_examples=150)
@given(seeds, st.integers(1, 997))
def test_many_small_steps_equal_one_large_step(seed: int, stride: int) -> None:
    for before, _, at, _, _ in moves(parsed(seed)):
        goal = at + 20_000
        leap, crossed = engine.advance(before, goal)
        small, seen = before, []
        for now in [*range(at, goal, stride * 10), goal]:
            small, entered = engine.advance(small, now)
            seen += entered
        assert (small, tuple(seen)) == (leap, crossed)


@settings(max_examples=150)
@given(seeds)
def test_nothing_is_accepted_at_or_after_the_end_of_its_phase(seed: int) -> None:
    for before, _, at, command, events in moves(parsed(seed)):
        if isinstance(events[-1], Accepted) and before.phase is not Phase.SUSPENDED:
            assert before.ends is not None
            assert max(at, before.now or at) < before.ends, command


@settings(max_examples=150)
@given(seeds)
def test_the_end_of_timed_never_decreases(seed: int) -> None:
    end = None
    for before, after, *_ in moves(parsed(seed)):
        for state in (before, after):
            if state.phase is Phase.TIMED:
                assert state.ends is not None
                assert end is None or state.ends >= end
                end = state.ends


@settings(max_examples=150)
@given(seeds)
def test_accepted_amounts_meet_the_next_offer_of_their_instant(seed: int) -> None:
    for before, _, _, command, events in moves(parsed(seed)):
        if command.do is Do.BID and isinstance(events[-1], Accepted):
            rungs, least = engine.ladder(before), engine.next_offer(before, command.by)
            amount = accepted_amount(before, command)
            assert least is not None
            assert not rungs.direction.better(least, amount)


def final(played: Scenario) -> Outcome:
    """Let the auction run to its end."""
    state = engine.begin(played.rules)
    for at, command in played.commands:
        state, _ = engine.apply(state, command, at)
    if state.phase is Phase.SUSPENDED:
        state, _ = engine.apply(state, Command("CENTRE", Do.RESUME), state.now or 0)
    state, _ = engine.advance(state, 2**60)
    assert state.outcome is not None
    return state.outcome


@settings(max_examples=150)
@given(seeds)
def test_without_a_stage_after_the_cap_the_winners_price_is_the_best_accepted(seed: int) -> None:
    played = parsed(seed)
    outcome, rules = final(played), played.rules
    if outcome.status is Phase.SOLD and rules.quota is None and rules.on_cap is None:
        bids = [
            accepted_amount(before, command)
            for before, _, _, command, events in moves(played)
            if command.do is Do.BID and isinstance(events[-1], Accepted)
        ]
        best = max(bids) if rules.price.direction.value == "up" else min(bids)
        assert [winner.amount for winner in outcome.winners] == [best]


@settings(max_examples=150)
@given(seeds)
def test_quota_winners_are_the_first_of_the_ranking(seed: int) -> None:
    played = parsed(seed)
    quota = played.rules.quota
    outcome = final(played)
    if quota is None or outcome.status is not Phase.SOLD:
        return
    standing: dict[str, tuple[int, int]] = {}
    for before, after, _, command, events in moves(played):
        if command.do is Do.BID and isinstance(events[-1], Accepted):
            standing[command.by] = (-accepted_amount(before, command), after.seq)
    winners = [winner.bidder for winner in outcome.winners]
    assert len(winners) == min(quota.slots, len(standing))
    assert winners == sorted(standing, key=standing.__getitem__)[: len(winners)]


@settings(max_examples=150)
@given(seeds)
def test_what_is_kept_beside_the_standing_surcharges_agrees_with_them(seed: int) -> None:
    played = parsed(seed)
    quota = played.rules.quota
    if quota is None:
        return
    for _, after, *_ in moves(played):
        ranked = engine.ranking(after)
        if quota.raise_base is RaiseBase.CUTOFF:
            assert list(after.inside) == ranked[: quota.slots]
        if ranked and after.phase is Phase.TIMED:
            assert after.leader == ranked[0]
            most = max(engine.next_offer(after, offer.bidder) or 0 for offer in ranked)
            assert engine.next_offer(after, ranked[0].bidder) == most


@settings(max_examples=200)
@given(seeds)
def test_every_instant_entered_is_in_order(seed: int) -> None:
    last = -(2**60)
    for *_, events in moves(parsed(seed)):
        for event in events:
            if isinstance(event, Entered):
                assert event.at >= last
                last = event.at
