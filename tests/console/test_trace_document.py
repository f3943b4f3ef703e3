"""A trace as PDF: tagged, whole, in the order of the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest

from tests.cli.record_in_memory import TODAY, public_traces
from tests.console.test_trace_page import NAMES, a_hostile_history, texts_in
from tools.console.pdf import Drawing, Heading, Paragraph, Points, Table, write
from tools.console.trace.document import document_of
from tools.console.trace.view import TraceView
from tools.console.trace.window import Window

SITE = "https://throughline.example"
MADE_AT = datetime(2031, 1, 1, tzinfo=UTC)


def a_document(trace: dict[str, Any], **today: Any) -> Any:
    return document_of(TraceView(trace, TODAY | today, Window()), SITE, MADE_AT)


def words_of(text: str) -> str:
    """Return a text without what may break a line."""
    return re.sub("[\\s\u200b\ufffe-]", "", text)


@pytest.mark.parametrize("reference", ["CED/2022/R1", "CED/2020/R1"])
def test_a_trace_is_a_tagged_document_with_every_statement(reference: str):
    trace = public_traces()[reference]
    pdf = write(a_document(trace))
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in opened.Root
        assert str(opened.Root.Lang).startswith("en")
    shown = words_of("".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)))
    stated = {name: part for name, part in trace.items() if name not in ("provenance", "based_on")}
    hidden = {
        item["evidence"].get(name) for item in trace["follow_up"] if "evidence" in item for name in ("source", "body")
    }
    missing = [text for name, text in texts_in(stated) if name in NAMES - {"body"} and words_of(text) not in shown]
    assert set(missing) <= hidden
    assert f"{SITE}/traces/{reference}" in shown


def test_the_drawing_comes_with_its_steps_as_a_table():
    trace = public_traces()["CED/2022/R1"]
    document = a_document(trace)
    [drawing] = [block for block in document.blocks if isinstance(block, Drawing)]
    [table] = [block for block in document.blocks if isinstance(block, Table)]
    assert drawing.svg.count("<a ") == len(table.rows)
    assert not any("suspect" in row[3] for row in table.rows)
    suspect = a_document(public_traces()["CED/2020/R1"])
    [table] = [block for block in suspect.blocks if isinstance(block, Table)]
    assert any("suspect" in row[3] for row in table.rows)


def test_what_is_past_due_is_in_it():
    document = a_document(public_traces()["CED/2022/R1"], past_due=["A follow-up was due by 2030."])
    place = document.blocks.index(Points(["A follow-up was due by 2030."]))
    assert document.blocks[place - 1] == Heading("Past due on 1 January 2031")


@pytest.mark.slow
def test_hostile_texts_are_data():
    trace = a_hostile_history()
    document = a_document(trace)
    assert Paragraph("None is on record.") in document.blocks
    assert write(document).startswith(b"%PDF-1.7")
