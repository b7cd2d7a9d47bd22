"""The letter of qualification on paper: for its holder alone, sealed, checked offline, and counted nowhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clients.auditor.inputs import report
from clients.auditor.keys import Keys
from crypto.canonical import canonical, parse
from documents import letter as checks
from documents.checks import Report
from documents.model import QualificationFacts, facts_from_json
from documents.paper import check as read_paper
from documents.trust import NOTHING, Trust
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.documents.test_slip import inside
from tests.trading.world import Someone
from trading.model import Role


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Whole(tmp_path_factory.mktemp("letters") / "home") as made:
        made.first_people()
        yield made


@pytest.fixture(scope="module")
def lot(whole: Whole) -> str:
    """A lot in which bidder 1 has paid and bidder 2 has not."""
    _, (made,) = whole.session(LISTING)
    assert whole.deposit(whole.bidder(1).who, made, "100.00").status_code == 201
    whole.runner.run(whole.settle())
    return str(made)


def paper(whole: Whole, lot: str, who: Someone | None) -> Any:
    return whole.call("GET", f"/lots/{lot}/qualification.pdf", who=who)


@pytest.fixture(scope="module")
def pdf(whole: Whole, lot: str) -> bytes:
    answer = paper(whole, lot, whole.bidder(1).who)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return bytes(answer.content)


def facts(pdf: bytes) -> QualificationFacts:
    found = facts_from_json(parse(inside(pdf)["record.json"]))
    assert isinstance(found, QualificationFacts)
    return found


def verified(path: Path, data: bytes, trust: Trust, whole: Whole) -> Report:
    path.write_bytes(data)
    return report(path, Keys(trust), whole.clock.now())


def test_it_says_what_the_signed_letter_inside_says_and_verifies_offline(
    whole: Whole, lot: str, pdf: bytes, tmp_path: Path
) -> None:
    signed = whole.call("GET", f"/lots/{lot}/qualification", who=whole.bidder(1).who).json()
    files = inside(pdf)
    assert files.keys() == {"record.json", "qualification.json"}
    assert parse(files["qualification.json"]) == signed
    trust = Trust.from_pem("".join(whole.service.certificates.values()).encode())
    found = verified(tmp_path / "letter.pdf", pdf, trust, whole)
    assert found.verdict == "valid", found
    assert {"pdf.signatures", "pdf.seal", "slip.page", "slip.signature"} <= {
        one.id for one in found.checks
    }
    alone = verified(tmp_path / "letter.json", files["qualification.json"], trust, whole)
    assert alone.verdict == "valid", alone
    torn = verified(
        tmp_path / "torn.pdf", pdf.replace(b"qualification", b"qualifikation"), trust, whole
    )
    assert torn.verdict == "invalid"


def test_it_goes_to_its_holder_alone(whole: Whole, lot: str) -> None:
    assert paper(whole, lot, None).status_code == 401
    assert paper(whole, lot, whole.bidder(2).who).status_code == 403
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR):
        assert paper(whole, lot, whole.one(role)).status_code == 403
    assert paper(whole, "lot_none", whole.bidder(1).who).status_code == 404


def test_it_leaves_no_record_no_leaf_and_no_row_that_could_be_counted(
    whole: Whole, lot: str
) -> None:
    def public() -> tuple[Any, ...]:
        records = whole.call("GET", "/records").json()
        rows = whole.ground.journal.position
        return (
            records,
            whole.ground.ledger.size,
            rows,
            whole.call("GET", f"/lots/{lot}").json()["state"],
        )

    before = public()
    first = paper(whole, lot, whole.bidder(1).who)
    again = paper(whole, lot, whole.bidder(1).who)
    assert first.content == again.content  # from memory
    assert public() == before


@pytest.mark.parametrize(
    "lie",
    [{"paddle": "999"}, {"lot": "lot_x"}, {"deposit_amount": "1.00"}, {"rules": "0" * 64}, {"parcel": "L9"}],
)  # fmt: skip
def test_a_page_that_says_something_else_than_its_letter_is_found(
    pdf: bytes, lie: dict[str, str]
) -> None:
    honest = facts(pdf)
    assert checks.check_page(honest).status == "ok"
    assert checks.check_page(replace(honest, **lie)).status == "failed"
    other = replace(honest, holder=replace(honest.holder, name="别家公司"))
    assert checks.check_page(other).status == "failed"
    assert canonical(honest.to_json()) == honest.record_json()
    assert read_paper(pdf, NOTHING, honest.heading.issued_at)[0].facts == honest
