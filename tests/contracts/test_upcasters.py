"""Newer code decodes events of older code; the versions here are invented, no such code ever ran."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from shared.domain.facts import facts_of
from shared.events.canonical import canonical
from shared.events.catalogue import Undecodable, decode
from shared.events.meetings import MeetingRecorded, RecordCorrected
from shared.events.upcasters import Upcaster
from tests.contracts.corpus import golden
from tests.given import recorded

NEWEST = "throughline.meetings.MeetingRecorded.v1"
OLDER = "throughline.meetings.MeetingNoted.v2"
OLDEST = "throughline.meetings.MeetingNoted.v1"


def _kinds_were_a_list(data: dict[str, Any]) -> dict[str, Any]:
    kinds = data.pop("kinds")
    return {**data, "kind": kinds[0]}


def _title_was_called_name(data: dict[str, Any]) -> dict[str, Any]:
    name = data.pop("name")
    return {**data, "title": name}


STEPS: dict[str, Upcaster] = {OLDER: (NEWEST, _title_was_called_name), OLDEST: (OLDER, _kinds_were_a_list)}


def written_as(type_name: str, **data: Any) -> bytes:
    """Return the bytes that the invented older code would have written."""
    attributes = orjson.loads(golden()[NEWEST])
    return canonical(
        {**attributes, "type": type_name, "dataschema": f"urn:throughline:schema:{type_name}", "data": data}
    )


def test_an_older_version_is_read_as_the_newest() -> None:
    event = decode(written_as(OLDER, meeting="m1", name="Synthetic forum", kind="forum"), STEPS)
    assert event.data == MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")
    assert event.type == NEWEST
    assert event.dataschema == MeetingRecorded.schema_name()


def test_a_version_older_still_is_read_step_by_step() -> None:
    event = decode(written_as(OLDEST, meeting="m1", name="Synthetic forum", kinds=["forum", "other"]), STEPS)
    assert event.data == MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")


def test_a_version_without_an_upcaster_is_an_unknown_type() -> None:
    with pytest.raises(Undecodable) as refusal:
        decode(written_as(OLDER, meeting="m1", name="Synthetic forum", kind="forum"))
    assert refusal.value.reason == "unknown_type"


@pytest.mark.parametrize(
    "data",
    [
        {"meeting": "m1"},
        {"meeting": "m1", "kinds": [], "name": "Synthetic"},
        {"meeting": "m1", "kinds": 7, "name": "Synthetic"},
        {"meeting": "m1", "kinds": ["picnic"], "name": "Synthetic"},
        {"meeting": "m1", "kinds": ["forum"], "name": "Synthetic", "other": True},
    ],
)
def test_an_older_version_with_invalid_data_is_a_schema_violation(data: dict[str, Any]) -> None:
    with pytest.raises(Undecodable) as refusal:
        decode(written_as(OLDEST, **data), STEPS)
    assert refusal.value.reason == "schema_violation"


@pytest.mark.parametrize("data", ["text", 7, ["m1"]])
def test_an_older_version_whose_data_is_no_object_is_a_schema_violation(data: Any) -> None:
    attributes = orjson.loads(golden()[NEWEST])
    with pytest.raises(Undecodable) as refusal:
        decode(canonical({**attributes, "type": OLDEST, "data": data}), STEPS)
    assert refusal.value.reason == "schema_violation"


def test_an_undecodable_older_version_does_not_leak_its_data() -> None:
    with pytest.raises(Undecodable) as refusal:
        decode(written_as(OLDEST, meeting="m1", name="a secret\x00", kinds=["forum"]), STEPS)
    assert "secret" not in refusal.value.detail


def test_a_correction_written_for_an_older_version_is_read_as_the_newest() -> None:
    correction = RecordCorrected(
        corrects=1,
        data={"meeting": "m1", "name": "Synthetic forum, put right", "kind": "forum"},
        data_type=OLDER,
        reason="Synthetic",
    )
    events = recorded("meeting/m1", MeetingRecorded(meeting="m1", title="Synthetic", kind="forum"), correction)
    assert [fact.data for fact in facts_of(events, STEPS)] == [
        MeetingRecorded(meeting="m1", title="Synthetic forum, put right", kind="forum")
    ]
