"""The topic of checkpoints: each service's signed checkpoints, in a partition of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from shared.consumer.clients import running
from shared.consumer.decoder import CHECKPOINTS
from shared.consumer.topic_metadata import topic_inspector
from shared.consumer.topic_reader import read_topic
from shared.events.services import registered
from shared.ledger.ledger import Ledger
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.breaks import LogBreak, is_break, old_signers
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.notes import NotANote
from shared.tlog.trust import LogTrust

LOOK_TIMEOUT_SECONDS = 20


def partition_of(service: str) -> int:
    """Return a service's partition of the topic of checkpoints. Raises UnknownService."""
    return registered(service).checkpoint_partition


async def checkpoints_published(kafka: KafkaAccess, service: str, trust: LogTrust) -> dict[int, bytes]:
    """Return a service's published checkpoints by size: of each size the first note that a trusted key signs."""
    published: dict[int, bytes] = {}
    async for record in read_topic(kafka, CHECKPOINTS, partitions=(partition_of(service),)):
        note = record.value or b""
        if (checkpoint := believed(note, service, trust)) is not None:
            published.setdefault(checkpoint.size, note)
    return published


async def breaks_published(kafka: KafkaAccess, service: str) -> list[bytes]:
    """Return the notes on a service's partition that say that they declare a break, unverified, without repeats."""
    notes = [
        record.value or b"" async for record in read_topic(kafka, CHECKPOINTS, partitions=(partition_of(service),))
    ]
    return list(dict.fromkeys(filter(is_break, notes)))


def breaks_leading_to(trust: LogTrust, notes: Sequence[bytes]) -> list[bytes]:
    """Return the breaks that lead to a log whose key is trusted, the oldest first: anybody may publish others.

    An earlier one is believed by the old log's key, which signed the later one.
    """
    chain: list[bytes] = []
    for note in reversed(notes):
        with suppress(NotANote):
            key = LogBreak.opened(note).new
            if old_signers(chain[-1], [key]) if chain else trust.trusts(key):
                chain.append(note)
    return chain[::-1]


def believed(note: bytes, service: str, trust: LogTrust) -> Checkpoint | None:
    """Return the checkpoint in a note that a trusted key of a service's log signs; None for any other bytes."""
    try:
        checkpoint, _, signers = opened(note, trust.verifiers(service))
    except NotANote:
        return None
    return checkpoint if {*signers} & {*trust.verifiers(service, checkpoint.size)} else None


async def checkpoints_end(kafka: KafkaAccess, service: str) -> tuple[str, int]:
    """Return the UUID of the topic, and the end of a service's partition. Raises KafkaError, TimeoutError."""
    async with asyncio.timeout(LOOK_TIMEOUT_SECONDS), topic_inspector(kafka) as inspector:
        state = await inspector.state(CHECKPOINTS)
    if state is None:
        raise UnknownTopicOrPartitionError(CHECKPOINTS)
    return state.uuid, state.next.get(partition_of(service), 0)


async def publish_checkpoints(kafka: KafkaAccess, service: str, notes: Mapping[int, bytes]) -> None:
    """Publish a service's checkpoints, given by size, in order of size."""
    await publish_notes(kafka, service, [note for _, note in sorted(notes.items())])


async def publish_notes(kafka: KafkaAccess, service: str, notes: Sequence[bytes]) -> None:
    """Publish signed notes of a service in order."""
    if not notes:
        return
    producer = AIOKafkaProducer(**kafka.client(), enable_idempotence=True, acks="all", request_timeout_ms=15_000)
    async with running(producer):
        for note in notes:
            await producer.send_and_wait(CHECKPOINTS, note, key=service.encode(), partition=partition_of(service))


async def publish_lost_breaks(ledger: Ledger, kafka: KafkaAccess, service: str) -> None:
    """Publish the stored breaks of a log that the topic lacks: before anything that its key signs."""
    if stored := await ledger.breaks():
        published = await breaks_published(kafka, service)
        await publish_notes(kafka, service, [note for note in stored if note not in published])
