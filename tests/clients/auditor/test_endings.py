"""Openings that go another way than most: postponed, objected to, failed for want of bidders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bidding.model import Postponement
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from crypto import statement
from documents.trust import Trust
from tests.bidding.centre import CENTRE
from tests.bidding.office import Office
from tests.clients.auditor.opening_world import NAME
from trading.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from documents.checks import Report
    from tests.documents.pki import Pki


def audit(office: Office, pki: Pki, rendition: str = "full", *, pinned: bool = True) -> Report:
    keys = Keys(Trust.from_pem(office.trust(pki))) if pinned else Keys()
    bag = office.settings.home / "dossiers" / f"{office.section}-{rendition}.bag"
    return report(bag, keys, office.clock.now() + 1000)


def not_ok(found: Report) -> dict[str, str]:
    return {c.id: c.detail for c in found.checks if c.status != "ok" and c.essential}


def detail(found: Report, id_: str) -> str:
    return next(c.detail for c in found.checks if c.id == id_)


def test_an_opening_with_too_few_bidders_is_valid_and_opened_nothing(
    tmp_path: Path, authority: Pki
) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        office.first_people()
        office.set_up(minimum=3)
        office.hand_in(1, "46382715.40")
        office.hand_in(2, "46382716.40")
        office.until(office.deadline + 20)
        office.cosign()
        office.filed()
        found = audit(office, authority)
        assert not_ok(found) == {}
        assert "failed_fewer_than_3" in detail(found, "opening.hall")
        ids = {c.id for c in found.checks}
        assert not {"opening.combined", "opening.results", "opening.enough-bidders"} & ids


def postpone(office: Office, by_ms: int) -> None:
    supervisor = office.one(Role.SUPERVISOR)
    body = Postponement(
        tender=office.tender_file()["tender"],
        section=office.section,
        previous=office.deadline,
        deadline=office.deadline + by_ms,
        reason="停电",
        at=office.clock.now(),
    )
    signed = statement.sign(supervisor.key, Postponement.PURPOSE, CENTRE, body.to_body())
    path = f"/sections/{office.section}/postponements"
    answer = office.post(path, {"supervisor": signed}, office.one(Role.OPERATOR))
    assert answer.status_code == 201, answer.text


def object_to(office: Office, bidder: Any, text: str) -> Any:
    body = {"section": office.section, "bidder": bidder.who.organisation, "text": text, "files": []}
    signed = statement.sign(bidder.who.key, "objection", CENTRE, body)
    return office.post(f"/openings/{office.section}/objections", signed, bidder.who)


def test_a_postponed_opening_with_an_objection_is_valid(tmp_path: Path, authority: Pki) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        office.first_people()
        office.filer._wait_s = 20
        office.set_up(minimum=3)
        one = office.hand_in(1, "46382715.40")
        office.hand_in(3, "46382717.40")
        postpone(office, 5_000)
        two = office.hand_in(2, "46382716.40")
        office.until(office.deadline + 20)
        office.cosign()
        assert office.release("custodian-1").json()["status"] == "answered"
        assert office.release("custodian-2").json()["status"] == "answered"
        assert office.pace("read_all").status_code == 200
        assert office.pace("confirm").status_code == 200
        assert office.confirm_reading(two).status_code == 201
        assert object_to(office, one, "唱标金额有误").status_code == 201
        reply = {"bidder": one.who.organisation, "text": "已核对，无误"}
        path = f"/openings/{office.section}/answers"
        assert office.post(path, reply, office.one(Role.OPERATOR)).status_code == 201
        office.until(office.clock.now() + 61_000)
        assert office.pace("seal").status_code == 200
        office.awaited(lambda: "opening" in office.bidding.room.shelf.books[office.section].records)
        office.cosign()
        office.filed()
        found = audit(office, authority)
        assert not_ok(found) == {}
        assert found.verdict == "valid"
        assert "objected" in detail(found, "opening.confirmations")
        assert audit(office, authority, "public", pinned=False).verdict == "incomplete"
