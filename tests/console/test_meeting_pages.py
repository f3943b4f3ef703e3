"""The page of a meeting: those who attended, by name where the reader may see it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.console.rendered import a_session, a_visit, elements, parsed, text_of
from tools.console.pages import meetings

KEY = "m-1"


def a_meeting(**particulars: Any) -> dict[str, Any]:
    own = {"meeting": KEY, "title": "Synthetic meeting", "starts_at": "2031-01-02T09:00:00+07:00"} | particulars
    attended = [
        {"fact": {"membership": f"member-{n}", "member": "FJI", "presence": "remote"}, "versions": [n]} for n in (1, 2)
    ]
    state = {"stage": "held", "held": {}, "particulars": own, "proceedings": {"attendance": attended}}
    return {"stream": f"meeting/{KEY}", "version": 3, "state": state}


def a_roster() -> dict[str, Any]:
    before = {"membership": "member-2", "details": {"name": "Synthetic Predecessor"}}
    place = {"membership": "member-1", "details": {"name": "Synthetic Expert"}}
    return {"on": "2031-01-02", "total": 1, "counts": {}, "items": [place | {"chain": [before, place]}]}


async def attendance(roster: Any, role: str = "secretariat") -> tuple[str, list[str]]:
    """Return the text of the page, and the names that lead to memberships."""
    answers = {f"/meetings/{KEY}": a_meeting(), "/roster": roster, f"/streams/meeting/{KEY}": []}
    response = await meetings.meeting(a_visit(f"/meetings/{KEY}", answers, "", role, meeting=KEY))
    document = parsed(bytes(response.body).decode())
    links = [each for each in elements(document, "a") if (each.get("href") or "").startswith("/memberships/")]
    return text_of(document), [text_of(each) for each in links]


async def test_those_who_attended_are_named_by_the_roster() -> None:
    _, names = await attendance(a_roster())
    assert names == ["Synthetic Expert", "Synthetic Predecessor"]


async def test_who_sees_no_name_reads_the_ids() -> None:
    _, names = await attendance({"items": [{"membership": "member-1", "person": "p"}]}, "auditor")
    assert names == ["member-1", "member-2"]


async def test_without_the_roster_the_ids_stay_and_the_page_says_what_is_missing() -> None:
    shown, names = await attendance(None)
    assert names == ["member-1", "member-2"]
    assert "Missing: the service nominations does not answer." in shown


@pytest.mark.parametrize(
    ("starts", "held", "on"),
    [
        ("2031-01-02T09:00:00+07:00", {}, "2031-01-02"),
        ("2031-02", {}, "2031-02-28"),
        ("2031-01-02", {"held_from": "2031-01-05"}, "2031-01-05"),
        (None, {}, None),
    ],
)
async def test_the_roster_is_that_of_the_last_day_on_which_the_meeting_may_have_been(
    starts: str | None, held: dict[str, str], on: str | None
) -> None:
    days: list[str | None] = []
    record = a_meeting(starts_at=starts)
    record["state"]["held"] = held

    def answer(sent: httpx2.Request) -> httpx2.Response:
        if sent.url.path == "/roster":
            days.append(sent.url.params.get("on"))
        return httpx2.Response(200, json=record if sent.url.path == f"/meetings/{KEY}" else {"items": []})

    async with a_session(answer, "chair") as console:
        assert (await console.get(f"/meetings/{KEY}")).status_code == 200
    assert days == [on]
