"""Topic metadata of Kafka: the UUID of each topic, its first and next offsets, its partitions and its settings.

A topic that was deleted and made again has another UUID, which aiokafka's own metadata request does not ask for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import NodeNotReadyError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from shared.consumer.clients import running
from shared.runtime.kafka_access import KafkaAccess

_TAGS = ("tags", TaggedFields)


class TopicState(NamedTuple):
    """A topic as it stands: its UUID, and the first and the next offset of each partition."""

    uuid: str
    first: Mapping[int, int]
    next: Mapping[int, int]


class TopicInspector:
    """A connection that asks for metadata of topics. It needs the right to describe them."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def uuids(self, topics: Collection[str]) -> dict[str, str]:
        """Return the UUIDs of the topics that exist. Raises KafkaError."""
        return {name: uuid for name, (uuid, _) in (await self._described(topics)).items()}

    async def state(self, topic: str) -> TopicState | None:
        """Return the state of a topic; None where it does not exist. Raises KafkaError."""
        described = (await self._described([topic])).get(topic)
        if described is None:
            return None
        uuid, partitions = described
        places = [TopicPartition(topic, number) for number in partitions]
        first = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        return TopicState(uuid, {each.partition: first[each] for each in places}, _by_number(ends))

    async def ends(self, topics: Collection[str]) -> dict[TopicPartition, int]:
        """Return the next offset of each partition of the topics that exist. Raises KafkaError."""
        described = await self._described(topics)
        places = [TopicPartition(name, number) for name, (_, numbers) in described.items() for number in numbers]
        return await self._consumer.end_offsets(places)  # type: ignore[no-any-return]

    async def settings(self, topic: str) -> dict[str, str | None]:
        """Return the settings of a topic. Raises KafkaError; its user needs the right to describe them."""
        answer = await self._send(DescribeConfigsRequest([(int(ConfigResourceType.TOPIC), topic, None)]))
        for code, _message, _kind, _name, entries in answer.resources:
            _raise_for(code)
            return {entry[0]: entry[1] for entry in entries}
        raise UnknownTopicOrPartitionError

    async def partitions(self, topic: str) -> int:
        """Return the number of partitions of a topic. Raises KafkaError."""
        described = await self._described([topic])
        if topic not in described:
            raise UnknownTopicOrPartitionError
        return len(described[topic][1])

    async def _described(self, topics: Collection[str]) -> dict[str, tuple[str, list[int]]]:
        """Return UUID and partitions of the topics that exist."""
        answer = await self._send(_DescribeTopics(topics))
        described = {}
        for code, name, uuid, _internal, partitions, *_ in answer.topics:
            if code == UnknownTopicOrPartitionError.errno:
                continue
            _raise_for(code)
            described[name] = str(uuid), sorted(partition[1] for partition in partitions)
        return described

    async def _send(self, request: Any) -> Any:
        client = self._consumer._client
        node = client.get_random_node()
        if node is None:
            raise NodeNotReadyError
        return await client.send(node, request)


@asynccontextmanager
async def topic_inspector(kafka: KafkaAccess) -> AsyncIterator[TopicInspector]:
    """Connect an inspector. Raises KafkaError."""
    async with running(AIOKafkaConsumer(**kafka.client(), request_timeout_ms=10_000)) as consumer:
        yield TopicInspector(consumer)


def _by_number(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {place.partition: offset for place, offset in offsets.items()}


def _raise_for(code: int) -> None:
    if code:
        raise for_code(code)


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _TopicsDescribed(Response):
    API_KEY, API_VERSION = 3, 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()), _TAGS
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _DescribeTopicsStruct(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE, FLEXIBLE_VERSION = 3, 12, _TopicsDescribed, True
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString()), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _DescribeTopics(Request[_DescribeTopicsStruct]):
    """Metadata request of version 12 (Kafka 3.1 or newer), whose answer has the UUIDs of topics."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = tuple(topics)

    def build(self, request_struct_class: type[_DescribeTopicsStruct]) -> _DescribeTopicsStruct:
        return request_struct_class([(UUID(int=0), name, {}) for name in self._topics], False, False, {})
