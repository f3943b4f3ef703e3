"""Topics of Kafka, created from deploy/topics.yaml and never by accident."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.topic_declaration import Topics, read_topics
from tools.deployment import kafka_administrator
from tools.deployment.messages import CannotStart
from tools.files import CHECKOUT

logging.getLogger("aiokafka").addHandler(logging.NullHandler())

DECLARATION = CHECKOUT / "deploy/topics.yaml"


def declared(path: Path = DECLARATION, profile: str = "local") -> Topics:
    """Read the declaration, for a single node (`local`) or a cluster (`deployed`)."""
    return read_topics(path, profile)


def ensure(kafka: KafkaAccess, topics: Topics | None = None) -> None:
    """Create the absent topics; refuse those that differ, naming the differences. Raises CannotStart."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _ensure(kafka, topics or declared())).result()


async def _ensure(kafka: KafkaAccess, topics: Topics) -> None:
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=20_000)
    try:
        await kafka_administrator.start(admin)
        await _create_absent(admin, topics)
        differences = [*await _partition_differences(admin, topics), *await config_differences(admin, topics)]
    except (KafkaError, OSError) as failure:
        try:
            await raise_if_refused(failure, kafka)
        except KafkaRefused as refusal:
            raise CannotStart(f"{refusal}.") from failure
        raise CannotStart(f"Kafka at {kafka.bootstrap} did not list its topics: {failure}") from failure
    finally:
        await admin.close()
    if differences:
        raise CannotStart(
            "Topics differ from deploy/topics.yaml, and nothing was changed:\n"
            + "\n".join(f"    {line}" for line in differences)
        )


async def _create_absent(admin: AIOKafkaAdminClient, topics: Topics) -> None:
    present = set(await admin.list_topics())
    config = {**topics.config, **topics.config_when_created}
    absent = [
        NewTopic(name, partitions, topics.replication, topic_configs=config)
        for name, partitions in topics.partitions.items()
        if name not in present
    ]
    if not absent:
        return
    response: Any = await admin.create_topics(absent)
    for name, code, message in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise CannotStart(f"Kafka refused to create the topic {name}: {message or for_code(code).__name__}")


async def _partition_differences(admin: AIOKafkaAdminClient, topics: Topics) -> list[str]:
    actual: dict[str, list[Any]] = {}
    for _ in range(50):  # Kafka describes a new topic at first without partitions
        described = await admin.describe_topics(list(topics.partitions))
        actual = {topic["topic"]: topic["partitions"] for topic in described}
        if all(actual.get(name) for name in topics.partitions):
            break
        await asyncio.sleep(0.1)
    return [
        difference
        for name in topics.partitions
        for difference in partition_differences(name, actual.get(name, []), topics)
    ]


def partition_differences(name: str, partitions: Sequence[Mapping[str, Any]], topics: Topics) -> Iterator[str]:
    """Yield a sentence where a topic has another number of partitions, and where it has fewer copies of a record."""
    if len(partitions) != (wanted := topics.partitions[name]):
        yield f"{name}: {len(partitions)} partitions, declared {wanted}"
    copies = min((len(each["replicas"]) for each in partitions), default=0)
    if partitions and copies < topics.replication:
        yield (
            f"{name}: {copies} copies of each record, declared {topics.replication}: reassign it to more brokers "
            "(kafka-reassign-partitions.sh), or give --profile local, if one copy is what you want"
        )


async def config_differences(admin: AIOKafkaAdminClient, topics: Topics) -> list[str]:
    """Return a sentence for each setting of a topic that is not as declared."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics.partitions]
    responses: list[Any] = await admin.describe_configs(resources)
    differences = []
    for response in responses:
        for _code, _message, _kind, name, entries in response.resources:
            actual = {entry[0]: entry[1] for entry in entries}
            differences += [
                f"{name}: {key} is {actual.get(key)}, declared {value}"
                for key, value in topics.config.items()
                if actual.get(key) != value
            ]
    return differences
