"""``bench unlock``: a thousand bids after twenty days, at a custodian and at the opener.

Yardsticks are the parts themselves: what a custodian does apart from walking the slots, what the walk costs,
what the opener does. CPU seconds, not wall: these run beside other work on the day.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients.bench.report import Result
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from bidding.release import ReleaseRequest

DEADLINE: Final = 2_000_000_000_000
SLOTS_A_DAY: Final = 86_400


def measure(bids: int, days: int) -> Result:
    """Judges, answers and opens.

    Args:
        bids: number of bids in the section.
        days: how long it took bids, one slot a second.
    """
    from bidding.release import decide
    from clients.bench import section, stage
    from crypto import threshold
    from crypto.age.stanzas import unwrap_p256tag
    from crypto.encoding import unb64
    from crypto.p256 import Point

    made = stage.build(DEADLINE)
    short = section.write(made, bids, 60)
    long = section.write(made, bids, max(60, days * SLOTS_A_DAY))
    view = section.view(made)

    def judged(one: tuple[ReleaseRequest, list[bytes], list[Any]]) -> Any:
        verdict = decide(view, one[0], one[1])
        assert verdict.answer is not None, verdict.refusal
        return verdict.answer

    judging, answer = _cpu(lambda: judged(short))
    walking, _ = _cpu(lambda: judged(long))
    points = [Point.parse(unb64(text)) for text in answer.encapsulations]
    partial, own = _cpu(lambda: threshold.partial(made.shares[0].secret, points))
    answers = {1: threshold.Answer(tuple(own[0]), own[1])}
    for share in made.shares[1:3]:
        others, proof = threshold.partial(share.secret, points)
        answers[share.index] = threshold.Answer(tuple(others), proof)

    def opened() -> int:
        points_dh = threshold.unlock(made.group, points, answers).points
        keys = [
            unwrap_p256tag(stanza, made.group.recipient, threshold.dh_x(point))
            for stanza, point in zip(short[2], points_dh, strict=True)
        ]
        return len(keys)

    opening, count = _cpu(opened)
    assert count == bids
    walk = max(0.0, walking - judging)
    return Result(
        name="unlock",
        unit="CPU s",
        value=opening,
        yardsticks={
            "custodian: partials and one proof": partial,
            "custodian: judging the request, signatures and possession of every bid": judging,
            f"custodian: walking the slots of {days} days": walk,
        },
        ratios={
            "opener / bar of 4 s": opening / 4 * 1000 / bids,
            "custodian, judging and partials / bar of 0.8 s": (judging + partial)
            / 0.8
            * 1000
            / bids,
            "walk / bar of 10 s": walk / 10 * 20 / max(days, 1),
        },
        notes=f"{bids} bids, 3 of 5 custodians; ratios are to the bars, scaled to 1,000 bids and 20 days",
    )


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a work, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


@verb
def command(
    bids: Annotated[int, typer.Option(min=3, max=4000, help="bids in the section")] = 1000,
    days: Annotated[int, typer.Option(min=0, help="days of slots to walk")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Judge, answer and open a thousand bids."""
    measure(bids, days).tell(as_json=as_json)
