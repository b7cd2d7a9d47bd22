"""Attackers that need more than one custodian to be told apart: forks, hidden postponements, large sections."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bidding.release import TwoSigned, decide, evaluate
from crypto import statement, threshold
from crypto.cocktail import HostKey
from crypto.errors import CryptoError
from crypto.p256 import Point
from crypto.signature import SigningKey
from crypto.tlog import cosignature, note
from crypto.tlog.evidence import Evidence, accuse
from crypto.tlog.merkle import Tree
from tests.bidding.centre import Centre
from tests.bidding.release_cast import HOSTS, LOG, ORIGIN, WITNESSES, T, both, postponement, vkey
from tests.bidding.release_scene import Built, Scene
from tests.bidding.test_run import read_out, three
from tests.trading.world import CENTRE
from trading.model import Role


@pytest.fixture
def centre(tmp_path: Path, stored: str) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def first_refusal(scene: Scene) -> str:
    verdict = decide(*scene.build())
    return verdict.refusal.id if verdict.refusal else ""


@pytest.mark.parametrize("back_ms", [1000, 3000])
@pytest.mark.parametrize("now", [T - 1000, T + 60_000], ids=["before the true T", "after it"])
def test_a_fork_with_an_earlier_t_in_its_assignment_gets_no_partial_from_three(
    back_ms: int, now: int
) -> None:
    """All keys of the centre and of the log are the forger's, and the custodians never saw the true log."""
    early = T - back_ms
    for host in HOSTS:
        scene = Scene(
            host=host, assigned=early, deadline=early, now=now, last_time=now,
            stamps=(early // 1000, early // 1000),
        )  # fmt: skip
        assert first_refusal(scene) == "key-assigned"


def test_a_fork_that_agrees_with_the_key_is_stopped_by_what_custodians_cosigned() -> None:
    for host in HOSTS:
        scene = Scene(host=host, last=lambda built: (built.start + 1, bytes(32)))
        assert first_refusal(scene) == "log-consistent"


def test_an_earlier_t_in_the_list_alone_is_refused_by_clocks_set_forward_too() -> None:
    early = Scene(deadline=T - 2000, now=T + 10_000, stamps=(T // 1000 - 2, T // 1000 - 1))
    assert first_refusal(early) == "deadline-agreed"


@pytest.mark.parametrize("seen_by", [1, 2, 3])
def test_an_extension_seen_by_some_only_is_refused_by_those(seen_by: int) -> None:
    """2 of 3: once more than n − t have it in hand, fewer than t are left, and nothing opens."""
    handed = (both(postponement()),)
    answers = [
        decide(*Scene(host=host, handed=handed if n < seen_by else ()).build()).answer is not None
        for n, host in enumerate(HOSTS)
    ]
    assert answers == [n >= seen_by for n in range(3)]
    assert (sum(answers) >= 2) == (seen_by <= 1)


def postponed(centre: Centre, ms: int) -> dict[str, Any]:
    body = {
        "tender": centre.tender_file()["tender"], "section": centre.section,
        "previous": centre.deadline, "deadline": centre.deadline + ms, "reason": "补遗",
        "at": centre.clock.now(),
    }  # fmt: skip
    signed = statement.sign(centre.one(Role.SUPERVISOR).key, "postponement", CENTRE, body)
    path = f"/sections/{centre.section}/postponements"
    answer = centre.post(path, {"supervisor": signed}, centre.one(Role.OPERATOR))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_an_extension_in_the_ledger_is_kept_by_custodians_who_were_handed_none(
    centre: Centre,
) -> None:
    three(centre)
    given = TwoSigned.from_body(postponed(centre, 3000))
    centre.until(centre.deadline)
    centre.cosign()
    assert centre.release("custodian-1", handed=(given,)).json()["status"] == "answered"
    assert centre.release("custodian-2").json()["status"] == "answered"
    assert len(read_out(centre)) == 3


def test_fewer_than_t_custodians_with_everything_of_the_centre_learn_nothing(
    centre: Centre,
) -> None:
    three(centre)
    centre.until(centre.deadline)
    centre.cosign()
    centre.release("custodian-1")
    signed = centre.bidding.room.book(centre.section).releases["custodian-1"][-1]["statement"]
    from crypto.encoding import unb64

    mine = [Point.parse(unb64(text)) for text in signed["partials"]]
    with pytest.raises(CryptoError):
        threshold.combine({signed["index"]: mine}, 2)
    # Taking one's own share for the key does not open either: the combined point is another.
    centre.release("custodian-2")
    other = centre.bidding.room.book(centre.section).releases["custodian-2"][-1]["statement"]
    theirs = [Point.parse(unb64(text)) for text in other["partials"]]
    combined = threshold.combine({signed["index"]: mine, other["index"]: theirs}, 2)
    assert all(one != point for one, point in zip(mine, combined, strict=True))


def tree_of(built: Built) -> Tree:
    tree = Tree()
    for leaf in built.leaves:
        tree.add(leaf)
    return tree


def test_two_histories_shown_to_two_witnesses_are_evidence_that_anybody_can_check() -> None:
    one, two = Built(Scene()), Built(Scene(withdraw=("org_a",), minimum=2))
    first = cosignature.add(one.note(one.closing, LOG), WITNESSES[1], "w1", T // 1000)
    second = cosignature.add(two.note(two.closing, LOG), WITNESSES[2], "w2", T // 1000)
    log = note.vkey(ORIGIN, LOG)
    found = accuse(log, first, second, (tree_of(one), tree_of(two)))
    assert found is not None
    published = Evidence.from_json(found.to_json())
    published.verify()
    for witness in (vkey(1), vkey(2)):  # each witness signed one history only, and is not accused
        with pytest.raises(CryptoError):
            replace(published, key=witness).verify()
    assert accuse(log, first, first) is None  # negative control: one history is no evidence


def test_a_stranger_with_a_share_of_nothing_is_refused() -> None:
    assert first_refusal(Scene(host=HostKey(bytes([77]) * 32))) == "key-context"


def test_a_list_of_another_key_of_the_same_section_is_refused() -> None:
    """A second ceremony's key for the section: the certificate in the assignment is another."""
    scene = Scene(certificate_digest="1" * 64)
    assert "key-assigned" in [c.id for c in evaluate(*scene.build()) if c.status == "failed"]


def test_partials_of_a_large_section_fit_in_one_request(centre: Centre) -> None:
    """300 bids and more: beyond 64 KiB, the custody routes' own limit applies (others keep 64 KiB)."""
    three(centre)
    centre.until(centre.deadline)
    big = {"x": "x" * 200_000}
    signed = statement.sign(SigningKey.generate(), "release", CENTRE, big)
    path = f"/custody/sections/{centre.section}/partials"
    assert centre.post(path, signed).status_code == 404  # judged: no custodian of that name
    huge = statement.sign(SigningKey.generate(), "release", CENTRE, {"x": "x" * 1_100_000})
    assert centre.post(path, huge).status_code == 413
    host = centre.one(Role.OPERATOR)
    other = centre.post(f"/openings/{centre.section}/phase", {"action": "x" * 70_000}, host)
    assert other.status_code == 413
