"""The page of the audit: dead letters beyond the first page of a service."""

from __future__ import annotations

import httpx2
import pytest

from shared.events.services import SERVICES
from tests.console.rendered import a_request, elements, parsed, text_of
from tools.console.pages.audit import audit
from tools.console.services import Services

LAST, NEXT_PLACE = "throughline.meetings/0/7", "throughline.meetings/0/8"
FIRST = "/audit#dead-letters"
NEXT = "/audit?service=meetings&after=throughline.meetings%2F0%2F7#dead-letters"


def answer(sent: httpx2.Request) -> httpx2.Response:
    if sent.url.path != "/dead-letters":
        return httpx2.Response(503)
    if sent.url.host != "meetings":
        return httpx2.Response(200, json={"items": []})
    after = sent.url.params.get("after")
    row = {"_id": NEXT_PLACE if after == LAST else LAST, "reason": "undecodable", "at": "2031-01-01T00:00:00Z"}
    return httpx2.Response(200, json={"items": [row]} | ({} if after else {"next": LAST}))


@pytest.mark.parametrize(
    ("query", "place", "links"),
    [
        ("", LAST, {NEXT}),
        (f"service=meetings&after={LAST}", NEXT_PLACE, {FIRST}),
        ("service=nominations&after=throughline.nominations/0/1", LAST, {FIRST, NEXT}),
        ("service=synthetic&after=x", LAST, {NEXT}),
        ("service=meetings", LAST, {NEXT}),
    ],
)
async def test_dead_letters_have_pages_by_service(query: str, place: str, links: set[str]) -> None:
    request = a_request("/audit", query)
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    request.state.services = Services(client, {each: f"http://{each}" for each in SERVICES}, "")
    document = parsed(bytes((await audit(request)).body).decode())
    assert place in text_of(document)
    shown = {each.get("href") or "" for each in elements(document, "a")}
    assert {each for each in shown if each.endswith("#dead-letters")} == links
