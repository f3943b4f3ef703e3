"""Completeness of the history that Kafka holds: the positions of each log are dense, whatever the offsets are."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Self

from aiokafka.errors import KafkaError

from shared.consumer.decoding import claimed_position, proven_position
from shared.consumer.record import UNSIGNED, ConsumedEvent, Poison, service_of_topic
from shared.consumer.topic_reader import read_topic
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.batches import NotAProof
from shared.tlog.merkle import leaf_hash
from shared.tlog.trust import LogTrust
from tools.client.errors import Failure, Unreachable

POLL_SECONDS = 2.0


@dataclass
class Positions:
    """The ledger positions of the signed records that were read, by topic."""

    by_topic: dict[str, array[int]] = field(default_factory=dict)

    def add(self, topic: str, position: int) -> None:
        """Add the position of a record."""
        self.by_topic.setdefault(topic, array("Q")).append(position)

    def add_of(self, item: ConsumedEvent | Poison) -> None:
        """Add the position that a record is signed for, if it is; also of one that only newer code can read."""
        if isinstance(item, ConsumedEvent) and item.proof:
            self.add(item.origin.partition("/")[0], item.position)
        elif isinstance(item, Poison) and item.reason != UNSIGNED:
            self.add(item.record.topic, claimed_position(item.record))

    def __iadd__(self, other: Positions) -> Self:
        """Add those of another part."""
        for topic, positions in other.by_topic.items():
            self.by_topic.setdefault(topic, array("Q")).extend(positions)
        return self

    def missing(self, topic: str) -> set[int]:
        """Return the positions without a record, below the last one that has a predecessor: the relay omits none."""
        held = set(self.by_topic.get(topic, ()))
        end = max((each for each in held if each == 0 or each - 1 in held), default=-1) + 1
        return set() if len(held) == end else set(range(end)) - held


def ensure_complete(kafka: KafkaAccess, trust: LogTrust, read: Positions, seconds: float) -> None:
    """Check that Kafka holds every position of each log; wait for those in flight. Raises Failure, Unreachable."""
    for topic in read.by_topic:
        missing, until = read.missing(topic), time.monotonic() + seconds
        while missing:
            missing -= _published(kafka, topic, trust, missing)
            if missing and time.monotonic() > until:
                raise Failure(
                    f"{topic} lacks {len(missing)} events that were published before others, the first at position "
                    f"{min(missing)}, and a replay needs them all: throughline republish {service_of_topic(topic)}"
                )
            time.sleep(POLL_SECONDS if missing else 0)


def _published(kafka: KafkaAccess, topic: str, trust: LogTrust, sought: Set[int]) -> set[int]:
    """Return those of some positions of which a topic holds a signed record."""
    try:
        return asyncio.run(_positions_among(kafka, topic, trust, sought))
    except (KafkaError, OSError) as error:
        raise Unreachable(f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}).") from None


async def _positions_among(kafka: KafkaAccess, topic: str, trust: LogTrust, sought: Set[int]) -> set[int]:
    matches = set()
    async for record in read_topic(kafka, topic):
        try:
            position = proven_position(record, leaf_hash(record.value or b""), trust)
        except NotAProof:
            continue
        if position in sought:
            matches.add(position)
    return matches
