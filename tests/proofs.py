"""Proofs of made-up records, signed by the keys of synthetic histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.consumer.decoder import RecordDecoder
from shared.consumer.record import KafkaRecord, headers_of, service_of_topic
from shared.tlog.batches import prove
from shared.tlog.merkle import leaf_hash
from shared.tlog.notes import Signer
from tools.simulate.log_keys import KEYS, synthetic_trust

TRUST = synthetic_trust()
Headers = tuple[tuple[str, bytes], ...]


def a_decoder() -> RecordDecoder:
    """Return a decoder that believes the keys of synthetic histories."""
    return RecordDecoder(synthetic_trust())


def signed_headers(raw: bytes, position: int, signer: Signer) -> Headers:
    """Return the headers of an event's record, signed in a batch of its own."""
    leaf = leaf_hash(raw)
    return headers_of(position, leaf.hex(), next(prove(signer, position, [leaf])))


def headers_by(service: str, raw: bytes, position: int) -> Headers:
    """Return the headers of an event's record, signed by a service's synthetic key."""
    return signed_headers(raw, position, KEYS[service].signer)


def signed_again(record: KafkaRecord, position: int | None = None, **changes: Any) -> KafkaRecord:
    """Return a record with fields changed, signed for its position or another by the key of its topic's service."""
    changed = replace(record, **changes)
    position = int(dict(record.headers)["position"]) if position is None else position
    return replace(changed, headers=headers_by(service_of_topic(changed.topic), changed.value or b"", position))
