"""Every line of the release checklist refuses alone, and an honest request passes all of them."""

from dataclasses import replace
from typing import Any

import pytest

from bidding.model import CloseList, PublishedBidders
from bidding.release import IssuedKey, SealedEntry, decide, evaluate
from bidding.release.judge import RULES
from bidding.release.run import Fold
from crypto.cocktail import HostKey
from crypto.encoding import b64
from crypto.signature import SigningKey
from crypto.tlog.evidence import Evidence
from crypto.tlog.merkle import Tree
from tests.bidding.release_cast import (
    CENTRE_KEY,
    FORK,
    STRANGER,
    SUPERVISOR,
    WITNESSES,
    T,
    both,
    postponement,
    published,
    reconciled,
    termination,
    two_histories,
)
from tests.bidding.release_scene import Built, Scene, late_by


def refused(scene: Scene) -> list[str]:
    return [check.id for check in evaluate(*scene.build()) if check.status == "failed"]


def test_an_honest_request_is_answered_for_each_encapsulation_once() -> None:
    verdict = decide(*Scene().build())
    assert [check.status for check in verdict.checks] == ["ok"] * len(RULES)
    assert [check.id for check in verdict.checks] == [rule.id for rule in RULES]
    assert verdict.answer is not None
    assert len(verdict.answer.encapsulations) == 3
    assert verdict.refusal is None


def test_the_same_question_gets_the_same_answer() -> None:
    one, two = decide(*Scene().build()), decide(*Scene(same_answer=True, now=T + 5000).build())
    assert one.answer == two.answer


def without(number: int) -> Any:
    return lambda items: items[:number] + items[number + 1 :]


def entry(number: int, **changes: Any) -> Any:
    def change(entries: list[SealedEntry]) -> list[SealedEntry]:
        one = entries[number]
        entries[number] = replace(one, entry=replace(one.entry, **changes))
        return entries

    return change


def stolen(entries: list[SealedEntry]) -> list[SealedEntry]:
    entries[0] = replace(entries[0], possession=entries[1].possession)
    return entries


def unproved(entries: list[SealedEntry]) -> list[SealedEntry]:
    entries[0] = replace(entries[0], possession="")
    return entries


def forged(entries: list[SealedEntry]) -> list[SealedEntry]:
    signed = entries[0].signed
    body = {**signed["statement"], "size": 999}
    entries[0] = replace(entries[0], signed={**signed, "statement": body})
    return entries


def moved(entries: list[SealedEntry]) -> list[SealedEntry]:
    entries[0] = replace(entries[0], index=(entries[0].index + 1) % 4096)
    return entries


def listed(**changes: Any) -> Any:
    return lambda leaf: replace(leaf, **changes)


def doubled(leaf: CloseList) -> CloseList:
    return replace(leaf, bids=(*leaf.bids, leaf.bids[0]))


def turned(leaf: CloseList) -> CloseList:
    return replace(leaf, bids=leaf.bids[::-1])


def omitting(leaf: CloseList) -> CloseList:
    return replace(leaf, bids=leaf.bids[1:])


def smaller(leaf: CloseList) -> CloseList:
    return replace(leaf, closing_size=leaf.closing_size - 1)


def unpublished(leaf: PublishedBidders) -> PublishedBidders:
    return replace(leaf, bidders=leaf.bidders[1:])


def older_root(built: Built) -> tuple[int, bytes]:
    return len(built.leaves), bytes(32)


def longer(built: Built) -> tuple[int, bytes]:
    return len(built.leaves) + 1, bytes(32)


def before_run(built: Built) -> tuple[int, bytes]:
    return 2, built.root(2)


def other_past(_: Built) -> tuple[int, bytes]:
    return 2, bytes(32)


def proof(built: Built) -> tuple[bytes, ...]:
    tree = Tree()
    for leaf in built.leaves:
        tree.add(leaf)
    return tuple(tree.consistency_proof(2))


def accused_witness() -> Evidence:
    return two_histories(WITNESSES[1], "w1")


def revoked(key: SigningKey) -> dict[str, Any]:
    return {"kind": "key_revoked", "key": b64(key.public)}


def invented(shown: tuple[IssuedKey, ...]) -> tuple[IssuedKey, ...]:
    """The key of another bidder, put in the place of one that was issued."""
    stranger = b64(SigningKey.from_scalar(999).public)
    mine = b64(SigningKey.from_scalar(100).public)
    return (replace(shown[0], leaf=shown[0].leaf.replace(mine, stranger)), *shown[1:])


FOUR = ("org_a", "org_b", "org_c", "org_d")
TABLE: dict[str, tuple[str, Scene]] = {
    "a clock behind its own memory": ("clock-forward", Scene(last_time=T + 1)),
    "a hold": ("not-held", Scene(hold="court order")),
    "another section's key": ("key-context", Scene(context_section="sec_b")),
    "a rehearsal asked of a live key": ("key-context", Scene(use="rehearsal")),
    "a live opening asked of a rehearsal key": ("key-context", Scene(purpose="rehearsal")),
    "a custodian without a share": ("key-context", Scene(host=HostKey(bytes([99]) * 32))),
    "a head of another log": ("head-signed", Scene(log=FORK)),
    "a leaf left out": ("run-complete", Scene(change_leaves=without(3))),
    "a leaf altered": (
        "run-complete",
        Scene(change_leaves=lambda run: [*run[:3], run[3] + b" ", *run[4:]]),
    ),
    "another history than cosigned": ("log-consistent", Scene(last=older_root)),
    "a head older than cosigned": ("log-consistent", Scene(last=longer)),
    "another past before the run": ("log-consistent", Scene(last=other_past, consistency=proof)),
    "no proof of the past before the run": ("log-consistent", Scene(last=before_run)),
    "a key assigned twice": ("key-assigned", Scene(assign_twice=True)),
    "a run that begins after the key was made": ("key-assigned", Scene(born=2)),
    "another certificate": ("key-assigned", Scene(certificate_digest="0" * 64)),
    "another seed than committed": ("key-assigned", Scene(seed_shown=bytes(32))),
    "a T before the key's own": (
        "key-assigned",
        Scene(assigned=T - 1000, deadline=T - 1000, stamps=(T // 1000, T // 1000)),
    ),
    "a rehearsal's close list shown for a live key": ("close-listed", Scene(close_use="rehearsal")),
    "two close lists": ("close-listed", Scene(close_twice=True)),
    "a T of the centre's own": (
        "deadline-agreed",
        Scene(deadline=T + 1000, now=T + 1000, stamps=(T // 1000 + 1, T // 1000 + 1)),
    ),
    "a postponement in the ledger passed over": (
        "deadline-agreed",
        Scene(announced=(both(postponement()),)),
    ),
    "a postponement in a leaf whose bytes hide the section": (
        "run-complete",
        Scene(announced=(both(postponement()),), escape=True),
    ),
    "a postponement handed over passed over": (
        "deadline-agreed",
        Scene(handed=(both(postponement()),)),
    ),
    "a terminated section": ("deadline-agreed", Scene(announced=(both(termination()),))),
    "a termination handed over": ("deadline-agreed", Scene(handed=(both(termination()),))),
    "a postponement by the centre alone": (
        "deadline-agreed",
        Scene(announced=(both(postponement(), CENTRE_KEY, CENTRE_KEY),)),
    ),
    "a millisecond before T": ("time-reached", Scene(now=T - 1, last_time=T - 1)),
    "a closing size that is not the smallest": (
        "closing-checkpoint",
        Scene(change_list=lambda leaf: replace(leaf, closing_size=leaf.closing_size + 1)),
    ),
    "a closing size before the last slot": ("closing-checkpoint", Scene(change_list=smaller)),
    "a closing root of another tree": (
        "closing-checkpoint",
        Scene(change_list=listed(closing_root="0" * 64)),
    ),
    "no last slot": ("closing-checkpoint", Scene(skip_last_slot=True)),
    "one other witness": ("witnessed", Scene(stamps=(T // 1000,))),
    "a witness counted twice": ("witnessed", Scene(stamps=(T // 1000, T // 1000 - 1))),
    "own cosignature counted": ("witnessed", Scene(own_vkey_counts=True)),
    "stamps a second before T": ("witnessed", Scene(stamps=(T // 1000 - 1, T // 1000 - 1))),
    "stamps a second too late": ("witnessed", Scene(stamps=(T // 1000 + 61, T // 1000 + 61))),
    "cosignatures on an earlier checkpoint": ("witnessed", Scene(cosign_before_closing=True)),
    "cosignatures on another tree": ("one-history", Scene(cosign_other_root=True)),
    "two histories of the log, published": (
        "one-history",
        Scene(before_slots=lambda _: (published(two_histories()),)),
    ),
    "two histories of the log, known to the custodian alone": (
        "one-history",
        Scene(evidence=lambda _: (two_histories().to_json(),)),
    ),
    "two histories reconciled for another section": (
        "one-history",
        Scene(
            before_slots=lambda _: (published(two_histories()),),
            handed=(reconciled(two_histories(), section="sec_b"),),
        ),
    ),
    "a witness that cosigned two histories counted": (
        "witnessed",
        Scene(before_slots=lambda _: (published(accused_witness()),)),
    ),
    "a key issued to another bidder": (
        "keys-issued",
        Scene(issued={"org_a": ("org_b", SigningKey.from_scalar(100))}),
    ),
    "a key that nobody issued": ("keys-issued", Scene(change_issued=lambda shown: shown[1:])),
    "an issuance that is not in the log": ("keys-issued", Scene(change_issued=invented)),
    "a key revoked before its use": (
        "keys-issued",
        Scene(before_slots=lambda _: (revoked(SigningKey.from_scalar(101)),)),
    ),
    "late witnesses by the centre's word": (
        "witnessed",
        Scene(stamps=(T // 1000 + 70, T // 1000 + 70), late_witness=late_by(CENTRE_KEY)),
    ),
    "a possession of another bid": ("acts-signed", Scene(change_entries=stolen)),
    "no possession though required": ("acts-signed", Scene(change_entries=unproved)),
    "a forged submission": ("acts-signed", Scene(change_entries=forged)),
    "an arrival at T": ("acts-signed", Scene(change_entries=entry(0, arrival=T))),
    "an entry of another section": ("acts-signed", Scene(change_entries=entry(0, section="sec_b"))),
    "an entry committed before it arrived": ("acts-signed", Scene(change_entries=entry(0, slot=1))),
    "an entry with another arrival": (
        "slots-walked",
        Scene(change_entries=entry(0, arrival=T - 4001)),
    ),
    "an entry in another place": ("slots-walked", Scene(change_entries=moved)),
    "a slot left out": ("slots-walked", Scene(drop_slot=T // 1000 - 3)),
    "a copied encapsulation": (
        "no-duplicates",
        Scene(names=FOUR, copy_of={"org_d": "org_a"}),
    ),
    "a bid left out of the list": ("list-exact", Scene(names=FOUR, change_list=omitting)),
    "a bid listed twice": ("list-exact", Scene(change_list=doubled)),
    "another reading order": ("list-exact", Scene(change_list=turned)),
    "a withdrawn bid listed": (
        "list-exact",
        Scene(names=FOUR, withdraw=("org_a",), keep_withdrawn_listed=True),
    ),
    "fewer than the minimum": ("enough-bidders", Scene(names=("org_a", "org_b"))),
    "no control price": ("order-kept", Scene(after=("float", "names"))),
    "no float result": ("order-kept", Scene(after=("price", "names"))),
    "no published bidders": ("order-kept", Scene(after=("price", "float"))),
    "bidders published first": ("order-kept", Scene(after=("names", "price", "float"))),
    "a float value of the centre's choice": ("order-kept", Scene(float_value="9.99")),
    "other bidders published": ("order-kept", Scene(published=unpublished)),
    "another list answered before": ("answered-once", Scene(answered="0" * 64)),
}


@pytest.mark.parametrize("case", TABLE, ids=TABLE.keys())
def test_exactly_one_check_refuses(case: str) -> None:
    wanted, scene = TABLE[case]
    assert refused(scene) == [wanted]
    verdict = decide(*scene.build())
    assert verdict.answer is None
    assert verdict.refusal is not None
    assert verdict.refusal.id == wanted


def test_every_check_of_the_list_has_its_refusal() -> None:
    assert {wanted for wanted, _ in TABLE.values()} == {rule.id for rule in RULES}


ANSWERED = {
    "T itself": Scene(now=T),
    "stamps at both ends of the minute": Scene(stamps=(T // 1000, T // 1000 + 60)),
    "a checkpoint cosigned before": Scene(last=lambda b: (5, b.root(5))),
    "a checkpoint from before the run, proved": Scene(last=before_run, consistency=proof),
    "a postponed section at its new T": Scene(
        announced=(both(postponement()),), deadline=T + 60_000, now=T + 60_000,
        stamps=(T // 1000 + 60, T // 1000 + 61),
    ),
    "a postponement of another section": Scene(handed=(both(postponement(section="sec_b")),)),
    "three witnesses, of whom one has cosigned two histories": Scene(
        stamps=(T // 1000,) * 3, before_slots=lambda _: (published(accused_witness()),)
    ),
    "two histories of the log, reconciled in the ledger": Scene(
        before_slots=lambda _: (published(two_histories()),),
        announced=(reconciled(two_histories()),),
    ),
    "two histories of the log, the reconciliation handed over": Scene(
        evidence=lambda _: (two_histories().to_json(),), handed=(reconciled(two_histories()),)
    ),
    "two histories of another log": Scene(
        evidence=lambda _: (two_histories(log="elsewhere/ledger/1").to_json(),)
    ),
    "evidence that proves nothing": Scene(
        before_slots=lambda _: ({"kind": "evidence", "evidence": {"v": 1}}, {"kind": "evidence"})
    ),
    "a key revoked that signed nothing": Scene(
        before_slots=lambda _: (revoked(SigningKey.from_scalar(999)),)
    ),
    "late witnesses by the supervisor's word": Scene(
        stamps=(T // 1000 + 70, T // 1000 + 3600), late_witness=late_by(SUPERVISOR)
    ),
    "an excluded bid with a reason": Scene(names=FOUR, excluded=("bid_org_d",)),
    "a withdrawn bid not listed": Scene(names=FOUR, withdraw=("org_a",)),
    "a duplicate where proofs are waived": Scene(
        names=FOUR, copy_of={"org_d": "org_a"}, possession="waived"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERED, ids=ANSWERED.keys())
def test_what_must_be_answered_is_answered(case: str) -> None:
    assert refused(ANSWERED[case]) == []
    assert decide(*ANSWERED[case].build()).answer is not None


def test_a_duplicate_is_opened_once() -> None:
    verdict = decide(*ANSWERED["a duplicate where proofs are waived"].build())
    assert verdict.answer is not None
    assert len(verdict.answer.encapsulations) == 3


def test_a_supplement_of_two_puts_an_excluded_bid_back() -> None:
    before = decide(*Scene(names=FOUR, excluded=("bid_org_d",)).build())
    after = decide(*Scene(names=FOUR, excluded=("bid_org_d",), supplement=True).build())
    assert before.answer is not None
    assert after.answer is not None
    assert len(before.answer.encapsulations) == 3
    assert after.answer.encapsulations[:3] == before.answer.encapsulations
    assert len(after.answer.encapsulations) == 4


def test_a_refusal_names_its_cause_and_not_its_consequences() -> None:
    checks = evaluate(*Scene(log=FORK).build())
    assert {check.id for check in checks if check.status == "not_checked"} >= {"run-complete"}
    assert sum(check.status == "failed" for check in checks) == 1


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"kind":"slot","sec_a":1}', b"\xff"])
def test_malformed_leaves_are_a_refusal_and_no_crash(junk: bytes) -> None:
    view, request, leaves = Scene().build()
    needle = junk + b'"sec_a"'
    verdict = decide(view, request, [*leaves, needle])
    assert verdict.answer is None


def test_a_stranger_can_postpone_nothing() -> None:
    scene = Scene(handed=(both(postponement(), STRANGER, SUPERVISOR),))
    assert refused(scene) == ["deadline-agreed"]


@pytest.mark.parametrize("size", range(40))
def test_a_fold_agrees_with_the_tree_at_every_size(size: int) -> None:
    tree, fold = Tree(), Fold()
    for number in range(size):
        tree.add(b64(bytes([number])).encode())
        fold.add(b64(bytes([number])).encode())
    assert fold.root() == tree.root()
    again = Fold(fold.size, fold.frontier())
    again.add(b"x")
    tree.add(b"x")
    assert again.root() == tree.root()
