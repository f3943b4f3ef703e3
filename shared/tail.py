"""Whether a ledger may be extended: after a restore it may be shorter than what its topic already holds, or another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.intake import Arrival, Heard, take_apart
from shared.ledger import Ledger
from shared.records import arrival_of

TAIL_RECORDS = 500


class HistoryAhead(Exception):
    """The topic holds what the ledger does not: a backup was restored. It is refilled from the topic, not extended."""

    def __init__(self, service: str, event: Heard, finding: str) -> None:
        super().__init__(
            f"{event.origin} holds {event.recorded.subject} version {event.recorded.streamversion} at position "
            f"{event.position}, {finding}: stop writing and run: throughline refill {service}"
        )


async def check(ledger: Ledger, kafka: str, service: str) -> None:
    """Compare the ledger with the last records of each partition of its topic. Raises HistoryAhead.

    A record that is no event, or claims a version that the ledger knows at another position, or whose predecessor is
    nowhere, is not the relay's, which leaves out no position: it decides nothing here, and those who read set it aside.
    """
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
                raise HistoryAhead(service, event, f"which a ledger of {end} events does not reach")
        if position < end and entered[position] not in events:
            raise HistoryAhead(service, next(iter(events.values())), "where the ledger has another event")


async def _tails(kafka: str, topic: str) -> dict[int, dict[str, Heard]]:
    """Return the events among the last records of each partition, by position and leaf hash."""
    found: dict[int, dict[str, Heard]] = {}
    async for arrival in records(kafka, topic, last=TAIL_RECORDS):
        event = take_apart(arrival)
        if isinstance(event, Heard):
            found.setdefault(event.position, {})[event.leaf] = event
    return found


async def _entered(ledger: Ledger, position: int) -> Mapping[int, str]:
    """Return the leaf hashes of the ledger from a position on."""
    return {
        batch.first + n: entry.leaf
        async for batch in ledger.since(position)
        for n, entry in enumerate(batch.entries)
    }  # fmt: skip


async def records(kafka: str, topic: str, last: int | None = None) -> AsyncIterator[Arrival]:
    """Yield the records of a topic up to its present ends, partition by partition: all, or the last of each."""
    async with _consumer(kafka, topic) as consumer:
        for partition in sorted(consumer.assignment()):
            end = (await consumer.end_offsets([partition]))[partition]
            start = (await consumer.beginning_offsets([partition]))[partition]
            consumer.pause(*consumer.assignment())
            consumer.resume(partition)
            consumer.seek(partition, max(start, end - last) if last is not None else start)
            async for arrival in _until(consumer, partition, end):
                yield arrival


@asynccontextmanager
async def _consumer(kafka: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", fetch_max_wait_ms=20)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _until(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> AsyncIterator[Arrival]:
    while await consumer.position(partition) < end:
        for taken in (await consumer.getmany(partition, timeout_ms=500, max_records=5_000)).values():
            for record in taken:
                if record.offset < end:
                    yield arrival_of(record)
