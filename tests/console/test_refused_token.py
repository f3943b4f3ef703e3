"""A token that a service refuses ends the session wherever a person is, and loses nothing that was typed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from tests.console.rendered import CSRF, a_session, elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_TEXT

REFUSED = {"rule": "TokenRefused", "title": "Synthetic", "status": 401}
CITATION = "SYN/2031/R1 synthetic-1 synthetic-1/a synthetic-2"
FORMS = {
    "/recommendations/new/draft": {"title": HOSTILE_TEXT[:20_000], "text": "One\ntwo"},
    "/recommendations/SYN/2031/R1/do/adopt": {"meeting": "m-1", "version": "3"},
    "/recommendations/SYN/2031/R1/do/correct": {"data.title": "Synthetic title", "entry": "1", "step": "record"},
    "/suspect-citations": {"citation": CITATION, "command_id": uuid4().hex},
    "/audit/dead-letters/meetings/meetings/0/1": {"word": "dismiss", "reason": "Synthetic reason"},
}


@pytest.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    """Connections of a person whose token every service refuses."""
    async with a_session(lambda request: httpx2.Response(401, json=REFUSED)) as client:
        yield client


@pytest.mark.parametrize("address", FORMS)
async def test_what_was_typed_into_a_form_comes_back(web: httpx2.AsyncClient, address: str) -> None:
    typed = FORMS[address]
    answer = await web.post(address, data=typed | {"csrf": CSRF})
    page = parsed(answer.text)
    assert answer.status_code == 401
    assert "Nothing was recorded, and nothing that you typed is lost." in text_of(page)
    form = next(each for each in elements(page, "form") if each.get("action") == address)
    assert {each.get("name"): each.get("value") for each in elements(form, "input")} == typed
    assert answer.headers["set-cookie"].startswith("throughline=; Max-Age=0;")


@pytest.mark.parametrize("address", ["/", "/audit", "/recommendations/SYN/2031/R1"])
async def test_a_page_leads_to_sign_in(web: httpx2.AsyncClient, address: str) -> None:
    answer = await web.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={address.replace('/', '%2F')}")
