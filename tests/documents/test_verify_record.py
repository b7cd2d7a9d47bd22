import dataclasses
import io
import json
import random
import re
from datetime import timedelta

import pikepdf
import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from crypto.encoding import sha256_hex
from documents.signer import signer
from documents.trust import Trust
from documents.verify import NOTHING, verify_file, verify_record
from tests.documents import auction_samples, pki, samples
from tests.documents.conftest import NOW, SIGNED_AT, SLOTS, sealed


def failed(report) -> set[str]:
    return {check.id for check in report.checks if check.status == "failed"}


def told(report) -> str:
    return json.dumps(report.to_json(), ensure_ascii=False, indent=1)


def ends(pdf: bytes) -> list[int]:
    """Ends of the file's revisions."""
    return [match.end() for match in re.finditer(rb"%%EOF\n?", pdf)]


@pytest.mark.parametrize("kind", SLOTS)
def test_an_untouched_record_is_valid(records, trust, kind):
    report = verify_record("r.pdf", records[kind], trust, NOW)
    assert report.verdict == "valid", told(report)


def test_the_report_is_what_the_contract_says(records, trust):
    value = verify_file("r.pdf", records["opening"], trust, NOW).to_json()
    assert set(value) == {"path", "verdict", "checks"}
    for check in value["checks"]:
        assert set(check) == {"id", "title", "essential", "status", "detail"}
        assert check["status"] in {"ok", "failed", "not_checked"}
        assert type(check["essential"]) is bool
    ids = [check["id"] for check in value["checks"]]
    assert len(set(ids)) == len(ids)
    undone = {check["id"] for check in value["checks"] if check["status"] == "not_checked"}
    assert undone == {"pdf.ledger", "pdf.revocation"}


def test_without_trust_the_verdict_is_incomplete(records):
    report = verify_record("r.pdf", records["opening"], NOTHING, NOW)
    assert report.verdict == "incomplete"
    assert not failed(report)


def test_years_later_the_record_is_still_valid(records, trust):
    assert (
        verify_record("r.pdf", records["opening"], trust, NOW + 9 * 365 * 86_400_000).verdict
        == "valid"
    )


def test_when_the_stamping_authority_has_expired_the_record_needs_renewal(records, trust):
    report = verify_record("r.pdf", records["opening"], trust, NOW + 12 * 365 * 86_400_000)
    assert failed(report) == {"pdf.chain"}


def test_before_it_was_signed_nothing_can_be_valid(records, trust):
    assert verify_record("r.pdf", records["opening"], trust, SIGNED_AT - 1).verdict == "invalid"


def test_other_trust_does_not_vouch_for_the_record(records, world):
    strangers = pki.build_root("别处")
    report = verify_record("r.pdf", records["opening"], Trust((strangers,)), NOW)
    assert failed(report) == {"pdf.chain"}
    assert report.verdict == "invalid"


def flip(pdf: bytes, position: int, bit: int = 0) -> bytes:
    changed = bytearray(pdf)
    changed[position] ^= 1 << bit
    return bytes(changed)


def overlay(pdf: bytes, tool: str = "page") -> bytes:
    """Append a revision that paints over a price, as any PDF tool can."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    from pyhanko.pdf_utils import generic

    stream = writer.add_object(generic.StreamObject(stream_data=b"1 1 1 rg 300 300 200 40 re f"))
    page = writer.root["/Pages"]["/Kids"][0]
    if tool == "page":
        page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), stream])
        writer.update_container(page)
    else:
        annotation = generic.DictionaryObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/Stamp"),
                generic.pdf_name("/Rect"): generic.ArrayObject(
                    [generic.NumberObject(n) for n in (300, 300, 500, 340)]
                ),
            }
        )
        page["/Annots"] = generic.ArrayObject([writer.add_object(annotation)])
        writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def container(pdf: bytes) -> tuple[int, int]:
    """Start and end of the last signature's container."""
    last = list(re.finditer(rb"/ByteRange ?\[([^\]]*)\]", pdf))[-1]
    _, start, end, _ = map(int, last[1].split())
    return start, end


def moved(pdf: bytes, donor: bytes) -> bytes:
    (start, end), (begin, stop) = container(pdf), container(donor)
    return pdf[:start] + donor[begin:stop] + pdf[end:]


def resaved(pdf: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.save(out)
    return out.getvalue()


TAMPERED = {
    "a byte in a page": lambda pdf, _: flip(pdf, 20_000),
    "a byte in the first signature's container": lambda pdf, _: flip(
        pdf, int(re.search(rb"/ByteRange ?\[0 (\d+)", pdf)[1]) + 900
    ),
    "a hex digit's case": lambda pdf, _: flip(pdf, pdf.index(b"A", container(pdf)[0]), 5),
    "the padding behind the last signature": lambda pdf, _: flip(pdf, container(pdf)[1] - 2),
    "the last byte of the file": lambda pdf, _: flip(pdf, len(pdf) - 1),
    "the first byte of the file": lambda pdf, _: flip(pdf, 0),
    "the byte range": lambda pdf, _: flip(pdf, pdf.rindex(b"/ByteRange") + 12),
    "an overlay on the page": lambda pdf, _: overlay(pdf),
    "a stamp annotation": lambda pdf, _: overlay(pdf, "annotation"),
    "a signature moved from another record": moved,
    "the last signer cut off": lambda pdf, _: pdf[: ends(pdf)[-2]],
    "two signers cut off": lambda pdf, _: pdf[: ends(pdf)[-3]],
    "all signers cut off": lambda pdf, _: pdf[: ends(pdf)[0]],
    "the tail cut off": lambda pdf, _: pdf[:-40],
    "a line feed appended": lambda pdf, _: pdf + b"\n",
    "a comment appended": lambda pdf, _: pdf + b"% harmless",
    "saved again by another tool": lambda pdf, _: resaved(pdf),
    "an empty file": lambda _pdf, _: b"",
    "only a header": lambda _pdf, _: b"%PDF-1.7\n",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_record_is_invalid(records, trust, how):
    report = verify_record(
        "r.pdf", TAMPERED[how](records["opening"], records["notice"]), trust, NOW
    )
    assert report.verdict == "invalid", told(report)


def test_no_single_byte_of_the_file_is_free(records, trust):
    """A sample over the whole file, always with both ends of each signature's container in it."""
    pdf = records["confirmation"]
    chosen = random.Random(20_261_124).sample(range(len(pdf)), 120)
    start, end = container(pdf)
    for position in {*chosen, start, start + 1, start + 9, end - 1, end}:
        report = verify_record("r.pdf", flip(pdf, position, position % 8), trust, NOW)
        assert report.verdict == "invalid", position


@pytest.mark.soak
def test_no_third_byte_of_the_last_container_is_free(records, trust):
    pdf = records["confirmation"]
    start, end = container(pdf)
    for position in range(start, end, 3):
        report = verify_record("r.pdf", flip(pdf, position, position % 8), trust, NOW)
        assert report.verdict == "invalid", position


def test_a_bidder_certified_by_the_centre_cannot_seal_as_another_centre(world, trust):
    impostor = "横琴迟报建设有限公司"
    certificate = pki.certificate(
        impostor, world.keys[1].public_key(), world.root.subject, world.root_key
    )
    facts = auction_samples.confirmation()
    facts = dataclasses.replace(
        facts, heading=dataclasses.replace(facts.heading, centre_name=impostor)
    )
    pdf = sealed(world, facts, centre=signer("centre", impostor, certificate, world.keys[1]))
    assert failed(verify_record("r.pdf", pdf, trust, NOW)) == {"pdf.seal"}


def test_a_bidder_cannot_seal_in_the_centres_name(world, trust):
    certificate = pki.certificate(
        "横琴迟报", world.keys[1].public_key(), world.root.subject, world.root_key
    )
    pdf = sealed(
        world,
        auction_samples.confirmation(),
        centre=signer("centre", "岐江市公共资源交易中心", certificate, world.keys[1]),
    )
    assert failed(verify_record("r.pdf", pdf, trust, NOW)) == {"pdf.seal"}


def test_a_centre_with_a_very_long_name_can_seal(world, trust):
    long = "岐江市" * 25
    facts = auction_samples.confirmation()
    facts = dataclasses.replace(facts, heading=dataclasses.replace(facts.heading, centre_name=long))
    certificate = pki.certificate(
        long[:21], world.keys[1].public_key(), world.root.subject, world.root_key, organisation=long
    )
    pdf = sealed(world, facts, centre=signer("centre", long, certificate, world.keys[1]))
    pinned = Trust((certificate, world.tsa_certificate))
    assert not failed(verify_record("r.pdf", pdf, pinned, NOW))
    # Under a root of another organisation it is a name like any other.
    assert failed(verify_record("r.pdf", pdf, trust, NOW)) == {"pdf.seal"}


def test_an_expired_certificate_cannot_sign(world, trust):
    old = pki.certificate(
        "岐江市公共资源交易中心",
        world.keys[1].public_key(),
        world.root.subject,
        world.root_key,
        days=30,
    )
    pdf = sealed(
        world,
        auction_samples.confirmation(),
        centre=signer("centre", "岐江市公共资源交易中心", old, world.keys[1]),
    )
    assert failed(verify_record("r.pdf", pdf, trust, NOW)) == {"pdf.chain"}


def test_a_certificate_that_may_not_issue_vouches_for_nobody(world, trust):
    middle = world.supervisor.certificate
    key = world.keys[1]
    leaf = pki.certificate(
        "岐江市公共资源交易中心", world.keys[0].public_key(), middle.subject, key
    )
    one = signer("centre", "岐江市公共资源交易中心", leaf, world.keys[0], (middle,))
    assert "pdf.chain" in failed(
        verify_record(
            "r.pdf", sealed(world, auction_samples.confirmation(), centre=one), trust, NOW
        )
    )


def test_a_stamp_by_someone_who_is_no_authority_does_not_count(world, trust):
    from documents.timestamp import DevelopmentTsa

    wrong = DevelopmentTsa(world.supervisor.certificate, world.keys[1], lambda: SIGNED_AT)
    report = verify_record(
        "r.pdf", sealed(world, auction_samples.confirmation(), stamp=wrong.stamp), trust, NOW
    )
    assert failed(report) == {"pdf.chain"}


def test_a_record_signed_before_what_it_tells_is_invalid(world, trust):
    pdf = sealed(world, auction_samples.confirmation(), at=samples.T)
    assert failed(verify_record("r.pdf", pdf, trust, NOW)) == {"pdf.facts"}


def test_a_pinned_sealing_certificate_is_enough_without_its_root(world):
    pinned = Trust((world.centre.certificate, world.tsa_certificate))
    assert (
        verify_record("r.pdf", sealed(world, auction_samples.confirmation()), pinned, NOW).verdict
        == "valid"
    )


def test_the_log_holds_the_file_and_its_number_of_signatures(records, trust, log):
    pdf = records["opening"]
    index = log.add("record", record="rec_1", type="opening", sha256=sha256_hex(pdf), signatures=4)
    log.add("slot", slot=1)
    report = verify_record("r.pdf", pdf, trust, NOW, log.proof(index).to_bytes())
    assert report.verdict == "valid", told(report)
    ledger = next(check for check in report.checks if check.id == "pdf.ledger")
    assert ledger.essential
    assert "cosigned by 2 witnesses" in ledger.detail


def test_a_record_cut_back_to_an_earlier_state_fails_by_the_log_alone(world, trust, log):
    """With one signer more and no field left open by it, only the log can tell; here both tell."""
    pdf = sealed(world, samples.opening(), ("centre", "supervisor"))
    index = log.add("record", record="rec_2", type="opening", sha256=sha256_hex(pdf), signatures=2)
    report = verify_record("r.pdf", pdf[: ends(pdf)[-2]], trust, NOW, log.proof(index).to_bytes())
    assert {"pdf.ledger", "pdf.fields"} <= failed(report)


def test_a_proof_whose_log_is_not_trusted_leaves_the_verdict_incomplete(records, world, log):
    pdf = records["notice"]
    index = log.add("record", record="rec_3", type="notice", sha256=sha256_hex(pdf), signatures=2)
    alone = Trust((world.root,))
    assert (
        verify_record("r.pdf", pdf, alone, NOW, log.proof(index).to_bytes()).verdict == "incomplete"
    )


def test_no_single_byte_of_a_proof_is_free(records, trust, log):
    pdf = records["notice"]
    index = log.add("record", record="rec_4", type="notice", sha256=sha256_hex(pdf), signatures=2)
    proof = log.proof(index).to_bytes()
    assert verify_file("r.proof.json", proof, trust, NOW).verdict == "valid"
    for position in range(len(proof)):
        report = verify_file("r.proof.json", flip(proof, position, position % 7), trust, NOW)
        assert report.verdict != "valid", position


def test_the_signing_time_lies_between_the_events_and_the_check(records, trust):
    stamped_at = timedelta(milliseconds=SIGNED_AT - samples.T)
    assert timedelta(0) < stamped_at
    report = verify_record("r.pdf", records["notice"], trust, NOW)
    times = next(check for check in report.checks if check.id == "pdf.times")
    assert "development authority" in times.detail
