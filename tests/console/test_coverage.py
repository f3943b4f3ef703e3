"""The page of coverage: counts first, both ways, and all of it as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

import httpx2
import pytest

from tests.console.rendered import a_session, elements, parsed, text_of
from tests.console.test_search import console
from tests.http.asking import Caller, accepted, draft, new_id
from tests.patience import AT_MOST_SECONDS
from tools.console.pages.coverage import csv_row
from tools.local.stack import Stack


def test_no_text_of_a_csv_file_is_a_formula() -> None:
    row = csv_row(["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", 'a, "b"', "75/4"]).decode()
    assert next(csv.reader(StringIO(row))) == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'\tx", 'a, "b"', "75/4"]


@pytest.mark.parametrize(
    ("query", "filter_", "here"),
    [
        ("cited=no", "no", "Provisions that no recommendation cites"),
        ("cited=yes", "yes", "Provisions that a recommendation cites"),
        ("by=recommendation&cited=no", None, "From the recommendations: how far each reaches"),
        ("cited=synthetic", None, "From the mandates: what rests on each provision"),
    ],
)
async def test_provisions_are_filtered_by_whether_they_are_cited(query: str, filter_: str | None, here: str) -> None:
    filters: list[str | None] = []

    def answer(sent: httpx2.Request) -> httpx2.Response:
        if sent.url.path != "/coverage":
            return httpx2.Response(404, json={"rule": "NotOnRecord", "detail": "Synthetic"})
        filters.append(sent.url.params.get("cited"))
        more = {} if "after" in sent.url.params else {"next": "instrument/i1"}
        return httpx2.Response(200, json={"items": [], **more})

    async with a_session(answer) as web:
        document = parsed((await web.get(f"/coverage?{query}")).text)
        links = {each.get("href") or "" for each in elements(document, "a")}
        [file] = [link for link in links if link.startswith("/coverage.csv?")]
        await web.get(file)
    assert [text_of(each) for each in elements(document, "strong") if each.get("aria-current")] == [here]
    assert f"/coverage?{query}&after=instrument%2Fi1" in links
    assert filters == [filter_] * 3, "the page, and both pages of its file"


@pytest.fixture
def officer(stack: Stack) -> Iterator[Caller]:
    """An officer with a token of its own."""
    with httpx2.Client(timeout=AT_MOST_SECONDS, trust_env=False) as web:
        yield Caller(stack, web)


@pytest.mark.servers
async def test_the_page_counts_and_shows_both_ways_and_sends_csv(officer: Caller) -> None:
    before = officer.get("recommendations", "/coverage/counts").json()
    key, body = new_id("mandate"), draft()
    cite = {"instrument": key, "cite": f"=Synthetic {key}", "body": "SYN", "title": "Synthetic"}
    accepted(officer.post("recommendations", "/instruments", cite))
    for number in (1, 2):
        provision = {"provision": f"{key}/op-{number}", "summary": "Synthetic <b>ask</b>"}
        accepted(officer.post("recommendations", f"/instruments/{key}/provisions", provision))
    accepted(officer.post("recommendations", "/recommendations", body))
    mandate = {"instrument": key, "provision": f"{key}/op-1"}
    accepted(officer.post("recommendations", f"/recommendations/{body['reference']}/cite", mandate))
    for path, version in ((f"/instruments/{key}", 3), (f"/traces/{body['reference']}", 2)):
        assert officer.get("recommendations", path, at_least=version, wait=20).status_code == 200
    after = officer.get("recommendations", "/coverage/counts").json()
    more = {name: after["provisions"][name] - before["provisions"][name] for name in ("all", "cited", "uncited")}
    assert (more["all"] >= 2, more["cited"] >= 1, more["uncited"] >= 1) == (True, True, True)  # others may arrive late
    assert after["recommendations"]["shallow"] > before["recommendations"]["shallow"]
    async for page in console(officer.stack, dict(officer.stack.urls), "auditor"):
        answer = await page.get("/coverage")
        assert answer.status_code == 200
        assert f">{after['provisions']['all']}<" in answer.text
        both = (await page.get("/coverage", params={"by": "recommendation"})).text
        assert f'href="/recommendations/{body["reference"]}"' in both
        file = await page.get("/coverage.csv")
        rows = [row for row in csv.reader(StringIO(file.content.decode("utf-8-sig"))) if row[0] == key]
        assert [row[1:] for row in rows] == [
            [f"'=Synthetic {key}", "live", f"{key}/op-1", "Synthetic <b>ask</b>", f"{body['reference']} (live)", ""],
            [f"'=Synthetic {key}", "live", f"{key}/op-2", "Synthetic <b>ask</b>", "", ""],
        ]
        assert file.headers["content-disposition"] == 'attachment; filename="coverage-by-provision.csv"'
