import dataclasses
import re
import subprocess
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents import confirmation, opening, typeface
from documents.draw import draw, redraws, unsigned
from documents.layout import fitted
from documents.model import DocumentError
from documents.slots import SLOTS
from tests.documents import auction_samples, samples
from tests.documents.conftest import SLOTS as WHO


def text_of(path, *, layout=False) -> str:
    command = ["pdftotext", *(["-layout"] if layout else []), str(path), "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("kind", WHO)
def test_the_same_facts_give_the_same_bytes(kind):
    facts = auction_samples.BY_KIND[kind]()
    assert unsigned(facts, WHO[kind]).pdf == unsigned(facts, WHO[kind]).pdf


def test_every_name_price_and_time_can_be_read_back(records, pdf_file):
    text = squeezed(text_of(pdf_file(records["opening"])))
    facts = samples.opening()
    for row in facts.rows:
        for name in (
            *(party.name for party in row.bidder),
            row.project_manager,
            row.representative,
        ):
            assert squeezed(unicodedata.normalize("NFC", name)) in text
    for wanted in (
        "46,382,715.40",
        "45,998,800.88",
        "09:01:02.137",
        "2026-11-2409:00:00.020",
        "视为撤销",
        "48,650,000.00（肆仟捌佰陆拾伍万元整）",
        "应答错误，证明不成立",
        "演示",
        "<365>&单位",
    ):
        assert wanted in text, wanted


def test_the_notice_prints_the_recipient_the_custodians_and_the_rules(records, pdf_file):
    text = squeezed(text_of(pdf_file(records["notice"])))
    facts = samples.notice()
    for wanted in (
        facts.recipient,
        *(c.organisation for c in facts.custodians),
        facts.custodians[0].fingerprint,
        facts.remedy,
        facts.late_uploads,
        *facts.rules,
        "任何3家应答即可解密",
        "自开标时间起30分",
    ):
        assert squeezed(wanted) in text, wanted


def test_the_transcript_prints_every_offer_also_the_refused(records, pdf_file):
    text = text_of(pdf_file(records["transcript"]), layout=True)
    for offer in auction_samples.transcript().offers:
        assert f"{offer.arrival % 1000:03d}" in text
    assert text.count("BELOW_MIN_NEXT") == 3
    assert "54,348,000.00" in text


def test_a_transcript_without_a_deal_names_no_time_of_a_deal(pdf_file):
    facts = dataclasses.replace(auction_samples.transcript(), outcome="UNSOLD")
    text = squeezed(text_of(pdf_file(draw(facts, ("centre",)).pdf)))
    assert "结束时刻" in text
    assert "成交时刻" not in text


def test_the_confirmation_prints_figures_and_capitals(records, pdf_file):
    text = squeezed(text_of(pdf_file(records["confirmation"])))
    assert "人民币玖佰柒拾贰万捌仟元整" in text
    assert "9,728,000.00" in text
    assert "东𬍛制衣厂有限公司" in text


@pytest.mark.parametrize("kind", WHO)
def test_every_font_is_embedded_and_reads_back(records, pdf_file, kind):
    out = subprocess.run(
        ["pdffonts", str(pdf_file(records[kind]))], check=True, capture_output=True, timeout=60
    )
    fonts = out.stdout.decode().splitlines()[2:]
    assert fonts
    for line in fonts:
        assert re.search(r"\byes +yes +yes\b", line), line


def test_no_heading_of_the_opening_record_wraps():
    for column in opening._BIDS:
        for line in column.zh.split("\n"):
            assert typeface.width(line, typeface.BOLD, 8.5) + 8 <= column.width * 72 / 25.4, line


def test_a_company_named_like_markup_is_printed_as_it_is(pdf_file):
    facts = auction_samples.confirmation()
    wild = '<b>R&D</b> "有限" <para> &amp; <img src="x"/>公司'
    drawn = confirmation.draw(dataclasses.replace(facts, holder=wild))
    assert squeezed(wild) in squeezed(text_of(pdf_file(drawn.pdf)))


@pytest.mark.parametrize(
    "character", ["\U0002a6d6", "\ue000", "\u202e", "\u200b", "\t", "\u00a0", "👍"]
)
def test_a_character_without_a_glyph_is_printed_as_its_code_point_never_as_a_box(
    character, pdf_file
):
    """One participant's rare or hostile character must not keep a record from being made."""
    facts = dataclasses.replace(auction_samples.confirmation(), holder=f"怪{character}字公司")
    text = squeezed(text_of(pdf_file(draw(facts, ("centre",)).pdf)))
    assert f"怪〔U+{ord(character):04X}〕字公司" in text
    with pytest.raises(DocumentError, match=f"U\\+{ord(character):04X}"):
        typeface.require(character)  # what the centre itself writes is mended, not printed so


ALL = sorted(
    typeface.characters(typeface.SERIF)
    & typeface.characters(typeface.BOLD)
    & typeface.characters(typeface.SANS)
)
HAN = [chr(code) for code in ALL if code >= 0x3400]


def test_the_fonts_know_the_standard_characters_and_the_rare_ones():
    assert len(HAN) > 8_105
    assert set("𣲗㛃䶮𬭚𬍛𫖯𬱖骉犇赟堃喆昇珺玥") <= set(HAN)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.sampled_from(HAN), min_size=2, max_size=60), fen=st.integers(1, 10**15))
def test_any_name_of_standard_characters_and_any_price_is_read_back(pdf_file, name, fen):
    facts = samples.opening(1)
    price = f"{fen // 100}.{fen % 100:02d}"
    row = dataclasses.replace(
        facts.rows[0], bidder=samples.bidder(name, "91440000MA4W0001X1"), total_price=price
    )
    text = squeezed(
        text_of(pdf_file(unsigned(dataclasses.replace(facts, rows=(row,)), ("centre",)).pdf))
    )
    assert squeezed(unicodedata.normalize("NFC", name)) in unicodedata.normalize("NFC", text)
    assert f"{fen // 100:,}.{fen % 100:02d}" in text


def test_a_long_consortium_and_three_hundred_rows_still_fit(pdf_file):
    facts = samples.opening(300)
    long = tuple(dataclasses.replace(facts.rows[0].bidder[0], name="岐江" * 120) for _ in range(4))
    rows = (dataclasses.replace(facts.rows[0], bidder=long), *facts.rows[1:])
    drawn = draw(dataclasses.replace(facts, rows=rows), ("centre",))
    pages = subprocess.run(
        ["pdfinfo", str(pdf_file(drawn.pdf))], check=True, capture_output=True, timeout=60
    )
    count = int(re.search(rb"Pages: +(\d+)", pages.stdout)[1])
    assert count > 20
    assert f"第 {count} 页 共 {count} 页" in text_of(pdf_file(drawn.pdf))


def test_a_name_of_500_characters_is_set_smaller_and_its_row_is_not_torn_over_two_pages(pdf_file):
    name = ("广东省岐江市石岐河流域水利水电工程建设投资开发集团股份有限公司" * 17)[:500]
    facts = samples.opening(2)
    long = (dataclasses.replace(facts.rows[0].bidder[0], name=name),)
    rows = (dataclasses.replace(facts.rows[0], bidder=long), *facts.rows[1:])
    drawn = draw(dataclasses.replace(facts, rows=rows), ("centre",))
    first = text_of(pdf_file(drawn.pdf)).split("\f")[0]
    assert name in squeezed(first)
    assert (fitted("名" * 120, 9), fitted("名" * 121, 9), fitted("名" * 500, 6)) == (9, 7.38, 5.6)


def test_an_opening_that_failed_has_its_record_too(pdf_file):
    facts = dataclasses.replace(
        samples.opening(),
        rows=(),
        outcome="failed_too_few",
        custody=(),
        objections=(),
        officials=(),
    )
    text = squeezed(text_of(pdf_file(draw(facts, ("centre",)).pdf)))
    assert "未予解密，开标失败" in text


def test_the_seal_is_only_the_appearance_of_a_signature(records, pdf_file):
    bare = unsigned(samples.opening(), WHO["opening"]).pdf
    assert "开标专用章" not in squeezed(text_of(pdf_file(bare)))
    shown = subprocess.run(
        ["pdftoppm", "-r", "40", "-f", "4", "-l", "4", str(pdf_file(records["opening"]))],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    plain = subprocess.run(
        ["pdftoppm", "-r", "40", "-f", "4", "-l", "4", str(pdf_file(bare))],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    assert red_pixels(shown) > red_pixels(plain) + 200


def red_pixels(ppm: bytes) -> int:
    pixels = ppm.split(b"\n", 3)[3]
    triples = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=False)
    return sum(r > 160 and g < 90 and b < 90 for r, g, b in triples)


def test_a_signed_record_still_begins_with_the_page_its_facts_yield(records):
    assert redraws(records["opening"], samples.opening(), WHO["opening"])
    other = dataclasses.replace(samples.opening(), float_point="1.00")
    assert not redraws(records["opening"], other, WHO["opening"])


@pytest.mark.parametrize("names", [("host",), ("centre", "centre"), ("centre", "poet"), ()])
def test_signers_that_cannot_be_are_refused(names):
    with pytest.raises(DocumentError, match="signers"):
        draw(auction_samples.confirmation(), names)


def test_every_slot_can_sign_every_record():
    assert len(draw(samples.opening(), tuple(SLOTS)).fields) == len(SLOTS)
