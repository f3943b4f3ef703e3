"""Today: what waits with its numbers, what does not run as it should, and what each role does here."""

from __future__ import annotations

from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import httpx2
import pytest

from tests.console.rendered import a_session, a_visit, elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_LINE
from tools.console.pages import today

ROLES = ("secretariat", "focal_point", "chair", "expert", "auditor", "operator")


def a_matter(due: str | None = None, **more: Any) -> dict[str, Any]:
    matter = {
        "kind": "nomination_to_review",
        "stream": "nomination/n-1",
        "title": "Fiji: principal",
        "why": "It waits.",
    }
    return matter | {"due": due} | more


async def page_of(answers: dict[str, Any], role: str = "secretariat") -> Element:
    response = await today.waiting(a_visit("/", answers, "", role))
    return parsed(bytes(response.body).decode())


def test_what_waits_is_grouped_by_the_last_day_that_its_date_may_mean() -> None:
    matters = [a_matter(due) for due in (None, "2026-11-28", "2026-11", "2026-12-13", "2026-12-14", "2027")]
    groups = today.grouped(matters, date(2026, 11, 29))
    assert {name: [each["due"] for each in items] for name, items in groups.items()} == {
        "overdue": ["2026-11-28"],
        "soon": ["2026-11", "2026-12-13"],
        "later": ["2026-12-14", "2027", None],
    }


async def test_what_waits_is_counted_first() -> None:
    shown = text_of(await page_of({"/waiting": {"items": [a_matter()], "next": "more"}}))
    assert "Later, or without a date: 4" in shown
    assert "There is more" in shown


async def test_what_does_not_run_is_counted_for_those_who_run_it() -> None:
    now, before = f"{today.today()}T00:00:00", f"{today.today() - 2 * today.SOON}T00:00:00"
    refusals = [{"role": "system", "at": now}, {"role": "system", "at": before}, {"role": "secretariat", "at": now}]
    answers = {
        "/waiting": {"items": []}, "/stalled/reasons": {"meeting/m-1": "Synthetic reason"},
        "/dead-letters": {"items": [{}, {}]}, "/refusals": refusals,
    }  # fmt: skip
    for role in ("secretariat", "auditor"):
        shown = text_of(await page_of(answers, role))
        for text in ("Streams that stand still: 4", "Open dead letters: 8", "Policies refused of late: 4"):
            assert text in shown, (role, text)
    assert "Policies refused" not in text_of(await page_of(answers, "operator"))
    for role in ("focal_point", "chair", "expert"):
        assert "does not run as it should" not in text_of(await page_of(answers, role)), role


async def test_what_a_service_does_not_say_is_not_counted_as_none() -> None:
    answers = {"/waiting": {"items": []}, "/stalled/reasons": None, "/dead-letters": {"items": []}, "/refusals": []}
    shown = text_of(await page_of(answers))
    assert "Streams that stand still: 0 (not known of: Nominations, Meetings, " in shown
    assert "Open dead letters" not in shown


async def test_refused_policies_are_asked_for_apart_from_other_refusals_and_lead_to_a_list_of_them() -> None:
    queries: list[str] = []

    def answer(sent: httpx2.Request) -> httpx2.Response:
        queries.append(f"{sent.url.path}?{sent.url.query.decode()}")
        policy = [{"role": "system", "at": f"{today.today()}T00:00:00"}]
        return httpx2.Response(200, json=policy if sent.url.path == "/refusals" else {"items": []})

    async with a_session(answer) as client:
        page = parsed((await client.get("/")).text)
    assert queries.count("/refusals?role=system") == 4
    assert "/audit?role=system#refusals" in {each.get("href") for each in elements(page, "a")}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_finds_what_it_does_where_nothing_waits_or_no_service_answers(role: str) -> None:
    for answer, nothing in (({"items": []}, True), (None, False)):
        document = await page_of({"/waiting": answer}, role)
        assert ("Nothing waits for" in text_of(document)) == nothing
        assert ("It is not known what waits in: Nominations, Meetings" in text_of(document)) != nothing
        links = {each.get("href") for each in elements(document, "a")}
        assert {address for address, _ in today._DOES[role]} <= links


async def test_hostile_titles_are_data_and_a_citation_leads_the_secretariat_to_all_of_them() -> None:
    matter = a_matter(kind="citation", stream="recommendation/SYN/2031/R1", title=HOSTILE_LINE, why=HOSTILE_LINE)
    document = await page_of({"/waiting": {"items": [matter]}})
    assert not list(elements(document, "img"))
    assert " ".join(HOSTILE_LINE.split()) in text_of(document)
    assert "/suspect-citations" in {each.get("href") for each in elements(document, "a")}


async def test_a_focal_point_is_led_to_its_experts_where_they_have_names() -> None:
    document = await page_of({"/waiting": {"items": []}}, "focal_point")
    [link] = [each for each in elements(document, "a") if text_of(each) == "Its experts in the group"]
    assert link.get("href") == "/group", "the roster: of a focal point that of its own member, with names"
