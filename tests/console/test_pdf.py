"""A document as PDF: tagged, deterministic, text as data, no text lost, each script drawn with the console's fonts."""

from __future__ import annotations

import dataclasses
import sys
import unicodedata

import pypdfium2
import pytest
import typst

from tests.console.pdf_checks import language, tags
from tests.console.synthetic_document import ADDRESS, DOCUMENT, HOSTILE, MADE_AT, SCRIPTS
from tools.console.document_fonts import document_fonts
from tools.console.pdf import Block, Document, Drawing, Heading, Link, Paragraph, Table, write

LESS_THAN_BLANK = 0.2


def made_of(*blocks: Block) -> bytes:
    return write(Document("Synthetic", "en", blocks, MADE_AT))


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def test_a_document_is_tagged_and_states_its_language():
    pdf = write(DOCUMENT)
    counted = tags(pdf)
    assert counted["Table"] == 2
    assert counted["TH"] == 4
    assert counted["TD"] == 2 * (len(SCRIPTS) + len(HOSTILE) * 12)
    assert counted["Figure"] == 1
    assert counted["Link"] == 2
    assert {"H1", "H2", "Caption", "L"} <= counted.keys()
    assert language(pdf) == "en"
    assert language(write(dataclasses.replace(DOCUMENT, language="fr"))) == "fr"


def test_the_same_content_gives_the_same_bytes():
    assert write(DOCUMENT) == write(DOCUMENT)
    assert write(DOCUMENT) != write(dataclasses.replace(DOCUMENT, title="Another"))


def test_text_is_never_markup():
    assert HOSTILE[0] in text_of(made_of(Paragraph(HOSTILE[0])))


def test_a_character_without_a_font_is_written_as_its_number():
    assert "a [U+0E01] [U+1F600] [U+0000] [U+D800] b" in text_of(made_of(Paragraph("a ก \U0001f600 \x00 \ud800 b")))


def test_every_character_that_formats_text_is_accepted():
    formats = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]
    assert len(formats) > 150
    assert made_of(Paragraph(" a ".join(formats)))


def test_every_character_of_the_fonts_is_accepted():
    assert made_of(Paragraph(" ".join(map(chr, sorted(document_fonts().characters - set(range(32)))))))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_is_drawn_with_glyphs_of_its_own(script: str):
    missing = made_of(Paragraph("\u25a1" * len(SCRIPTS[script])))
    with pypdfium2.PdfDocument(made_of(Paragraph(SCRIPTS[script]))) as drawn, pypdfium2.PdfDocument(missing) as other:
        pictures = [document[0].render(grayscale=True).to_pil() for document in (drawn, other)]
    assert pictures[0].histogram() != pictures[1].histogram()
    assert not any(f"[U+{ord(character):04X}]" in text_of(made_of(Paragraph(script))) for character in SCRIPTS[script])


def test_a_link_leads_to_the_web_only():
    assert tags(made_of(Paragraph(Link("here", ADDRESS))))["Link"] == 1
    assert tags(made_of(Paragraph(Link("here", "javascript:alert()"))))["Link"] == 0


def test_a_text_from_right_to_left_begins_at_the_right():
    with pypdfium2.PdfDocument(made_of(Paragraph(SCRIPTS["Arabic"]))) as pdf:
        picture = pdf[0].render(grayscale=True).to_pil()
    width, height = picture.size
    below_title = picture.crop((0, height // 10, width, height // 2)).point(lambda value: 255 - value).getbbox()
    assert below_title is not None
    assert below_title[2] > width * 0.9 - 10
    assert below_title[0] > width * 0.4


def test_a_drawing_is_light_and_not_a_black_box():
    with pypdfium2.PdfDocument(write(DOCUMENT)) as pdf:
        picture = pdf[0].render(grayscale=True).to_pil()
    dark = sum(picture.histogram()[:128]) / (picture.width * picture.height)
    assert 0 < dark < LESS_THAN_BLANK


@pytest.mark.parametrize(
    "block", [Heading("Too deep", 2), Drawing("<svg/>", ""), Drawing("no drawing", "of anything")], ids=str
)
def test_what_could_not_be_accessible_is_refused(block: Block):
    with pytest.raises(typst.TypstError):
        made_of(block)


def test_a_text_of_20_000_characters_without_a_space_stays_on_its_pages():
    with pypdfium2.PdfDocument(made_of(Paragraph("W" * 20_000), Table("Narrow", ["A", "B"], [["W" * 400] * 2]))) as pdf:
        pictures = [page.render(grayscale=True).to_pil() for page in pdf]
    assert len(pictures) > 3
    margins = [picture.crop((round(picture.width * 0.93), 0, *picture.size)) for picture in pictures]
    assert [margin.getextrema() for margin in margins] == [(255, 255)] * len(margins)


def test_a_long_table_repeats_its_header():
    pdf = made_of(Table("Long", ["Kept column", "Other"], [["a", "b"]] * 100))
    assert text_of(pdf).count("Kept column") > 1
    assert tags(pdf)["TH"] == 2
