"""Corrections: whole new data of an original event, checked like any other; the original stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id, nomination, problem
from tests.http.conftest import Nothing

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
REASON = "Synthetic slip of the pen"
LATER = {"starts_at": "2021-04", "ends_at": "2021-04"}
MOVED = LATER | {"by": "secretariat"}


@pytest.fixture
def key(caller: Call) -> str:
    """A meeting, rescheduled, and its rescheduling corrected: versions 1 to 3."""
    key, asking = new_id("meeting"), caller()
    accepted(asking.post("meetings", "/meetings", meeting(key)))
    accepted(asking.post("meetings", f"/meetings/{key}/reschedule", LATER))
    accepted(asking.post("meetings", f"/meetings/{key}/correct", correction(2, MOVED | {"reason": "Synthetic"})))
    return key


def correction(version: Any, data: Any, **more: Any) -> dict[str, Any]:
    return {"corrects": version, "data": data, "reason": REASON} | more


def test_a_correction_takes_the_place_and_the_original_stays(key: str, caller: Call, records: Records) -> None:
    asking = caller()
    path, right = f"/meetings/{key}", meeting(key, title="Synthetic meeting, as it was called")
    assert accepted(asking.post("meetings", f"{path}/correct", correction(1, right), If_Match='"3"'))["version"] == 4
    shown = asking.get("meetings", path, at_least=4, wait=20).json()["state"]
    assert shown["particulars"]["title"] == right["title"]
    events = [
        bytes(raw) for commit in records.commits("meetings", **{"_id.s": f"meeting/{key}"}) for raw in commit["events"]
    ]
    assert b'"title":"Synthetic meeting"' in events[0]
    assert len(events) == 4


BAD: dict[str, tuple[str, str, Callable[[str], dict[str, Any]]]] = {
    "an unknown version": ("CorrectsNoOriginal", "version 9", lambda key: correction(9, meeting(key))),
    "another correction": ("CorrectsNoOriginal", "version 3", lambda key: correction(3, MOVED)),
    "another id": ("CorrectionChangesIdentity", "meeting", lambda key: correction(1, meeting("another"))),
    "no title": ("CorrectionBreaksSchema", "title: ", lambda key: correction(1, {"meeting": key})),
    "an unknown field": ("CorrectionBreaksSchema", "surprise: ", lambda key: correction(1, meeting(key, surprise=1))),
    "a wrong type": ("CorrectionBreaksSchema", "title: ", lambda key: correction(1, meeting(key, title=5))),
    "a date that is none": (
        "CorrectionBreaksSchema",
        "ends_at: ",
        lambda key: correction(2, MOVED | {"ends_at": "2021-13"}),
    ),
    "the data of another event": ("CorrectionBreaksSchema", "meeting: ", lambda key: correction(2, meeting(key))),
    "control characters": ("CorrectionBreaksSchema", "title: ", lambda key: correction(1, meeting(key, title="a\x00"))),
    "70 KB of text": ("CorrectionBreaksSchema", "note: ", lambda key: correction(1, meeting(key, note="x" * 70_000))),
    "a fraction": ("SchemaViolation", "body.data.title: ", lambda key: correction(1, meeting(key, title=1.5))),
    "null": ("SchemaViolation", "body.data.title: ", lambda key: correction(1, meeting(key, title=None))),
    "null for what may be left out": (
        "SchemaViolation",
        "body.data.note: ",
        lambda key: correction(1, meeting(key, note=None)),
    ),
    "null in a list": (
        "SchemaViolation",
        "body.data.title[1]: ",
        lambda key: correction(1, meeting(key, title=["a", None])),
    ),
    "a name that is not ASCII": ("SchemaViolation", "body.data: ", lambda key: correction(1, meeting(key, тема=1))),
    "an integer past 2^53": (
        "SchemaViolation",
        "body.data.title: ",
        lambda key: correction(1, meeting(key, title=2**60)),
    ),
    "a lone surrogate": (
        "SchemaViolation",
        "body.data.title: ",
        lambda key: correction(1, meeting(key, title="\ud800")),
    ),
    "a list": ("SchemaViolation", "body.data: ", lambda key: correction(1, [])),
    "text": ("SchemaViolation", "body.data: ", lambda key: correction(1, "Synthetic")),
    "no reason": ("SchemaViolation", "body.reason: ", lambda key: correction(1, meeting(key), reason=None)),
    "a version that is text": ("SchemaViolation", "body.corrects: ", lambda key: correction("1", meeting(key))),
    "the version nought": ("SchemaViolation", "body.corrects: ", lambda key: correction(0, meeting(key))),
    "a version too great": ("SchemaViolation", "body.corrects: ", lambda key: correction(2**40, meeting(key))),
    "a type of its own": (
        "SchemaViolation",
        "body.data_type: ",
        lambda key: correction(1, meeting(key), data_type="x"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_correction_that_does_not_fit_is_refused(name: str, key: str, caller: Call, nothing_stored: Nothing) -> None:
    rule, words, body = BAD[name]
    asking = caller()
    document = problem(asking.raw("meetings", f"/meetings/{key}/correct", json.dumps(body(key))), 422, rule)
    assert words in document["detail"]
    nothing_stored(asking, "meetings")


def test_an_event_not_on_record_cannot_be_corrected(caller: Call, nothing_stored: Nothing) -> None:
    asking, key = caller(), new_id("meeting")
    answer = asking.post("meetings", f"/meetings/{key}/correct", correction(1, meeting(key)))
    assert problem(answer, 409, "OutOfOrder")["kind"] == "order"
    nothing_stored(asking, "meetings")


def test_a_correction_too_large_names_its_field(key: str, caller: Call, nothing_stored: Nothing) -> None:
    asking = caller()
    data = meeting(key, note="ป" * 19_000)
    document = problem(
        asking.post("meetings", f"/meetings/{key}/correct", correction(1, data, note="ป" * 5_000)), 413, "EventTooLarge"
    )
    assert [fault["field"] for fault in document["errors"]] == ["body.data"]
    nothing_stored(asking, "meetings")


def test_a_correction_that_names_other_provisions_is_refused(caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("priority")
    selected = {"priority": key, "title": "Synthetic", "outcome": "Synthetic", "timeline_to": "2022"}
    accepted(asking.post("recommendations", "/priorities", selected))
    data = selected | {"provisions": [{"instrument": new_id("instrument"), "provision": "p"}]}
    answer = asking.post("recommendations", f"/priorities/{key}/correct", correction(1, data))
    assert "may not change provisions," in problem(answer, 422, "CorrectionChangesIdentity")["detail"]
    assert records.stored_by(asking, "recommendations") == 1


def test_a_correction_cannot_replace_a_sealed_value(caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("nomination")
    accepted(asking.post("nominations", "/nominations", nomination(key)))
    shown = asking.get("nominations", f"/nominations/{key}", at_least=1, wait=20).json()["state"]["particulars"]
    for change in ({"sealed": shown["sealed"] | {"box": "A" * 60}}, {"person": "another"}, {"member": "TUV"}):
        answer = asking.post("nominations", f"/nominations/{key}/correct", correction(1, shown | change))
        assert next(iter(change)) in problem(answer, 422, "CorrectionChangesIdentity")["detail"]
    assert records.stored_by(asking, "nominations") == 1


def test_an_adopted_title_is_revised_or_put_right_and_never_corrected_in_place(caller: Call, records: Records) -> None:
    asking, drafted = caller(), draft()
    path = f"/recommendations/{drafted['reference']}"
    accepted(asking.post("recommendations", "/recommendations", drafted))
    right = drafted | {"title": "Synthetic recommendation, spelt right"}
    accepted(asking.post("recommendations", f"{path}/correct", correction(1, right)))
    accepted(asking.post("recommendations", f"{path}/adopt", {"status": "unknown", "note": "Synthetic: silent."}))
    document = problem(
        asking.post("recommendations", f"{path}/correct", correction(1, drafted)), 422, "AdoptedTextIsFixed"
    )
    assert "`clerical`" in document["detail"]
    themes = right | {"themes": ["Synthetic"]}
    accepted(asking.post("recommendations", f"{path}/correct", correction(1, themes)))
    accepted(asking.post("recommendations", f"{path}/revise", {"title": "Synthetic, right", "clerical": True}))
    assert records.stored_by(asking, "recommendations") == 5
