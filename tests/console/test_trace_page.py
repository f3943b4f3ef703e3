"""The page of a trace: nothing of the trace is left out, nothing in it is more than data, links keep the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.recommendations.trace.overdue import past_due
from shared.events import recommendations as r
from tests.cli.record_in_memory import TODAY, public_history, public_traces
from tests.console.rendered import ADDRESS, elements, parsed, text_of, trace_page
from tests.history import a_history, composed, with_texts
from tools.console.rich_text import balanced
from tools.console.trace.provenance import Behind
from tools.console.trace.window import Window, window_of

HOSTILE = (
    "</textarea></title></svg><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}&amp; \u202egnp "
    "\u2066deep\u202c =1+1 =?utf-8?q?x?= \u0627\u0644\u0639\u0631\u0628\u064a\u0629 "
)
HOSTILE_LINE, HOSTILE_TEXT = HOSTILE.strip(), HOSTILE * 100
NAMES = frozenset(
    {"title", "note", "source", "meeting_source", "summary", "cite", "provision", "gaps", "symbol", "document", "text"}
    | {"reason", "responsible", "action", "addressees", "themes", "body", "citation", "outcome_text", "differences"}
)


def texts_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from texts_in(inner, key)
        case list():
            for inner in value:
                yield from texts_in(inner, name)
        case str():
            yield name, value


def a_hostile_history() -> dict[str, Any]:
    history = a_history()
    line, text = HOSTILE_LINE, HOSTILE_TEXT
    history.add(
        "instrument/hostile",
        r.InstrumentRegistered(instrument="hostile", cite=line, body=line, title=line, note=text, symbol=line),
        r.ProvisionRegistered(provision="hostile/a", summary=text, verb=line, addressee=line),
        r.InstrumentSuperseded(by="i2", note=text),
    )
    history.add(
        "recommendation/SYN/2031/R66",
        r.RecommendationDrafted(
            reference="SYN/2031/R66", title=line, text=text, addressees=(line,), themes=(line,), note=text, source=line
        ),
        r.MandateCited(instrument="hostile", provision="hostile/a", note=text, source=line, cited_by=line),
        r.OriginRecorded(document=line, symbol=line, paragraph=line, note=text),
        r.FollowUpReported(action=line, responsible=line, progress="unknown", evidence={"text": text}, due="2031-01"),
        r.RecommendationRevised(title=line + " again", text=text + "again"),
    )
    return composed(history.all())["SYN/2031/R66"]


@cache
def traces() -> dict[str, dict[str, Any]]:
    synthetic = composed(with_texts(a_history()).all())
    return public_traces() | synthetic | {"SYN/2031/R66": a_hostile_history()}


@pytest.mark.parametrize("reference", sorted(traces()))
def test_every_statement_of_a_trace_stands_on_its_page(reference: str):
    trace = traces()[reference]
    shown = text_of(parsed(trace_page(trace)))
    stated = {name: part for name, part in trace.items() if name not in ("provenance", "based_on")}
    missing = [(name, text) for name, text in texts_in(stated) if name in NAMES and " ".join(text.split()) not in shown]
    evidence = {item["evidence"]["body"] for item in trace["follow_up"] if "body" in item.get("evidence", {})}
    assert [each for each in missing if each[1] not in evidence] == []


@pytest.mark.parametrize("reference", sorted(traces()))
def test_the_table_has_the_steps_of_the_drawing(reference: str):
    document = parsed(trace_page(traces()[reference]))
    [svg] = elements(document, "svg")
    drawn = [link.get("href") for link in elements(svg, "a")]
    [table] = elements(document, "tbody")
    listed = [next(elements(header, "a")).get("href") for header in elements(table, "th")]
    assert sorted(map(str, drawn)) == sorted(map(str, listed))
    ids = {element.get("id") for element in document.iter()}
    assert {str(link).removeprefix("#") for link in drawn} <= ids


def test_hostile_texts_are_data():
    document = parsed(trace_page(a_hostile_history()))
    scripts = ["".join(script.itertext()) for script in elements(document, "script")]
    assert not any("alert" in script for script in scripts)
    assert not list(elements(document, "img"))
    assert not any(name.startswith("on") or name == "style" for each in document.iter() for name in each.attrib)
    assert "{{ 7*7 }}" in text_of(document)
    headings = [each for each in elements(document, "h3") if "\u202e" in "".join(each.itertext())]
    assert headings
    for heading in headings:
        isolated = "".join("".join(bdi.itertext()) for bdi in elements(heading, "bdi"))
        assert isolated.count("\u202e") == "".join(heading.itertext()).count("\u202e")


@pytest.mark.parametrize("text", ["\u2066open", "close\u2069", "\u2069both\u2067", "\u2066even\u2069", "\u202eplain"])
def test_what_opens_a_direction_closes_it_within_its_element(text: str):
    depth = 0
    for character in balanced(text):
        depth += {"\u2066": 1, "\u2067": 1, "\u2068": 1, "\u2069": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert text in balanced(text)


def test_ids_are_unique():
    for trace in traces().values():
        ids = [element.get("id") for element in parsed(trace_page(trace)).iter() if element.get("id")]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("status", ["inferred", "recalled", "unknown"])
def test_doubt_is_marked_in_words(status: str):
    trace = public_traces()["CED/2022/R1"]
    doubtful = trace | {"dispositions": [trace["dispositions"][0] | {"status": status}]}
    words = {"unknown": "certainty unknown"}.get(status, status)
    [before, after] = [text_of(parsed(trace_page(each))).count(words) for each in (trace, doubtful)]
    assert after > before


def test_where_it_stands_and_what_is_next_come_first():
    shown = text_of(parsed(trace_page(public_traces()["CED/2022/R1"])))
    stands = shown.index("Disposed of by the Committee. Session 7: endorsed on 1 December 2022.")
    assert stands < shown.index("What is next: Report what was done with it") < shown.index("The chain")


def test_what_is_past_due_is_said_before_the_chain():
    today = {"date": "2031-05-06", "past_due": ["A follow-up was due by 2030."], "stalled": {"meeting/m1": 3}}
    shown = text_of(parsed(trace_page(public_traces()["CED/2022/R1"], today=today)))
    assert shown.index("Past due on 6 May 2031 A follow-up was due by 2030.") < shown.index("The chain")
    assert "meeting/m1 waits for version 3" in shown


def test_a_follow_up_past_its_date_is_marked():
    history = a_history().add(
        "recommendation/SYN/2031/R7",
        r.RecommendationDrafted(reference="SYN/2031/R7", title="Synthetic"),
        r.FollowUpReported(action="Synthetic action", progress="not_started", due="2030-05"),
        r.FollowUpReported(action="Synthetic other action", progress="implemented", due="2030-05"),
    )
    trace = composed(history.all())["SYN/2031/R7"]
    late = [*past_due(trace, date(2031, 1, 1))]
    document = parsed(trace_page(trace, today=TODAY | {"past_due": late}))
    marked = [each.get("id") for each in elements(document, "li") if "Past due" in text_of(each)]
    assert marked == ["s-follow_up-0"]


def test_links_to_traces_keep_the_time():
    window = Window("2031-03-01", "2031-06-01T00:00:00Z")
    trace = composed(a_history().all(), date(2031, 3, 1))["SYN/2031/R1"]
    document = parsed(trace_page(trace, window=window))
    links = [each.get("href") or "" for each in elements(document, "a")]
    own = [link for link in links if link.startswith("/traces/")]
    now = "/traces/SYN/2031/R1"
    assert {link for link in own if "as_of" not in link} == {now}
    for link in own:
        if link != now:
            query = parse_qs(urlsplit(link).query)
            assert (query["as_of"], query["known_at"]) == (["2031-03-01"], ["2031-06-01T00:00:00Z"])
    assert any("/R2?" in link for link in own)
    [canonical] = [each for each in elements(document, "link") if each.get("rel") == "canonical"]
    assert canonical.get("href") == f"{ADDRESS}{window.keep(now)}"


def test_every_statement_opens_to_the_events_behind_it():
    trace = public_traces()["CED/2022/R1"]
    history = public_history()
    events = [
        Behind(stream, version, "MandateCited", "2026-11-29T13:16:33Z", "2026-11", "Synthetic Officer", "secretariat")
        for stream, records in history.records.items()
        for version in range(1, len(records) + 1)
    ]
    document = parsed(trace_page(trace, events=events))
    behind = ["".join(each.itertext()) for each in elements(document, "details") if "behind it" in text_of(each)]
    assert len(behind) == len(trace["provenance"]["statements"])
    assert all("29 November 2026, 20:16 (Asia/Bangkok)" in text for text in behind)
    assert all("by Synthetic Officer, Secretariat" in text for text in behind)


def test_each_entry_of_the_timeline_can_be_put_right_by_those_who_may():
    trace = public_traces()["CED/2022/R1"]
    events = [
        Behind("session/7", 1, "CommitteeSessionRecorded", "2026-11-29T13:16:33Z"),
        Behind("session/7", 2, about=1),
    ]
    pages = {role: parsed(trace_page(trace, events=events, role=role)) for role in ("secretariat", "auditor")}
    links = {role: [each.get("href") or "" for each in elements(page, "a")] for role, page in pages.items()}
    right = [link for link in links["secretariat"] if "/do/correct" in link]
    assert right == ["/sessions/7/do/correct?version=1"]
    assert not [link for link in links["auditor"] if "/do/" in link]


def test_the_page_for_printing_has_the_events_unfolded():
    trace = public_traces()["CED/2022/R1"]
    folded, unfolded = (parsed(trace_page(trace, query=query)) for query in ("", "print=yes"))
    behind = [
        [each for each in elements(page, "details") if "behind it" in text_of(each)] for page in (folded, unfolded)
    ]
    assert [each for each in behind[0] if "open" in each.attrib] == []
    assert [each for each in behind[1] if "open" not in each.attrib] == []


def test_a_suspect_citation_leads_to_what_superseded_it_and_to_its_reconfirmation():
    document = parsed(trace_page(public_traces()["CED/2020/R1"]))
    links = {each.get("href") or "" for each in elements(document, "a")}
    suspect = [each for each in public_traces()["CED/2020/R1"]["mandates"] if each["standing"] == "suspect"]
    assert suspect
    for each in suspect:
        assert f"/instruments/{each['why'][0]['superseded_by']}" in links
        assert any("/do/reconfirm?" in link and each["instrument"] in link for link in links)


def test_a_void_recommendation_says_so_and_why():
    history = a_history().add("recommendation/SYN/2031/R1", r.RecordVoided(voids=1, reason="Synthetic mistake"))
    shown = text_of(parsed(trace_page(composed(history.all())["SYN/2031/R1"])))
    assert "Void Void: recorded by mistake." in shown
    assert "Why it is void Synthetic mistake" in shown
    assert "Nothing: it is void." in shown


@pytest.mark.parametrize("role", ["auditor", "expert", "chair"])
def test_who_may_not_write_is_offered_no_button(role: str):
    document = parsed(trace_page(public_traces()["CED/2022/R1"], role=role))
    assert not [each for each in elements(document, "a") if "/do/" in (each.get("href") or "")]


def test_a_column_of_many_steps_is_drawn_in_part_and_listed_whole():
    trace = public_traces()["CED/2022/R1"]
    many = [trace["mandates"][0] | {"provision": f"synthetic/{n}"} for n in range(100)]
    many[99] |= {"standing": "suspect"}
    behind = {f"mandates/{n}": ["recommendation/CED/2022/R1 2"] for n in range(100)}
    statements = trace["provenance"]["statements"] | behind
    html = trace_page(trace | {"mandates": many, "provenance": {"statements": statements}}, today=TODAY)
    document = parsed(html)
    [svg] = elements(document, "svg")
    assert "#s-mandates-99" in [link.get("href") for link in elements(svg, "a")]
    assert "76 steps are not drawn; the table has them." in text_of(document)
    [table] = elements(document, "tbody")
    assert len(list(elements(table, "tr"))) > 100


def test_a_moment_is_typed_in_the_readers_zone_and_kept_in_utc():
    window = window_of({"known_local": "2026-11-29T20:16:33", "as_of": " 2026-01-01 "}, "Asia/Bangkok")
    assert window == Window("2026-01-01", "2026-11-29T13:16:33Z")
    assert window.local("Asia/Bangkok") == "2026-11-29T20:16:33"
    assert window_of({"known_local": "yesterday"}, "Asia/Bangkok") == Window("", "yesterday")
    assert Window("", "yesterday").local("UTC") == ""
    assert window_of({"known_local": "0001-01-01T00:00"}, "Asia/Bangkok").known_at
