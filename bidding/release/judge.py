"""The checklist of docs/spec/release-v1.md, in its order; each line refuses for its own reason.

A check that needs another which failed is `not_checked`, so that a refusal names its cause and
not its consequences. A custodian answers only when every check is ok.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bidding.model import (
    BiddingError,
    Check,
    CloseList,
    failed,
    passed,
    unchecked,
)
from bidding.release import acts, closing, context, histories
from bidding.release.case import Case, Noted
from bidding.release.refused import RefusedError
from crypto.errors import CryptoError
from trading.ground.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bidding.release.request import CustodianView, ReleaseRequest


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: its id, what ought to hold, which lines it stands on, and who decides."""

    id: str
    title: str
    needs: tuple[str, ...]
    decide: Callable[[Case], str]


RULES: Final = (
    Rule("clock-forward", "own clock has not gone back", (), context.clock_forward),
    Rule("not-held", "this custodian holds no veto", (), context.not_held),
    Rule("key-context", "the key was made for this section and purpose", (), context.key_context),
    Rule("head-signed", "the log signed the head", (), context.head_signed),
    Rule("run-complete", "the leaves fold to the head", ("head-signed",), context.run_complete),
    Rule(
        "log-consistent",
        "the head goes on from the checkpoint this custodian last cosigned",
        ("run-complete",),
        context.log_consistent,
    ),
    Rule(
        "one-history",
        "the log is not shown to have signed two histories",
        ("log-consistent",),
        histories.one_history,
    ),
    Rule(
        "key-assigned",
        "this key was assigned to this section, once",
        ("run-complete", "key-context"),
        context.key_assigned,
    ),
    Rule(
        "close-listed", "the ledger holds one close list", ("run-complete",), closing.close_listed
    ),
    Rule(
        "deadline-agreed",
        "T is the announced one, moved only later and by two",
        ("close-listed", "key-assigned"),
        closing.deadline_agreed,
    ),
    Rule("time-reached", "own clock has reached T", ("deadline-agreed",), closing.time_reached),
    Rule(
        "closing-checkpoint",
        "the closing checkpoint is the smallest with the slot ending at T",
        ("close-listed",),
        closing.closing_checkpoint,
    ),
    Rule(
        "witnessed",
        "two other witnesses cosigned it within 60 s of T",
        ("closing-checkpoint", "one-history"),
        closing.witnessed,
    ),
    Rule(
        "acts-signed",
        "every act is signed, and possession proved",
        ("key-assigned",),
        acts.acts_signed,
    ),
    Rule(
        "slots-walked",
        "seed and entries give the commitment of every slot, without a gap",
        ("acts-signed", "closing-checkpoint"),
        acts.slots_walked,
    ),
    Rule(
        "keys-issued",
        "each act's key had been issued to its bidder",
        ("acts-signed", "closing-checkpoint"),
        histories.keys_issued,
    ),
    Rule(
        "no-duplicates",
        "no encapsulation or file stands twice",
        ("acts-signed",),
        acts.no_duplicates,
    ),
    Rule(
        "list-exact",
        "the list is the live bids less those with a logged reason",
        ("acts-signed", "close-listed"),
        acts.list_exact,
    ),
    Rule(
        "enough-bidders",
        "it is not below the minimum of distinct bidders",
        ("list-exact", "key-context"),
        acts.enough_bidders,
    ),
    Rule(
        "order-kept",
        "control price, float result and published bidders follow the list",
        ("list-exact",),
        acts.order_kept,
    ),
    Rule(
        "answered-once",
        "this key has answered for no other list",
        ("close-listed",),
        closing.answered_once,
    ),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the custodian may answer for.

    Attributes:
        close_list: SHA-256 of the close list's leaf, hex.
        encapsulations: base64, in the order of the list, each once.
        head: the checkpoint it judged by.
    """

    close_list: str
    encapsulations: tuple[str, ...]
    head: Noted


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks, and the answer when all hold; else `refusal` is the first that does not."""

    checks: tuple[Check, ...]
    refusal: Check | None
    answer: Answer | None


def evaluate(
    view: CustodianView, request: ReleaseRequest, leaves: Iterable[bytes], *, over: bool = False
) -> tuple[Check, ...]:
    """Return every check with what was found.

    Args:
        view: what the custodian knows by itself.
        request: what the centre asks.
        leaves: ledger leaves [request.start, size of request.head), canonical bytes as served.
        over: an auditor judges an opening that is over; that centre and supervisor have ended
            release since (termination, quorum failure) is then no refusal. No custodian asks so.
    """
    return _checks(Case(view, request, leaves, over=over))


def decide(view: CustodianView, request: ReleaseRequest, leaves: Iterable[bytes]) -> Verdict:
    """Say whether the custodian answers, and for what. Arguments as `evaluate`."""
    case = Case(view, request, leaves)
    checks = _checks(case)
    refusal = next((check for check in checks if check.status == "failed"), None)
    if refusal is not None or any(check.status != "ok" for check in checks):
        return Verdict(checks, refusal, None)
    listed = case.one(CloseList)
    encapsulations = tuple(dict.fromkeys(bid.encapsulation for bid in acts.to_open(case)))
    return Verdict(checks, None, Answer(listed.digest, encapsulations, case.head))


def _checks(case: Case) -> tuple[Check, ...]:
    done: dict[str, Check] = {}
    for rule in RULES:
        missing = [need for need in rule.needs if done[need].status != "ok"]
        if missing:
            done[rule.id] = unchecked(rule.id, rule.title, f"It needs {missing[0]}.")
            continue
        try:
            done[rule.id] = passed(rule.id, rule.title, rule.decide(case))
        except RefusedError as refusal:
            done[rule.id] = failed(rule.id, rule.title, refusal.detail)
        except (BiddingError, Problem, CryptoError) as error:
            done[rule.id] = failed(rule.id, rule.title, f"It cannot be judged: {error}.")
        except _MALFORMED as error:
            name = type(error).__name__
            done[rule.id] = failed(rule.id, rule.title, f"What was shown is malformed ({name}).")
    return tuple(done.values())


# A leaf of the run is foreign JSON: whatever its shape does to a reader is a refusal, never a crash.
_MALFORMED: Final[Any] = (ValueError, TypeError, KeyError, AttributeError)
