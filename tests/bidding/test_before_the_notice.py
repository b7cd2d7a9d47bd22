"""A section has its key before its notice is published: until then nobody outside learns of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bidding.centre import Centre
from trading.model import Role


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with Centre(tmp_path / "home") as made:
        made.first_people()
        yield made


def keyed(centre: Centre) -> tuple[str, str]:
    """A section with its key whose notice waits for the second person; ids of tender and section."""
    form = centre.tender_form(deadline=centre.clock.now() // 1000 * 1000 + 30_000)
    made = centre.carry("tender.create", form)
    section = made["sections"][0]
    centre.call("POST", f"/sections/{section}/ceremony", {}, centre.one(Role.OPERATOR))
    for _ in range(3):
        centre.ceremony_round()
    assert centre.bidding.room.keyed(section).keyed is not None
    return made["tender"], section


def test_a_section_is_not_named_before_its_notice(centre: Centre) -> None:
    tender, section = keyed(centre)
    assert centre.get("/openings") == []
    unknown = centre.call("GET", "/openings/sec_" + "a" * 26)
    asked = centre.call("GET", f"/openings/{section}")
    assert asked.status_code == unknown.status_code == 404
    assert asked.json() == unknown.json()  # not even that there is something
    signing = centre.call("POST", f"/openings/{section}/sign-in", {}, centre.one(Role.BIDDER))
    assert signing.status_code == 404
    for who in (centre.one(Role.BIDDER), centre.one(Role.AUDITOR)):
        assert centre.call("GET", f"/openings/{section}", who=who).status_code == 404
        assert centre.get("/openings", who) == []
    centre.carry("tender.publish", {"tender": tender})
    assert [one["section"] for one in centre.get("/openings")] == [section]
    assert centre.get(f"/openings/{section}")["phase"] == "bidding"


def test_a_terminated_draft_is_never_named(centre: Centre) -> None:
    tender, section = keyed(centre)
    body = {"target": tender, "reason": "项目取消"}
    proposed = centre.propose(centre.one(Role.OPERATOR), "tender.terminate", body)
    if proposed.status_code == 201:
        centre.confirm(centre.one(Role.SUPERVISOR), proposed.json())
    assert centre.get("/openings") == []
    assert centre.call("GET", f"/openings/{section}").status_code == 404
