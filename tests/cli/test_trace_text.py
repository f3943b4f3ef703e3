"""A trace in words: nothing of it is left out, and whatever is not verified is marked."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from shared.events import recommendations as r
from tests.cli.record_in_memory import TODAY, public_history, public_traces
from tests.history import a_history, composed, with_texts
from tools.audit.trace_diff import describe_changes
from tools.render.page import WIDTH, span
from tools.render.trace_text import plain_text

PLACES = [
    {"stream": stream, "version": version, "service": "meetings", "position": 6 + version, "leaf": leaf * 32}
    | {"type": kind, "about": version - 1, "reason": "Synthetic [mistake]"}
    for stream, version, leaf, kind in (
        ("meeting/synthetic", 1, "ab", "MeetingHeld"),
        ("meeting/synthetic", 2, "cd", "RecordVoided"),
        ("meeting/z", 1, "ef", "MeetingHeld"),
    )
]
REFERENCES = ("CED/2022/R1", "CED/2020/R1")


def one_line(text: str) -> str:
    return " ".join(text.split())


def text_of(reference: str) -> str:
    return one_line(plain_text(public_traces()[reference], TODAY))


@pytest.mark.parametrize(
    "says",
    [
        "CED/2022/R1 Regional action programme on air pollution (RAPAP)",
        "This system's own reference, not a United Nations symbol.",
        "Commission resolution 75/4: live citation (inferred)",
        "adopted 31 May 2019 (inferred), ESCAP/RES/75/4 (recalled)",
        "Discussed at Preparatory meeting for the seventh session of the Committee, 18 March 2022",
        "22 to 23 June 2022",
        "Who took part is not on record.",
        "Adoption: where is not on record (certainty unknown)",
        "To session 7 of the Committee, 29 November to 1 December 2022, ministerial level",
        "Session 7: endorsed on 1 December 2022 Adopted within the ministerial declaration",
        "September 2023: under implementation Evidence: RAPAP working groups on data",
        "16 October 2024: under implementation (inferred) Evidence: session 8 of the Committee",
        "Carried by Commission resolution 79/6, on 19 May 2023 (inferred)",
        "- The record does not say at which meeting it was adopted, or whether it was.",
    ],
)
def test_the_trace_of_2022_says_what_the_record_says(says: str):
    assert says in text_of("CED/2022/R1")


@pytest.mark.parametrize(
    "says",
    [
        "Commission resolution 71/1: suspect citation",
        "Suspect: superseded by Commission resolution 78/2 on 27 May 2022 (inferred), and nobody has reconfirmed",
        "The text read does not name 71/1.",
        "Commission resolution 72/8: live citation invites members and associate members:",
        "the secretariat's note (the founding note), ESCAP/CED/2020/3 (recalled), para. 24 (b) (certainty unknown)",
        "Session 6: outcome not known (certainty unknown)",
        "2024: 3 three-hour meetings held, 0 planned.",
        "- What session 6 of the Committee did with it is not known: an open gap.",
        "Neither carried on nor related",
    ],
)
def test_the_trace_of_2020_says_what_the_record_says(says: str):
    assert says in text_of("CED/2020/R1")


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


@pytest.mark.parametrize("reference", REFERENCES)
def test_no_title_note_source_or_gap_is_left_out(reference: str):
    trace = {name: part for name, part in public_traces()[reference].items() if name not in ("provenance", "based_on")}
    shown = text_of(reference)
    printed_fields = {
        "title",
        "note",
        "source",
        "meeting_source",
        "summary",
        "cite",
        "provision",
        "gaps",
        "symbol",
        "document",
    }
    missing = [text for name, text in texts_in(trace) if name in printed_fields and one_line(text) not in shown]
    titles_behind_evidence = {item.get("evidence", {}).get("source") for item in trace["follow_up"]}
    assert set(missing) <= titles_behind_evidence


@pytest.mark.parametrize("status", ["inferred", "recalled", "unknown"])
@pytest.mark.parametrize("section", ["mandates", "work", "transmission", "dispositions", "follow_up"])
def test_every_unverified_statement_is_marked(section: str, status: str):
    marks = {"inferred": "(inferred)", "recalled": "(recalled)", "unknown": "(certainty unknown)"}
    verified, doubtful = (copy.deepcopy(public_traces()["CED/2022/R1"]) for _ in range(2))
    verified[section][0]["status"], doubtful[section][0]["status"] = "verified", status
    mark = marks[status]
    assert plain_text(doubtful, TODAY).replace("\n", " ").count(mark) >= 1
    counts = [one_line(plain_text(each, TODAY)).count(mark) for each in (doubtful, verified)]
    assert counts[0] == counts[1] + 1


def test_no_line_is_wider_than_a_page_and_none_ends_in_blanks():
    for reference in REFERENCES:
        for line in plain_text(public_traces()[reference], TODAY, PLACES).splitlines():
            assert len(line) <= WIDTH
            assert line == line.rstrip()


def test_provenance_names_the_events_behind_each_statement():
    shown = one_line(plain_text(public_traces()["CED/2022/R1"], TODAY, PLACES))
    assert "rests on recommendation/CED/2022/R1 v1" in shown
    assert "EVENTS" in shown
    assert "meeting/synthetic: v1 at position 7, leaf abababababab; v2 at position 8, leaf cdcdcdcdcdcd" in shown
    assert "CORRECTIONS AND VOIDS - meeting/synthetic v2 voids v1: Synthetic [mistake] EVENTS" in shown
    assert "meeting/z: v1 at position 7, leaf efefefefefef" in shown
    assert "rests on" not in text_of("CED/2022/R1")


def test_a_trace_as_of_a_day_names_the_day_and_marks_facts_without_a_date():
    trace = composed(public_history().all(), date(2023, 9, 15))["CED/2022/R1"]
    shown = one_line(plain_text(trace, TODAY))
    assert "as of 15 September 2023" in shown
    assert "September 2023: under implementation (possibly by then)" in shown
    assert "live citation (inferred) (date unknown)" in shown
    assert "March 2024" not in shown


def test_lineage_priority_and_reverted_citations_are_shown():
    traces = composed(a_history().all())
    first, second = (one_line(plain_text(traces[f"SYN/2031/R{n}"], TODAY)) for n in (1, 2))
    assert "Merged into SYN/2031/R2" in first
    assert "Absorbs SYN/2031/R1" in second
    assert "PRIORITY 1. P (certainty unknown) Outcome: O Timeline: to 2031." in first
    assert "citation taken back" in first
    assert "Taken back (certainty unknown): Synthetic." in first
    assert "Superseded by Synthetic resolution 2 (inferred), and reconfirmed (certainty unknown)." in first
    assert "Members: FJI (0 in the room, 1 remote)." in first


def test_due_and_blocked_items_of_today_are_shown():
    today = {"date": "2031-05-06", "past_due": ["A follow-up was due."], "stalled": {"meeting/m1": 3}}
    shown = one_line(plain_text(public_traces()["CED/2022/R1"], today))
    assert "TODAY, 6 May 2031 - A follow-up was due. - meeting/m1 waits for version 3" in shown


def test_a_text_that_looks_like_markup_is_shown_as_it_is():
    history = a_history()
    history.add("recommendation/SYN/2031/R7", r.RecommendationDrafted(reference="SYN/2031/R7", title="[bold]x[/bold]"))
    assert "[bold]x[/bold]" in plain_text(composed(history.all())["SYN/2031/R7"], TODAY)


@pytest.mark.parametrize(
    ("starts", "ends", "says"),
    [
        ("2022-06-22", "2022-06-23", "22 to 23 June 2022"),
        ("2022-11-29", "2022-12-01", "29 November to 1 December 2022"),
        ("2022-12-29", "2023-01-01", "29 December 2022 to 1 January 2023"),
        ("2022-03-18T10:00:00+07:00", "2022-03-18T13:00:00+07:00", "18 March 2022"),
        ("2023-09", None, "September 2023"),
        ("2022", "2022-05", "2022 to May 2022"),
        (None, None, "on an unknown date"),
    ],
)
def test_days_are_shown_as_far_as_they_are_known(starts: str | None, ends: str | None, says: str):
    assert span(starts, ends) == says


def test_versions_of_the_text_are_shown_with_their_differences_and_what_became_of_each():
    trace = composed(with_texts(a_history()).all())["SYN/2031/R9"]
    shown = one_line(plain_text(trace, TODAY, PLACES))
    for says in (
        "version 10",
        "TEXTS 1. Version 1 (certainty unknown) Synthetic 9 Synthetic text rests on recommendation/SYN/2031/R9 v1",
        "2. Version 6, of 2 March 2031 (certainty unknown) Synthetic 9 Synthetic text, revised",
        "In the text, “text” became “text, revised”.",
        "3. Version 10, a slip put right (certainty unknown) Its title and text are those above.",
        "In the title, “9” became “9, put right”.",
        "Session 3: returned on 1 March 2031 (certainty unknown) Version 1 of the text.",
        "Session 4: endorsed (certainty unknown) Version 6 of the text.",
    ):
        assert says in shown
    assert "Version 1 of the text" not in text_of("CED/2022/R1")


def test_a_diff_names_the_versions_that_came():
    before = composed(a_history().all())["SYN/2031/R1"]
    again = r.RecommendationRevised(text="Synthetic text")
    after = composed(a_history().add("recommendation/SYN/2031/R1", again).all())["SYN/2031/R1"]
    changes = describe_changes(before, after)
    assert "Text: was not on record, is Synthetic text." in changes
    assert any("In the text, “Synthetic text” was added." in change for change in changes)
