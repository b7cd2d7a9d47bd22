"""A receipt on paper: the page, the signed receipt in it, and a verifier that holds one against the other."""

import dataclasses
import io

import pikepdf
import pytest

from crypto.canonical import canonical, parse
from crypto.signature import SigningKey
from crypto.tlog import checkpoint
from crypto.tlog.note import Note
from documents.draw import redraws, unsigned
from documents.finish import finish
from documents.model import Attachment, DocumentError, Facts, ReceiptFacts, facts_from_json
from documents.slip import NOTE_EN, SENTENCE
from documents.slip import versions as rows
from documents.verify import verify_file
from tests.documents import samples
from tests.documents.conftest import NOW, sealed
from tests.documents.test_drawing import text_of
from tests.documents.test_receipt import believers, body, failed, key, slip

__all__ = ["believers", "body", "key"]
NAME = "广东恒𣲗水利建设集团<b>有限</b>公司"


def facts(key, body, **changes) -> ReceiptFacts:
    """The facts of a receipt; `changes` make the page lie."""
    head = checkpoint.parse(Note.parse(body["checkpoint"].encode()).text)
    heading = dataclasses.replace(
        samples.heading("HZ20261124-ABCDEFGH"),
        issued_at=body["issued"],
        ledger_origin=head.origin,
        ledger_size=head.size,
        ledger_root=head.root.hex(),
    )
    entry = body["entry"]
    said = {
        "heading": heading,
        "tender": body["tender"],
        "tender_name": "石岐河东排渠整治工程（二期）施工",
        "section": body["section"],
        "section_name": "施工标段",
        "deadline": samples.T,
        "bidder": samples.bidder(NAME, "91442000MA0000000X")[0],
        "act": entry["kind"],
        "id": entry["id"],
        "arrival": entry["arrival"],
        "slot": entry["slot"],
        "sha256": body["sha256"],
        "size": body["size"],
        "replaces": entry["replaces"],
        "receipt": slip(key, body).decode(),
    }
    return ReceiptFacts(**{**said, **changes})


@pytest.fixture(scope="module")
def paper(world, key, body) -> bytes:
    return sealed(world, facts(key, body), ("centre",))


def inside(pdf: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {
            name: opened.attachments[name].get_file().read_bytes() for name in opened.attachments
        }


def test_a_receipt_on_paper_is_valid_by_its_seal_and_by_the_receipt_in_it(paper, believers):
    report = verify_file("receipt.pdf", paper, believers, NOW)
    assert report.verdict == "valid", report
    ids = {check.id for check in report.checks}
    assert {"pdf.signatures", "pdf.seal", "slip.page", "slip.tree", "slip.log"} <= ids


def test_the_receipt_can_be_taken_out_and_checked_by_itself(paper, key, body, believers):
    files = inside(paper)
    assert files.keys() == {"record.json", "receipt.json"}
    assert files["receipt.json"] == slip(key, body)
    assert verify_file("receipt.json", files["receipt.json"], believers, NOW).verdict == "valid"
    again = facts_from_json(parse(files["record.json"]))
    assert again == facts(key, body)
    assert redraws(paper, again, ("centre",))


@pytest.mark.parametrize(
    "lie",
    [
        {"arrival": samples.T - 1},
        {"sha256": samples.digest("another")},
        {"size": 1},
        {"act": "withdrawal"},
        {"replaces": "sub_0"},
        {"section": "sec_other"},
    ],
)
def test_a_page_that_says_something_else_than_its_receipt_is_invalid(
    world, key, body, believers, lie
):
    lying = sealed(world, facts(key, body, **lie), ("centre",))
    assert failed(verify_file("receipt.pdf", lying, believers, NOW)) == {"slip.page"}


def test_a_receipt_by_a_stranger_on_the_centres_paper_is_invalid(world, body, believers):
    lying = sealed(world, facts(SigningKey.generate(), body), ("centre",))
    assert failed(verify_file("receipt.pdf", lying, believers, NOW)) == {"slip.signature"}


def test_a_receipt_that_proves_nothing_makes_the_paper_invalid(world, key, body, believers):
    false = {**body, "salt": "00" * 32}
    lying = sealed(world, facts(key, false), ("centre",))
    assert failed(verify_file("receipt.pdf", lying, believers, NOW)) == {"slip.tree"}


@pytest.mark.parametrize("what", ["swapped", "missing", "more"])
def test_attachments_are_those_that_the_facts_say(world, key, body, believers, monkeypatch, what):
    other = slip(key, {**body, "size": 1})
    real = ReceiptFacts.attachments

    def attachments(self: ReceiptFacts) -> tuple[Attachment, ...]:
        record, receipt = real(self)
        return {
            "swapped": (record, receipt._replace(data=other)),
            "missing": (record,),
            "more": (record, receipt, Attachment("x.json", b"{}", "x")),
        }[what]

    with monkeypatch.context() as patched:
        patched.setattr(ReceiptFacts, "attachments", attachments)
        lying = sealed(world, facts(key, body), ("centre",))
    assert failed(verify_file("receipt.pdf", lying, believers, NOW)) == {"pdf.facts"}


def test_other_records_carry_their_facts_alone(records):
    assert inside(records["opening"]).keys() == {"record.json"}
    assert [one.name for one in Facts.attachments(samples.opening())] == ["record.json"]


def test_the_same_facts_are_drawn_to_the_same_bytes(key, body):
    one = facts(key, body)
    assert unsigned(one, ("centre",)).pdf == unsigned(one, ("centre",)).pdf
    withdrawn = facts(key, body, act="withdrawal", replaces="sub_0")
    assert b"%PDF" in unsigned(withdrawn, ("centre",)).pdf
    assert callable(finish)
    assert canonical(one.to_json()) == one.record_json()


@pytest.mark.parametrize(
    ("newest", "said"), [(2, ("第 2 版", "到达时最新")), (3, ("第 2 版", "到达时最新为第 3 版"))]
)
def test_the_page_shows_the_version_of_the_tender_file_as_the_receipt_has_it(
    key, body, newest, said
):
    lines = rows(facts(key, {**body, "version": 2, "newest": newest}))
    assert lines[0][:2] == ("招标文件版本", "Document version")
    assert lines[0][2].text == said[0]
    assert lines[0][2].small.startswith(said[1])
    page = unsigned(facts(key, {**body, "version": 2, "newest": newest}), ("centre",)).pdf
    assert page != unsigned(facts(key, body), ("centre",)).pdf


def test_a_receipt_that_names_no_version_has_no_line_of_it_and_what_is_no_receipt_is_refused(
    key, body
):
    assert rows(facts(key, body)) == []
    with pytest.raises(DocumentError, match="no signed receipt"):
        rows(facts(key, body, receipt="[]"))


@pytest.mark.parametrize("act", ["submission", "withdrawal"])
def test_the_page_says_its_sentence_and_its_note_in_english_beneath_the_chinese(
    key, body, act, tmp_path
):
    (tmp_path / "receipt.pdf").write_bytes(unsigned(facts(key, body, act=act), ("centre",)).pdf)
    page = "".join(text_of(tmp_path / "receipt.pdf").split())
    zh, en = ("".join(half.split()) for half in SENTENCE[act])
    note = "".join(NOTE_EN.split())
    assert page.index(zh) < page.index(en) < page.index("本回执以所附") < page.index(note)
