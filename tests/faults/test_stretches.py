"""A backlog is settled once for many batches, and what was not settled is heard again, from its first record on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr

from shared.intake import Arrival
from shared.messaging import Subscriber
from shared.offsets import Offsets
from shared.settings import Settings
from shared.telemetry import Pulse
from tests.faults.relaying import a_site
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
RECORDS, BATCH = 1_000, 40


class Reader:
    """Notes what it hears, and settles each once; `fault` is asked before each step, and may raise."""

    def __init__(self, fault: Callable[[str, int], None] = lambda _step, _times: None) -> None:
        self.batches: list[list[bytes]] = []
        self.heard: list[bytes] = []
        self.settled: dict[bytes, None] = {}
        self.settlings = 0
        self.all = asyncio.Event()
        self._fault = fault

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        self._fault("hear", len(self.batches))
        self.batches.append([arrival.value or b"" for arrival in arrivals])
        self.heard += self.batches[-1]

    async def settle(self) -> None:
        self.settlings += 1
        self._fault("settle", self.settlings)
        self.settled |= dict.fromkeys(self.heard)
        self.heard = []
        if len(self.settled) >= RECORDS:
            self.all.set()

    def forget(self) -> None:
        self.heard = []


async def read(stack: Stack, reader: Reader) -> list[bytes]:
    """Publish a backlog, let a subscriber read it until all is settled, and return it."""
    async with a_site(stack) as site, AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        topic = f"throughline.{site.service}"
        backlog = [b"synthetic %d" % number for number in range(RECORDS)]
        for sent in [await producer.send(topic, value, partition=0) for value in backlog]:
            await sent
        settings = Settings(
            kafka=stack.kafka, mongodb=SecretStr(stack.mongodb_admin_uri), database=site.service, jwks="none",
            instance="synthetic", batch_records=BATCH,
        )  # fmt: skip
        client: AsyncIOMotorClient[object] = AsyncIOMotorClient(stack.mongodb_admin_uri)
        offsets = Offsets(client[site.service])
        running = asyncio.create_task(
            Subscriber(settings, site.service, [topic], reader, offsets, Pulse("subscriber")).run()
        )
        try:
            async with asyncio.timeout(60):
                await reader.all.wait()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            client.close()
        return backlog


async def test_a_backlog_is_settled_once_for_many_batches(stack: Stack):
    reader = Reader()
    assert await read(stack, reader) == list(reader.settled)
    assert len(reader.batches) >= RECORDS / BATCH
    assert reader.settlings < len(reader.batches) / 2


@pytest.mark.parametrize("step", ["hear", "settle"])
async def test_on_an_error_all_that_was_not_settled_is_heard_again(stack: Stack, step: str):
    failed: list[str] = []

    def fault(now: str, times: int) -> None:
        if now == step and times >= (10 if step == "hear" else 1) and not failed:
            failed.append(now)
            raise ValueError("synthetic")

    reader = Reader(fault)
    assert await read(stack, reader) == list(reader.settled)
    assert failed == [step]
    assert sum(map(len, reader.batches)) > RECORDS
