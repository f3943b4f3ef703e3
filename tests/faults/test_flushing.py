"""A backlog is flushed once for many batches; unflushed records are redelivered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from aiokafka import AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr

from shared.consumer.offsets import OffsetStore
from shared.consumer.record import KafkaRecord
from shared.consumer.subscriber import Subscriber
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from tests.faults.relaying import a_site
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
RECORDS, BATCH = 1_000, 40


class BatchHandler:
    """A handler that notes consumed and flushed records; it calls `fault`, which may raise, before each step."""

    def __init__(self, fault: Callable[[str, int], None] = lambda _step, _times: None, pause: float = 0.0) -> None:
        self.batches: list[list[bytes]] = []
        self.consumed: list[bytes] = []
        self.flushed: dict[bytes, None] = {}
        self.flushes = 0
        self._fault = fault
        self._pause = pause

    async def consume(self, records: Sequence[KafkaRecord]) -> None:
        self._fault("consume", len(self.batches))
        await asyncio.sleep(self._pause)
        self.batches.append([record.value or b"" for record in records])
        self.consumed += self.batches[-1]

    async def flush(self) -> None:
        self.flushes += 1
        self._fault("flush", self.flushes)
        self.flushed |= dict.fromkeys(self.consumed)
        self.consumed = []

    async def resume(self) -> None:
        """Resume nothing."""

    def discard(self) -> None:
        self.consumed = []


async def read(servers: Stack, *handlers: BatchHandler, partitions: int = 1) -> list[bytes]:
    """Publish a backlog and run one subscriber for each handler until all is flushed; return the backlog.

    Each subscriber starts after the first batch of the one before it.
    """
    async with a_site(servers) as site, AIOKafkaProducer(**servers.kafka_admin.client()) as producer:
        topic = f"throughline.{site.service}"
        backlog = [b"synthetic %d" % number for number in range(RECORDS)]
        for sent in [await producer.send(topic, value, partition=n % partitions) for n, value in enumerate(backlog)]:
            await sent
        client: AsyncIOMotorClient[object] = AsyncIOMotorClient(servers.mongodb_admin_uri)
        running: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(AT_MOST_SECONDS):
                for number, handler in enumerate(handlers):
                    settings = Settings(
                        **site.kafka.settings(), mongodb=SecretStr(servers.mongodb_admin_uri),
                        database=site.service, jwks="none", instance=f"synthetic-{number}", batch_records=BATCH,
                    )  # fmt: skip
                    offsets, pulse = OffsetStore(client[site.service]), Pulse("subscriber")
                    subscriber = Subscriber(settings, site.service, [topic], handler, offsets, pulse)
                    running.append(asyncio.create_task(subscriber.run()))
                    await until(lambda handler=handler: handler.batches)
                await until(lambda: len(set().union(*(handler.flushed for handler in handlers))) >= RECORDS)
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            client.close()
        return backlog


async def until(met: Callable[[], object]) -> None:
    """Wait for a condition."""
    while not met():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_a_backlog_is_flushed_once_for_many_batches(servers: Stack):
    handler = BatchHandler()
    assert await read(servers, handler) == list(handler.flushed)
    assert len(handler.batches) >= RECORDS / BATCH
    assert handler.flushes < len(handler.batches) / 2


@pytest.mark.parametrize("step", ["consume", "flush"])
async def test_on_an_error_all_unflushed_records_are_redelivered(servers: Stack, step: str):
    failed: list[str] = []

    def fault(current: str, times: int) -> None:
        if current == step and times >= (10 if step == "consume" else 1) and not failed:
            failed.append(current)
            raise ValueError("synthetic")

    handler = BatchHandler(fault)
    assert await read(servers, handler) == list(handler.flushed)
    assert failed == [step]
    assert sum(map(len, handler.batches)) > RECORDS


async def test_an_instance_that_keeps_a_partition_in_a_rebalance_continues_where_it_was(servers: Stack):
    first, second = BatchHandler(pause=0.3), BatchHandler(pause=0.1)
    backlog = await read(servers, first, second, partitions=3)
    assert first.flushed | second.flushed == dict.fromkeys(backlog)
    consumed = [value for batch in first.batches for value in batch]
    assert len(consumed) - len(set(consumed)) <= BATCH
