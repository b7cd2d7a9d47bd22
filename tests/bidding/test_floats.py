"""The float draw: signed by its parties, fixed with the last commitment, stopped by who keeps its nonce back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bidding.release import decide
from crypto.signature import SigningKey
from tests.bidding.centre import Centre
from tests.bidding.drawing import commit, reveal
from tests.bidding.release_cast import STRANGER
from tests.bidding.release_scene import Scene
from tests.bidding.test_clockgate import resumed
from tests.bidding.test_run import read_out, restart, three
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        made.one(Role.SUPERVISOR)
        yield made


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_party_that_keeps_its_nonce_back_stops_the_section_by_name_and_moves_nothing(
    centre: Centre,
) -> None:
    three(centre)
    tenderer, supervisor = centre.one(Role.TENDERER), centre.one(Role.SUPERVISOR)
    assert problem(commit(centre, tenderer, digest="0" * 64, party="org_x")) == (422, "float-party")
    assert problem(commit(centre, tenderer, parties=["centre"])) == (422, "float-commits-wrong")
    for _ in range(2):  # the same statement again is the same commitment
        assert commit(centre, tenderer).status_code == 201
        assert commit(centre, supervisor).status_code == 201
    assert problem(commit(centre, tenderer, digest="0" * 64)) == (409, "float-closed")
    assert problem(reveal(centre, tenderer)) == (409, "opening-phase")
    centre.until(centre.deadline)
    centre.cosign()  # within the minute after T, as witnesses do
    assert problem(reveal(centre, tenderer, nonce="0" * 64)) == (422, "float-nonce")
    assert reveal(centre, tenderer).status_code == 201
    book = centre.bidding.room.book(centre.section)
    assert centre.hall()["phase"] == "control_price"

    centre.until(centre.deadline + 61_000)
    name = centre.bidding.room.name(supervisor.organisation)
    assert book.opening is not None
    assert [reason for _, _, reason in book.opening.pauses] == [
        f"浮动点承诺方逾时未揭示，按规则暂停开标：{name}"
    ]
    assert resumed(centre).status_code == 200  # two people cannot draw without it either
    assert book.leaf("float_result") is None
    assert centre.service.section(centre.section).suspended

    restart(centre)
    assert reveal(centre, supervisor).status_code == 201
    assert resumed(centre).status_code == 200
    centre.until(centre.clock.now() + 1000)
    assert centre.hall()["phase"] == "unlocking"
    placed = centre.bidding.room.book(centre.section).leaf("float_result")
    assert placed is not None
    told = [one["statement"]["party"] for one in placed[1]["reveals"]]
    assert told == sorted(["centre", tenderer.organisation, supervisor.organisation])
    for id_ in ("custodian-1", "custodian-2"):  # they check signatures, keys and parties themselves
        assert centre.release(id_).json()["status"] == "answered"
    assert len(read_out(centre)) == 3


DRAWER = SigningKey.from_scalar(100)  # of org_a, as its leaf says
TABLE: dict[str, tuple[list[str], Scene]] = {
    "control: a second party": (
        [],
        Scene(
            commits=lambda b: (b.commit(), b.commit("org_a", DRAWER)),
            reveals=lambda b: (b.reveal(), b.reveal("org_a", DRAWER)),
        ),
    ),
    "an invented party": (
        ["order-kept"],
        Scene(
            commits=lambda b: (b.commit(), b.commit("org_b", SigningKey.from_scalar(101))),
            reveals=lambda b: (b.reveal(), b.reveal("org_b", SigningKey.from_scalar(101))),
        ),
    ),
    "a party told of other parties than the rest": (
        ["order-kept"],
        Scene(
            commits=lambda b: (b.commit(), b.commit("org_a", DRAWER, parties=("centre", "org_x"))),
            reveals=lambda b: (b.reveal(), b.reveal("org_a", DRAWER)),
        ),
    ),
    "a party that commits twice": (
        ["order-kept"],
        Scene(commits=lambda b: (b.commit(), b.commit(digest="0" * 64))),
    ),
    "the centre's commitment by a stranger's key": (
        ["order-kept"],
        Scene(
            commits=lambda b: (b.commit(key=STRANGER),), reveals=lambda b: (b.reveal(key=STRANGER),)
        ),
    ),
    "a commitment of another opening": (
        ["order-kept"],
        Scene(
            commits=lambda b: (b.commit(ceremony="cer_b"),),
            reveals=lambda b: (b.reveal(ceremony="cer_b"),),
        ),
    ),
    "a commitment that the draw leaves out": (
        ["order-kept"],
        Scene(commits=lambda b: (b.commit(), b.commit("org_a", DRAWER))),
    ),
    "a nonce revealed by another key": (
        ["order-kept"],
        Scene(reveals=lambda b: (b.reveal(key=STRANGER),)),
    ),
    "another nonce than the one committed to": (
        ["order-kept"],
        Scene(reveals=lambda b: (b.reveal(nonce="0" * 64),)),
    ),
    "a draw of nobody's": (["order-kept"], Scene(commits=lambda _: (), reveals=lambda _: ())),
    "a commitment in another's name": (
        ["keys-issued"],
        Scene(
            commits=lambda b: (b.commit(), b.commit("org_a", STRANGER)),
            reveals=lambda b: (b.reveal(), b.reveal("org_a", STRANGER)),
        ),
    ),
}


@pytest.mark.parametrize("story", TABLE)
def test_custodians_answer_for_no_draw_but_that_of_all_its_parties(story: str) -> None:
    wanted, scene = TABLE[story]
    verdict = decide(*scene.build())
    assert [check.id for check in verdict.checks if check.status == "failed"] == wanted
    assert (verdict.answer is None) == bool(wanted)
