"""Recorded rows are recognised, and differences are named field by field."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.domain.facts import Fact
from shared.events.event import Event
from shared.events.meetings import MeetingProposed
from shared.events.recommendations import MandateCited, MandateUncited
from tests.record.synthetic import a_record, checked
from tools.record.checking import CheckedRow
from tools.record.matching import Match, corrected_data, match_rows

STREAM = "recommendation/SYN/2031/R1"


def rows_of(folder: Path, record: dict[str, Any], stream: str = STREAM) -> list[CheckedRow]:
    return [row for row in checked(folder, record).rows if row.row.stream == stream]


def facts_of(*events: Event) -> list[Fact]:
    return [Fact(event, STREAM, (n,), "", "someone", "secretariat", f"e{n}") for n, event in enumerate(events, 1)]


def matched(folder: Path, recorded: dict[str, Any], in_file: dict[str, Any]) -> dict[str, Match]:
    """Match a file with the events recorded from another file."""
    on_record = facts_of(*(row.event for row in rows_of(folder, recorded)))
    return match_rows(rows_of(folder, in_file), on_record)


def differences(matches: dict[str, Match]) -> dict[str, list[str]]:
    return {path: [str(each) for each in match.differences] for path, match in matches.items() if match.differences}


def test_a_recorded_row_is_unchanged(tmp_path: Path):
    matches = matched(tmp_path, a_record(), a_record())
    assert len(matches) == 11
    assert differences(matches) == {}


def test_what_was_recorded_in_another_form_is_unchanged(tmp_path: Path):
    in_file = a_record()
    in_file["recommendations"][0] |= {"title": "Décision", "text": "Décision"}
    in_file["recommendations"][0]["origin"] = {"document": "Décision", "note": "A note"}
    recorded = rows_of(tmp_path, in_file)
    decomposed = unicodedata.normalize("NFD", "Décision")
    events = [
        row.event.model_copy(
            update={name: decomposed for name in ("title", "document") if getattr(row.event, name, None)}
            | {name: f"{decomposed}\n" for name in ("text",) if getattr(row.event, name, None)}
        )
        for row in recorded
    ]
    matches = match_rows(recorded, facts_of(*events))
    assert len(matches) == len(recorded)
    assert differences(matches) == {}


@pytest.mark.parametrize(
    ("path", "field", "value", "says"),
    [
        ((), "title", "Another title", "title: recorded 'A recommendation', in file 'Another title'"),
        ((), "note", "A note", "note: recorded nothing, in file 'A note'"),
        (("mandates", 0), "status", "verified", "status: recorded 'inferred', in file 'verified'"),
        (("disposition",), "outcome", "endorsed", "outcome: recorded 'noted', in file 'endorsed'"),
        (("transmitted",), "date", "2021-02-02", "on: recorded '2021-02-01', in file '2021-02-02'"),
        (("origin",), "document", "Another paper", "document: recorded 'A paper', in file 'Another paper'"),
        (
            ("follow_up", 0),
            "progress",
            "implemented",
            "progress: recorded 'under_implementation', in file 'implemented'",
        ),
        (("follow_up", 0), "date", "2021-05", "on: recorded '2021', in file '2021-05'"),
    ],
)
def test_a_changed_field_is_named(tmp_path: Path, path: tuple[str | int, ...], field: str, value: str, says: str):
    record = a_record()
    inner: Any = record["recommendations"][0]
    for part in path:
        inner = inner[part]
    inner[field] = value
    assert list(differences(matched(tmp_path, a_record(), record)).values()) == [[says]]


def test_a_field_that_the_file_omits_is_named(tmp_path: Path):
    record = a_record()
    del record["recommendations"][0]["mandates"][0]["status"]
    named = differences(matched(tmp_path, a_record(), record))
    assert named == {"recommendations[0].mandates[0]": ["status: recorded 'inferred', in file nothing"]}


def test_rows_that_moved_are_still_recognised(tmp_path: Path):
    record = a_record()
    recommendation = record["recommendations"][0]
    for section in ("mandates", "follow_up"):
        recommendation[section] = list(reversed(recommendation[section]))
    assert differences(matched(tmp_path, a_record(), record)) == {}


def test_a_new_row_is_not_matched_with_another(tmp_path: Path):
    record = a_record()
    report = {"date": "2023", "progress": "implemented", "evidence": {"text": "A third"}}
    record["recommendations"][0]["follow_up"].insert(0, report)
    matches = matched(tmp_path, a_record(), record)
    assert "recommendations[0].follow_up[0]" not in matches
    assert differences(matches) == {}


def test_a_duplicate_row_is_recorded_twice_or_new(tmp_path: Path):
    record = a_record()
    recommendation = record["recommendations"][0]
    recommendation["follow_up"].append(dict(recommendation["follow_up"][1]))
    matches = matched(tmp_path, a_record(), record)
    assert ("recommendations[0].follow_up[1]" in matches) != ("recommendations[0].follow_up[2]" in matches)
    assert matched(tmp_path, record, record).keys() >= {"recommendations[0].follow_up[2]"}


def test_an_uncited_mandate_is_not_cited_again_by_a_load(tmp_path: Path):
    rows = rows_of(tmp_path, a_record())
    uncited = MandateUncited(instrument="one-old", provision="one/ask", reason="Synthetic")
    matches = match_rows(rows, facts_of(*(row.event for row in rows), uncited))
    match = matches["recommendations[0].mandates[0]"]
    assert [str(each) for each in match.differences] == ["standing: recorded 'uncited', in file 'cited'"]
    assert not match.correctable


def test_a_mandate_that_was_uncited_and_cited_again_matches(tmp_path: Path):
    rows = rows_of(tmp_path, a_record())
    cited = rows[1].event
    assert isinstance(cited, MandateCited)
    uncited = MandateUncited(instrument="one-old", provision="one/ask", reason="Synthetic")
    assert differences(match_rows(rows, facts_of(*(row.event for row in rows), uncited, cited))) == {}


def test_a_meeting_that_the_platform_convened_is_not_overwritten(tmp_path: Path):
    [row] = rows_of(tmp_path, a_record(), "meeting/one-meeting")
    proposed = MeetingProposed(
        meeting="one-meeting", title="A meeting", kind="forum", modality="online", starts_at="2021", ends_at="2021"
    )
    match = match_rows([row], facts_of(proposed))[row.path]
    assert [str(each) for each in match.differences] == ["event: recorded 'MeetingProposed', in file 'MeetingRecorded'"]
    assert not match.correctable


def by_path(rows: Sequence[CheckedRow], path: str) -> CheckedRow:
    return next(row for row in rows if row.path == path)


def test_a_correction_keeps_what_the_service_derived(tmp_path: Path):
    record = a_record()
    record["recommendations"][0]["meetings"] = [{"meeting": "one-meeting", "status": "verified"}]
    record["recommendations"][0]["adopted"]["status"] = "recalled"
    rows, matches = rows_of(tmp_path, record), matched(tmp_path, a_record(), record)
    seen = {"stream": "meeting/one-meeting", "version": 1}
    discussed, adopted = "recommendations[0].meetings[0]", "recommendations[0].adopted"
    assert corrected_data(by_path(rows, discussed), matches[discussed]) == {
        "meeting": "one-meeting", "on": "2021-01", "seen": seen, "status": "verified"
    }  # fmt: skip
    assert corrected_data(by_path(rows, adopted), matches[adopted]) == {
        "meeting": "one-meeting", "adopted_on": "2021-01", "text_version": 1, "seen": seen, "status": "recalled"
    }  # fmt: skip


def test_a_correction_that_names_another_meeting_drops_the_fields_derived_from_the_first(tmp_path: Path):
    record = a_record()
    record["meetings"].append({"id": "one-other", "title": "Another", "kind": "forum", "starts_at": "2020-12"})
    record["recommendations"][0]["adopted"]["meeting"] = "one-other"
    rows, matches = rows_of(tmp_path, record), matched(tmp_path, a_record(), record)
    path = "recommendations[0].adopted"
    assert corrected_data(by_path(rows, path), matches[path]) == {
        "meeting": "one-other", "adopted_on": "2020-12", "text_version": 1, "status": "verified"
    }  # fmt: skip


@pytest.mark.parametrize("meeting", ["one-meeting", "one-other"])
def test_a_correction_keeps_the_text_version_that_was_adopted(tmp_path: Path, meeting: str):
    record = a_record()
    record["meetings"].append({"id": "one-other", "title": "Another", "kind": "forum", "starts_at": "2020-12"})
    record["recommendations"][0]["adopted"] |= {"meeting": meeting, "note": "Synthetic"}
    rows, path = rows_of(tmp_path, record), "recommendations[0].adopted"
    facts = facts_of(*(row.event for row in rows_of(tmp_path, a_record())))
    fourth = {"text_version": 4}
    revised = [
        fact._replace(data=fact.data.model_copy(update=fourth)) if hasattr(fact.data, "text_version") else fact
        for fact in facts
    ]
    matches = match_rows(rows, revised)
    assert "recommendations[0].transmitted" not in differences(matches)
    assert corrected_data(by_path(rows, path), matches[path])["text_version"] == 4


def test_two_transmissions_to_one_session_are_told_apart_by_their_dates(tmp_path: Path):
    record = a_record()
    recommendation = record["recommendations"][0]
    recommendation["transmitted"] = [{"to_session": "1", "date": day} for day in ("2021-02-01", "2021-03-02")]
    recommendation["disposition"] = [
        {"session": "1", "outcome": "returned", "date": "2021-03-01"},
        {"session": "1", "outcome": "noted", "date": "2021-03-03"},
    ]
    changed = json.loads(json.dumps(record))
    for index in (0, 1):
        changed["recommendations"][0]["transmitted"][index]["document_symbol"] = f"SYN/{index}"
        changed["recommendations"][0]["disposition"][index]["paragraph"] = str(index)
    assert differences(matched(tmp_path, record, changed)) == {
        **{f"recommendations[0].transmitted[{n}]": [f"document_symbol: recorded nothing, in file 'SYN/{n}'"]
           for n in (0, 1)},
        **{f"recommendations[0].disposition[{n}]": [f"paragraph: recorded nothing, in file '{n}'"] for n in (0, 1)},
    }  # fmt: skip
