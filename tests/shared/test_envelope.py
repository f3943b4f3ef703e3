"""An event's bytes: made once, chained, stamped, and no larger than a tiled log's entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from shared.events.canonical import ZERO_HASH, canonical, sha256_hex
from shared.events.catalogue import EVENTS, Undecodable, decode, event_class
from shared.events.envelope import EVENT_LIMIT, TooLarge, encode, hash_of, moment, stamp
from shared.events.event import Event
from shared.events.meetings import MeetingRecorded, OutcomeRecorded
from shared.events.recommendations import RecommendationDrafted

NOON = datetime(2031, 3, 18, 12, tzinfo=UTC)
MEETING = MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")


def encoded(event: Event, **more: Any) -> bytes:
    """Return an event's bytes in a synthetic envelope."""
    attributes: dict[str, Any] = {
        "event_id": "e1",
        "subject": "meeting/m1",
        "time": stamp(NOON),
        "version": 1,
        "actor": "synthetic-actor",
        "role": "secretariat",
        "command_id": "c1",
        "correlation_id": "r1",
        "causation_id": None,
        "previous_hash": ZERO_HASH,
    }
    return encode(event, **(attributes | more))


def test_a_stamp_is_utc_to_the_millisecond() -> None:
    bangkok = timezone(timedelta(hours=7))
    assert stamp(datetime(2031, 3, 18, 19, 0, 0, 125_999, tzinfo=bangkok)) == "2031-03-18T12:00:00.125Z"
    assert moment("2031-03-18T12:00:00.125Z") == datetime(2031, 3, 18, 12, 0, 0, 125_000, tzinfo=UTC)


def test_a_stamp_is_never_earlier_than_that_of_the_event_before() -> None:
    later, earlier = stamp(NOON + timedelta(milliseconds=1)), stamp(NOON - timedelta(days=400))
    assert stamp(NOON, later) == later
    assert stamp(NOON, earlier) == stamp(NOON)
    assert stamp(NOON, None) == stamp(NOON)


def test_an_event_names_its_type_its_source_and_its_schema() -> None:
    attributes = orjson.loads(encoded(MEETING))
    assert attributes["type"] == "throughline.meetings.MeetingRecorded.v1"
    assert attributes["source"] == "/services/meetings"
    assert attributes["dataschema"] == "urn:throughline:schema:throughline.meetings.MeetingRecorded.v1"


def test_an_unknown_value_is_left_out() -> None:
    raw = encoded(MEETING)
    assert b"null" not in raw
    assert orjson.loads(raw)["data"] == {"meeting": "m1", "title": "Synthetic forum", "kind": "forum"}
    assert "causationid" not in orjson.loads(raw)
    assert orjson.loads(encoded(MEETING, causation_id="e0"))["causationid"] == "e0"


def test_the_next_event_carries_the_hash_of_these_bytes() -> None:
    raw = encoded(MEETING)
    following = decode(encoded(MEETING, version=2, previous_hash=hash_of(raw)))
    assert following.previoushash == sha256_hex(raw)
    assert following.version == 2


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("source", "/services/nominations"),
        ("dataschema", "urn:throughline:schema:throughline.meetings.MeetingHeld.v1"),
        ("time", "2031-03-18T12:00:00Z"),
        ("time", "２０31-03-18T12:00:00.000Z"),
        ("subject", "meeting"),
        ("subject", "Meeting/m1"),
        ("streamversion", 0),
        ("streamversion", True),
        ("role", "minister"),
        ("previoushash", "0" * 63),
        ("data", []),
    ],
)
def test_an_envelope_that_does_not_fit_its_type_is_a_schema_violation(attribute: str, value: Any) -> None:
    bent = canonical(orjson.loads(encoded(MEETING)) | {attribute: value})
    with pytest.raises(Undecodable) as refusal:
        decode(bent)
    assert refusal.value.reason == "schema_violation"
    assert attribute in refusal.value.detail


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "undecodable"),
        (b"\xff\xfe", "undecodable"),
        (b"{", "undecodable"),
        (b'{"type":"\\ud800"}', "undecodable"),
        (b"[" * 5_000 + b"]" * 5_000, "undecodable"),
        (b"null", "unknown_type"),
        (b"[]", "unknown_type"),
        (b"{}", "unknown_type"),
        (b'{"type":7}', "unknown_type"),
        (b'{"type":"throughline.meetings.MeetingRecorded.v9"}', "unknown_type"),
        (b'{"type":"throughline.meetings.MeetingRecorded.v1"}', "schema_violation"),
    ],
)
def test_bytes_that_are_no_event_are_refused_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Undecodable) as refusal:
        decode(raw)
    assert refusal.value.reason == reason


def test_a_null_is_refused_and_the_word_is_not() -> None:
    attributes = orjson.loads(encoded(MEETING))
    attributes["data"]["title"] = "The null device and other meetings"
    assert decode(canonical(attributes)).data == MEETING.model_copy(
        update={"title": "The null device and other meetings"}
    )
    attributes["data"]["modality"] = None
    with pytest.raises(Undecodable, match="null"):
        decode(orjson.dumps(attributes))


def test_a_refusal_does_not_repeat_the_value_of_a_field() -> None:
    bent = orjson.loads(encoded(MEETING)) | {"data": {"meeting": "m1", "title": "a secret\x00", "kind": "forum"}}
    with pytest.raises(Undecodable) as refusal:
        decode(canonical(bent))
    assert "data.title" in refusal.value.detail
    assert "secret" not in refusal.value.detail


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (OutcomeRecorded(outcome="o1", kind="decision", text="空" * 20_000, note="x" * 20_000), "text"),
        (OutcomeRecorded(outcome="o1", kind="decision", text="x" * 20_000, note="🌏" * 20_000), "note"),
        (RecommendationDrafted(reference="SYN/2031/R1", title="t", themes=tuple(["x" * 500] * 130)), "themes"),
    ],
)
def test_an_event_past_the_limit_is_refused_naming_its_largest_field(event: Event, field: str) -> None:
    with pytest.raises(TooLarge) as refusal:
        encoded(event)
    assert refusal.value.field == field
    assert f"its largest field is {field}" in str(refusal.value)


def test_the_limit_itself_is_let_through() -> None:
    room = EVENT_LIMIT - len(encoded(OutcomeRecorded(outcome="o1", kind="decision", text="x", note="xx")))
    wide, narrow = divmod(room + 3, 3)
    event = OutcomeRecorded(
        outcome="o1", kind="decision", text="空" * 19_000, note="空" * (wide - 19_000) + "x" * narrow
    )
    assert len(encoded(event)) == EVENT_LIMIT
    with pytest.raises(TooLarge):
        encoded(event.model_copy(update={"note": f"{event.note}x"}))


def test_every_event_name_has_its_class_in_its_own_service() -> None:
    for event in EVENTS.values():
        assert event_class(event.service, event.__name__) is event
    with pytest.raises(KeyError):
        event_class("meetings", "NominationSubmitted")
