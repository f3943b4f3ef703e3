"""Every kind of invalid input is named by row and rule, all faults in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.record.synthetic import a_record, checked, faults_of, written
from tools.record.checking import check
from tools.record.faults import RecordRefused

PUBLIC_RECORD = Path(__file__).parents[2] / "shared/reference/public_record.yaml"
RECOMMENDATION = ("recommendations", 0)
FOLLOW_UP = (*RECOMMENDATION, "follow_up", 0)

BROKEN: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("unknown member", ("initiatives", 0, "supported_by"), "XXX", "NotAMember"),
    ("a member's name", ("initiatives", 0, "supported_by"), "Fiji", "WrongForm"),
    ("unknown member in the list", ("members", 0), "USX", "NotAMember"),
    ("malformed date", (*RECOMMENDATION, "disposition", "date"), "1 March 2031", "NotADate"),
    ("a date that is half there", (*RECOMMENDATION, "disposition", "date"), "2021-3", "NotADate"),
    ("a day that does not exist", (*RECOMMENDATION, "disposition", "date"), "2021-02-30", "NotADate"),
    ("a time without an offset", ("meetings", 0, "starts_at"), "2021-01-01T10:00", "NotATime"),
    ("a 70 KB text", (*RECOMMENDATION, "text"), "x" * 70_000, "TextTooLong"),
    ("a control character", ("meetings", 0, "title"), "A bell \x07 rings", "ControlCharacter"),
    ("a lone surrogate", ("meetings", 0, "title"), "half \ud800 a letter", "BrokenCharacter"),
    ("a lone surrogate in a citation", ("instruments", 0, "cite"), "\ud800", "BrokenCharacter"),
    ("a line break in a title", (*RECOMMENDATION, "title"), "Two\nlines", "ControlCharacter"),
    ("a blank title", (*RECOMMENDATION, "title"), "  ", "TextEmpty"),
    ("an empty title", (*RECOMMENDATION, "title"), "", "TextEmpty"),
    ("a list for a text", (*RECOMMENDATION, "title"), ["A", "list"], "WrongKind"),
    ("a text for a list", (*RECOMMENDATION, "mandates"), "one/ask", "WrongKind"),
    ("true for a text", (*RECOMMENDATION, "title"), True, "WrongKind"),
    ("a word for a number", ("committee_sessions", 0, "session"), "seven", "NotAWholeNumber"),
    ("a fraction", ("deliverables", 0, "planned_three_hour_meetings"), "1.5", "NotAWholeNumber"),
    ("a session beyond reason", ("committee_sessions", 0, "session"), "1000", "NumberOutOfRange"),
    ("an unknown word", (*RECOMMENDATION, "disposition", "outcome"), "applauded", "UnknownWord"),
    ("an unknown certainty", ("provisions", 0, "status"), "certain", "UnknownWord"),
    ("an unknown field", (*RECOMMENDATION, "vote"), "53 to 0", "UnknownField"),
    ("an unknown section", ("votes",), [], "UnknownField"),
    ("a reference of another form", (*RECOMMENDATION, "reference"), "CED/2031/1", "WrongForm"),
    ("two kinds of evidence", (*FOLLOW_UP, "evidence", "text"), "A text too", "ExactlyOneOf"),
    ("an origin that is both", (*RECOMMENDATION, "origin", "meeting"), "one-meeting", "ExactlyOneOf"),
    ("an unknown provision", (*RECOMMENDATION, "mandates", 1, "provision"), "one/asks", "UnknownProvision"),
    ("an unknown instrument", ("provisions", 0, "instrument"), "Synthetic resolution 9", "UnknownInstrument"),
    ("an unknown instrument in a relation", ("relations", 0, "to"), "elsewhere", "UnknownInstrument"),
    ("an unknown meeting", (*RECOMMENDATION, "meetings", 0), "another-meeting", "UnknownMeeting"),
    ("an unknown meeting of adoption", (*RECOMMENDATION, "adopted", "meeting"), "another", "UnknownMeeting"),
    ("an unknown session", (*RECOMMENDATION, "transmitted", "to_session"), "8", "UnknownSession"),
    ("evidence in an unknown meeting", (*FOLLOW_UP, "evidence", "meeting"), "another", "UnknownMeeting"),
    ("an unknown theme", (*RECOMMENDATION, "themes", 0), "Another theme", "UnknownTheme"),
    ("a provision twice", ("provisions", 1, "id"), "one/ask", "NamedTwice"),
    ("a citation twice", ("instruments", 1, "cite"), "Synthetic resolution one 1", "NamedTwice"),
]


def changed(record: dict[str, Any], place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    inner: Any = record
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return record


def test_the_synthetic_record_is_valid(tmp_path: Path):
    assert len(checked(tmp_path, a_record()).rows) == 20


@pytest.mark.parametrize(("place", "value", "rule"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_fault_is_named_by_its_row_and_rule(tmp_path: Path, place: tuple[str | int, ...], value: Any, rule: str):
    faults = faults_of(tmp_path, changed(a_record(), place, value))
    row = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    owner = row.rpartition(".")[0]
    assert any(fault.rule == rule and fault.row in (row, owner) for fault in faults), faults


@pytest.mark.parametrize(
    "place", [("instruments", 0, "cite"), (*RECOMMENDATION, "reference"), (*FOLLOW_UP, "progress")]
)
def test_a_missing_required_field_is_named(tmp_path: Path, place: tuple[str | int, ...]):
    record = a_record()
    inner: Any = record
    for part in place[:-1]:
        inner = inner[part]
    del inner[place[-1]]
    assert any(f.rule == "FieldMissing" and f.row.endswith(f".{place[-1]}") for f in faults_of(tmp_path, record))


def test_faults_of_schema_and_references_are_listed_together(tmp_path: Path):
    record = a_record()
    for _, place, value, _ in BROKEN[:4] + [row for row in BROKEN if row[0] == "an unknown provision"]:
        changed(record, place, value)
    rules = {fault.rule for fault in faults_of(tmp_path, record)}
    assert {"WrongForm", "NotAMember", "NotADate", "UnknownProvision"} <= rules


def test_a_misspelt_field_is_answered_with_the_right_one(tmp_path: Path):
    [fault] = faults_of(tmp_path, changed(a_record(), (*RECOMMENDATION, "mandates", 0, "staus"), "inferred"))
    assert fault.row == "recommendations[0].mandates[0].staus"
    assert "did you mean status?" in fault.says


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (
            ("initiatives", 0, "supported_by"),
            "Fiji",
            "ISO 3166-1 alpha-3, as in FJI",
        ),
        ((*RECOMMENDATION, "reference"), "CED/2031/1", "as in CED/2022/R1"),
        (("meetings", 0, "id"), "a meeting", "letters, digits"),
        ((*RECOMMENDATION, "disposition", "outcome"), "endorse", "did you mean endorsed?"),
        ((*RECOMMENDATION, "disposition", "outcome"), "applauded", "is none of endorsed, endorsed_with_changes, noted"),
        (("provisions", 0, "status"), "Verified", "did you mean verified?"),
        (("relations", 0, "kind"), "superseded", "did you mean superseded_by?"),
    ],
)
def test_a_fault_names_forms_and_words_in_words(tmp_path: Path, place: tuple[str | int, ...], value: str, says: str):
    faults = faults_of(tmp_path, changed(a_record(), place, value))
    assert any(says in fault.says for fault in faults), faults
    assert not any("pattern" in fault.says or "^" in fault.says for fault in faults)


def test_a_misspelt_name_is_answered_with_the_right_one(tmp_path: Path):
    [fault] = faults_of(tmp_path, changed(a_record(), (*RECOMMENDATION, "mandates", 0, "provision"), "one/aks"))
    assert "did you mean 'one/ask'?" in fault.says


@pytest.mark.parametrize(
    ("removed", "rule", "row"),
    [
        ("adopted", "RecommendationNotAdopted", "recommendations[0].transmitted"),
        ("transmitted", "RecommendationNotTransmitted", "recommendations[0].disposition"),
        ("mandates", "RecommendationCitesNoMandate", "recommendations[0].transmitted"),
    ],
)
def test_a_row_that_a_service_would_refuse_is_refused_before_sending(tmp_path: Path, removed: str, rule: str, row: str):
    record = a_record()
    del record["recommendations"][0][removed]
    assert [(fault.rule, fault.row) for fault in faults_of(tmp_path, record)] == [(rule, row)]


@pytest.mark.parametrize(
    ("place", "value", "rule", "row"),
    [
        (("meetings", 0, "ends_at"), "2020-12", "EndsBeforeItStarts", "meetings[0]"),
        (("committee_sessions", 0, "to"), "2021-02", "EndsBeforeItStarts", "committee_sessions[0]"),
        (("meetings", 0, "starts_at"), "9999", "FactLiesInTheFuture", "meetings[0]"),
        ((*RECOMMENDATION, "disposition", "date"), "9999", "FactLiesInTheFuture", "recommendations[0].disposition"),
    ],
)
def test_dates_that_cannot_be_are_refused_before_sending(
    tmp_path: Path, place: tuple[str | int, ...], value: str, rule: str, row: str
):
    faults = faults_of(tmp_path, changed(a_record(), place, value))
    assert (rule, row) in [(fault.rule, fault.row) for fault in faults]


def test_an_adoption_without_a_meeting_needs_status_unknown_and_a_note(tmp_path: Path):
    record = changed(a_record(), (*RECOMMENDATION, "adopted"), {"status": "unknown"})
    assert [fault.rule for fault in faults_of(tmp_path, record)] == ["AdoptionHasNoMeeting"]
    record["recommendations"][0]["adopted"]["note"] = "The record is silent."
    assert checked(tmp_path, record)


def test_texts_that_are_together_too_large_for_an_event_are_refused(tmp_path: Path):
    record = a_record()
    record["recommendations"][0] |= {"text": "水" * 15_000, "note": "火" * 15_000}
    [fault] = faults_of(tmp_path, record)
    assert (fault.rule, fault.row) == ("EventTooLarge", "recommendations[0].note")


def test_a_recommendation_may_go_to_several_sessions(tmp_path: Path):
    record = a_record()
    record["committee_sessions"].append({"session": "2", "from": "2023"})
    recommendation = record["recommendations"][0]
    recommendation["transmitted"] = [recommendation["transmitted"], {"to_session": "2"}]
    recommendation["disposition"] = [{"session": "1", "outcome": "deferred"}, {"session": "2", "outcome": "endorsed"}]
    paths = [row.path for row in checked(tmp_path, record).rows]
    assert "recommendations[0].transmitted[1]" in paths


def test_what_a_session_returned_is_transmitted_to_it_again(tmp_path: Path):
    record = a_record()
    recommendation = record["recommendations"][0]
    recommendation["transmitted"] = [{"to_session": "1"}, {"to_session": "1", "date": "2021-03-02"}]
    recommendation["disposition"] = [{"session": "1", "outcome": "returned"}, {"session": "1", "outcome": "endorsed"}]
    steps = [
        row.path for row in checked(tmp_path, record).rows if "transmitted" in row.path or "disposition" in row.path
    ]
    assert [step.removeprefix("recommendations[0].") for step in steps] == [
        "transmitted[0]", "disposition[0]", "transmitted[1]", "disposition[1]"
    ]  # fmt: skip
    recommendation["disposition"][0]["outcome"] = "noted"
    assert [fault.rule for fault in faults_of(tmp_path, record)] == ["OutOfOrder"]


def test_what_a_session_deferred_is_disposed_of_at_a_later_one(tmp_path: Path):
    record = a_record()
    record["committee_sessions"].append({"session": "2", "from": "2023"})
    dispositions = [{"session": "1", "outcome": "deferred"}, {"session": "2", "outcome": "endorsed"}]
    record["recommendations"][0]["disposition"] = dispositions
    assert checked(tmp_path, record)
    dispositions[0]["outcome"] = "noted"
    assert [fault.rule for fault in faults_of(tmp_path, record)] == ["RecommendationNotTransmitted"]


def test_the_public_record_is_valid_and_adds_nothing_to_its_file(tmp_path: Path):
    record = check(PUBLIC_RECORD)
    assert record.name == "public_record"
    by_path = {row.path: row.event for row in record.rows}
    assert len(by_path) == 67
    adopted = by_path["recommendations[0].adopted"].model_dump(exclude_none=True)
    assert adopted.keys() == {"note", "status", "text_version"}
    assert by_path["recommendations[0].transmitted"].model_dump(exclude_none=True) == {"session": 7, "text_version": 1}
    declaration = by_path["instruments.csv[0]"].model_dump(exclude_none=True)
    assert declaration["adopted_status"] == "inferred"
    assert declaration["note"].startswith("conference 5-8 Sep 2017")
    assert by_path["meetings[3]"].model_dump(exclude_none=True)["starts_at"] == "2023-09"


def test_a_missing_file_is_a_fault(tmp_path: Path):
    with pytest.raises(RecordRefused, match="CannotBeRead"):
        check(tmp_path / "nowhere.yaml")


def test_rows_are_in_order_of_dependency(tmp_path: Path):
    record = a_record()
    shuffled = dict(sorted(record.items(), reverse=True))
    assert [row.path for row in check(written(tmp_path, shuffled)).rows] == [
        row.path for row in checked(tmp_path, record, "again.json").rows
    ]


def test_a_form_and_a_word_are_described_in_words(tmp_path: Path) -> None:
    record = a_record()
    record["recommendations"][0]["reference"] = "CED/2031/1"
    record["meetings"][0]["kind"] = "fourm"
    says = {fault.row: fault.says for fault in faults_of(tmp_path, record)}
    assert says["recommendations[0].reference"].endswith("as in CED/2022/R1")
    assert says["meetings[0].kind"].endswith("did you mean forum?")
