"""Receipts on paper over HTTP: for their owner only, after the fact, and without a trace that could be counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clients import handing_in
from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from clients.errors import ClientError
from clients.sdk.wire import Answer
from clients.sdk.wire import Centre as Wire
from crypto.canonical import canonical
from documents.trust import Trust
from tests.bidding.office import Office
from tests.documents import pki
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bidding.centre import Bidder
    from tests.trading.world import Someone

NAME = "岐江市公共资源交易中心"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A section that takes bids for an hour, with everything that draws."""
    with Office(tmp_path_factory.mktemp("slips") / "home", centre_name=NAME) as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        made.hand_in(1, "46382715.40", damage=False)
        yield made


@pytest.fixture(scope="module")
def trust(office: Office) -> Trust:
    return Trust.from_pem(office.trust(pki.build()))


def first(office: Office) -> Bidder:
    return office.bidders["投标单位1"]


def address(office: Office, receipt: dict[str, Any]) -> str:
    said = receipt["statement"]
    return f"/sections/{said['section']}/receipts/{said['entry']['id']}.pdf"


def paper(office: Office, receipt: dict[str, Any], who: Someone | None) -> Any:
    return office.call("GET", address(office, receipt), who=who)


def test_a_receipt_on_paper_verifies_with_all_that_the_auditor_knows_of_receipts(
    office: Office, trust: Trust, tmp_path: Path
) -> None:
    bidder = first(office)
    answer = paper(office, bidder.receipts[0], bidder.who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    file = tmp_path / "receipt.pdf"
    file.write_bytes(answer.content)
    found = report(file, Keys(trust), office.clock.now())
    assert found.verdict == "valid", found
    ids = {check.id for check in found.checks if check.status == "ok"}
    assert {"pdf.seal", "slip.page", "slip.tree", "slip.log", "receipt.issuer"} <= ids
    flipped = bytearray(answer.content)
    flipped[len(flipped) // 2] ^= 1
    file.write_bytes(flipped)
    assert report(file, Keys(trust), office.clock.now()).verdict == "invalid"


def test_it_writes_no_leaf_and_no_row_and_comes_again_as_it_was(office: Office) -> None:
    bidder = office.hand_in(2, "47105600.00")
    before = (office.ground.ledger.size, office.ground.journal.position)
    answers = [paper(office, bidder.receipts[0], bidder.who).content for _ in range(2)]
    assert answers[0] == answers[1]
    assert (office.ground.ledger.size, office.ground.journal.position) == before
    assert all(one["type"] != "receipt" for one in office.get("/records")["records"])


def test_nobody_else_gets_it_and_to_all_it_looks_as_if_there_were_none(office: Office) -> None:
    bidder, other = first(office), office.bidder(3)
    answer = paper(office, bidder.receipts[0], other.who)
    none = office.call("GET", f"/sections/{office.section}/receipts/bid_x.pdf", who=other.who)
    assert answer.status_code == none.status_code == 409
    assert answer.json()["type"] == none.json()["type"]
    assert paper(office, bidder.receipts[0], None).status_code == 401
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR, Role.TENDERER):
        assert paper(office, bidder.receipts[0], office.one(role)).status_code == 403


def test_a_withdrawal_has_its_own_and_hostile_names_stop_neither(
    office: Office, trust: Trust, tmp_path: Path
) -> None:
    name = "㑇𠮷<b>有限</b>公司" + "字" * 480
    bidder = office.bidder(4, name)
    office.seal(bidder, "1.00")
    office.send_file(bidder)
    assert office.submit(bidder).status_code == 201
    withdrawn = office.withdraw(bidder)
    assert withdrawn.status_code == 201
    for number, receipt in enumerate((bidder.receipts[0], withdrawn.json())):
        answer = paper(office, receipt, bidder.who)
        assert answer.status_code == 200, answer.text
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(answer.content)
        assert report(file, Keys(trust), office.clock.now()).verdict == "valid"


class Line:
    """The office as a client's transport."""

    def __init__(self, office: Office, who: Someone, change: Any = lambda body: body) -> None:
        self.office, self.who, self.change = office, who, change

    def send(self, method: str, path: str, headers: Any, body: Any) -> Answer:
        """One request."""
        given = self.office.call(method, path.removeprefix("/api/v1"), who=self.who)
        return Answer(given.status_code, dict(given.headers), self.change(given.content))

    def close(self) -> None:
        """Nothing to close."""


def test_the_client_brings_it_home_beside_the_json_and_believes_nothing(
    office: Office, trust: Trust, tmp_path: Path
) -> None:
    bidder = first(office)
    target = tmp_path / "BID.receipt.json"
    target.write_bytes(canonical(bidder.receipts[0]) + b"\n")
    said = office.bidding.room.keyed(office.section)
    entry = bidder.receipts[0]["statement"]["entry"]["id"]
    from bidding.model import Receipt

    head = ("v", "suite", "purpose", "centre")
    body = {k: v for k, v in said.receipts[entry]["statement"].items() if k not in head}
    handed = handing_in.Handed(path=target, receipt=Receipt.from_body(body), checks=())
    wire = Wire(Line(office, bidder.who), "http://centre.test")
    home = handing_in.keep_paper(wire, handed, trust, office.clock)
    assert home == tmp_path / "BID.receipt.pdf"
    target.write_bytes(canonical({**bidder.receipts[0], "key": "x"}) + b"\n")
    with pytest.raises(ClientError, match="another receipt"):
        handing_in.keep_paper(wire, handed, trust, office.clock)
    cut = Wire(Line(office, bidder.who, lambda data: data[:-1]), "http://centre.test")
    with pytest.raises(ClientError, match="does not hold"):
        handing_in.keep_paper(cut, replace(handed), trust, office.clock)


def test_without_documents_the_centre_says_so(office: Office, monkeypatch: Any) -> None:
    bidder = office.hand_in(6, "45998800.88")
    monkeypatch.setattr(office.bidding.room, "documents", None)
    answer = paper(office, bidder.receipts[0], bidder.who)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kaibiao:problem:no-paper")
