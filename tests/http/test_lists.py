"""Lists: what they show of each record, in pages of any size, in the order of the numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.http.asking import Caller, accepted, draft, new_id, nomination, problem
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NUMBERS = (10, 2, 1, 100, 21, 3)
IN_ORDER = [f"R{number}" for number in sorted(NUMBERS)]


@pytest.fixture(scope="module")
def acronym() -> str:
    """An acronym with digits of its own."""
    return f"C{new_id('').upper().replace('-', '')[:8]}"


@pytest.fixture(scope="module")
def drafted(acronym: str, stack: Stack, web: httpx2.Client) -> Caller:
    """An officer who has drafted six recommendations, whose traces are stored."""
    asking = Caller(stack, web)
    for number in NUMBERS:
        body = {"reference": f"{acronym}/2031/R{number}", "title": f"Synthetic {number}", "themes": [acronym]}
        accepted(asking.post("recommendations", "/recommendations", body))
    for number in NUMBERS:
        path = f"/traces/{acronym}/2031/R{number}"
        assert asking.get("recommendations", path, at_least=1, wait=20).status_code == 200
    return asking


def pages(asking: Caller, path: str, limit: int, **query: Any) -> Iterator[list[Any]]:
    after: dict[str, str] = {}
    while True:
        page = asking.get("recommendations", path, limit=limit, **after, **query).json()
        yield page["items"]
        if "next" not in page:
            return
        after = {"after": page["next"]}


@pytest.mark.parametrize("limit", [1, 2, 6, 100])
@pytest.mark.parametrize("view", ["trace", "row"])
def test_traces_are_listed_by_the_numbers_in_their_references(
    limit: int, view: str, drafted: Caller, acronym: str
) -> None:
    listed = [item for page in pages(drafted, "/traces", limit, theme=acronym, view=view) for item in page]
    references = [item.get("recommendation", item)["reference"] for item in listed]
    assert references == [f"{acronym}/2031/{number}" for number in IN_ORDER]


def test_a_filter_finds_what_looks_the_same(drafted: Caller, acronym: str) -> None:
    reference, theme = f"D{acronym[1:]}/2031/R1", f"Re\u0301gion {acronym}"
    accepted(
        drafted.post(
            "recommendations", "/recommendations", {"reference": reference, "title": "Synthetic", "themes": [theme]}
        )
    )
    assert drafted.get("recommendations", f"/traces/{reference}", at_least=1, wait=20).status_code == 200
    for form in ("NFC", "NFD"):
        query = {"theme": unicodedata.normalize(form, theme)}
        [row] = drafted.get("recommendations", "/traces", view="row", **query).json()["items"]
        assert row["reference"] == reference
        [state] = drafted.get("recommendations", "/recommendations", **query).json()["items"]
        assert state["stream"] == f"recommendation/{reference}"


def test_a_row_has_what_a_list_shows_and_nothing_more(drafted: Caller, acronym: str) -> None:
    [row] = drafted.get("recommendations", "/traces", text=f"{acronym}/2031/R10", view="row").json()["items"]
    trace = drafted.get("recommendations", f"/traces/{acronym}/2031/R10").json()["trace"]
    assert row == {
        "reference": f"{acronym}/2031/R10",
        "title": "Synthetic 10",
        "stage": "drafted",
        "coverage": "uncovered",
        "dispositions": [],
        "mandates": {"live": 0, "all": 0},
        "gaps": len(trace["gaps"]),
    }


@pytest.mark.parametrize("word", ["ป่าไม้", "नीति", "မြန်မာ", "a\ud7feb"])
def test_a_word_is_searched_whole_whatever_its_script(word: str, drafted: Caller) -> None:
    bodies = [draft(title=title) for title in (f"Synthetic {word}", f"Synthetic {' '.join(word)}")]
    for body in bodies:
        accepted(drafted.post("recommendations", "/recommendations", body))
        drafted.get("recommendations", f"/traces/{body['reference']}", at_least=1, wait=20)
    for text in (word, f"-{word}", f'"{word}"'):
        [row] = drafted.get("recommendations", "/traces", text=text, view="row").json()["items"]
        assert row["reference"] == bodies[0]["reference"]


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_records_are_listed_by_the_numbers_in_their_ids(limit: int, drafted: Caller, acronym: str) -> None:
    listed = [item["stream"] for page in pages(drafted, "/recommendations", limit, theme=acronym) for item in page]
    assert listed == [f"recommendation/{acronym}/2031/{number}" for number in IN_ORDER]


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_coverage_is_listed_in_pages_both_ways(limit: int, drafted: Caller, acronym: str) -> None:
    asking, keys = drafted, [f"{acronym.lower()}-{number}" for number in (10, 9, 1)]
    for key in keys:
        cite = {"instrument": key, "cite": f"Synthetic {key}", "body": "SYN", "title": "Synthetic"}
        asking.post("recommendations", "/instruments", cite, key=f"synthetic-{key}")
        provision = {"provision": f"{key}/ask", "summary": "Synthetic ask"}
        asking.post("recommendations", f"/instruments/{key}/provisions", provision, key=f"synthetic-ask-{key}")
    reference = f"{acronym}/2031/R2"
    mandate = {"instrument": keys[0], "provision": f"{keys[0]}/ask"}
    done = accepted(
        asking.post("recommendations", f"/recommendations/{reference}/cite", mandate, key=f"synthetic-cite-{acronym}")
    )
    assert asking.get("recommendations", f"/traces/{reference}", at_least=done["version"], wait=20).status_code == 200
    for key in keys:
        assert asking.get("recommendations", f"/instruments/{key}", at_least=2, wait=20).status_code == 200
    rows = [row for page in pages(asking, "/coverage", limit) for row in page if row["instrument"] in keys]
    assert [row["instrument"] for row in rows] == [keys[2], keys[1], keys[0]]
    assert rows[2]["recommendations"] == [{"reference": reference, "standing": "live"}]
    assert rows[0]["recommendations"] == []
    for cited, expected in (("yes", [keys[0]]), ("no", [keys[2], keys[1]])):
        filtered = [row for page in pages(asking, "/coverage", max(limit, 20), cited=cited) for row in page]
        assert [row["instrument"] for row in filtered if row["instrument"] in keys] == expected
    reach = [row for page in pages(asking, "/coverage", max(limit, 3), by="recommendation") for row in page]
    own = [row for row in reach if row["reference"].startswith(f"{acronym}/")]
    assert [row["reference"].rpartition("/")[2] for row in own] == IN_ORDER
    assert {row["coverage"] for row in own} <= {"uncovered", "shallow"}


def submitted(member: str, theme: str, days: tuple[str, ...], caller: Callable[..., Caller]) -> list[str]:
    """Submit a nomination of a member on each day, and return their streams."""
    asking, streams = caller("focal_point", member=member), []
    for day in days:
        body = nomination(new_id("nomination"), member, themes=[theme], submitted_on=day)
        streams.append(accepted(asking.post("nominations", "/nominations", body))["stream"])
        assert asking.get("nominations", f"/nominations/{body['nomination']}", at_least=1, wait=20).status_code == 200
    return streams


def test_a_place_among_the_newest_tells_nothing_of_a_nomination_that_is_not_seen(
    caller: Callable[..., Caller],
) -> None:
    theme = new_id("theme")
    submitted("TUV", theme, ("2021-05", "2021-01"), caller)
    [hidden] = submitted("FJI", theme, ("2021-03",), caller)
    tuvalu = caller("focal_point", member="TUV")
    for stream in (hidden, f"nomination/{new_id('absent')}"):
        answer = tuvalu.get("nominations", "/nominations", theme=theme, sort="newest", after=stream)
        [error] = problem(answer, 422, "SchemaViolation")["errors"]
        assert (error["field"], error["rule"]) == ("query.after", "no_place")


def test_pages_of_the_newest_stay_whole_when_a_nomination_changes_between_them(caller: Callable[..., Caller]) -> None:
    theme, asking = new_id("theme"), caller()
    streams = submitted("FJI", theme, ("2021-03", "2021-02", "2021-01"), caller)
    query = {"theme": theme, "sort": "newest"}
    first = asking.get("nominations", "/nominations", limit=1, **query).json()
    path = f"/nominations/{streams[0].partition('/')[2]}"
    accepted(asking.post("nominations", f"{path}/void", {"voids": 1, "reason": "Synthetic"}))
    assert asking.get("nominations", path, at_least=2, wait=20).status_code == 200
    rest = asking.get("nominations", "/nominations", after=first["next"], **query).json()
    assert [item["stream"] for item in (*first["items"], *rest["items"])] == streams
