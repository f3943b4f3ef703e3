"""Records published past the relay: poison of each kind, forgeries, copies out of order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.consumer.record import UNSIGNED, headers_of
from shared.events.canonical import canonical, leaf_hash
from shared.events.catalogue import decode
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.notes import Signer
from tests.proofs import signed_headers

NOWHERE = 2**40
Headers = list[tuple[str, bytes]]


class NotText(str):
    """A header name that encodes to bytes that are not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


@dataclass(frozen=True)
class Record:
    """A forged record, and the reason of the dead letter that it must become."""

    value: bytes | None
    headers: Headers
    key: bytes | None
    reason: str = ""


@dataclass
class Forger:
    """A publisher of forged records on one service's topic; `placed` holds them by topic, partition and offset."""

    kafka: KafkaAccess
    service: str
    placed: dict[str, Record] = field(default_factory=dict)

    def put(self, *records: Record) -> dict[str, Record]:
        """Publish records, and return them by topic, partition and offset."""
        placed = asyncio.run(self._put(records))
        self.placed |= placed
        return placed

    async def _put(self, records: tuple[Record, ...]) -> dict[str, Record]:
        placed: dict[str, Record] = {}
        async with AIOKafkaProducer(**self.kafka.client(), max_request_size=2_000_000) as producer:
            for record in records:
                placed |= await publish_batch(producer, f"throughline.{self.service}", record)
        return placed


async def publish_batch(
    producer: AIOKafkaProducer, topic: str, *records: Record, compression: int = 0
) -> dict[str, Record]:
    """Publish records in one batch, on the partition of the first key; return them by topic, partition and offset."""
    batch, key = producer.create_batch(), records[0].key
    batch._builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 2_000_000)
    for record in records:
        batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    await producer.partitions_for(topic)
    partition = producer._partition(topic, None, None, None, key, None)
    metadata = await (await producer.send_batch(batch, topic, partition=partition))
    return {f"{topic}/{partition}/{metadata.offset + n}": record for n, record in enumerate(records)}


def signed(raw: bytes, signer: Signer, position: int = NOWHERE) -> Headers:
    """Return the headers that the relay gives to these bytes at a position, signed by a stolen key."""
    return list(signed_headers(raw, position, signer))


def unsigned(raw: bytes, position: int = NOWHERE) -> Headers:
    """Return the headers that anybody can give to these bytes at a position."""
    return list(headers_of(position, leaf_hash(raw), b""))


def altered(raw: bytes, **attributes: object) -> bytes:
    """Return the canonical bytes of an event with attributes changed."""
    return canonical({**json.loads(raw), **attributes})


def poisons(true: bytes, signer: Signer) -> list[Record]:
    """Return poison records of each kind, with the key of a true event's stream, signed by its log's key or not."""
    event = decode(true)
    key = event.subject.encode()
    following = event.streamversion + 1
    unknown = altered(true, type=f"throughline.{event.data.service}.SomethingInvented.v1", streamversion=following)
    schema = altered(true, data={"invented": "Synthetic"})
    version = altered(true, streamversion="two")
    garbage, no_json, large = b"\x00\xff garbage", b"{not json", b"x" * 1_000_000
    return [
        Record(garbage, signed(garbage, signer), key, "undecodable"),
        Record(no_json, signed(no_json, signer), key, "undecodable"),
        Record(unknown, signed(unknown, signer), key, "unknown_type"),
        Record(schema, signed(schema, signer), key, "schema_violation"),
        Record(version, signed(version, signer), key, "schema_violation"),
        Record(true, [*unsigned(true), ("note", b"\xff\xfe")], key, UNSIGNED),
        Record(true, [*unsigned(true), (NotText("name"), b"Synthetic")], key, UNSIGNED),
        Record(true, [], key, UNSIGNED),
        Record(true, signed(true, signer), None, UNSIGNED),
        Record(true, signed(unknown, signer), key, UNSIGNED),
        Record(unknown, unsigned(unknown), key, UNSIGNED),
        Record(large, signed(large, signer), key, "too_large"),
        Record(None, signed(b"", signer), key, "undecodable"),
    ]


def forgery(
    true: bytes, previous_hash: str, signer: Signer | None, position: int = NOWHERE, **attributes: object
) -> Record:
    """Return a well-formed record of a forged event, one version after a true one, at a position.

    `signer` is a stolen key; without one the record is unsigned.
    """
    event = decode(true)
    claims: Mapping[str, object] = {
        "id": f"forged-{event.id}"[:60],
        "streamversion": event.streamversion + 1,
        "previoushash": previous_hash,
        "commandid": "forged-command",
        **attributes,
    }
    raw = altered(true, **claims)
    headers = signed(raw, signer, position) if signer is not None else unsigned(raw, position)
    return Record(raw, headers, event.subject.encode())
