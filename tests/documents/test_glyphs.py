import io

import pytest
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph, table__g_l_y_f
from reportlab.platypus import Paragraph

from documents import glyphs, typeface
from documents.draw import unsigned
from documents.layout import paragraph, plain, style
from tests.documents import auction_samples

PLAIN = table__g_l_y_f("glyf")


@pytest.fixture(scope="module")
def table():
    glyphs.register()
    path = typeface.FOLDER / "NotoSansSC-Regular.ttf"
    return TTFont(io.BytesIO(path.read_bytes()), lazy=True)["glyf"]


def test_an_outline_from_memory_is_what_fonttools_reads(table):
    simple = [glyph for glyph in table.glyphs.values() if getattr(glyph, "data", b"")[:1] == b"\0"]
    for glyph in simple[:40]:
        data = glyph.data
        wanted = Glyph(data)
        wanted.expand(PLAIN)
        for again in (glyphs.Outline(data), glyphs.Outline(data)):
            again.expand(table)
            assert vars(again) == vars(wanted)
            again.expand(table)  # a second time it is left as it is


def test_a_broken_outline_fails_each_time_also_after_the_whole_one_was_read(table):
    data = next(g.data for g in table.glyphs.values() if len(getattr(g, "data", b"")) > 80)
    glyphs.Outline(data).expand(table)
    for _ in range(2):
        with pytest.raises(Exception, match=r"."):
            glyphs.Outline(data[:40]).expand(table)


def test_finishing_reads_an_outline_once_and_the_same_record_again_reads_none():
    facts = auction_samples.confirmation()
    unsigned(facts, ("centre",))
    before = glyphs._read.cache_info()
    unsigned(facts, ("centre",))
    after = glyphs._read.cache_info()
    assert after.misses == before.misses
    assert after.hits > before.hits


@pytest.mark.parametrize(
    "text",
    ["岐江第一水利（集团）有限公司", "  two  blanks and\u3000a wide one ", "a", "", "  ", "<b>R&D</b>", "一\n二", "长" * 90],
)  # fmt: skip
@pytest.mark.parametrize("width", [50.0, 400.0])
def test_a_text_without_markup_is_laid_out_as_reportlab_would(text, width):
    wanted = style(size=9, align="center")
    ours, theirs = paragraph(text, wanted), Paragraph(plain(text, wanted.fontName), wanted)
    assert ours.wrap(width, 800) == theirs.wrap(width, 800)
    for attribute in ("kind", "lines"):
        assert repr(getattr(ours.blPara, attribute)) == repr(getattr(theirs.blPara, attribute))
    assert repr(ours.frags) == repr(theirs.frags)
