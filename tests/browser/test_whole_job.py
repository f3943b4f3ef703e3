"""The main job where it is hardest: all of it without JavaScript, and its two decisions by keyboard alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import press, tab_to
from tests.browser.conftest import NewPage
from tests.browser.main_job import EVIDENCE, TITLE, MainJob
from tests.browser.office import CHAIR, FIJI, RECORDED, SECRETARIAT, Office, Visitor

pytestmark = [pytest.mark.servers, pytest.mark.drill]


def choose(page: Page, field: Locator, value: str) -> None:
    """Reach a field by Tab, and type its value, or go down its list to it."""
    tab_to(page, field)
    if field.evaluate("element => element.tagName") != "SELECT":
        page.keyboard.type(value)
    for _ in range(field.locator("option").count()):
        if field.input_value() == value:
            break
        page.keyboard.press("ArrowDown")
    expect(field).to_have_value(value)


def decide(visitor: Visitor, record: str, word: str, chosen: Mapping[str, str]) -> None:
    """Go from the page of a record to a form of it, fill it in and send it, by keyboard alone."""
    visitor.open(record)
    press(visitor.page, visitor.main.locator(f"a[href$='/do/{word}']").first)
    for name, value in chosen.items():
        choose(visitor.page, visitor.form.locator(f'[name="{name}"]'), value)
    press(visitor.page, visitor.form.get_by_role("button").last)
    expect(visitor.main).to_contain_text(RECORDED)


def test_the_whole_job_without_javascript(office: Office, new_page: NewPage, paper: Path):
    own = Office(office.stack, office.address)
    job = MainJob(own, partial(new_page, java_script_enabled=False), paper, session="801")
    focal_point, reference = job.visitor(FIJI), job.followed_up
    focal_point.open(f"/traces/{reference}")
    for text in (TITLE, f"Synthetic resolution {job.key}", f"Synthetic meeting {job.key}", "session 801", EVIDENCE):
        expect(focal_point.main).to_contain_text(text, ignore_case=True)


def test_a_mandate_is_cited_and_a_recommendation_adopted_by_keyboard_alone(job: MainJob):
    assert job.adopted
    officer, reference = job.visitor(SECRETARIAT), f"SYN/2027/R{job.number}"
    officer.record("/recommendations/new/draft", {"reference": reference, "title": TITLE, "text": "Synthetic text."})
    record = f"/recommendations/{reference}"
    decide(officer, record, "cite", {"instrument": job.instrument, "provision": "water"})
    decide(job.visitor(CHAIR), record, "adopt", {"meeting": job.held, "outcome": "decision-1"})
    officer.open(f"/traces/{reference}")
    expect(officer.main).to_contain_text("adopted", ignore_case=True)
    expect(officer.main).to_contain_text(f"Synthetic resolution {job.key}")
