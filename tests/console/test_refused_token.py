"""A token that a service refuses ends the session wherever a person is, and loses nothing that was typed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import orjson
import pytest

from tests.console.rendered import ADDRESS, an_app, elements, parsed, text_of

CSRF = "synthetic-csrf"
REFUSED = {"rule": "TokenRefused", "title": "Synthetic", "status": 401}
CITATION = "SYN/2031/R1 synthetic-1 synthetic-1/a synthetic-2"
FORMS = {
    "/recommendations/new/draft": {"title": "Synthetic title", "text": "One\ntwo"},
    "/recommendations/SYN/2031/R1/do/adopt": {"meeting": "m-1", "version": "3"},
    "/recommendations/SYN/2031/R1/do/correct": {"data.title": "Synthetic title", "entry": "1", "step": "record"},
    "/suspect-citations": {"citation": CITATION, "command_id": uuid4().hex},
    "/audit/dead-letters/meetings/meetings/0/1": {"word": "dismiss", "reason": "Synthetic reason"},
}


@pytest.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    """Connections of a person whose token every service refuses."""
    app = an_app()
    refusing = httpx2.MockTransport(lambda request: httpx2.Response(401, json=REFUSED))
    app.state.client = httpx2.AsyncClient(transport=refusing)
    person = {"token": "synthetic", "name": "Synthetic Officer", "actor": "synthetic", "role": "secretariat"}
    session = orjson.dumps({"person": person, "csrf": CSRF, "until": int(time.time() + 60)})
    cookies = {"throughline": app.state.settings.cipher().encrypt(session).decode()}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ADDRESS, cookies=cookies) as client:
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
