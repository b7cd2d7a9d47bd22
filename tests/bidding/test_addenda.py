"""Addenda 补遗: two people, a later version of the notice, T moved by law and by custodians' own rule, in one act."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from bidding.release import TwoSigned
from crypto.canonical import parse
from documents.model import NoticeFacts, facts_from_json
from tests.bidding.amending import addendum, amend, moved, order
from tests.bidding.centre import Centre
from tests.bidding.office import Office
from trading.model import Role, code_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        yield made


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """The same without paper."""
    with Centre(tmp_path / "home") as made:
        made.first_people()
        made.set_up(minimum=3)
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """One for all refusals: nothing that is tried there changes it."""
    with Centre(tmp_path_factory.mktemp("standing") / "home") as made:
        made.first_people()
        made.set_up(minimum=3, deadline=made.clock.now() // 1000 * 1000 + 600_000)
        yield made


def on_paper(office: Office, version: int) -> NoticeFacts:
    """Wait until a version of the notice is a signed PDF, and read its facts."""
    said = office.service.state
    office.awaited(lambda: said.announcement(office.section).on_paper >= version)
    notices = [one for one in office.documents.all(office.section) if one.kind == "notice"]
    assert len(notices) == version
    assert office.service.section(office.section).notice == notices[-1].record
    pdf = office.runner.run(office.documents.pdf(notices[version - 1].record))
    with pikepdf.open(BytesIO(pdf)) as opened:
        facts = facts_from_json(parse(opened.attachments["record.json"].get_file().read_bytes()))
    assert isinstance(facts, NoticeFacts)
    return facts


def test_an_addendum_becomes_the_second_version_of_the_notice(office: Office) -> None:
    before = office.deadline
    answer = amend(office)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == {
        "section": office.section, "version": 2, "deadline": before, "postponement": None,
    }  # fmt: skip
    second = on_paper(office, 2)
    assert second.document_version == 2
    (change,) = second.changes
    assert (change.title, change.effect, change.deadline) == ("第一号补遗", "bids", before)
    assert "300 日历天" in change.text
    assert second.deadline == before
    assert office.tender_file()["version"] == 2
    assert office.get(f"/tenders/{office.tender_file()['tender']}")["document_version"] == 2


def test_a_late_change_is_refused_by_its_article_with_the_earliest_lawful_deadline(
    centre: Centre,
) -> None:
    centre.until(centre.deadline - 1000)
    refused = amend(centre)
    assert refused.status_code == 409, refused.text
    said = refused.json()
    assert "招标投标法 23" in said["rule"]
    assert said["violations"][0]["rule"] == "doc.change_lead"
    assert centre.service.state.announcement(centre.section).version == 1
    assert amend(centre, affects_bids=False).status_code == 200  # a mere word of explanation


def test_one_act_moves_the_deadline_for_bidders_custodians_and_the_hall(centre: Centre) -> None:
    bidder = centre.hand_in(1, "46382715.40")
    centre.until(centre.deadline - 1000)
    old = centre.deadline
    answer = moved(centre, 20_000)
    assert answer.status_code == 200, answer.text
    assert centre.deadline == centre.service.section(centre.section).deadline == old + 20_000
    assert centre.tender_file()["deadline"] == old + 20_000
    both = TwoSigned.from_body(answer.json()["result"]["postponement"])  # to hand to custodians
    streams = ("trading", "ledger", f"bidding/{centre.section}")
    rows = [row for name in streams for row in centre.ground.journal.rows(name)]
    kinds = {"section.amended", "section_amended", "announced", "moved", "refiled"}
    places = sorted(row.position for row in rows if row.kind in kinds)
    assert places == list(range(places[0], places[0] + 5))  # one append: all of it or nothing
    centre.until(old + 10)
    assert centre.hall()["phase"] == "bidding"
    centre.hand_in(2, "47105600.00")
    centre.hand_in(3, "45998800.88")
    centre.until(centre.deadline + 20)
    centre.cosign()
    assert centre.release("custodian-1", handed=(both,)).json()["status"] == "answered"
    assert centre.release("custodian-2").json()["status"] == "answered"
    assert len(centre.hall()["rows"]) == 3
    assert bidder.receipts


def test_a_bid_for_an_older_version_is_flagged_in_the_record(centre: Centre) -> None:
    centre.hand_in(1, "46382715.40")
    assert amend(centre).status_code == 200
    centre.hand_in(2, "47105600.00")
    centre.hand_in(3, "45998800.88")
    assert moved(centre, 5_000, affects_bids=False, title="延期").status_code == 200
    centre.until(centre.deadline + 20)
    centre.cosign()
    for keeper in ("custodian-1", "custodian-2"):
        assert centre.release(keeper).json()["status"] == "answered"
    book = centre.bidding.room.book(centre.section)
    facts = centre.bidding.paper._opening(book, centre.clock.now())
    assert facts.document_version == 3
    assert [row.remark for row in facts.rows] == ["按第 1 版招标文件编制，其后另有补遗", "", ""]


def stranger(office: Centre, deadline: int) -> dict[str, Any]:
    return order(office, deadline, by=Role.OPERATOR)


def test_moving_the_deadline_takes_the_supervisors_own_signature(standing: Centre) -> None:
    later = standing.deadline + 20_000
    wrong: list[dict[str, Any]] = [
        {"deadline": later},
        {"deadline": later, "postponement": stranger(standing, later)},
        {"deadline": later, "postponement": order(standing, later + 1000)},
        {"deadline": later, "postponement": order(standing, later, previous=later - 1000)},
        {"deadline": later, "postponement": order(standing, later, section="sec_x")},
        {"postponement": order(standing, later)},
        {
            "deadline": standing.deadline - 1000,
            "postponement": order(standing, standing.deadline - 1000),
        },
        {"deadline": later + 1, "postponement": order(standing, later + 1)},
        {"documents": ["doc_unknown"]},
        {"section": "sec_unknown"},
        {"title": "\u202eevil"},
        {"affects_bids": 1},
        {"more": 1},
    ]
    for changes in wrong:
        refused = amend(standing, **changes)
        assert refused.status_code in (404, 409, 422), (changes, refused.text)
    assert standing.service.state.announcement(standing.section).version == 1
    assert standing.deadline == later - 20_000


def test_it_takes_two_people_and_ones_own_project(standing: Centre) -> None:
    assert amend(standing, Role.OPERATOR, Role.OPERATOR).status_code == 403
    other = standing.hire(Role.TENDERER, code_for_tests(8100), "另一招标人")
    proposed = standing.propose(other, "section.amend", addendum(standing))
    if proposed.status_code == 201:
        refused = standing.confirm(standing.one(Role.REVIEWER), proposed.json())
        assert refused.status_code == 403, refused.text
    bidder = standing.propose(standing.one(Role.BIDDER), "section.amend", addendum(standing))
    assert bidder.status_code == 403
    assert standing.service.state.announcement(standing.section).version == 1


def test_after_the_deadline_nothing_is_amended(centre: Centre) -> None:
    proposed = centre.propose(centre.one(Role.TENDERER), "section.amend", addendum(centre))
    assert proposed.status_code == 201
    centre.until(centre.deadline)
    refused = centre.confirm(centre.one(Role.REVIEWER), proposed.json())
    assert refused.status_code == 410, refused.text
    assert amend(centre).status_code == 410


def test_paper_that_a_crash_left_out_is_made_up_in_order(office: Office) -> None:
    """The process dies with the row durable and nothing drawn: the start makes what is owed."""
    on_paper(office, 1)
    made = office.bidding.paper
    drawn, made.notice = made.notice, lambda _book: _nothing()  # type: ignore[method-assign]
    for number in (1, 2):
        assert amend(office, title=f"第{number}号补遗").status_code == 200
    assert drawn is not None
    office.restart()
    third = on_paper(office, 3)
    assert [change.title for change in third.changes] == ["第1号补遗", "第2号补遗"]
    papers = [one for one in office.documents.all(office.section) if one.kind == "notice"]
    assert [one.number.rpartition("-")[2] for one in papers[1:]] == ["2", "3"]


async def _nothing() -> None:
    """In place of drawing."""
