"""Whether a ledger may be extended: after a restore it may be shorter than what its topic already holds, or another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.lenient_fetcher import install, to_record
from shared.consumer.record import ConsumedEvent, KafkaRecord, decode_record
from shared.events.services import registered
from shared.ledger.checkpoints import root_at
from shared.ledger.ledger import Ledger
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.notes import NotANote, Note, Verifier

CHECKPOINTS = "throughline.checkpoints"
TAIL_RECORDS = 500


class LedgerBehindTopic(Exception):
    """The topic holds what the ledger does not: a backup was restored. It is refilled from the topic, not extended."""

    def __init__(self, service: str, holds: str, finding: str) -> None:
        super().__init__(f"{holds}, {finding}: stop writing and run: throughline refill {service}")

    @classmethod
    def event(cls, service: str, event: ConsumedEvent, finding: str) -> LedgerBehindTopic:
        """Return the finding about an event on the topic."""
        what = f"{event.recorded.subject} version {event.recorded.streamversion} at position {event.position}"
        return cls(service, f"{event.origin} holds {what}", finding)


async def check(ledger: Ledger, kafka: str, service: str, keys: Sequence[Verifier] = ()) -> None:
    """Compare the ledger with the last records of its topic, and with its last checkpoint. Raises HistoryAhead.

    A record that is no event, or claims a version that the ledger knows at another position, or whose predecessor is
    nowhere, is not the relay's, which leaves out no position: it decides nothing here, and those who read set it aside.
    """
    await _check_checkpoint(ledger, kafka, service, keys)
    tails = await _tails(kafka, f"throughline.{service}")
    if not tails:
        return
    last = await ledger.last()
    end, heads = (last.end if last else 0), await ledger.heads()
    entered = await _entered(ledger, min(tails))
    for position, events in sorted(tails.items()):
        if position not in (0, end) and position - 1 not in tails:
            continue
        for event in events.values():
            stream, version = event.key
            if position >= end and heads.get(stream, 0) < version:
                raise LedgerBehindTopic.event(service, event, f"which a ledger of {end} events does not reach")
        if position < end and entered[position] not in events:
            raise LedgerBehindTopic.event(service, next(iter(events.values())), "where the ledger has another event")


async def _check_checkpoint(ledger: Ledger, kafka: str, service: str, keys: Sequence[Verifier]) -> None:
    published = await checkpoints_published(kafka, service, keys) if keys else {}
    if not published:
        return
    size = max(published)
    root = await root_at(ledger, size)
    if root is None:
        raise LedgerBehindTopic(
            service, f"{CHECKPOINTS} holds a checkpoint of {size} events", "which the ledger does not reach"
        )
    if root != Checkpoint.parse(Note.parse(published[size]).text).root:
        raise LedgerBehindTopic(
            service, f"{CHECKPOINTS} holds a checkpoint of {size} events", "where the ledger has others"
        )


async def checkpoints_published(kafka: str, service: str, keys: Sequence[Verifier]) -> dict[int, bytes]:
    """Return by size the checkpoints of a service on their topic, the first of each; unsigned ones are none."""
    found: dict[int, bytes] = {}
    async for arrival in records(kafka, CHECKPOINTS, partitions=(partition_of(service),)):
        try:
            checkpoint, _, by = opened(arrival.value or b"", keys)
        except NotANote:
            continue
        if by:
            found.setdefault(checkpoint.size, arrival.value or b"")
    return found


def partition_of(service: str) -> int:
    """Return the partition of the topic of checkpoints that is a service's own. Raises UnknownService."""
    return registered(service).checkpoint_partition


async def _tails(kafka: str, topic: str) -> dict[int, dict[str, ConsumedEvent]]:
    """Return the events among the last records of each partition, by position and leaf hash."""
    found: dict[int, dict[str, ConsumedEvent]] = {}
    async for arrival in records(kafka, topic, last=TAIL_RECORDS):
        event = decode_record(arrival)
        if isinstance(event, ConsumedEvent):
            found.setdefault(event.position, {})[event.leaf] = event
    return found


async def _entered(ledger: Ledger, position: int) -> Mapping[int, str]:
    """Return the leaf hashes of the ledger from a position on."""
    return {
        batch.first + n: entry.leaf
        async for batch in ledger.since(position)
        for n, entry in enumerate(batch.entries)
    }  # fmt: skip


async def records(
    kafka: str, topic: str, last: int | None = None, partitions: Collection[int] | None = None
) -> AsyncIterator[KafkaRecord]:
    """Yield the records of a topic up to its present ends, partition by partition: all, or the last of each."""
    async with _consumer(kafka, topic) as consumer:
        for partition in sorted(consumer.assignment()):
            if partitions is not None and partition.partition not in partitions:
                continue
            end = (await consumer.end_offsets([partition]))[partition]
            start = (await consumer.beginning_offsets([partition]))[partition]
            consumer.pause(*consumer.assignment())
            consumer.resume(partition)
            consumer.seek(partition, max(start, end - last) if last is not None else start)
            async for arrival in _until(consumer, partition, end):
                yield arrival


@asynccontextmanager
async def _consumer(kafka: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    install()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", fetch_max_wait_ms=20)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _until(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> AsyncIterator[KafkaRecord]:
    while await consumer.position(partition) < end:
        for taken in (await consumer.getmany(partition, timeout_ms=500, max_records=5_000)).values():
            for record in taken:
                if record.offset < end:
                    yield to_record(record)
