"""Pages of a record full of hostile texts: each is shown as data, and in a direction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

import httpx2
import pytest

from tests.console import test_mandate_pages as mandates
from tests.console import test_nomination_pages as nominations
from tests.console.rendered import a_session, elements, parsed, text_of, trace_page
from tests.console.test_hostile_input import assert_is_data
from tests.console.test_trace_page import HOSTILE_LINE, a_hostile_history
from tools.console.kinds import Kind, kinds
from tools.console.trace.provenance import Behind

pytestmark = pytest.mark.slow

MARK = "\u202e"
REFERENCE = "SYN/2031/R66"
FACT = {"reference": REFERENCE, "title": "Synthetic", "text": "Synthetic", "themes": ["Synthetic"], "on": "2031-01"}
EVENT = {
    "streamversion": 1, "type": "throughline.recommendations.RecommendationDrafted.v1", "actor": "a",
    "time": "2031-01-01T00:00:00Z", "role": "secretariat",
    "data": FACT | {"evidence": {"text": "Synthetic"}, "addressees": ["Synthetic"]},
}  # fmt: skip


def hostile(value: Any) -> Any:
    """Return an answer of a service with hostile texts in the place of made-up ones."""
    match value:
        case dict():
            return {name: hostile(each) for name, each in value.items()}
        case list():
            return [hostile(each) for each in value]
        case str() if value.startswith("Synthetic"):
            return HOSTILE_LINE
        case _:
            return value


def state_of(kind: Kind) -> dict[str, Any]:
    """Return a state in which each text of a kind's list, and of its page, is made-up."""
    state: dict[str, Any] = {"stage": "open", "note": "Synthetic"}
    paths = {column.path: ["Synthetic"] if column.form == "list" else "Synthetic" for column in kind.columns
             if column.form in ("text", "list")}  # fmt: skip
    own = {f"recorded.data.{kind.noun}": "synthetic-1", f"registered.data.{kind.noun}": "synthetic-1"}
    for path, text in (own | {kind.heading: "Synthetic"} | paths).items():
        at = state
        *before, last = path.split(".")
        for part in before:
            at = at.setdefault(part, {})
        at[last] = text
    return state


def a_record(kind: Kind) -> dict[str, Any]:
    return {"stream": f"{kind.stream}/synthetic-1", "version": 1, "state": state_of(kind), "gaps": ["Synthetic"]}


def a_meeting() -> dict[str, Any]:
    facts: dict[str, dict[str, Any]] = {
        "agenda": {"item": "item-1", "title": "Synthetic", "provisions": []},
        "documents": {"title": "Synthetic", "symbol": "Synthetic", "renditions": []},
        "attendance": {"membership": "member-1", "member": "FJI", "presence": "remote"},
        "outcomes": {"outcome": "o-1", "kind": "action_point", "text": "Synthetic", "responsible": "Synthetic"},
        "closed": {"outcome": "o-1", "note": "Synthetic"},
    }
    own = {
        "meeting": "m-1", "title": "Synthetic", "starts_at": "2031-01-02T09:00:00+07:00", "place": "Synthetic",
        "convened_by": "Synthetic", "note": "Synthetic", "source": "Synthetic",
    }  # fmt: skip
    proceedings = {name: [{"fact": fact, "versions": [1]}] for name, fact in facts.items()}
    state = {"stage": "held", "particulars": own, "proceedings": proceedings}
    return {"stream": "meeting/m-1", "version": 3, "state": state}


def a_recommendation() -> dict[str, Any]:
    revised = {"data": {"title": "Synthetic again", "text": "Synthetic again"}, "versions": [2]}
    state = {"stage": "drafted", "drafted": {"data": FACT, "versions": [1]}, "revised": [revised]}
    return {"stream": f"recommendation/{REFERENCE}", "version": 2, "state": state}


@cache
def answers() -> dict[str, Any]:
    """Return what the services answer, by path."""
    item = {
        "stream": "instrument/synthetic-1", "kind": "instrument", "rank": 1, "stage": "void", "names": ["Synthetic"],
        "title": "Synthetic", "extract": "Synthetic", "marks": {"title": [[0, 5]], "extract": [[2, 9]]},
    }  # fmt: skip
    place = {
        "membership": "member-1", "member_name": "Fiji", "capacity": "principal", "institution": "Synthetic",
        "themes": ["Synthetic"], "details": {"name": "Synthetic"}, "certainty": "certain",
        "chain": [{"membership": "member-0", "details": {"name": "Synthetic"}}],
    }  # fmt: skip
    dead_letter = {
        "_id": "meetings/0/1", "standing": "open", "reason": "undecodable", "detail": "Synthetic", "at": EVENT["time"],
    }  # fmt: skip
    row = {
        "reference": REFERENCE, "title": "Synthetic", "stage": "drafted", "coverage": "uncovered", "gaps": 0,
        "mandates": {"live": 0, "all": 0}, "dispositions": [],
    }  # fmt: skip
    provision = {
        "instrument": "synthetic-1", "cite": "Synthetic", "instrument_standing": "live", "summary": "Synthetic",
        "provision": "synthetic-1/a", "recommendations": [], "initiatives": [],
    }  # fmt: skip
    refusal = {"at": EVENT["time"], "actor": "a", "role": "secretariat", "request": "x", "rule": "Refused"}
    matter = {"kind": "nomination_to_review", "stream": "nomination/n-1", "title": "Synthetic", "why": "It waits."}
    suspect = mandates.suspect() | {"cite": "Synthetic", "superseded_by_cite": "Synthetic"}
    suspect["citations"] = [each | {"paragraph": "Synthetic"} for each in suspect["citations"]]
    lists = {kind.plural: {"items": [a_record(kind)], "counts": {}} for kind in kinds().values()}
    records = {f"{kind.plural}/synthetic-1": a_record(kind) for kind in kinds().values()}
    histories = {f"/streams/{kind.stream}/synthetic-1": [EVENT] for kind in kinds().values()}
    trace = {"trace": a_hostile_history(), "today": {"date": "2031-01-01", "past_due": ["Synthetic"], "stalled": {}}}
    behind = {
        "stream": f"recommendation/{REFERENCE}", "version": 1, "type": EVENT["type"], "actor": "a", "position": 1,
        "service": "recommendations", "leaf": "00", "time": EVENT["time"], "role": EVENT["role"], "reason": "Synthetic",
    }  # fmt: skip
    given: dict[str, Any] = hostile(
        lists | records | histories | nominations.around() | mandates.around()
        | {
            "/staff": {"items": [{"actor": "a", "name": "Synthetic"}]}, "/waiting": {"items": [matter]},
            "/stalled/reasons": {}, "/refusals": [refusal], "/dead-letters": {"items": [dead_letter]}, "/ahead": [],
            "/journal/unsigned": [], "/dead-letters/meetings/0/1": dead_letter,
            "/log": {"origin": "x", "published": 1, "sealed": 1},
            "/roster": {"on": "2031-01-01", "items": [place], "total": 1, "counts": {}},
            "/members": {"items": [], "counts": {"ever": 0, "never": 62}}, "/search": {"items": [item]},
            "/coverage": {"items": [provision]}, "/suspect-citations": {"items": [suspect]},
            "/experts/person-1": {"events": [{"event": EVENT | {"subject": "x"}, "opened": {"name": "Synthetic"}}]},
            "/meetings": {"items": [a_meeting()], "counts": {}}, "/meetings/m-1": a_meeting(),
            "/calls": {"items": [nominations.a_call()], "counts": {}},
            "/traces": {"items": [row]}, f"/recommendations/{REFERENCE}": a_recommendation(),
            f"/streams/recommendation/{REFERENCE}": [EVENT], f"/traces/{REFERENCE}": trace,
            f"/traces/{REFERENCE}/provenance": {"events": [behind]},
            "/proceedings/m-1": {"recommendations": [row]},
        }
    )  # fmt: skip
    return given


PAGES = (
    *("/", "/audit", "/audit/dead-letters/meetings/meetings/0/1", "/group", "/group/members", "/search?q=x"),
    "/coverage",
    *("/privacy?person=person-1", "/suspect-citations", "/meetings/calendar?month=2031-01", "/meetings/m-1"),
    *(f"/recommendations/{REFERENCE}", f"/traces/{REFERENCE}", f"/traces/{REFERENCE}/proof", "/calls/call-1"),
    *(f"/recommendations/{REFERENCE}/do/{word}" for word in ("correct", "correct?version=1", "void?version=1", "cite")),
    *(f"/meetings/m-1/do/{word}" for word in ("record-attendance-list", "order-agenda", "reschedule")),
    *("/nominations/new/submit", "/recommendations/new/draft?title=Synthetic", "/nominations/synthetic-1/do/amend"),
    *(kind.plural for kind in kinds().values() if kind.noun != "membership"),
    *(f"{kind.plural}/synthetic-1" for kind in kinds().values() if kind.noun not in ("recommendation", "call")),
)


def loose(element: Element, *, is_isolated: bool = False) -> Iterator[str]:
    """Yield the hostile texts that no element sets apart from what stands beside them."""
    tag = str(element.tag).rpartition("}")[2]
    if not isinstance(element.tag, str) or tag in ("head", "script", "pre", "svg"):
        return
    isolated = is_isolated or tag == "bdi" or element.get("dir") == "auto"
    own = [element.text, element.get("value") if element.get("type") != "hidden" else "", *(e.tail for e in element)]
    if not isolated:
        yield from (f"<{tag}> {text}" for text in own if MARK in (text or ""))
    for child in element:
        yield from loose(child, is_isolated=isolated)


def answer(request: httpx2.Request) -> httpx2.Response:
    given = answers().get(request.url.path)
    if given is None:
        return httpx2.Response(404, json={"rule": "NotOnRecord", "detail": HOSTILE_LINE})
    return httpx2.Response(200, json=given)


@pytest.mark.parametrize("path", PAGES)
async def test_hostile_texts_on_record_are_data_and_each_has_its_own_direction(path: str) -> None:
    async with a_session(answer, name=HOSTILE_LINE) as web:
        shown = await web.get(path.replace("Synthetic", HOSTILE_LINE))
    document = parsed(shown.text)
    assert shown.status_code == 200, text_of(document)
    assert_is_data(document)
    [main] = [each for each in document.iter() if each.get("id") == "main-content"]
    assert MARK in "".join(main.itertext()) + "".join(each.get("value") or "" for each in main.iter())
    assert list(loose(document)) == []


@pytest.mark.parametrize("path", ["/audit", f"/recommendations/{REFERENCE}", f"/traces/{REFERENCE}"])
async def test_a_name_that_a_person_chose_never_stands_without_the_role(path: str) -> None:
    def named(request: httpx2.Request) -> httpx2.Response:
        staff = {"items": [{"actor": "a", "name": "The Chair"}]}
        return httpx2.Response(200, json=staff) if request.url.path == "/staff" else answer(request)

    async with a_session(named) as web:
        document = parsed((await web.get(path)).text)
    names = [element for element in elements(document, "bdi") if element.text == "The Chair"]
    assert names
    assert {(element.tail or "")[:13] for element in names} == {", Secretariat"}


async def test_a_hostile_refusal_has_its_own_direction() -> None:
    async with a_session(answer) as web:
        shown = await web.get("/meetings/absent")
    document = parsed(shown.text)
    assert_is_data(document)
    assert list(loose(document)) == []


def test_the_names_of_staff_in_a_trace_have_their_own_direction() -> None:
    events = [Behind(f"recommendation/{REFERENCE}", 1, EVENT["type"], EVENT["time"], "2031", HOSTILE_LINE)]
    assert list(loose(parsed(trace_page(a_hostile_history(), events=events)))) == []


def test_a_text_that_nothing_sets_apart_is_found() -> None:
    page = f"<p>{HOSTILE_LINE.split('>')[-1]}<bdi>{MARK}</bdi></p><p dir=auto><b>{MARK}</b></p><input value='{MARK}'>"
    assert [each.split(">")[0] for each in loose(parsed(page))] == ["<p", "<input"]
