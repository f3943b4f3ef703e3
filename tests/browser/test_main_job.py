"""The main job in the browser, from a call to follow-up, and what each of the other roles sees of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.main_job import DECISION, EVIDENCE, EXPERT, TITLE, MainJob
from tests.browser.office import AUDITOR, CHAIR, FIJI, SAMOA, SECRETARIAT, Office, Role

pytestmark = pytest.mark.servers


def test_a_focal_point_nominates_under_a_call_and_amends(job: MainJob):
    focal_point = job.visitor(FIJI)
    focal_point.open(f"/nominations/{job.nomination}")
    expect(focal_point.main).to_contain_text(EXPERT)
    expect(focal_point.main).to_contain_text("Synthetic ministry of waters")
    with focal_point.page.expect_download() as download:
        focal_point.main.get_by_role("link", name="Download the document").click()
    assert download.value.path().read_bytes() == job.paper.read_bytes()


def test_what_waits_for_the_secretariat_is_a_nomination_until_it_is_accepted(job: MainJob):
    officer = job.visitor(SECRETARIAT)
    officer.open(f"/nominations/{job.nomination}")
    expect(officer.main.get_by_role("button", name="Accept")).to_be_visible()
    assert job.membership
    officer.open(f"/nominations/{job.nomination}")
    expect(officer.main.get_by_role("button", name="Accept")).to_have_count(0)
    officer.open("/group?member=FJI")
    expect(officer.main).to_contain_text(EXPERT)


def test_a_meeting_that_two_confirmed_is_held_and_decides(job: MainJob):
    officer = job.visitor(SECRETARIAT)
    officer.open(f"/meetings/{job.held}")
    expect(officer.main).to_contain_text("Confirmed by")
    for text in ("Synthetic item 1", "Synthetic item 2", DECISION, "09:00"):
        expect(officer.main).to_contain_text(text)
    expect(officer.main.get_by_role("heading", name="Attendance (1)")).to_be_visible()


def test_a_focal_point_sees_no_draft(job: MainJob):
    focal_point, reference = job.visitor(FIJI), job.draft
    officer = job.visitor(SECRETARIAT)
    officer.open(f"/recommendations?text={reference}")
    expect(officer.main.get_by_role("link", name=reference, exact=True)).to_be_visible()
    focal_point.open(f"/recommendations?text={reference}")
    expect(focal_point.main).to_contain_text("Nothing on record fits.")
    for path in (f"/recommendations/{reference}", f"/traces/{reference}"):
        assert focal_point.open(path) in (403, 404)
        expect(focal_point.main).not_to_contain_text(TITLE)


def test_the_chair_adopts_only_on_a_decision(job: MainJob):
    chair = job.visitor(CHAIR)
    assert job.draft
    chair.open(job.do("adopt"))
    chair.fill({"meeting": job.held})
    chair.send()
    expect(chair.main).to_contain_text("ChairAdoptsOnADecision")
    expect(chair.form.locator('[name="meeting"]')).to_have_value(job.held)
    assert job.adopted


def test_the_trace_shows_the_whole_job(job: MainJob):
    officer, reference = job.visitor(SECRETARIAT), job.followed_up
    officer.open(f"/traces/{reference}")
    expect(officer.main.get_by_role("heading", level=1)).to_contain_text(TITLE)
    for text in (f"Synthetic resolution {job.key}", f"Synthetic meeting {job.key}", "2 March 2026", EVIDENCE):
        expect(officer.main).to_contain_text(text)
    expect(officer.main).to_contain_text(f"session {job.session}", ignore_case=True)
    expect(officer.main).to_contain_text("endorsed", ignore_case=True)
    assert officer.main.locator("#timeline ~ ol > li").count() >= 8


def test_a_focal_point_sees_the_trace_from_adoption_on(job: MainJob):
    focal_point = job.visitor(FIJI)
    assert focal_point.open(f"/traces/{job.followed_up}") == 200
    expect(focal_point.main).to_contain_text(TITLE)
    assert focal_point.offers() == []


def test_the_auditor_sees_it_all_and_has_no_button_that_writes(job: MainJob):
    auditor, reference = job.visitor(AUDITOR), job.followed_up
    records = [
        f"/nominations/{job.nomination}", f"/memberships/{job.membership}", f"/meetings/{job.held}",
        f"/instruments/{job.instrument}", f"/recommendations/{reference}", f"/traces/{reference}",
    ]  # fmt: skip
    for path in ("/", "/nominations", "/group", "/meetings", "/instruments", "/recommendations", "/audit", *records):
        assert auditor.open(path) == 200, path
        assert auditor.offers() == [], path
        assert auditor.form.count() == 0, path
        expect(auditor.main).not_to_contain_text(EXPERT)
    assert auditor.open(f"/nominations/{job.nomination}/do/withdraw") == 403
    assert auditor.form.count() == 0
    expect(auditor.main).to_contain_text("Your role does not record this")


def test_an_expert_reads_what_the_group_reads(job: MainJob):
    expert = job.visitor(Role("expert", expert=job.person))
    for path in (f"/meetings/{job.held}", f"/traces/{job.followed_up}", f"/memberships/{job.membership}"):
        assert expert.open(path) == 200, path
        assert expert.offers() == [], path


def test_another_members_address_typed_by_a_focal_point_is_refused(job: MainJob):
    other = job.visitor(SAMOA)
    for path in (f"/nominations/{job.nomination}", f"/memberships/{job.membership}", "/nominations?member=FJI"):
        assert other.open(path) in (403, 404), path
        expect(other.main).not_to_contain_text(EXPERT)
    assert other.open(f"/nominations/{job.nomination}/do/withdraw") == 403
    assert other.form.count() == 0
    officer = job.visitor(SECRETARIAT)
    officer.open(f"/nominations/{job.nomination}")
    expect(officer.main).to_contain_text("Accepted")


def test_a_person_signs_out(office: Office, new_page: NewPage):
    visitor = office.visitor(new_page, SECRETARIAT)
    visitor.open("/")
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.wait_for_url("**/signed-out**")
    visitor.open("/nominations")
    expect(visitor.page.get_by_role("heading", name="Development sign-in")).to_be_visible()
