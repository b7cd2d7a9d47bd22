"""An opening with talk, a mute, a date of reconvening and files is derived again; a date that nobody signed is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crypto import statement
from tests.acceptance.opening.test_hall import mute, reconvene, say, upload
from tests.acceptance.opening.test_scenarios import now, object_
from tests.bidding.office import Office
from tests.clients.auditor.opening_world import NAME
from tests.clients.auditor.test_endings import audit, detail, not_ok
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.documents.pki import Pki


def held(office: Office) -> None:
    """A whole meeting, up to the sealed hall and a date to meet again."""
    office.first_people()
    office.filer._wait_s = 20
    office.set_up(minimum=3)
    whole: Any = office
    a, b, c = (office.hand_in(n, f"4{n}000000.00") for n in (1, 2, 3))
    for bidder in (a, b):
        path = f"/openings/{office.section}/sign-in"
        assert office.call("POST", path, {}, bidder.who).status_code == 201
    office.until(office.deadline + 20)
    office.cosign()
    for name in ("custodian-1", "custodian-2"):
        assert office.release(name).json()["status"] == "answered"
    assert say(whole, office.one(Role.OPERATOR), "现在唱标").status_code == 201
    assert say(whole, a.who, "收到").status_code == 201
    assert mute(whole, a.who.organisation).status_code == 201
    note = {"bidder": b.who.organisation, "text": "委托书已补正"}
    path = f"/openings/{office.section}/identity-notes"
    assert office.call("POST", path, note, office.one(Role.OPERATOR)).status_code == 201
    supervisor = office.one(Role.SUPERVISOR)
    signed = office.signed(supervisor, "suspension", target=office.section, reason="网络核查")
    assert office.call("POST", "/suspensions", signed, supervisor).status_code < 300
    office.runner.run(office.settle())
    date = (office.clock.now() // 1000 + 3) * 1000
    assert reconvene(whole, date).status_code == 201
    body = {"target": office.section, "reason": "已核查"}
    proposed = office.propose(office.one(Role.OPERATOR), "target.resume", body).json()
    assert office.confirm(supervisor, proposed).status_code == 200
    office.until(date)
    assert now(whole, "read_all").status_code == 200
    assert now(whole, "confirm").status_code == 200
    file = upload(whole, a.who, b"%PDF evidence")
    assert object_(whole, a, "单价有误", (file,)).status_code == 201
    reply = {"bidder": a.who.organisation, "text": "见附件", "files": []}
    path = f"/openings/{office.section}/answers"
    assert office.call("POST", path, reply, office.one(Role.TENDERER)).status_code == 201
    for bidder in (b, c):
        assert office.confirm_reading(bidder).status_code == 201
    assert now(whole, "seal").status_code == 200


def test_a_meeting_is_derived_again_also_when_it_meets_after_its_record(
    tmp_path: Path, authority: Pki
) -> None:
    with Office(tmp_path / "home", centre_name=NAME) as office:
        held(office)
        whole: Any = office
        date = (office.clock.now() // 1000 + 3) * 1000
        office.awaited(lambda: "opening" in office.bidding.room.shelf.books[office.section].records)
        assert reconvene(whole, date).status_code == 201
        office.until(date)
        assert say(whole, office.one(Role.OPERATOR), "复会").status_code == 201
        assert now(whole, "end_meeting").status_code == 200
        office.cosign()
        office.filed()
        found = audit(office, authority)
        assert not_ok(found) == {}
        assert found.verdict == "valid"
        assert detail(found, "opening.confirmations").count("by two") >= 1
        assert audit(office, authority, "public", pinned=False).verdict == "incomplete"


@pytest.mark.parametrize(
    "fault",
    [
        "one key",
        pytest.param("nobody", marks=pytest.mark.soak),
        pytest.param("another date", marks=pytest.mark.soak),
    ],
)
def test_a_date_that_two_did_not_sign_is_found(
    tmp_path: Path, authority: Pki, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A centre that sets a date by itself, or changes what the supervisor signed."""
    with Office(tmp_path / "home", centre_name=NAME) as office:
        real = office.bidding.run.command

        async def bent(*given: Any, **extra: Any) -> Any:
            both = extra.pop("order_kept", None)
            if both is not None and fault == "one key":
                extra["order_kept"] = {**both, "supervisor": both["centre"]}
            elif both is not None and fault == "another date":
                said = {
                    name: value
                    for name, value in both["centre"]["statement"].items()
                    if name not in ("v", "suite", "purpose", "centre")
                }
                key = office.bidding.room.key
                other = statement.sign(
                    key, "reconvening", CENTRE, {**said, "time": said["time"] + 1}
                )
                extra["order_kept"] = {**both, "centre": other}
            return await real(*given, **extra)

        monkeypatch.setattr(office.bidding.run, "command", bent)
        held(office)
        office.awaited(lambda: "opening" in office.bidding.room.shelf.books[office.section].records)
        office.cosign()
        office.filed()
        assert set(not_ok(audit(office, authority))) == {"opening.confirmations"}
