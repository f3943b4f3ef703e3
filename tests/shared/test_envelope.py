"""An event's bytes: made once, chained, stamped, and no larger than a tiled log's entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from shared.events.canonical import ZERO_HASH, canonical, sha256_hex
from shared.events.catalogue import EVENTS, Undecodable, decode, event_class
from shared.events.envelope import EVENT_LIMIT, TooLarge, encode, hash_of, moment, stamp
from shared.events.event import Event
from shared.events.meetings import MeetingRecorded, OutcomeRecorded, RecordCorrected
from shared.events.recommendations import CommitteeSessionRecorded, RecommendationDrafted
from shared.events.services import REGISTRY

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
        decode(orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS))


def spaced(raw: bytes) -> bytes:
    return raw.replace(b",", b", ")


def unsorted(raw: bytes) -> bytes:
    return orjson.dumps(dict(reversed(orjson.loads(raw).items())))


def member_twice(raw: bytes) -> bytes:
    return raw.replace(b'"actor":"synthetic-actor"', b'"actor":"another","actor":"synthetic-actor"')


def member_of_the_data_twice(raw: bytes) -> bytes:
    return raw.replace(b'"meeting":"m1"', b'"meeting":"m2","meeting":"m1"')


def escaped(raw: bytes) -> bytes:
    return raw.replace(b"Synthetic forum", b"\\u0053ynthetic forum")


def ended(raw: bytes) -> bytes:
    return raw + b"\n"


@pytest.mark.parametrize("bend", [spaced, unsorted, member_twice, member_of_the_data_twice, escaped, ended])
def test_bytes_that_are_not_their_own_canonical_form_are_refused(bend: Callable[[bytes], bytes]) -> None:
    raw = encoded(MEETING)
    bent = bend(raw)
    assert bent != raw
    assert orjson.loads(bent) == orjson.loads(raw)
    with pytest.raises(Undecodable) as refusal:
        decode(bent)
    assert refusal.value.reason == "not_canonical"


@pytest.mark.parametrize("number", [b"1.0", b"1e0", b"1.5", b"100000000000000000000", b"9007199254740993", b"-0.0"])
@pytest.mark.parametrize("field", [b'"corrects":1', b'"count":1', b'"streamversion":2'])
def test_a_number_that_is_no_integer_of_the_language_is_refused(field: bytes, number: bytes) -> None:
    correction = RecordCorrected(corrects=1, data={"meeting": "m1", "count": 1}, reason="Synthetic")
    raw = encoded(correction, version=2)
    assert decode(raw).data == correction
    assert raw.count(field) == 1
    with pytest.raises(Undecodable) as refusal:
        decode(raw.replace(field, field.partition(b":")[0] + b":" + number))
    assert refusal.value.reason in ("schema_violation", "not_canonical")


def test_deep_data_with_a_null_is_refused_and_raises_nothing_else() -> None:
    correction = encoded(RecordCorrected(corrects=1, data={"meeting": "m1"}, reason="Synthetic"), version=2)
    for depth in (200, 600, 1_000, 5_000, 100_000):
        for inner in (b"null", b"1"):
            deep = b"[" * depth + inner + b"]" * depth
            bent = correction.replace(b'"meeting":"m1"', b'"meeting":' + deep)
            if (depth, inner) == (200, b"1"):
                assert decode(bent)
                continue
            with pytest.raises(Undecodable):
                decode(bent)


@pytest.mark.parametrize("key", ["", "..", ".", "m1/", "/m1", "m1//m2", "m1/../m2", "m1/.", ".m1", "m1/" * 9 + "m1"])
def test_a_subject_is_no_path(key: str) -> None:
    bent = canonical(orjson.loads(encoded(MEETING)) | {"subject": f"meeting/{key}"})
    with pytest.raises(Undecodable) as refusal:
        decode(bent)
    assert refusal.value.reason == "schema_violation"
    assert "subject" in refusal.value.detail


@pytest.mark.parametrize(
    ("event", "subject", "version", "reason"),
    [
        (MEETING, "meeting/m1", 1, None),
        (MEETING, "meeting/m2", 1, "wrong_subject"),
        (MEETING, "meeting/m1/m1", 1, "wrong_subject"),
        (MEETING, "call/m1", 1, "wrong_subject"),
        (MEETING, "meeting/m2", 2, "wrong_subject"),
        (OutcomeRecorded(outcome="m1", kind="decision", text="Synthetic"), "meeting/m1", 2, None),
        (OutcomeRecorded(outcome="m1", kind="decision", text="Synthetic"), "recommendation/m1", 2, "wrong_subject"),
        (RecommendationDrafted(reference="SYN/2031/R1", title="t"), "recommendation/SYN/2031/R1", 1, None),
        (RecommendationDrafted(reference="SYN/2031/R1", title="t"), "recommendation/SYN/2031/R2", 1, "wrong_subject"),
        (CommitteeSessionRecorded(session=7), "session/7", 1, None),
        (CommitteeSessionRecorded(session=7), "session/07", 1, "wrong_subject"),
    ],
)
def test_a_stream_is_bound_to_the_id_in_the_event_that_begins_it_and_to_its_service(
    event: Event, subject: str, version: int, reason: str | None
) -> None:
    raw = encoded(event, subject=subject, version=version)
    if reason is None:
        assert decode(raw).subject == subject
        return
    with pytest.raises(Undecodable) as refusal:
        decode(raw)
    assert refusal.value.reason == reason


def test_every_kind_of_stream_begins_with_events_of_one_service() -> None:
    owners: dict[str, set[str]] = {}
    for event in EVENTS.values():
        if event.begins is not None:
            owners.setdefault(event.begins[0], set()).add(event.service)
            assert event.begins[1] in event.fixed, f"{event.__name__}: a correction would move its stream"
    announced = {kind for service in REGISTRY for kind in (*service.announced_kinds, service.person_kind) if kind}
    assert announced <= owners.keys()
    assert all(len(services) == 1 for services in owners.values())


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
