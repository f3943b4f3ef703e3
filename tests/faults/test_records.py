"""G5: a record with a non-UTF-8 header name is read as published, becomes a dead letter, and stops no other record."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.consumer.dead_letters import to_record
from shared.consumer.decoding import decode_record
from shared.consumer.lenient_fetcher import MAX_HEADERS
from shared.consumer.record import KafkaRecord, Poison
from shared.consumer.topic_reader import read_topic
from tests.faults.reading import a_reading
from tests.faults.relaying import a_site
from tests.faults.rig.forging import NotText, Record, publish_batch
from tests.history import a_history
from tests.patience import AT_MOST_SECONDS
from tests.proofs import TRUST
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NAME = "\udcff\udcfe"
SNAPPY = _DefaultRecordBatchBuilderPy.CODEC_SNAPPY


async def published(servers: Stack, records: list[KafkaRecord], spoilt: int) -> list[KafkaRecord]:
    """Publish records in one batch, one of them with a non-UTF-8 header name, then the first again; read the topic."""
    outgoing = [
        Record(each.value, [*each.headers, *([(NotText("name"), b"Synthetic")] if number == spoilt else [])], each.key)
        for number, each in enumerate(records)
    ]
    async with a_site(servers) as site, AIOKafkaProducer(**servers.kafka_admin.client()) as producer:
        topic = f"throughline.{site.service}"
        await publish_batch(producer, topic, *outgoing)
        await publish_batch(producer, topic, outgoing[0])
        read = [each async for each in read_topic(servers.kafka_admin, topic)]
    return [replace(each, topic=records[0].topic) for each in read]


async def test_a_batch_with_a_non_utf_8_header_name_is_read_to_its_end(servers: Stack):
    true = a_history().records["instrument/i1"][:3]
    read = await published(servers, true, spoilt=1)
    assert [each.value for each in read] == [each.value for each in [*true, true[0]]]
    assert [each.headers for each in read] == [
        true[0].headers, (*true[1].headers, (NAME, b"Synthetic")), true[2].headers, true[0].headers,
    ]  # fmt: skip
    assert [each.offset for each in read] == [0, 1, 2, 3]


async def test_a_signed_record_with_a_non_utf_8_header_name_is_projected_as_any_other(servers: Stack):
    history = a_history()
    read = await published(servers, history.records["instrument/i1"][:3], spoilt=1)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project([*read, *history.all()])
        assert await reading.dead_letters(None) == {}
        assert await reading.stored() == history.traces()


async def test_an_unsigned_record_with_a_non_utf_8_header_name_becomes_a_dead_letter_with_its_bytes(servers: Stack):
    true = a_history().records["instrument/i1"]
    read = await published(servers, [replace(each, headers=()) for each in true[:3]], spoilt=1)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(read[1:2])
        (listed,) = await reading.projector.dead_letters.find()
        assert "headers" not in listed
        assert listed["size"] == len(read[1].value or b"")
        dead_letter = await reading.projector.dead_letters.get(listed["_id"])
        assert dead_letter is not None
        assert dead_letter["reason"] == "unsigned"
        assert dead_letter["headers"][-1] == [b"\xff\xfe", b"Synthetic"]
        assert to_record(dead_letter) == read[1]
        assert isinstance(decode_record(to_record(dead_letter), TRUST), Poison)
        assert await reading.projector.stalled() == {}


async def test_a_record_with_very_many_headers_is_read_without_most_of_them(servers: Stack):
    (true,) = a_history().records["instrument/i1"][:1]
    many = [(NotText(""), b"")] * 200_000
    async with a_site(servers) as site, AIOKafkaProducer(**servers.kafka_admin.client()) as producer:
        await publish_batch(producer, site.topic, Record(true.value, [*true.headers, *many], true.key))
        (read,) = [each async for each in read_topic(servers.kafka_admin, site.topic)]
    assert read.value == true.value
    assert read.headers[: len(true.headers)] == true.headers
    assert len(read.headers) == MAX_HEADERS


def in_snappy(raw: bytes) -> bytes:
    """Frame bytes as one uncompressed Snappy literal, as Kafka's own clients frame them."""
    literal = bytes([(len(raw) & 0x7F) | 0x80, len(raw) >> 7, 61 << 2]) + (len(raw) - 1).to_bytes(2, "little") + raw
    return b"\x82SNAPPY\x00" + struct.pack(">iii", 1, 1, len(literal)) + literal


async def test_the_broker_decompresses_a_record_that_no_reader_here_could(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aiokafka.record.default_records.snappy_encode", in_snappy)
    monkeypatch.setattr("aiokafka.codec.has_snappy", lambda: True)
    async with AIOKafkaProducer(**servers.kafka_admin.client()) as producer:
        garbage = Record(b"garbage", [], b"instrument/synthetic-snappy")
        placed = await publish_batch(producer, "throughline.nominations", garbage, compression=SNAPPY)
    monkeypatch.undo()
    async with asyncio.timeout(AT_MOST_SECONDS):
        read = {each.origin: each.value async for each in read_topic(servers.kafka_admin, "throughline.nominations")}
    assert [read[place] for place in placed] == [b"garbage"]
