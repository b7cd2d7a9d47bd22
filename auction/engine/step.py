"""What boundaries and accepted commands do to an auction.

A step holds the state it has reached and the phases entered on the way. It judges nothing:
`checks.py` has said yes before `accept` is called.
"""

from dataclasses import replace
from typing import Any, assert_never

import msgspec

from auction.engine.gathered import adding
from auction.engine.sums import draw, ladder, payable, placed, ranking
from auction.model import (
    Command,
    Do,
    Entered,
    Lottery,
    Offer,
    OneShot,
    Outcome,
    Phase,
    RaiseBase,
    Reason,
    SecondItem,
    State,
    Winner,
)


class Step:
    """One move of the engine, from a state to the next.

    Attributes:
        state: the state reached so far.
        entered: the phases entered so far, in order.
    """

    __slots__ = ("entered", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.entered: list[Entered] = []

    def set(self, **changes: Any) -> None:
        """Replace fields of the state."""
        self.state = msgspec.structs.replace(self.state, **changes)

    def enter(self, phase: Phase, at: int, ends: int | None, **changes: Any) -> None:
        """Enter a phase at its exact instant."""
        self.set(phase=phase, ends=ends, **changes)
        self.entered.append(Entered(phase, at, self.state.outcome))

    def advance(self, now: int) -> None:
        """Cross every boundary up to `now`, or to the last time seen if that is later (§1)."""
        seen = self.state.now
        if seen is None or now > seen:
            self.set(now=now)
        else:
            now = seen
        while self.state.phase is not Phase.SUSPENDED:
            ends = self.state.ends
            if ends is None or ends > now:
                return
            self.cross(ends)

    # --- Boundaries (§2). An empty phase is passed through at once and never entered. ---

    def cross(self, at: int) -> None:
        """End the running phase at the instant `at`."""
        listing, shift = self.state.rules.listing, self.state.shift
        starts_at = self.state.rules.timed.starts_at + shift
        match self.state.phase:
            case Phase.ANNOUNCED if listing is not None:
                self.enter(Phase.LISTING, at, listing.closes_at - listing.freeze + shift)
            case Phase.LISTING if listing is not None and listing.freeze:
                self.enter(Phase.FROZEN, at, listing.closes_at + shift)
            case Phase.LISTING | Phase.FROZEN if starts_at > at:
                self.enter(Phase.CONFIRMING, at, starts_at)
            case Phase.ANNOUNCED | Phase.LISTING | Phase.FROZEN | Phase.CONFIRMING:
                self.open_timed(at)
            case Phase.TIMED | Phase.SECOND_ITEM:
                self.decide(at)
            case Phase.WAITING:
                self.open_stage(at)
            case Phase.ASKING:
                self.close_asking(at)
            case Phase.QUOTING:
                self.close_quoting(at)
            case Phase.REVEALING:
                self.close_revealing(at)
            case _:
                self.sell(at, self.matching)

    def open_timed(self, at: int) -> None:
        """Open 限时竞价, or decide on the listing quotes where too few want it."""
        timed = self.state.rules.timed
        if timed.confirm_2 and len(self.state.confirmed) < 2:
            self.decide(at)
        else:
            self.enter(Phase.TIMED, at, at + timed.first_window)

    # --- The cap (§4). ---

    def reach_cap(self, at: int) -> None:
        """End the price contest: an offer equal to the cap was accepted at `at`."""
        on_cap = self.state.rules.on_cap
        if on_cap is None:
            self.decide(at)
            return
        self.set(capped_in=self.state.phase)
        wait = on_cap.pause if isinstance(on_cap, SecondItem) else on_cap.wait
        if wait:
            self.enter(Phase.WAITING, at, at + wait)
        else:
            self.open_stage(at)

    def open_stage(self, at: int) -> None:
        """Open what the cap brings once the waiting is over."""
        on_cap = self.state.rules.on_cap
        assert on_cap is not None
        if isinstance(on_cap, SecondItem):
            self.enter(Phase.SECOND_ITEM, at, at + on_cap.extend)
        else:
            self.enter(Phase.ASKING, at, at + on_cap.ask)

    def close_asking(self, at: int) -> None:
        """Go on with those who joined; nobody has joined unasked."""
        joined, on_cap = self.state.joined, self.state.rules.on_cap
        if not joined:
            self.fail(at, Reason.NO_ONE_JOINED)
        elif len(joined) == 1:
            self.settle(at, Winner(next(iter(joined)), self.best.amount))
        elif isinstance(on_cap, OneShot):
            self.enter(Phase.QUOTING, at, at + on_cap.quote)
        else:
            assert isinstance(on_cap, Lottery)
            self.enter(Phase.REVEALING, at, at + on_cap.reveal)

    def close_quoting(self, at: int) -> None:
        """Find the quote nearest to the exact mean: |q - sum/n| is compared as |n q - sum|."""
        quotes = self.state.quotes.values()
        if not quotes:
            self.fail(at, Reason.NO_QUOTES)
            return
        total = sum(quote.amount for quote in quotes)
        nearest = min(quotes, key=lambda q: (abs(q.amount * len(quotes) - total), q.seq))
        self.settle(at, Winner(nearest.bidder, nearest.amount))

    def close_revealing(self, at: int) -> None:
        """Draw among those who revealed."""
        nonces = self.state.nonces
        if not nonces:
            self.fail(at, Reason.NO_ONE_REVEALED)
        else:
            self.settle(at, Winner(draw(self.state.rules.lot, nonces), self.best.amount))

    # --- Deciding (§5, §6). ---

    @property
    def best(self) -> Offer:
        """The best accepted offer of the price contest."""
        assert self.state.leader is not None
        return self.state.leader

    @property
    def matching(self) -> Winner:
        """Who wins unless a right of first refusal is used."""
        assert self.state.matching is not None
        return self.state.matching

    def decide(self, at: int) -> None:
        """Decide at the end of the price contest or of the second ladder."""
        second = self.state.second
        if self.state.leader is None:
            self.fail(at, Reason.NO_BIDS)
        elif self.state.rules.quota is not None:
            self.award_slots(at)
        elif second is not None:
            self.settle(at, Winner(second.bidder, self.best.amount, second.amount))
        else:
            self.settle(at, Winner(self.best.bidder, self.best.amount))

    def settle(self, at: int, winner: Winner) -> None:
        """Hold the reserve, then offer the price to those with 优先购买权."""
        rules = self.state.rules
        if rules.reserve is not None and rules.price.direction.better(rules.reserve, winner.amount):
            self.fail(at, Reason.RESERVE_NOT_MET)
        elif rules.preemption is not None and winner.bidder not in rules.preemption.bidders:
            self.enter(Phase.MATCHING, at, at + rules.preemption.window, matching=winner)
        else:
            self.sell(at, winner)

    def award_slots(self, at: int) -> None:
        """Give the slots to the first K of the ranking, each at its own surcharge (§6)."""
        quota, scale = self.state.rules.quota, self.state.rules.price.scale
        assert quota is not None
        winners = []
        for offer in ranking(self.state)[: quota.slots]:
            parcel = quota.parcels[offer.bidder]
            due = payable(parcel, offer.amount, scale)
            winners.append(Winner(offer.bidder, offer.amount, parcel=parcel.id, payable=due))
        self.sell(at, *winners)

    def sell(self, at: int, *winners: Winner) -> None:
        """成交."""
        self.enter(Phase.SOLD, at, None, outcome=Outcome(Phase.SOLD, at, None, winners))

    def fail(self, at: int, reason: Reason) -> None:
        """流拍."""
        self.enter(Phase.UNSOLD, at, None, outcome=Outcome(Phase.UNSOLD, at, reason))

    # --- What an accepted command does. ---

    def accept(self, command: Command, amount: int) -> None:
        """Carry out an acceptable command at the time seen."""
        state, by = self.state, command.by
        at, seq = state.now, state.seq + 1
        assert at is not None
        match command.do:
            case Do.BID if state.phase is Phase.SECOND_ITEM:
                self.climb(at, Offer(by, amount, seq))
                return
            case Do.BID:
                self.raise_price(at, Offer(by, amount, seq))
                return
            case Do.CONFIRM:
                self.set(confirmed=adding(state.confirmed, by, seq))
            case Do.JOIN:
                commit = command.commit if isinstance(state.rules.on_cap, Lottery) else None
                self.set(joined=adding(state.joined, by, commit))
            case Do.QUOTE:
                self.set(quotes=adding(state.quotes, by, Offer(by, amount, seq)))
            case Do.REVEAL:
                self.set(nonces=adding(state.nonces, by, command.nonce))
            case Do.MATCH:
                self.sell(at, replace(self.matching, bidder=by))
            case Do.DECLINE:
                self.decline(at, by, seq)
            case Do.SUSPEND:
                left = state.phase
                self.enter(Phase.SUSPENDED, at, state.ends, left=left, suspended_at=at)
            case Do.RESUME:
                self.resume(at)
            case Do.TERMINATE:
                over = Outcome(Phase.TERMINATED, at)
                self.enter(Phase.TERMINATED, at, None, left=None, outcome=over)
            case _:
                assert_never(command.do)
        self.set(seq=seq)

    def raise_price(self, at: int, offer: Offer) -> None:
        """Take an offer for the price, or a surcharge; under quota it need not lead the session."""
        rules, leader = self.state.rules, self.state.leader
        changes: dict[str, Any] = {"seq": offer.seq}  # one replacement: this is the hot path
        if leader is None or rules.price.direction.better(offer.amount, leader.amount):
            changes["leader"] = offer
        if rules.quota is not None:
            changes["standing"] = adding(self.state.standing, offer.bidder, offer)
            if rules.quota.raise_base is RaiseBase.CUTOFF:
                changes["inside"] = placed(self.state, offer, rules.quota.slots)
        if self.state.phase is Phase.TIMED:
            changes["ends"] = self.extended(at, rules.timed.extend)
        self.set(**changes)
        if offer.amount == rules.price.limit:
            self.reach_cap(at)

    def climb(self, at: int, offer: Offer) -> None:
        """Take an offer on the second ladder; its limit ends it at once (§4)."""
        on_cap = self.state.rules.on_cap
        assert isinstance(on_cap, SecondItem)
        self.set(seq=offer.seq, second=offer, ends=self.extended(at, on_cap.extend))
        if offer.amount == ladder(self.state).limit:
            self.decide(at)

    def extended(self, at: int, window: int) -> int:
        """Move the end of the running phase for an offer accepted at `at` (§2)."""
        ends = self.state.ends
        assert ends is not None
        return ends + window if self.state.rules.timed.append else max(ends, at + window)

    def decline(self, at: int, by: str, seq: int) -> None:
        """Give up 优先购买权; when nobody is left who has it, the leader wins."""
        self.set(declined=adding(self.state.declined, by, seq))
        preemption = self.state.rules.preemption
        assert preemption is not None
        if self.state.declined.keys() >= preemption.bidders:
            self.sell(at, self.matching)

    def resume(self, at: int) -> None:
        """Enter the phase left again; every boundary ahead moves by the time suspended (§7)."""
        state = self.state
        assert state.left is not None
        gap = at - state.suspended_at
        ends = None if state.ends is None else state.ends + gap
        self.enter(state.left, at, ends, left=None, shift=state.shift + gap)
