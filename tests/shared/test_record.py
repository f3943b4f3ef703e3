"""A record from Kafka is an event with all that belongs to it, or it is set aside with a reason; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.consumer.decoding import decode_record, decode_unsigned
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison
from shared.events.canonical import canonical, leaf_hash, sha256_hex
from shared.events.envelope import EVENT_LIMIT
from shared.events.meetings import MeetingRecorded
from shared.tlog.notes import Signer
from tests.history import History
from tests.proofs import TRUST, signed_again, signed_headers

STREAM = "meeting/m1"
MEETING = MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")
WHOLE = History().add(STREAM, MEETING).records[STREAM][0]
Change = Callable[[KafkaRecord], KafkaRecord]


def with_headers(**headers: bytes | None) -> Change:
    """Change headers; None takes one away."""

    def change(record: KafkaRecord) -> KafkaRecord:
        changed: dict[str, Any] = dict(record.headers) | headers
        return replace(record, headers=tuple((name, value) for name, value in changed.items() if value is not None))

    return change


def with_value(value: bytes | None) -> Change:
    """Give the record other bytes, signed by the key of its topic's service."""
    return lambda record: signed_again(record, value=value)


def with_attributes(**attributes: Any) -> Change:
    """Change attributes of the event, and sign it."""
    assert WHOLE.value is not None
    return with_value(canonical(orjson.loads(WHOLE.value) | attributes))


def by_another_key(record: KafkaRecord) -> KafkaRecord:
    """Sign the record with a key that nobody trusts."""
    signer = Signer.generate("throughline.synthetic/meetings")
    return replace(record, headers=signed_headers(record.value or b"", 0, signer))


@pytest.mark.parametrize("value", [b"{}", b'{"subject":5}', b'{"subject":null}', b"[]", b"5", b'{"subject":"None"}'])
@pytest.mark.parametrize("key", [None, b"None", b"5"])
def test_bytes_without_a_stream_name_none(value: bytes, key: bytes | None) -> None:
    record = replace(with_value(value)(WHOLE), key=key)
    poison = decode_record(record, TRUST)
    assert isinstance(poison, Poison)
    assert poison.stream == ("None" if (value, key) == (b'{"subject":"None"}', b"None") else None)
    assert decode_unsigned(record) is None


def test_a_signed_record_is_decoded() -> None:
    event = decode_record(WHOLE, TRUST)
    assert isinstance(event, ConsumedEvent)
    assert event.recorded.data == MEETING
    assert (event.key, event.position, event.origin) == ((STREAM, 1), 0, "throughline.meetings/0/0")
    assert (event.raw, event.hash, event.leaf) == (WHOLE.value, sha256_hex(event.raw), leaf_hash(event.raw))
    assert event.proof == dict(WHOLE.headers)["proof"]


@pytest.mark.parametrize(
    "change",
    [
        with_headers(traceparent=b"00-synthetic"),
        with_headers(extra=b"\xff"),
        with_headers(leaf=None),
        with_headers(leaf=leaf_hash(b"other").encode()),
        lambda record: replace(record, headers=(*record.headers, ("empty", None))),
    ],
)
def test_headers_that_the_signature_does_not_need_are_ignored(change: Change) -> None:
    assert isinstance(decode_record(change(WHOLE), TRUST), ConsumedEvent)


@pytest.mark.parametrize(
    "change",
    [
        with_headers(proof=None),
        with_headers(proof=b""),
        with_headers(proof=b"\x01 synthetic"),
        with_headers(proof=b"\x02" + dict(WHOLE.headers)["proof"][1:]),
        with_headers(proof=dict(WHOLE.headers)["proof"] + bytes(32)),
        with_headers(proof=dict(WHOLE.headers)["proof"][:-1]),
        with_headers(position=None),
        with_headers(position=b"1"),
        with_headers(position=b"-1"),
        with_headers(position=b"0_0"),
        with_headers(position=b" 0"),
        with_headers(position=b"00"),
        with_headers(position="٣".encode()),
        with_headers(position=b"9007199254740992"),
        with_headers(position=b"9" * 5_000),
        lambda record: replace(record, value=record.value.replace(b"Synthetic", b"Forged!!!")),
        lambda record: replace(record, value=None),
        lambda record: replace(record, value=b"x" * 1_000_000),
        lambda record: replace(record, key=b"meeting/m2"),
        lambda record: replace(record, key=None),
        lambda record: replace(record, topic="throughline.nominations"),
        lambda record: replace(record, topic="throughline.invented"),
        lambda record: signed_again(record, topic="throughline.nominations"),
        by_another_key,
    ],
)
def test_a_record_that_no_signature_covers_claims_nothing(change: Change) -> None:
    record = change(WHOLE)
    poison = decode_record(record, TRUST)
    assert isinstance(poison, Poison)
    assert (poison.reason, poison.record, poison.stream, poison.version) == ("unsigned", record, None, None)
    assert poison.detail


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("undecodable", with_value(None)),
        ("undecodable", with_value(b"")),
        ("undecodable", with_value(b"\x00\xff garbage")),
        ("unknown_type", with_attributes(type="throughline.meetings.PicnicHeld.v1")),
        ("unknown_type", with_attributes(type=["list"])),
        ("schema_violation", with_attributes(data={"meeting": "m1"})),
        ("schema_violation", with_attributes(streamversion="1")),
        ("schema_violation", with_attributes(unknown="synthetic")),
        ("schema_violation", with_attributes(subject="meeting/../m1")),
        ("wrong_subject", with_attributes(subject="meeting/m2")),
        ("wrong_subject", with_attributes(subject="recommendation/m1")),
        ("not_canonical", with_value(WHOLE.value.replace(b",", b", "))),
        ("not_canonical", with_value(WHOLE.value.replace(b'"actor":', b'"actor":"another","actor":', 1))),
        ("too_large", with_value(b" " * (EVENT_LIMIT + 1))),
    ],
)
def test_a_signed_record_that_is_no_event_is_set_aside_with_a_reason(reason: str, change: Change) -> None:
    record = change(WHOLE)
    poison = decode_record(record, TRUST)
    assert isinstance(poison, Poison)
    assert (poison.reason, poison.record) == (reason, record)
    assert poison.detail


def test_a_signed_record_set_aside_says_which_stream_and_version_it_is_about() -> None:
    poison = decode_record(with_attributes(data={}, streamversion=7)(WHOLE), TRUST)
    assert isinstance(poison, Poison)
    assert (poison.stream, poison.version) == (STREAM, 7)


def test_a_record_that_has_another_subject_than_its_key_says_nothing_of_a_stream() -> None:
    poison = decode_record(replace(with_attributes(data={}, streamversion=7)(WHOLE), key=b"meeting/m2"), TRUST)
    assert isinstance(poison, Poison)
    assert (poison.stream, poison.version) == (None, None)


@pytest.mark.parametrize("version", [True, 0, -1, 2**31, "1", 1.5, None, [1]])
def test_a_version_that_is_none_is_not_believed(version: Any) -> None:
    raw = orjson.dumps(orjson.loads(WHOLE.value or b"") | {"streamversion": version})
    poison = decode_record(with_value(raw)(WHOLE), TRUST)
    assert isinstance(poison, Poison)
    assert (poison.stream, poison.version) == (STREAM, None)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.builds(
        KafkaRecord,
        topic=st.sampled_from(["throughline.meetings", "elsewhere"]),
        partition=st.just(0),
        offset=st.just(0),
        key=st.none() | st.binary(max_size=400),
        value=st.none() | st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
            lambda value: orjson.dumps({"type": WHOLE.topic, "data": value})
        ),
        headers=st.lists(
            st.tuples(st.sampled_from(["position", "proof", "é"]), st.none() | st.binary(max_size=8)), max_size=4
        ).map(tuple),
    )
)  # fmt: skip
def test_decoding_never_raises_on_any_record(record: KafkaRecord) -> None:
    assert isinstance(decode_record(record, TRUST), Poison)
