"""Paper of openings that custodians did not carry alone: keys handed over, quorum failed, list supplemented."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clients.auditor import opening, outcome
from clients.auditor.checklist import AuditError
from clients.auditor.evidence import Evidence
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from crypto.encoding import b64
from documents.paper import check as read_paper
from documents.trust import NOTHING, Trust
from documents.verify import Directory
from tests.bidding.office import Office
from tests.bidding.test_quorum import (
    after_the_window,
    all_bidders,
    failed,
    hand_over,
    jump,
    lose,
    supplement,
    to_disclose,
)
from tests.bidding.test_run import read_out, three
from tests.clients.auditor.opening_world import NAME
from tests.clients.auditor.test_endings import audit, detail, not_ok

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from documents.model import OpeningFacts
    from tests.documents.pki import Pki


def opened_office(tmp_path: Path) -> Office:
    office = Office(tmp_path / "home", centre_name=NAME)
    office.first_people()
    three(office)
    return office


def sealed(office: Office) -> None:
    office.decided()
    assert office.pace("confirm").status_code == 200
    office.until(office.clock.now() + 60_000)
    assert office.pace("seal").status_code == 200
    office.filed()


def facts(office: Office) -> OpeningFacts:
    """What the issued opening record says; the paper itself is checked by `audit` in the dossier."""
    record = office.bidding.room.shelf.books[office.section].records["opening"]
    pdf = office.runner.run(office.client.get(f"/api/v1/records/{record}.pdf")).content
    found = read_paper(pdf, NOTHING, office.clock.now())[0].facts
    assert found is not None
    return found  # type: ignore[return-value]


def paper_holds(office: Office, authority: Pki) -> None:
    """`verify` on the record alone, with its proof beside it."""
    record = office.bidding.room.shelf.books[office.section].records["opening"]
    base = f"/api/v1/records/{record}"
    folder = office.settings.home
    for name in ("pdf", "proof.json"):
        got = office.runner.run(office.client.get(f"{base}.{name}"))
        (folder / f"opening.{name}").write_bytes(got.content)
    keys = Keys(Trust.from_pem(office.trust(authority)))
    found = report(folder / "opening.pdf", keys, office.clock.now() + 1000)
    assert not_ok(found) == {}
    assert found.verdict == "valid"


def test_a_disclosed_opening_is_on_paper_and_verifies_from_its_dossier_alone(
    tmp_path: Path, authority: Pki
) -> None:
    with opened_office(tmp_path) as office:
        office.until(office.deadline)
        office.cosign()
        assert office.release("custodian-1").json()["status"] == "answered"
        after_the_window(office)
        assert failed(office).status_code == 201
        one, two, last = all_bidders(office)
        for bidder in (one, two, last):
            assert to_disclose(office, bidder, "pledges").status_code == 201
        hand_over(office, one)
        hand_over(office, two)
        jump(office, office.bidding.room.keyed(office.section).opening.disclose.end)
        assert read_out(office) == ["46382715.40", "47105600.00", ""]
        sealed(office)
        for rendition in ("full", "public"):
            found = audit(office, authority, rendition)
            assert not_ok(found) == {}, rendition
            assert "custodian-1" in detail(found, "opening.releases")
            assert "pledged" in detail(found, "opening.disclosed")
        full = audit(office, authority)
        again = {c.id: c.detail for c in full.checks if c.id.startswith("opening.bid.")}
        assert sorted("files" in told for told in again.values()) == [False, True, True]
        assert sum("deemed_revoked" in told for told in again.values()) == 1
        paper_holds(office, authority)
        said = facts(office)
        assert [row.unlock for row in said.rows].count("opened") == 2
        altered(office, authority)


def altered(office: Office, authority: Pki) -> None:
    """Negative control: another key, an unpublished one, a failure that nobody declared are each found."""
    keys = Keys(Trust.from_pem(office.trust(authority)))
    bag = office.settings.home / "dossiers" / f"{office.section}-full.bag"
    other = b64(bytes(16))
    changes: tuple[tuple[Callable[[dict[str, Any]], None], str], ...] = (
        (lambda leaf: leaf["bids"][0].update(file_key=other), "handed over another key"),
        (
            lambda leaf: leaf["bids"][0].update(file_key="", result="disclosure-missing"),
            "does not publish it",
        ),
        (lambda leaf: leaf["bids"][2].update(file_key=other), "handed over another key"),
        (lambda leaf: leaf.update(failure="0" * 64), "declares no such failure"),
    )
    for change, told in changes:
        section = opening.read(
            Evidence(Directory(bag), office.clock.now()), keys, office.section, office.clock.now()
        )
        outcome.disclosed(section)
        change(section.named["disclosed"][1])
        with pytest.raises(AuditError, match=told):
            outcome.disclosed(section)
    # No key may be published before all have pledged theirs (design.md §2, if the quorum fails).
    section = opening.read(
        Evidence(Directory(bag), office.clock.now()), keys, office.section, office.clock.now()
    )
    pledged = [*section.state.pledges.items()]
    section.__dict__["state"] = replace(section.state, pledges=dict(pledged[1:]))
    with pytest.raises(AuditError, match="not all bidders had pledged"):
        outcome.disclosed(section)


def test_a_failed_quorum_is_on_paper_and_opened_nothing(tmp_path: Path, authority: Pki) -> None:
    with opened_office(tmp_path) as office:
        office.until(office.deadline)
        office.cosign()
        after_the_window(office)
        assert failed(office).status_code == 201
        for bidder in all_bidders(office)[:2]:
            to_disclose(office, bidder, "pledges")
        jump(office, office.bidding.room.keyed(office.section).opening.pledge.end)
        assert office.hall()["phase"] == "failed_quorum"
        office.filed()
        for rendition in ("full", "public"):
            found = audit(office, authority, rendition)
            assert not_ok(found) == {}, rendition
            assert "failed_quorum" in detail(found, "opening.hall")
            ids = {c.id for c in found.checks}
            assert not {"opening.combined", "opening.results", "opening.disclosed"} & ids
        paper_holds(office, authority)


def test_a_supplemented_opening_is_on_paper_and_verifies(tmp_path: Path, authority: Pki) -> None:
    with opened_office(tmp_path) as office:
        fourth = office.hand_in(4, "44000000.00")
        copies = lose(office, fourth)
        office.until(office.deadline)
        office.cosign()
        assert office.release("custodian-1").json()["status"] == "answered"
        shutil.copyfile(fourth.file, copies[0])
        entry = fourth.receipts[-1]["statement"]["entry"]["id"]
        assert supplement(office, entry).status_code == 201
        for id_ in ("custodian-1", "custodian-3"):
            assert office.release(id_).json()["status"] == "answered"
        assert len(read_out(office)) == 4
        sealed(office)
        for rendition in ("full", "public"):
            found = audit(office, authority, rendition)
            assert not_ok(found) == {}, rendition
        assert "4 bids" in detail(audit(office, authority), "opening.results")
        paper_holds(office, authority)
