"""Hostile texts in the browser: typed, refused, recorded, and shown on every page as what they are."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.checks import axe, reflows
from tests.browser.conftest import NewPage
from tests.browser.office import SECRETARIAT, Office
from tests.console.test_trace_page import HOSTILE_LINE, HOSTILE_TEXT

pytestmark = [pytest.mark.servers, pytest.mark.drill]
BELL = "\x07"


def test_hostile_texts_of_a_recommendation_are_shown_as_texts(office: Office, new_page: NewPage):
    officer, reference = office.visitor(new_page, SECRETARIAT), f"SYN/2031/R{uuid4().int % 90_000 + 1}"
    word = f"w{uuid4().hex[:10]}"
    title, text = f"{word} {HOSTILE_LINE}", HOSTILE_TEXT[:19_000] + "\u0301" * 100 + "x" * 900
    officer.open("/recommendations/new/draft")
    officer.fill({"reference": reference, "title": title + BELL, "text": text, "themes": title})
    officer.send()
    expect(officer.main.get_by_role("alert")).to_contain_text("it is one line of text")
    expect(officer.form.locator('[name="title"]')).to_have_value(title + BELL)
    expect(officer.form.locator('[name="text"]')).to_have_value(text)
    axe(officer.page)
    reflows(officer.page)
    officer.fill({"title": title})
    officer.send()
    expect(officer.main).to_contain_text("Recorded:")
    for path in (f"/recommendations/{reference}", f"/traces/{reference}", f"/search?q={word}"):
        officer.read_until(path, "<script>alert(1)</script>")
        expect(officer.main).to_contain_text(f"{word} </textarea></title></svg><script>alert(1)</script>")
        axe(officer.page)
        reflows(officer.page)
