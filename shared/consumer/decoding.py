"""The decoding of a Kafka record into the event that it carries, or the reason why it is a dead letter.

A topic is not trusted, a signature is: a record is an event of a service's log only with the proof that a key of that
log signed these bytes for this position. Everything else about a record counts for nothing.
"""

from __future__ import annotations

from typing import Any

import orjson

from shared.consumer.record import POSITION, PROOF, UNSIGNED, ConsumedEvent, KafkaRecord, Poison, service_of_topic
from shared.events.canonical import sha256_hex
from shared.events.catalogue import Recorded, Undecodable, decode
from shared.events.envelope import EVENT_LIMIT
from shared.tlog.batches import NotAProof
from shared.tlog.merkle import leaf_hash
from shared.tlog.trust import LogTrust, UnknownKey


def decode_record(record: KafkaRecord, trust: LogTrust) -> ConsumedEvent | Poison:
    """Check a record's proof, then decode its event and check its size, key and service. Never raises."""
    leaf = leaf_hash(record.value or b"")
    try:
        position = proven_position(record, leaf, trust)
    except UnknownKey as fault:
        return Poison(record, UNSIGNED, str(fault), unknown_key=fault.key_id)
    except NotAProof as fault:
        return Poison(record, UNSIGNED, str(fault))
    return _decode(record, leaf, position, dict(record.headers)[PROOF])


def proven_position(record: KafkaRecord, leaf: bytes, trust: LogTrust) -> int:
    """Return the position for which a record's proof shows that a key of its log signed this leaf. Raises NotAProof."""
    headers = dict(record.headers)
    if not (proof := headers.get(PROOF)):
        raise NotAProof("it carries no proof")
    position = claimed_position(record)
    trust.check(service_of_topic(record.topic), position, leaf, proof)
    return position


def decode_unsigned(record: KafkaRecord) -> ConsumedEvent | None:
    """Decode a record without its proof, for a reader that can prove its event otherwise; None for no event."""
    try:
        position = claimed_position(record)
    except NotAProof:
        return None
    decoded = _decode(record, leaf_hash(record.value or b""), position, b"")
    return decoded if isinstance(decoded, ConsumedEvent) else None


def _decode(record: KafkaRecord, leaf: bytes, position: int, proof: bytes) -> ConsumedEvent | Poison:
    raw, service = record.value or b"", service_of_topic(record.topic)
    try:
        if len(raw) > EVENT_LIMIT:
            raise Undecodable("too_large", f"{len(raw)} bytes, the limit is {EVENT_LIMIT}")
        recorded = decode(raw)
    except Undecodable as error:
        return Poison(record, error.reason, error.detail, *_signed_key(record, raw))
    if record.key != recorded.subject.encode():
        return Poison(record, UNSIGNED, "the signature covers an event of another stream than the key names")
    if (publisher := publisher_of(recorded)) != service:
        return Poison(record, UNSIGNED, f"the key of {service} signed an event of {publisher}")
    return ConsumedEvent(recorded, raw, sha256_hex(raw), leaf.hex(), position, record.origin, proof)


def publisher_of(recorded: Recorded) -> str:
    """Return the service whose log an event belongs to."""
    return recorded.data.service


def claimed_position(record: KafkaRecord) -> int:
    """Return the ledger position in a record's headers. Raises NotAProof."""
    position = dict(record.headers).get(POSITION) or b""
    if not position.isdigit() or len(position) > 16 or (position[:1] == b"0" and position != b"0"):
        raise NotAProof("its position is no number")
    return int(position)


def _signed_key(record: KafkaRecord, raw: bytes) -> tuple[str | None, int | None]:
    """Return the stream and version of signed bytes that are no event, where their JSON has the key as its subject."""
    try:
        attributes: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, None
    subject = attributes.get("subject") if isinstance(attributes, dict) else None
    if not isinstance(subject, str) or subject.encode(errors="replace") != record.key:
        return None, None
    version = attributes.get("streamversion")
    return subject, version if type(version) is int and 0 < version < 2**31 else None
