"""A Kafka record, and its decoding into the event that it carries or the reason why it is a dead letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import orjson

from shared.events.canonical import leaf_hash, sha256_hex
from shared.events.catalogue import Recorded, Undecodable, decode
from shared.events.envelope import EVENT_LIMIT


@dataclass(slots=True)
class KafkaRecord:
    """A record as Kafka returned it: raw bytes, and its place."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def origin(self) -> str:
        """The record's place in Kafka: `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class ConsumedEvent(NamedTuple):
    """A consumed event: its bytes, hashes, ledger position, and the place of the record that carried it."""

    recorded: Recorded
    raw: bytes
    hash: str
    leaf: str
    position: int
    origin: str

    @property
    def key(self) -> tuple[str, int]:
        """Stream and version."""
        return self.recorded.subject, self.recorded.streamversion


@dataclass(frozen=True)
class Poison:
    """A record that cannot be decoded, with the stream and version that it seems to belong to."""

    record: KafkaRecord
    reason: str
    detail: str
    stream: str | None = None
    version: int | None = None


def decode_record(record: KafkaRecord) -> ConsumedEvent | Poison:
    """Decode a record and check its size, headers, key, leaf hash and topic. Never raises."""
    raw = record.value or b""
    try:
        if len(raw) > EVENT_LIMIT:
            raise Undecodable("too_large", f"{len(raw)} bytes, the limit is {EVENT_LIMIT}")
        position, leaf = _parse_headers(record.headers)
        if leaf != leaf_hash(raw):
            raise Undecodable("wrong_hash", "the leaf hash in the header is not that of the bytes")
        recorded = decode(raw)
        _check_key_and_topic(record, recorded)
    except Undecodable as error:
        stream, version = _claimed_key(record, raw)
        return Poison(record, error.reason, error.detail, stream, version)
    return ConsumedEvent(recorded, raw, sha256_hex(raw), leaf, position, record.origin)


def _parse_headers(headers: Sequence[tuple[str, bytes]]) -> tuple[int, str]:
    try:
        texts = {name: value.decode() for name, value in headers}
        "".join(texts).encode()
        text = texts["position"]
        position = int(text)
        if str(position) != text or not 0 <= position < 2**53:
            raise ValueError("no ledger has such a position")
        return position, texts["leaf"]
    except (UnicodeDecodeError, ValueError, KeyError, AttributeError) as error:
        raise Undecodable("bad_header", f"{type(error).__name__}: {error}") from None


def _check_key_and_topic(record: KafkaRecord, recorded: Recorded) -> None:
    if record.key is None or record.key != recorded.subject.encode():
        raise Undecodable("wrong_key", "the key is not the event's stream")
    if record.topic != topic_of(recorded.data.service):
        raise Undecodable("wrong_topic", f"the event belongs to the service {recorded.data.service}")


@cache
def topic_of(service: str) -> str:
    """Return the topic that a service publishes to."""
    return f"throughline.{service}"


def _claimed_key(record: KafkaRecord, raw: bytes) -> tuple[str | None, int | None]:
    """Return the stream that the key of a bad record names; and the version, if its JSON has that subject."""
    stream = record.key.decode("ascii", "ignore")[:300] if record.key else None
    try:
        attributes: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return stream, None
    if not isinstance(attributes, dict) or attributes.get("subject") != stream:
        return stream, None
    version = attributes.get("streamversion")
    return stream, version if type(version) is int and 0 < version < 2**31 else None
