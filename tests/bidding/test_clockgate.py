"""No opening goes on by a clock known to be wrong, and T closes by the rule all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bidding.centre import Centre
from tests.bidding.test_run import read_out, restart, three
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def resumed(centre: Centre) -> Any:
    """Two people resume the section; the answer of whichever step was refused, or of the second."""
    body = {"target": centre.section, "reason": "时间源已修复"}
    proposed = centre.propose(centre.one(Role.OPERATOR), "target.resume", body)
    if proposed.status_code != 201:
        return proposed
    answer = centre.confirm(centre.one(Role.SUPERVISOR), proposed.json())
    centre.runner.run(centre.settle())
    return answer


def test_the_close_stands_and_the_opening_waits_until_two_people_resume_it_by_a_fit_clock(
    centre: Centre,
) -> None:
    three(centre)
    centre.clock.offset_ms = 101
    centre.until(centre.deadline)
    assert centre.hall()["phase"] == "closed"
    book = centre.bidding.room.book(centre.section)
    assert book.leaf("close_list") is not None
    assert book.leaf("control_price") is None
    assert centre.service.section(centre.section).suspended
    late = centre.seal(centre.bidder(9), "1.00")
    centre.send_file(late)
    assert centre.submit(late).status_code in (409, 410)

    refused = resumed(centre)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "clock-unfit")
    restart(centre)
    centre.until(centre.clock.now() + 1000)
    assert centre.hall()["phase"] == "closed"
    suspended = [r for r in centre.ground.journal.rows("ledger") if r.kind == "suspended"]
    assert [row.body["by"] for row in suspended] == ["rule"]

    centre.clock.offset_ms = -100  # as good as the rule asks
    assert resumed(centre).status_code == 200
    centre.until(centre.clock.now() + 1000)
    assert centre.hall()["phase"] == "unlocking"
    centre.cosign()
    for id_ in ("custodian-1", "custodian-2"):
        assert centre.release(id_).json()["status"] == "answered"
    assert read_out(centre) == ["46382715.40", "47105600.00", "45998800.88"]


def test_a_section_that_takes_bids_is_resumed_whatever_the_clock(centre: Centre) -> None:
    centre.set_up(deadline=centre.clock.now() // 1000 * 1000 + 600_000)
    who = centre.one(Role.SUPERVISOR)
    signed = centre.signed(who, "suspension", target=centre.section, reason="核查")
    assert centre.call("POST", "/suspensions", signed, who).status_code == 204
    centre.clock.offset_ms = 101
    assert resumed(centre).status_code == 200


def test_control_by_a_fit_clock_nothing_waits(centre: Centre) -> None:
    three(centre)
    centre.clock.offset_ms = 100
    centre.until(centre.deadline)
    assert centre.hall()["phase"] == "unlocking"
