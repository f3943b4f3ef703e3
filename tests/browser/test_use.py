"""The console without JavaScript, by keyboard alone, sent twice, by two at once, and after its session ended."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.checks import axe, press, reflows, tab_to, type_into
from tests.browser.conftest import NewPage
from tests.browser.main_job import EXPERT, MainJob
from tests.browser.office import FIJI, SECRETARIAT, Office, Visitor, sign_in

pytestmark = pytest.mark.servers
NOMINATION = {
    "details.name": EXPERT,
    "details.contact": "synthetic.expert@example.org",
    "note_verbale.channel": "letter",
    "note_verbale.reference": "SYN/2",
    "institution": "Synthetic institute",
    "category": "academia",
}


def a_call(officer: Visitor) -> str:
    """Open a call, and return its address."""
    call = f"call-{uuid4().hex[:8]}"
    officer.record("/calls/new/open", {"call": call, "title": "Synthetic call"})
    return f"/calls/{call}"


def recorded(officer: Visitor, path: str) -> int:
    """Return how many entries the history of a record has."""
    officer.open(path)
    return officer.main.locator(".moj-timeline__item").count()


@pytest.mark.drill
def test_the_job_without_javascript_from_nomination_to_acceptance(office: Office, new_page: NewPage):
    focal_point = office.visitor(new_page, FIJI, java_script_enabled=False)
    officer = office.visitor(new_page, SECRETARIAT, java_script_enabled=False)
    nomination = f"nomination-{uuid4().hex[:8]}"
    focal_point.open("/nominations/new/submit")
    typed = {**NOMINATION, "nomination": nomination}
    focal_point.fill({**typed, "institution": ""})
    focal_point.send()
    expect(focal_point.main.get_by_role("alert")).to_contain_text("Institution")
    for name, text in typed.items():
        expect(focal_point.form.locator(f'[name="{name}"]').first).to_have_value(text if name != "institution" else "")
    focal_point.fill({"institution": typed["institution"]})
    focal_point.send()
    expect(focal_point.main).to_contain_text("Recorded:")
    officer.open("/nominations?member=FJI&stage=submitted")
    officer.main.get_by_role("link", name=nomination).click()
    officer.main.get_by_role("button", name="Accept").click()
    officer.send()
    expect(officer.main).to_contain_text("Accepted")


def test_a_document_that_is_too_large_is_refused_and_nothing_typed_is_lost(job: MainJob, tmp_path: Path):
    focal_point, large = job.visitor(FIJI), tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(20_000_001)
    focal_point.open("/nominations/new/submit")
    focal_point.fill(NOMINATION)
    focal_point.page.locator('[name="note_verbale.digest.file"]').set_input_files(large)
    focal_point.send()
    expect(focal_point.main.get_by_role("alert")).to_contain_text("it may hold 20,000,000 bytes")
    for name, text in NOMINATION.items():
        expect(focal_point.form.locator(f'[name="{name}"]').first).to_have_value(text)
    axe(focal_point.page)


def test_sign_in_filter_and_form_by_keyboard_alone(office: Office, new_page: NewPage):
    page = new_page()
    page.goto(office.address)
    press(page, page.get_by_role("radio", name="Secretariat"), "Space")
    tab_to(page, page.get_by_label("Made-up name"))
    page.keyboard.press("Control+A")
    page.keyboard.type(SECRETARIAT.name)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.address}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    press(page, page.get_by_role("link", name="Nominations", exact=True))
    press(page, page.get_by_role("link", name="Calls for nominations"))
    press(page, page.get_by_role("button", name="Open call"))
    call = f"call-{uuid4().hex[:8]}"
    type_into(page, page.locator('[name="call"]'), call)
    type_into(page, page.locator('[name="title"]'), "Synthetic call by keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#main-content")).to_contain_text("Recorded:")
    press(page, page.get_by_role("link", name="Calls", exact=True))
    tab_to(page, page.get_by_label("Stage"))
    page.keyboard.type("Open")
    page.wait_for_url("**/calls?*stage=open*")
    press(page, page.get_by_role("link", name=call))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Synthetic call by keyboard")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_form_that_is_sent_twice_is_recorded_once(office: Office, new_page: NewPage, scripts: bool):
    officer = office.visitor(new_page, SECRETARIAT, java_script_enabled=scripts)
    call = a_call(officer)
    officer.open(f"{call}/do/close")
    officer.form.get_by_role("button").dblclick()
    expect(officer.main).to_contain_text("Closed")
    assert recorded(officer, call) == 2


def test_the_back_button_after_a_form_was_sent_records_nothing_twice(job: MainJob):
    officer, address = job.visitor(SECRETARIAT), f"/recommendations/{job.draft}"
    note = {"progress": "under_implementation", "action": f"Synthetic action {uuid4().hex[:6]}"}
    officer.record(f"{address}/do/report-follow-up", note)
    before = recorded(officer, address)
    officer.open(f"{address}/do/report-follow-up")
    officer.fill(note)
    officer.send()
    expect(officer.main).to_contain_text("This was recorded before")
    officer.page.go_back()
    officer.fill(note)
    officer.send()
    expect(officer.main).to_contain_text("This was recorded before")
    assert recorded(officer, address) == before


def test_the_second_of_two_officers_is_told_what_the_first_recorded(office: Office, new_page: NewPage):
    first, second = (office.visitor(new_page, SECRETARIAT) for _ in range(2))
    call = a_call(first)
    second.open(f"{call}/do/close")
    second.fill({"note": "Synthetic note of the second"})
    first.record(f"{call}/do/close", {"note": "Synthetic note of the first"})
    second.send()
    expect(second.main).to_contain_text("What others recorded since you opened this page")
    expect(second.main.locator(".moj-timeline__item")).to_have_count(1)
    expect(second.main.locator(".moj-timeline__item")).to_contain_text("Call for nominations closed")
    expect(second.form.locator('[name="note"]')).to_have_value("Synthetic note of the second")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_session_that_ends_in_mid_form_loses_nothing(office: Office, new_page: NewPage, scripts: bool):
    officer = office.visitor(new_page, SECRETARIAT, java_script_enabled=scripts)
    call = f"call-{uuid4().hex[:8]}"
    text = 'Synthetic "title" <b>& more</b>\u202e'
    officer.open("/calls/new/open")
    officer.fill({"call": call, "title": text, "themes": "water\nair"})
    officer.page.context.clear_cookies()
    officer.send()
    expect(officer.main).to_contain_text("nothing that you typed is lost")
    with officer.page.context.expect_page() as opened:
        officer.main.get_by_role("link", name="Sign in again").click()
    sign_in(opened.value, office.address, SECRETARIAT)
    officer.main.get_by_role("button", name="Go on").click()
    for name, value in {"call": call, "title": text, "themes": "water\nair"}.items():
        expect(officer.form.locator(f'[name="{name}"]')).to_have_value(value)
    officer.send()
    expect(officer.main).to_contain_text("Recorded:")


def test_a_service_that_is_down_is_named_and_the_rest_works(office: Office, new_page: NewPage, job: MainJob):
    officer, stack = office.visitor(new_page, SECRETARIAT), office.stack
    meeting = f"/meetings/{job.held}"
    officer.open(f"{meeting}/do/record-outcome")
    officer.fill({"outcome": "action-1", "kind": "action_point", "text": "Synthetic action point"})
    stack.stop_one("meetings")
    try:
        officer.send()
        expect(officer.main).to_contain_text("It is not known whether this was recorded.")
        expect(officer.form.locator('[name="text"]')).to_have_value("Synthetic action point")
        other = office.visitor(new_page, SECRETARIAT)
        assert other.open("/") == 200
        expect(other.main).to_contain_text("No answer from: Meetings")
        for shown in (officer.page, other.page):
            axe(shown)
            reflows(shown)
        assert other.open("/nominations") == 200
        assert other.open(f"/traces/{job.followed_up}") == 200
        assert other.open("/meetings") == 503
        expect(other.main).to_contain_text("No answer from the service meetings")
        axe(other.page)
        reflows(other.page)
    finally:
        stack.start_one("meetings")
    officer.send()
    expect(officer.main).to_contain_text("Recorded:")
    expect(officer.main).to_contain_text("Synthetic action point")
