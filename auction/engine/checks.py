"""Which commands are acceptable: the checks of spec §3 and those named beside each command.

They are asked in order and the first that fails is the code; the numbers beside them are those
of §3. Nothing here changes a state.
"""

from collections.abc import Callable

from auction.engine.sums import TAKES_BIDS, commitment, ladder, leading, quota_base
from auction.model import CENTRE, Code, Command, Do, Lottery, Phase, SecondItem, State

_CENTRE_ACTS = frozenset({Do.SUSPEND, Do.RESUME, Do.TERMINATE})
_BEFORE_BIDS = frozenset({Phase.ANNOUNCED, Phase.CONFIRMING})
_HEX = frozenset("0123456789abcdef")
_OWN_PHASE = {
    Do.CONFIRM: Phase.CONFIRMING,
    Do.JOIN: Phase.ASKING,
    Do.QUOTE: Phase.QUOTING,
    Do.REVEAL: Phase.REVEALING,
    Do.MATCH: Phase.MATCHING,
    Do.DECLINE: Phase.MATCHING,
}


def refusal(state: State, command: Command, amount: int | None) -> Code | None:
    """Find the first check that fails.

    Args:
        state: the auction, advanced to the command's instant.
        command: what arrived.
        amount: what its amount reads as; None where it is not an amount, or the command has none.

    Returns:
        The code of the refusal, or None where the command is acceptable.
    """
    do = command.do
    if do in _CENTRE_ACTS:
        return _centre(state, command)
    if amount is None and do in (Do.BID, Do.QUOTE):
        return Code.BAD_AMOUNT  # 1
    if state.phase is Phase.SUSPENDED:
        return Code.SUSPENDED  # 2
    if state.phase is Phase.TERMINATED:
        return Code.CLOSED
    if (code := _phase(state, do)) is not None:
        return code  # 3
    if command.by not in state.rules.bidders:
        return Code.NO_DEPOSIT  # 4
    return _OWN_CHECKS[do](state, command, amount or 0)


def _centre(state: State, command: Command) -> Code | None:
    """§7: who asks comes before any other check."""
    if command.by != CENTRE:
        return Code.NOT_CENTRE
    if state.phase.is_final:
        return Code.CLOSED
    suspended = state.phase is Phase.SUSPENDED
    if command.do is Do.SUSPEND and suspended:
        return Code.SUSPENDED
    return Code.NOT_SUSPENDED if command.do is Do.RESUME and not suspended else None


def _phase(state: State, do: Do) -> Code | None:
    phase = state.phase
    if do is Do.BID:
        if phase in TAKES_BIDS:
            return None
        if phase is Phase.FROZEN:
            return Code.FROZEN
        pause = phase is Phase.WAITING and isinstance(state.rules.on_cap, SecondItem)
        return Code.NOT_OPEN if pause or phase in _BEFORE_BIDS else Code.CLOSED
    own = _OWN_PHASE[do]
    if phase is own:
        return None
    return Code.NOT_OPEN if phase.place < own.place else Code.CLOSED


def _bid(state: State, command: Command, amount: int) -> Code | None:
    entry_counts = Phase.TIMED in (state.phase, state.capped_in)
    if entry_counts and state.rules.timed.confirm_2 and command.by not in state.confirmed:
        return Code.NOT_CONFIRMED  # 5
    rungs, leader = ladder(state), leading(state)
    if leader is not None and leader.bidder == command.by and not rungs.self_raise:
        return Code.SELF_RAISE  # 6
    better, limit = rungs.direction.better, rungs.limit
    if limit is not None and better(amount, limit):
        return Code.ABOVE_CAP  # 7
    if state.rules.quota is not None:
        below = amount < quota_base(state, command.by) + rungs.increment
    elif leader is not None and amount == limit:
        below = not better(amount, leader.amount)
    else:
        below = better(rungs.next_offer(leader.amount if leader else None), amount)
    if below:
        return Code.BELOW_MIN_NEXT  # 8
    on_grid = amount == limit or (amount - rungs.start) % rungs.increment == 0
    return Code.NOT_MULTIPLE if rungs.multiple and not on_grid else None  # 9


def _confirm(state: State, command: Command, _amount: int) -> Code | None:
    return Code.ALREADY_CONFIRMED if command.by in state.confirmed else None


def _join(state: State, command: Command, _amount: int) -> Code | None:
    if command.by in state.joined:
        return Code.ALREADY_JOINED
    if not isinstance(state.rules.on_cap, Lottery):
        return None
    commit = command.commit
    sound = isinstance(commit, str) and len(commit) == 64 and _HEX.issuperset(commit)
    return None if sound else Code.BAD_COMMIT


def _quote(state: State, command: Command, amount: int) -> Code | None:
    if command.by not in state.joined:
        return Code.NOT_JOINED
    if command.by in state.quotes:
        return Code.ALREADY_QUOTED
    price = state.rules.price
    worse = price.limit is not None and price.direction.better(price.limit, amount)
    return Code.BELOW_MIN_NEXT if worse else None


def _reveal(state: State, command: Command, _amount: int) -> Code | None:
    if command.by not in state.joined:
        return Code.NOT_JOINED
    if command.by in state.nonces:
        return Code.ALREADY_REVEALED
    opens = commitment(command.nonce) == state.joined[command.by]
    return None if opens else Code.BAD_REVEAL


def _match(state: State, command: Command, _amount: int) -> Code | None:
    preemption = state.rules.preemption
    if preemption is None or command.by not in preemption.bidders:
        return Code.NOT_ENTITLED
    return Code.ALREADY_DECLINED if command.by in state.declined else None


_OWN_CHECKS: dict[Do, Callable[[State, Command, int], Code | None]] = {
    Do.BID: _bid,
    Do.CONFIRM: _confirm,
    Do.JOIN: _join,
    Do.QUOTE: _quote,
    Do.REVEAL: _reveal,
    Do.MATCH: _match,
    Do.DECLINE: _match,
}
