"""The way from a record to all that is held about its person, and back from the forms of a person."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.console.rendered import CSRF, a_session, a_visit, elements, parsed, text_of
from tests.console.test_nomination_pages import around, links_of, page_of
from tools.console.kinds import kinds
from tools.console.pages import privacy, records

PERSON, ADDRESS = "person-1", "/privacy?person=person-1"
ENTRY = {
    "id": "synthetic", "subject": f"expert/{PERSON}", "streamversion": 1, "role": "secretariat", "actor": "a",
    "type": "throughline.nominations.ExpertErased.v1", "time": "2031-01-01T00:00:00Z",
    "data": {"person": PERSON, "reason": "Synthetic reason"},
}  # fmt: skip


@pytest.mark.parametrize(("role", "may"), [("secretariat", True), ("auditor", False), ("chair", False)])
@pytest.mark.parametrize("noun", ["nomination", "membership"])
async def test_a_record_leads_those_who_may_look_to_what_is_held_about_its_person(
    noun: str, role: str, may: bool
) -> None:
    assert (ADDRESS in links_of(await page_of(noun, around(), role))) == may


@pytest.mark.parametrize(("role", "may"), [("secretariat", True), ("auditor", False)])
async def test_a_subscription_does_so_too(role: str, may: bool) -> None:
    state = {"stage": "active", "added": {"person": PERSON, "events": []}}
    record = {"stream": "subscription/s-1", "version": 1, "state": state}
    answers = {"/subscriptions/s-1": record, "/streams/subscription/s-1": []}
    visit = a_visit("/subscriptions/s-1", answers, "", role, subscription="s-1")
    response = await records.shown(kinds()["subscription"], visit)
    assert (ADDRESS in links_of(parsed(bytes(response.body).decode()))) == may


@pytest.mark.parametrize(("role", "says"), [("secretariat", "Nothing."), ("operator", "your role does not see this")])
async def test_that_nothing_is_held_is_said_to_those_only_who_may_look(role: str, says: str) -> None:
    status = 404 if role == "secretariat" else 403
    answers = {f"/experts/{PERSON}": status, f"/subscribers/{PERSON}": status}
    response = await privacy.privacy(a_visit("/privacy", answers, f"person={PERSON}", role))
    shown = text_of(parsed(bytes(response.body).decode()))
    assert shown.count(says) == 2
    assert ("Nothing." in shown) == (role == "secretariat")


@pytest.mark.parametrize("entries", [[], [{"event": ENTRY}]])
async def test_an_entry_of_a_persons_own_can_be_put_right(entries: list[Any]) -> None:
    held = {"person": PERSON, "erased": True, "events": entries}
    answers = {f"/experts/{PERSON}": held}
    response = await privacy.privacy(a_visit("/privacy", answers, f"person={PERSON}"))
    forms = [each for each in links_of(parsed(bytes(response.body).decode())) if "/do/" in each]
    assert forms == [f"/experts/{PERSON}/do/{word}" for word in ("correct", "void") if entries]


def answer(sent: httpx2.Request) -> httpx2.Response:
    if sent.method == "POST":
        return httpx2.Response(201, json={"stream": f"expert/{PERSON}", "version": 1, "replayed": False})
    return httpx2.Response(200, json=[ENTRY] if sent.url.path.startswith("/streams/") else {"items": []})


@pytest.mark.parametrize("word", ["erase", "correct", "void"])
async def test_the_way_back_from_a_form_of_a_person_is_the_page_of_the_person(word: str) -> None:
    async with a_session(answer) as client:
        page = parsed((await client.get(f"/experts/{PERSON}/do/{word}")).text)
    [back] = [each for each in elements(page, "a") if "govuk-back-link" in (each.get("class") or "")]
    assert back.get("href") == ADDRESS


async def test_an_erasure_leads_to_the_page_of_the_person() -> None:
    typed = {"csrf": CSRF, "command_id": uuid4().hex, "reason": "Synthetic reason"}
    async with a_session(answer) as client:
        got = await client.post(f"/experts/{PERSON}/do/erase", data=typed)
    assert (got.status_code, got.headers["location"]) == (303, ADDRESS)
