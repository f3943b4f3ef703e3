"""A record that its service has not read back after a command: what the page that follows says."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import httpx2

from tests.cli.record_in_memory import TODAY, public_traces
from tests.console.rendered import a_session, parsed, text_of
from tests.console.test_nomination_pages import KEY, around

EARLIER = "Recorded, and not shown yet: this page shows an earlier state."


def behind(answers: dict[str, Any], sent: httpx2.Request) -> httpx2.Response:
    """Answer as services do that hear nothing from the broker."""
    if sent.url.params.get("at_least", "0") != "0":
        says = {"rule": "NotHeardYet", "title": "Not yet", "detail": "Synthetic", "status": 409}
        return httpx2.Response(409, json=says)
    if sent.url.path not in answers:
        return httpx2.Response(404, json={"rule": "NotOnRecord", "detail": "Synthetic", "status": 404})
    return httpx2.Response(200, json=answers[sent.url.path])


async def page_after(stream: str, address: str, answers: dict[str, Any]) -> tuple[int, Element]:
    done = {"word": "accept", "noun": "nomination", "stream": stream, "version": 2, "replayed": False}
    async with a_session(lambda sent: behind(answers, sent), done=done) as client:
        answer = await client.get(address)
    return answer.status_code, parsed(answer.text)


async def test_a_record_is_shown_as_it_was_and_the_page_says_so() -> None:
    status, page = await page_after(f"nomination/{KEY}", f"/nominations/{KEY}", around())
    assert status == 200
    assert EARLIER in text_of(page)
    assert "Synthetic Expert" in text_of(page)
    assert "refused" not in text_of(page)


async def test_a_trace_is_shown_as_it_was_and_the_page_says_so() -> None:
    reference, trace = next(iter(public_traces().items()))
    answers = {f"/traces/{reference}": {"trace": trace, "today": TODAY}, "/staff": {"items": []}}
    status, page = await page_after(f"recommendation/{reference}", f"/traces/{reference}", answers)
    assert status == 200
    assert EARLIER in text_of(page)


async def test_a_new_record_that_is_nowhere_yet_is_not_called_refused() -> None:
    _, page = await page_after(f"nomination/{KEY}", f"/nominations/{KEY}", {})
    assert "Recorded: Accept." in text_of(page)
    assert "The service has not read it back yet." in text_of(page)
    assert "refused" not in text_of(page)


async def test_another_record_is_not_called_behind() -> None:
    _, page = await page_after(f"nomination/{KEY}", "/nominations/other", {})
    assert EARLIER not in text_of(page)
    assert "not read it back" not in text_of(page)
