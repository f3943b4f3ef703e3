"""G5: a header whose name is no text stops nobody: its record is read as it lies there, kept, and set aside."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.consumer.dead_letters import to_record
from shared.consumer.record import KafkaRecord, Poison, decode_record
from shared.consumer.topic_reader import read_topic
from tests.faults.reading import a_reading
from tests.faults.relaying import a_site
from tests.faults.rig.forging import NotText, Record, put_together
from tests.history import a_history
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NAME = "\udcff\udcfe"
SNAPPY = _DefaultRecordBatchBuilderPy.CODEC_SNAPPY


async def lying_there(servers: Stack, arrivals: list[KafkaRecord], spoilt: int) -> list[KafkaRecord]:
    """Put records on a topic, all in one batch and one of them with a header that is no text, and read the topic."""
    told = [
        Record(each.value, [*each.headers, *([(NotText("name"), b"Synthetic")] if number == spoilt else [])], each.key)
        for number, each in enumerate(arrivals)
    ]
    async with a_site(servers) as site, AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        topic = f"throughline.{site.service}"
        await put_together(producer, topic, *told)
        await put_together(producer, topic, told[0])
        read = [each async for each in read_topic(servers.kafka, topic)]
    return [replace(each, topic=arrivals[0].topic) for each in read]


async def test_every_record_is_read_whatever_the_header_of_one_is_called(servers: Stack):
    true = a_history().records["instrument/i1"][:3]
    read = await lying_there(servers, true, spoilt=1)
    assert [each.value for each in read] == [each.value for each in [*true, true[0]]]
    assert [each.headers for each in read] == [
        true[0].headers, (*true[1].headers, (NAME, b"Synthetic")), true[2].headers, true[0].headers,
    ]  # fmt: skip
    assert [each.offset for each in read] == [0, 1, 2, 3]


async def test_its_record_is_set_aside_with_the_bytes_of_the_name_and_others_flow(servers: Stack):
    history = a_history()
    true = history.records["instrument/i1"]
    read = await lying_there(servers, true[:3], spoilt=1)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(read)
        (letter,) = await reading.projector.dead_letters.find()
        assert letter["reason"] == "bad_header"
        assert letter["headers"][-1] == [b"\xff\xfe", b"Synthetic"]
        assert to_record(letter) == read[1]
        assert isinstance(decode_record(to_record(letter)), Poison)
        assert await reading.projector.stalled() == {"instrument/i1": 2}
        await reading.projector.project(history.all())
        assert await reading.projector.stalled() == {}
        assert await reading.stored() == history.traces()


def in_snappy(raw: bytes) -> bytes:
    """Compress to nothing smaller, in the way in which Kafka's own clients frame it."""
    literal = bytes([(len(raw) & 0x7F) | 0x80, len(raw) >> 7, 61 << 2]) + (len(raw) - 1).to_bytes(2, "little") + raw
    return b"\x82SNAPPY\x00" + struct.pack(">iii", 1, 1, len(literal)) + literal


async def test_a_record_in_a_compression_that_no_reader_here_knows_is_read(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aiokafka.record.default_records.snappy_encode", in_snappy)
    monkeypatch.setattr("aiokafka.codec.has_snappy", lambda: True)
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        garbage = Record(b"garbage", [], b"instrument/synthetic-snappy")
        placed = await put_together(producer, "throughline.nominations", garbage, compression=SNAPPY)
    monkeypatch.undo()
    async with asyncio.timeout(AT_MOST_SECONDS):
        read = {each.origin: each.value async for each in read_topic(servers.kafka, "throughline.nominations")}
    assert [read[place] for place in placed] == [b"garbage"]
