"""Fields that do not fit: refused by field and rule, never a fault of ours, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.asking import Caller, draft, meeting, new_id, nomination, problem
from tests.http.conftest import Nothing

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]


DATES = {
    "a month that is none": "2023-13",
    "a day that is none": "2023-02-30",
    "words": "soon",
    "no hyphens": "20230901",
    "full-width digits": "２０２３-０９",
    "Arabic-Indic digits": "٢٠٢٣",
    "a year of two digits": "23",
    "half a month": "2023-9",
    "a time": "2023-09-01T00:00:00Z",
    "the year nought": "0000",
    "a blank at the end": "2023 ",
    "a line feed at the end": "2023-09-01\n",
    "empty": "",
    "a number": 2023,
    "a list": ["2023"],
    "true": True,
}


@pytest.mark.parametrize("name", DATES)
def test_a_date_that_is_none_is_refused(name: str, caller: Call, nothing_stored: Nothing) -> None:
    asking = caller()
    answer = asking.post("recommendations", "/recommendations", draft(on=DATES[name]))
    assert [fault["field"] for fault in problem(answer, 422, "SchemaViolation")["errors"]] == ["body.on"]
    nothing_stored(asking, "recommendations")


@pytest.mark.parametrize("given", ["2023", "2023-09", "2023-09-01", None])
def test_a_date_as_far_as_it_is_known_is_taken(given: str | None, caller: Call) -> None:
    assert caller().post("recommendations", "/recommendations", draft(on=given)).status_code == 200


FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "an unknown field": ("surprise", {"surprise": 1}),
    "an unknown field of odd letters": ("\\u202eodd\\x00", {"\u202eodd\x00": 1}),
    "a number for text": ("title", {"title": 5}),
    "a list for text": ("title", {"title": ["Synthetic"]}),
    "null for what is required": ("title", {"title": None}),
    "empty text": ("title", {"title": ""}),
    "blank text": ("title", {"title": " \u00a0 "}),
    "two lines for one": ("title", {"title": "Synthetic\ntitle"}),
    "a line separator": ("title", {"title": "Synthetic\u2028title"}),
    "NUL": ("title", {"title": "Synthetic\x00title"}),
    "an escape": ("text", {"text": "Synthetic \x1b[31m text"}),
    "a control character of the second row": ("text", {"text": "Synthetic \x9b text"}),
    "70 KB of text": ("text", {"text": "x" * 70_000}),
    "one character too many": ("text", {"text": "x" * 20_001}),
    "a title of a page": ("title", {"title": "x" * 501}),
    "text for a list": ("themes", {"themes": "Synthetic theme"}),
    "a word that is not of the list": ("kinds.0", {"kinds": ["decree"]}),
    "nested garbage": ("themes.0", {"themes": [{"a": [{"b": 1}]}]}),
    "a status that is none": ("status", {"status": "certain"}),
    "a reference of another form": ("reference", {"reference": "syn/2031/r1"}),
    "a reference with a way out": ("reference", {"reference": "../../SYN/2031/R1"}),
    "a reference with a line feed": ("reference", {"reference": "SYN/2031/R1\n"}),
    "an id with a way out": ("priority", {"priority": "../secret"}),
    "an id with full-width letters": ("priority", {"priority": "ｐ１"}),
    "a fraction": ("title", {"title": 1.5}),
    "an integer past 2^53": ("title", {"title": 2**53}),
    "an integer of a thousand digits": ("title", {"title": 10**1_000}),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_does_not_fit_is_named(name: str, caller: Call, nothing_stored: Nothing) -> None:
    field, changes = FIELDS[name]
    asking = caller()
    document = problem(asking.post("recommendations", "/recommendations", draft(**changes)), 422, "SchemaViolation")
    assert {fault["field"] for fault in document["errors"]} == {f"body.{field}"}
    assert all(fault["rule"] and fault["message"] for fault in document["errors"])
    assert f"body.{field}: " in document["detail"]
    nothing_stored(asking, "recommendations")


OTHERS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "text for a session": ("recommendations", "/sessions", {"session": "7"}, "session"),
    "a fraction for a session": ("recommendations", "/sessions", {"session": 7.0}, "session"),
    "true for a session": ("recommendations", "/sessions", {"session": True}, "session"),
    "null for a session": ("recommendations", "/sessions", {"session": None}, "session"),
    "the session nought": ("recommendations", "/sessions", {"session": 0}, "session"),
    "a session too far": ("recommendations", "/sessions", {"session": 1_000}, "session"),
    "a count below nought": (
        "recommendations",
        "/deliverables",
        {"deliverable": "d", "body": "Synthetic", "year": "2021", "planned_three_hour_meetings": -1},
        "planned_three_hour_meetings",
    ),
    "a time without its offset": ("meetings", "/meetings", meeting("m", starts_at="2021-03-01T09:00:00"), "starts_at"),
    "a time that is none": ("meetings", "/meetings", meeting("m", starts_at="2021-02-30T09:00:00Z"), "starts_at"),
    "a member of two letters": ("nominations", "/nominations", nomination("n", member="FJ"), "member"),
    "a member in small letters": ("nominations", "/nominations", nomination("n", member="fji"), "member"),
    "details that are text": ("nominations", "/nominations", nomination("n", details="Synthetic"), "details"),
    "a detail that is unknown": (
        "nominations",
        "/nominations",
        nomination("n", details={"name": "Synthetic", "contact": "Synthetic", "passport": "Synthetic"}),
        "details.passport",
    ),
    "a half of a note verbale": (
        "nominations",
        "/nominations",
        nomination("n", note_verbale={}),
        "note_verbale.channel",
    ),
    "a digest that is none": (
        "nominations",
        "/nominations",
        nomination("n", note_verbale={"channel": "letter", "reference": "Synthetic", "digest": "x"}),
        "note_verbale.digest",
    ),
    "an address that is none": (
        "notifications",
        "/subscriptions",
        {"details": {"name": "Synthetic", "address": "nobody"}, "events": ["MeetingHeld"]},
        "details.address",
    ),
    "no events": (
        "notifications",
        "/subscriptions",
        {"details": {"name": "Synthetic", "address": "a@example.org"}, "events": []},
        "events",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_field_of_any_service_that_does_not_fit_is_named(name: str, caller: Call, nothing_stored: Nothing) -> None:
    service, path, body, field = OTHERS[name]
    asking = caller()
    document = problem(asking.post(service, path, body), 422, "SchemaViolation")
    assert f"body.{field}" in {fault["field"] for fault in document["errors"]}
    nothing_stored(asking, service)


def test_a_government_that_is_no_member_is_refused_by_the_note(caller: Call, nothing_stored: Nothing) -> None:
    asking = caller()
    answer = asking.post("nominations", "/nominations", nomination(new_id(), member="CHE"))
    document = problem(answer, 422, "OnlyMembersAndAssociateMembersNominate")
    assert (document["kind"], document["paragraph"]) == ("note", "20-21")
    nothing_stored(asking, "nominations")


def test_an_event_too_large_names_its_largest_field(caller: Call, nothing_stored: Nothing) -> None:
    asking = caller()
    body = draft(text="ป" * 15_000, note="ป" * 10_000, themes=["x" * 500] * 10)
    document = problem(asking.post("recommendations", "/recommendations", body), 413, "EventTooLarge")
    assert [(fault["field"], fault["rule"]) for fault in document["errors"]] == [("body.text", "event_too_large")]
    nothing_stored(asking, "recommendations")
