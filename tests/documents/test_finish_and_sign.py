import dataclasses
import io
import json
import subprocess

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import pdfa
from reportlab.pdfgen.canvas import Canvas

from documents.draw import unsigned
from documents.finish import finish
from documents.model import DocumentError
from documents.page import Drawn
from documents.sign import ROOM, sign
from documents.signer import Signer, signer
from documents.trust import Trust
from documents.verify import verify_record
from tests.documents import auction_samples, pki, samples
from tests.documents.conftest import NOW, SIGNED_AT, SLOTS, sealed
from tests.documents.test_drawing import HAN


def test_the_unsigned_record_is_pdf_a_3b_with_its_facts_attached():
    ready = unsigned(samples.opening(), SLOTS["opening"])
    assert pdfa.validate_written(io.BytesIO(ready.pdf), "3b").verdict == "pass"
    with pikepdf.open(io.BytesIO(ready.pdf)) as pdf:
        (name,) = pdf.attachments
        attached = pdf.attachments[name].get_file()
        assert name == "record.json"
        assert attached.read_bytes() == samples.opening().record_json()
        assert attached.mime_type == "application/json"
        assert pdf.Root.AF[0].AFRelationship == pikepdf.Name.Data


def test_a_page_with_an_unembedded_font_does_not_pass():
    target = io.BytesIO()
    canvas = Canvas(target, invariant=1, initialFontName="Helvetica")
    canvas.drawString(50, 50, "not embedded")
    canvas.save()
    with pytest.raises(DocumentError, match="PDF/A-3b"):
        finish(Drawn(target.getvalue(), (), "bad"), samples.opening())


@pytest.mark.parametrize("kind", SLOTS)
def test_signing_breaks_no_rule_of_the_archive_format(records, kind):
    report = pdfa.validate_written(io.BytesIO(records[kind]), "3b")
    assert not [finding for finding in report.findings if finding.kind == "violation"]
    assert records[kind].startswith(b"%PDF-1.")


@pytest.mark.parametrize("kind", SLOTS)
def test_qpdf_and_pdfsig_accept_each_record(records, pdf_file, kind):
    path = str(pdf_file(records[kind]))
    qpdf = subprocess.run(["qpdf", "--check", path], check=False, capture_output=True, timeout=60)
    assert qpdf.returncode == 0, qpdf.stdout
    told = subprocess.run(
        ["pdfsig", "-nocert", path], check=True, capture_output=True, timeout=60
    ).stdout.decode()
    assert told.count("Signature is Valid.") == len(SLOTS[kind])
    assert told.count("Total document signed") == 1


def test_the_named_revision_is_the_last_one_and_each_signature_appends(records):
    assert records["opening"].count(b"%%EOF") == 1 + len(SLOTS["opening"])


def test_a_curve_key_may_not_sign_a_record(world):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = pki.certificate("曲线", key.public_key(), world.root.subject, world.root_key)
    with pytest.raises(DocumentError, match="RSA key of at least 3072"):
        Signer("centre", "曲线", certificate, lambda data: data)


def test_a_short_rsa_key_may_not_sign_a_record(world):
    key = rsa.generate_private_key(65537, 2048)
    certificate = pki.certificate("短", key.public_key(), world.root.subject, world.root_key)
    with pytest.raises(DocumentError, match="3072"):
        signer("centre", "短", certificate, key)


def test_who_signs_must_be_who_has_a_place(world):
    ready = unsigned(auction_samples.confirmation(), ("centre", "winner"))
    with pytest.raises(DocumentError, match="exactly the signers"):
        sign(
            ready.pdf,
            ready.fields,
            [world.centre],
            world.tsa(SIGNED_AT).stamp,
            ready.purpose,
            SIGNED_AT,
        )


def test_a_signer_that_fails_is_named_and_nothing_leaks(world):
    def broken(_data: bytes) -> bytes:
        raise OSError("the device is gone")

    ready = unsigned(auction_samples.confirmation(), ("centre",))
    one = dataclasses.replace(world.centre, sign=broken)
    with pytest.raises(DocumentError, match=r"岐江市公共资源交易中心.*the device is gone"):
        sign(ready.pdf, ready.fields, [one], world.tsa(SIGNED_AT).stamp, ready.purpose, SIGNED_AT)


def test_a_signature_too_large_for_its_room_is_refused(world):
    ready = unsigned(auction_samples.confirmation(), ("centre",))
    with pytest.raises(DocumentError, match="does not fit the room"):
        sign(
            ready.pdf,
            ready.fields,
            [world.centre],
            lambda _digest: bytes(ROOM),
            ready.purpose,
            SIGNED_AT,
        )


@settings(max_examples=10)
@given(name=st.text(st.sampled_from(HAN), min_size=1, max_size=16))
def test_any_name_of_standard_characters_may_stand_in_a_certificate(world, name):
    # Characters newer than Unicode 3.2 make the usual path builder raise; here they are names like others.
    certificate = pki.certificate(
        name, world.keys[1].public_key(), world.root.subject, world.root_key
    )
    ready = unsigned(auction_samples.confirmation(), ("centre", "winner"))
    who = [world.centre, signer("winner", name, certificate, world.keys[1])]
    pdf = sign(ready.pdf, ready.fields, who, world.tsa(SIGNED_AT).stamp, ready.purpose, SIGNED_AT)
    report = verify_record("x.pdf", pdf, Trust((world.root,)), NOW)
    assert report.verdict == "valid", json.dumps(report.to_json(), ensure_ascii=False)


def test_sealing_alone_is_enough_for_a_valid_record(world, trust):
    assert verify_record("x.pdf", sealed(world, samples.notice()), trust, NOW).verdict == "valid"
