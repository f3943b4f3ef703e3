"""The whole history that a service consumed, read again: from Kafka, or from the service's journal."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.consumer.clients import running
from shared.consumer.decoder import Rotations
from shared.consumer.decoding import decode_record
from shared.consumer.lenient_fetcher import install, to_record
from shared.consumer.record import UNSIGNED, ConsumedEvent, KafkaRecord, Poison, headers_of, service_of_topic, topic_of
from shared.consumer.topic_reader import read_topic
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Undecodable, decode
from shared.projection.conflicts import choose
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.trust import LogTrust
from tools.client.errors import Failure, Unreachable
from tools.client.progress import Advance
from tools.client.services import Services
from tools.client.wait import lacking

logging.getLogger("aiokafka").addHandler(logging.NullHandler())
Take = Callable[[KafkaRecord], object]
_MAX_RECORDS = 4_000
_SILENT_SECONDS = 60.0


class Fault(NamedTuple):
    """A record that cannot be read: its place, the reason, and the hash of its bytes."""

    origin: str
    reason: str
    hash: str

    @classmethod
    def of(cls, poison: Poison) -> Fault:
        """Return the fault of a dead letter, without its bytes."""
        return cls(poison.record.origin, poison.reason, sha256(poison.record.value or b"").hexdigest())


@dataclass
class History:
    """Events by stream and version, each once; records that could not be decoded; all candidates for a version."""

    events: dict[str, dict[int, list[ConsumedEvent]]] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)
    records: int = 0
    repeats: int = 0

    def take(self, record: KafkaRecord, trust: LogTrust) -> None:
        """Add a record: an identical repeat changes nothing."""
        self.records += 1
        event = decode_record(record, trust)
        if isinstance(event, Poison):
            self.poison.append(event)
        else:
            self.add(event)

    def add(self, event: ConsumedEvent) -> None:
        """Add an event to the candidates for its version; of identical bytes keep the lowest position."""
        stream, version = event.key
        candidates = self.events.setdefault(stream, {}).setdefault(version, [])
        for number, other in enumerate(candidates):
            if event.hash == other.hash:
                self.repeats += 1
                candidates[number] = min(event, other, key=attrgetter("position"))
                return
        candidates.append(event)

    def without_repeats(self, faults: Sequence[Fault]) -> list[Fault]:
        """Leave out the unsigned records whose bytes this history has with a proof: they were published again."""
        hashes = {each.hash for versions in self.events.values() for events in versions.values() for each in events}
        return [each for each in faults if each.reason != UNSIGNED or each.hash not in hashes]

    @property
    def disputed(self) -> list[tuple[str, int]]:
        """The streams and versions that have more than one candidate."""
        return [
            (stream, version)
            for stream, versions in sorted(self.events.items())
            for version, candidates in sorted(versions.items())
            if len(candidates) > 1
        ]


def from_kafka(kafka: KafkaAccess, topics: Sequence[str], trust: LogTrust, take: Take, advance: Advance) -> None:
    """Read every record of every partition, up to the end offset at the start. Raises Unreachable, Failure.

    `trust` follows the rotations of keys first. Offsets do not tell whether records are missing: see completeness.py.
    """
    try:
        asyncio.run(_read(kafka, topics, trust, take, advance))
    except (KafkaError, OSError) as error:
        raise Unreachable(f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}).") from None


async def _read(kafka: KafkaAccess, topics: Sequence[str], trust: LogTrust, take: Take, advance: Advance) -> None:
    install()
    await Rotations(kafka, list(map(service_of_topic, topics)), trust).follow()
    partitions = await _partitions(kafka, topics)
    consumer = AIOKafkaConsumer(
        **kafka.client(),
        client_id="throughline-replay",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    async with running(consumer):
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for partition, begin in begins.items():
            consumer.seek(partition, begin)
        await _up_to(consumer, ends, take, advance)


async def _partitions(kafka: KafkaAccess, topics: Sequence[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**kafka.client(), client_id="throughline-replay")
    try:
        await admin.start()
        if absent := sorted(set(topics) - set(await admin.list_topics())):
            raise Failure(f"This Kafka has no topic {absent[0]}: is it the right one?")
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]


async def _up_to(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int], take: Take, advance: Advance) -> None:
    clock = asyncio.get_running_loop().time
    reached, reached_at = -1, clock()
    while True:
        positions = {each: await consumer.position(each) for each in ends}
        if (read := sum(positions.values())) > reached:
            reached, reached_at = read, clock()
        elif clock() - reached_at > _SILENT_SECONDS:
            raise Unreachable(f"Kafka sent nothing for {_SILENT_SECONDS:.0f} s, before the end was reached.")
        advance(reached, sum(ends.values()))
        if not (waiting := [each for each, end in ends.items() if positions[each] < end]):
            return
        batches = await consumer.getmany(*waiting, timeout_ms=500, max_records=_MAX_RECORDS)
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    take(to_record(record))


def unsigned_of(
    kafka: KafkaAccess, topics: Sequence[str], trust: LogTrust, versions: Mapping[str, int], seconds: float
) -> list[str]:
    """Wait some seconds for signed events of these streams up to these versions; return the streams that lack one.

    Raises Unreachable.
    """
    keys = {stream.encode() for stream in versions}
    try:
        return lacking(versions, lambda: asyncio.run(_signed(kafka, topics, trust, keys)), seconds)
    except (KafkaError, OSError) as error:
        raise Unreachable(f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}).") from None


async def _signed(kafka: KafkaAccess, topics: Sequence[str], trust: LogTrust, keys: Set[bytes]) -> dict[str, int]:
    """Return the last version of each of these streams that a signature covers."""
    signed: dict[str, int] = {}
    for topic in topics:
        async for record in read_topic(kafka, topic):
            if record.key in keys and isinstance(event := decode_record(record, trust), ConsumedEvent):
                stream, version = event.key
                signed[stream] = max(version, signed.get(stream, 0))
    return signed


def from_journal(services: Services, service: str, take: Take, advance: Advance) -> None:
    """Read every record of a service's journal. Raises Unreachable, Refused, Failure where it broke off."""
    for number, line in enumerate(services.lines(service, "GET", "/journal")):
        take(journal_record(line, number))
        advance(number + 1, number + 1)


def journal_record(line: bytes, number: int) -> KafkaRecord:
    """Decode a line of the journal: `{"event":<the bytes as they are>,"leaf":...,"position":...,"proof":...}`.

    Raises Failure where the line is not whole.
    """
    raw, _, rest = line.removeprefix(b'{"event":').rpartition(b',"leaf":')
    try:
        attributes, headers = orjson.loads(raw), orjson.loads(b'{"leaf":' + rest)
        topic = ".".join(attributes["type"].split(".")[:2])
        subject: str = attributes["subject"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise Failure(f"Line {number + 1} of the journal is not whole: it broke off; run it again.") from None
    fields = headers_of(headers["position"], headers["leaf"], b64decode(headers.get("proof", "")))
    return KafkaRecord(topic, 0, number, subject.encode(), raw, fields)


def decode_entry(topic: str, position: int, raw: bytes) -> ConsumedEvent | Poison:
    """Decode a log's entry: its position is its place in the log, and the tree vouches for its bytes."""
    try:
        recorded = decode(raw)
        if topic_of(recorded.data.service) != topic:
            raise Undecodable("wrong_log", f"it is an event of {recorded.source}")
    except Undecodable as error:
        return Poison(KafkaRecord(topic, 0, position, None, raw, ()), error.reason, error.detail)
    return ConsumedEvent(recorded, raw, sha256(raw).hexdigest(), sha256(b"\x00" + raw).hexdigest(), position, topic)


def streams_of(history: History) -> Iterator[tuple[str, list[ConsumedEvent]]]:
    """Yield each stream's events in order, each version's true event chosen as the live side chooses it."""
    for stream, versions in sorted(history.events.items()):
        events: list[ConsumedEvent] = []
        for version in sorted(versions):
            candidates = versions[version]
            if len(candidates) > 1:
                previous_hash = events[-1].hash if events else ZERO_HASH
                next_previous_hashes = {event.recorded.previoushash for event in versions.get(version + 1, ())}
                chosen = choose(candidates, previous_hash, next_previous_hashes)
                candidates = [chosen] if chosen else []
            events += candidates
        yield stream, events
