"""A backlog is settled once for many batches, and what was not settled is heard again, from its first record on."""

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
    """Notes what it hears, and settles each once; `fault` is asked before each step, and may raise."""

    def __init__(self, fault: Callable[[str, int], None] = lambda _step, _times: None, pause: float = 0.0) -> None:
        self.batches: list[list[bytes]] = []
        self.heard: list[bytes] = []
        self.settled: dict[bytes, None] = {}
        self.settlings = 0
        self._fault = fault
        self._pause = pause

    async def hear(self, arrivals: Sequence[KafkaRecord]) -> None:
        self._fault("hear", len(self.batches))
        await asyncio.sleep(self._pause)
        self.batches.append([arrival.value or b"" for arrival in arrivals])
        self.heard += self.batches[-1]

    async def settle(self) -> None:
        self.settlings += 1
        self._fault("settle", self.settlings)
        self.settled |= dict.fromkeys(self.heard)
        self.heard = []

    def forget(self) -> None:
        self.heard = []


async def read(servers: Stack, *readers: BatchHandler, partitions: int = 1) -> list[bytes]:
    """Publish a backlog, let subscribers read it until all is settled, each beginning after the one before it."""
    async with a_site(servers) as site, AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        topic = f"throughline.{site.service}"
        backlog = [b"synthetic %d" % number for number in range(RECORDS)]
        for sent in [await producer.send(topic, value, partition=n % partitions) for n, value in enumerate(backlog)]:
            await sent
        client: AsyncIOMotorClient[object] = AsyncIOMotorClient(servers.mongodb_admin_uri)
        running: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(AT_MOST_SECONDS):
                for number, reader in enumerate(readers):
                    settings = Settings(
                        kafka=servers.kafka, mongodb=SecretStr(servers.mongodb_admin_uri), database=site.service,
                        jwks="none", instance=f"synthetic-{number}", batch_records=BATCH,
                    )  # fmt: skip
                    offsets, pulse = OffsetStore(client[site.service]), Pulse("subscriber")
                    subscriber = Subscriber(settings, site.service, [topic], reader, offsets, pulse)
                    running.append(asyncio.create_task(subscriber.run()))
                    await until(lambda reader=reader: reader.batches)
                await until(lambda: len(set().union(*(reader.settled for reader in readers))) >= RECORDS)
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
    reader = BatchHandler()
    assert await read(servers, reader) == list(reader.settled)
    assert len(reader.batches) >= RECORDS / BATCH
    assert reader.settlings < len(reader.batches) / 2


@pytest.mark.parametrize("step", ["hear", "settle"])
async def test_an_error_redelivers_all_unflushed_records(servers: Stack, step: str):
    failed: list[str] = []

    def fault(now: str, times: int) -> None:
        if now == step and times >= (10 if step == "hear" else 1) and not failed:
            failed.append(now)
            raise ValueError("synthetic")

    reader = BatchHandler(fault)
    assert await read(servers, reader) == list(reader.settled)
    assert failed == [step]
    assert sum(map(len, reader.batches)) > RECORDS


async def test_the_owner_of_a_partition_continues_at_its_offset_when_another_joins(servers: Stack):
    first, second = BatchHandler(pause=0.3), BatchHandler(pause=0.1)
    backlog = await read(servers, first, second, partitions=3)
    assert first.settled | second.settled == dict.fromkeys(backlog)
    heard = [value for batch in first.batches for value in batch]
    assert len(heard) - len(set(heard)) <= BATCH
