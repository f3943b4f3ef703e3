"""A Kafka record, the event that it carries, or the reason why it is a dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from shared.events.catalogue import Recorded
from shared.events.services import TOPIC_PREFIX

UNSIGNED = "unsigned"
POSITION, LEAF, PROOF = "position", "leaf", "proof"


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
    """A consumed event: its bytes, hashes, ledger position, the place of the record that carried it, and its proof.

    The proof is empty for an event that was journalled before records were signed.
    """

    recorded: Recorded
    raw: bytes
    hash: str
    leaf: str
    position: int
    origin: str
    proof: bytes = b""

    @property
    def key(self) -> tuple[str, int]:
        """Stream and version."""
        return self.recorded.subject, self.recorded.streamversion


@dataclass(frozen=True)
class Poison:
    """A record that is a dead letter, and why; with the stream and version of its event, if its log's key signed it.

    `unknown_key` is the id of the key of its proof, where no trusted key has it: a rotation may name that key.
    """

    record: KafkaRecord
    reason: str
    detail: str
    stream: str | None = None
    version: int | None = None
    unknown_key: bytes | None = None


@cache
def topic_of(service: str) -> str:
    """Return the topic that a service publishes to."""
    return TOPIC_PREFIX + service


@cache
def service_of_topic(topic: str) -> str:
    """Return the service that publishes to a topic."""
    return topic.removeprefix(TOPIC_PREFIX)


def headers_of(position: int, leaf: str, proof: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the headers of an event's record: ledger position, leaf hash, and the proof if there is one."""
    headers = ((POSITION, str(position).encode()), (LEAF, leaf.encode()))
    return (*headers, (PROOF, proof)) if proof else headers
