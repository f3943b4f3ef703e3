"""Every page of the console by axe, and at 320 pixels and 400 %: empty, full, refused, not there, by each role."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.checks import axe, reflows
from tests.browser.conftest import NewPage
from tests.browser.main_job import EXPERT, MainJob
from tests.browser.office import AUDITOR, CHAIR, FIJI, SECRETARIAT, Office, Role, Visitor
from tests.patience import AT_MOST_SECONDS

pytestmark = pytest.mark.servers

NAVIGATION = (
    *("/", "/nominations", "/group", "/group/members", "/meetings", "/meetings/calendar", "/instruments"),
    *("/recommendations", "/coverage", "/coverage?by=recommendation", "/search", "/search?q=synthetic", "/audit"),
    "/audit/verification",
    *("/privacy", "/preferences", "/calls", "/memberships", "/sessions", "/priorities", "/notifications"),
    *("/suspect-citations", "/body-sessions", "/initiatives", "/deliverables", "/subscriptions"),
)
EMPTY = {
    **dict.fromkeys(
        (
            "/nominations?member=NRU",
            "/meetings?month=1990-01",
            "/instruments?cite=absent",
            "/recommendations?text=absent",
        ),
        "Nothing on record fits.",
    ),
    "/search?q=absent": "Nothing on record matches.",
    "/group?on=1990-01-01": "Nobody on record fits.",
    "/meetings/calendar?month=1990-01": "No meeting is on record for this month.",
}
FORMS = (
    *("/calls/new/open", "/nominations/new/submit", "/meetings/new/propose", "/instruments/new/register"),
    *("/recommendations/new/draft", "/sessions/new/record"),
)
ABSENT = ("/absent", "/meetings/absent", "/traces/SYN/1999/R1", "/nominations?stage=absent")


def checked(visitor: Visitor, path: str, *statuses: int) -> None:
    """Open a page, and check it."""
    status = visitor.open(path)
    assert status in (statuses or (200,)), path
    axe(visitor.page)
    reflows(visitor.page)


@pytest.mark.parametrize("path", NAVIGATION)
def test_a_page_that_is_full(job: MainJob, path: str):
    assert job.followed_up
    checked(job.visitor(SECRETARIAT), path)


@pytest.mark.parametrize("path", EMPTY)
def test_a_page_that_is_empty_says_so(job: MainJob, path: str):
    officer = job.visitor(SECRETARIAT)
    checked(officer, path)
    expect(officer.main).to_contain_text(EMPTY[path])


@pytest.mark.parametrize("path", FORMS)
def test_a_form_blank_and_with_its_errors(job: MainJob, path: str):
    officer = job.visitor(SECRETARIAT)
    checked(officer, path)
    officer.send()
    assert officer.main.get_by_role("alert").is_visible()
    axe(officer.page)
    reflows(officer.page)


@pytest.mark.parametrize("path", ABSENT)
def test_a_page_that_is_not_there_says_so(job: MainJob, path: str):
    checked(job.visitor(SECRETARIAT), path, 404, 422)


@pytest.mark.parametrize(
    "role",
    [SECRETARIAT, FIJI, *(pytest.param(role, marks=pytest.mark.drill) for role in (CHAIR, AUDITOR))],
    ids=lambda role: role.role,
)
def test_each_record_of_the_main_job(job: MainJob, role: Role):
    visitor, reference = job.visitor(role), job.followed_up
    paths = [
        f"/meetings/{job.held}", f"/instruments/{job.instrument}", f"/recommendations/{reference}",
        f"/traces/{reference}", f"/sessions/{job.session}", f"/memberships/{job.membership}", f"/calls/{job.call}",
        f"/nominations/{job.nomination}",
    ]  # fmt: skip
    for path in paths:
        checked(visitor, path)


def test_what_is_held_about_a_person(job: MainJob):
    officer = job.visitor(SECRETARIAT)
    checked(officer, f"/privacy?person={job.person}")
    expect(officer.main).to_contain_text(EXPERT)


@pytest.mark.parametrize("word", ["correct", "void"])
def test_what_will_change_is_shown_before_it_is_recorded(job: MainJob, word: str):
    officer, typed = job.visitor(SECRETARIAT), {"data.note": "Synthetic note", "reason": "Synthetic reason"}
    assert job.followed_up
    checked(officer, job.do(word))
    officer.main.locator(f"a[href*='/do/{word}?version=']").first.click()
    officer.fill({name: text for name, text in typed.items() if word == "correct" or name == "reason"})
    officer.send()
    expect(officer.main.get_by_role("heading", level=1)).to_have_text("What will change")
    expect(officer.main).to_contain_text("Nothing is recorded yet.")
    axe(officer.page)
    reflows(officer.page)


def test_a_verification_of_the_record(job: MainJob):
    auditor = job.visitor(AUDITOR)
    checked(auditor, "/audit/verification")
    auditor.send()
    expect(auditor.main).to_contain_text("Everything holds.", timeout=AT_MOST_SECONDS * 1_000)
    axe(auditor.page)
    reflows(auditor.page)


@pytest.mark.drill
def test_each_form_of_a_record(job: MainJob):
    officer, reference = job.visitor(SECRETARIAT), job.followed_up
    for path in (f"/meetings/{job.held}", f"/recommendations/{reference}", f"/instruments/{job.instrument}"):
        officer.open(path)
        for form in officer.offers():
            checked(officer, form)
    for path in (
        f"/traces/{reference}/proof",
        f"/traces/{reference}?as_of=2026-05-01",
        f"/traces/{reference}?print=yes",
    ):
        checked(officer, path)


def test_the_pages_without_a_session(office: Office, new_page: NewPage):
    visitor = Visitor(new_page(), office.address)
    checked(visitor, "/signed-out")
    checked(visitor, "/signed-in?code=forged&state=forged", 403)
    checked(visitor, "/preferences")
    visitor.open("/meetings")
    axe(visitor.page)
    reflows(visitor.page)
