"""The broker or the database is away: a page says what is missing, and a command is neither lost nor recorded twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.checks import axe, reflows
from tests.browser.conftest import NewPage
from tests.browser.main_job import TITLE, MainJob
from tests.browser.office import NOT_SHOWN_YET, RECORDED, SECRETARIAT, Office, Visitor
from tests.browser.test_use import recorded
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.drill]
UNKNOWN = "It is not known whether this was recorded."


@contextmanager
def away(stack: Stack, server: str) -> Iterator[None]:
    """Stop a server of the stack for a while."""
    stack.stop_one(server)
    try:
        yield
    finally:
        stack.start_one(server)


def a_draft(officer: Visitor) -> str:
    """Draft a recommendation, and return the address of its page."""
    reference = f"SYN/2028/R{uuid4().int % 90_000 + 1}"
    officer.record("/recommendations/new/draft", {"reference": reference, "title": TITLE, "text": "Synthetic text."})
    officer.read_until(f"/recommendations/{reference}", TITLE)
    return f"/recommendations/{reference}"


def test_without_the_broker_a_command_is_recorded_and_what_is_on_record_is_read(
    office: Office, new_page: NewPage, job: MainJob
):
    assert job.followed_up
    officer = office.visitor(new_page, SECRETARIAT)
    record = a_draft(officer)
    before = recorded(officer, record)
    officer.open(f"{record}/do/revise")
    officer.fill({"text": "Synthetic text, revised while the broker is away"})
    with away(office.stack, "kafka"):
        officer.send()
        expect(officer.main).to_contain_text(NOT_SHOWN_YET)
        for path in ("/", "/nominations", f"/meetings/{job.held}", f"/traces/{job.followed_up}", "/audit"):
            assert officer.open(path) == 200
            axe(officer.page)
            reflows(officer.page)
    officer.read_until(record, "revised while the broker is away")
    assert recorded(officer, record) == before + 1


def test_without_the_database_nothing_typed_is_lost_and_it_is_recorded_once(office: Office, new_page: NewPage):
    officer = office.visitor(new_page, SECRETARIAT)
    record = a_draft(officer)
    before = recorded(officer, record)
    officer.open(f"{record}/do/revise")
    officer.fill({"text": "Synthetic text, revised while the database is away"})
    with away(office.stack, "mongodb"):
        for _ in range(2):
            officer.send()
            expect(officer.main).to_contain_text(UNKNOWN)
            expect(officer.form.locator('[name="text"]')).to_have_value(
                "Synthetic text, revised while the database is away"
            )
        other = office.visitor(new_page, SECRETARIAT)
        assert other.open("/") == 200
        expect(other.main).to_contain_text("No answer from:")
        assert other.open("/nominations") == 503
        for shown in (officer.page, other.page):
            axe(shown)
            reflows(shown)
    for _ in range(20):
        officer.send()
        if officer.main.get_by_text(RECORDED).count():
            break
        officer.page.wait_for_timeout(500)
    officer.read_until(record, "revised while the database is away")
    assert recorded(officer, record) == before + 1
