"""Requests that the console refuses before it reads a form or opens a connection to a service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest
from starlette.requests import Request

from tests.console.rendered import ADDRESS, CSRF, a_request, an_app, parsed, text_of
from tools.console.admission import ECHO
from tools.console.downloads import OF_A_READER
from tools.console.pages import traces

FORM = "/recommendations/new/draft"
MULTIPART = "multipart/form-data; boundary=b"
NONE = {"rule": "NotOnRecord", "title": "Synthetic", "detail": "Synthetic", "status": 404}


@pytest.fixture
async def requests() -> list[str]:
    """The requests that reached a service."""
    return []


@pytest.fixture
async def web(requests: list[str]) -> AsyncIterator[httpx2.AsyncClient]:
    """Connections of a focal point, whose services have nothing on record."""
    app = an_app()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request.url.path)
        await asyncio.sleep(0.05)
        return httpx2.Response(404, json=NONE)

    app.state.client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    person = {"token": "synthetic", "name": "Synthetic", "actor": "synthetic", "role": "focal_point", "member": "FJI"}
    session = orjson.dumps({"person": person, "csrf": CSRF, "until": int(time.time() + 60)})
    cookies = {"throughline": app.state.settings.cipher().encrypt(session).decode()}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ADDRESS, cookies=cookies) as client:
        yield client


@pytest.mark.parametrize("person", [True, False])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": f"{MULTIPART}; charset=punycode"}, 415),
        ({"content-type": f'{MULTIPART}; Charset="UTF-16"'}, 415),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-length": "00000000008100000000"}, 413),
        ({"content-length": "8100000000"}, 413),
        ({"content-length": "-1"}, 413),
    ],
)
async def test_a_form_is_refused_unread(
    web: httpx2.AsyncClient, requests: list[str], person: bool, headers: dict[str, str], status: int
) -> None:
    if not person:
        web.cookies.clear()
    answer = await web.post(FORM, content=b"title=x", headers=headers)
    assert (answer.status_code, requests) == (status, [])


async def test_a_form_in_utf_8_of_this_site_is_read(web: httpx2.AsyncClient) -> None:
    web.cookies.clear()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "sec-fetch-site": "same-origin"}
    answer = await web.post(FORM, content=b"title=Synthetic", headers=headers)
    assert (answer.status_code, "Synthetic" in answer.text) == (401, True)


async def test_a_stranger_gets_back_no_form_of_any_size(web: httpx2.AsyncClient) -> None:
    web.cookies.clear()
    texts = {f"text-{number}": '"' * (ECHO // 10) for number in range(10)}
    answer = await web.post(FORM, data=texts)
    assert (answer.status_code, len(answer.text) < 50_000) == (413, True)


@pytest.mark.parametrize("address", ["/documents/meetings/abc", "/traces/SYN/2031/R1/trace.pdf"])
async def test_a_reader_has_few_downloads_at_a_time(web: httpx2.AsyncClient, requests: list[str], address: str) -> None:
    for _ in range(2):  # those that are done count no more
        requests.clear()
        answers = await asyncio.gather(*(web.get(address) for _ in range(OF_A_READER + 2)))
        assert sorted(each.status_code for each in answers) == [404] * OF_A_READER + [429] * 2
        assert len(requests) == OF_A_READER


@pytest.mark.parametrize("address", ["/audit/dead-letters/meetings/%2e%2e/%2e%2e/x", "/meetings/%2e%2e", "/calls/%2e"])
async def test_a_part_of_an_address_is_no_other_address(
    web: httpx2.AsyncClient, requests: list[str], address: str
) -> None:
    answer = await web.get(httpx2.URL(ADDRESS).copy_with(raw_path=address.encode()))
    assert (answer.status_code, requests) == (404, [])


async def test_the_last_verification_is_not_shown_to_those_who_may_not_export(web: httpx2.AsyncClient) -> None:
    page = text_of(parsed((await web.get("/audit")).text))
    assert ("Export and verify" in page, "The last verification" in page) == (True, False)


async def test_documents_are_written_one_at_a_time_and_none_for_a_reader_who_has_gone(
    web: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, most, written = 0, 0, 0

    def write(_: object) -> bytes:
        nonlocal writing, most, written
        writing, written = writing + 1, written + 1
        most = max(most, writing)
        time.sleep(0.05)
        writing -= 1
        return b"%PDF-synthetic"

    async def view(*_: object, **__: object) -> object:
        return object()

    for name, stand_in in (("write", write), ("_view", view), ("document_of", lambda *_: object())):
        monkeypatch.setattr(traces, name, stand_in)
    address = "/traces/SYN/2031/R1/trace.pdf"
    answers = await asyncio.gather(*(web.get(address) for _ in range(OF_A_READER)))
    assert ([each.content for each in answers], most) == ([b"%PDF-synthetic"] * OF_A_READER, 1)
    gone = a_request(address)

    async def disconnect() -> dict[str, str]:
        return {"type": "http.disconnect"}

    await traces.as_pdf(Request(gone.scope, disconnect))
    assert written == OF_A_READER
