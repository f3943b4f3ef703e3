"""The relay catching up, and its ceiling: a bare idempotent producer of the same records."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient

from benchmarks.job import Gate
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.settings import KafkaSettings
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from shared.tracing.traceparent import TRACEPARENT
from tools.simulate import records
from tools.simulate.log_keys import KEYS

CHUNK = 2_000
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")
SERVICE = "recommendations"


async def producing(
    gate: Gate, kafka: dict[str, Any], file: str, topic: str | None = None, sampled_one_in: int = 0
) -> dict[str, Any]:
    """Publish every record of a file, all to one topic if it is given."""
    loaded = list(records.read(Path(file))) if topic else []
    count = 0
    producer = AIOKafkaProducer(
        **_access(kafka).client(), enable_idempotence=True, acks="all", linger_ms=5, max_batch_size=256 * 1024
    )
    await producer.start()
    await gate.go()
    begun = time.perf_counter()
    remaining = iter(loaded) if topic else records.read(Path(file))
    while chunk := list(islice(remaining, CHUNK)):
        sent = [
            await producer.send(
                topic or record.topic,
                record.value,
                key=record.key,
                headers=[CONTENT_TYPE, *record.headers, *_context(count + number, sampled_one_in)],
            )
            for number, record in enumerate(chunk)
        ]
        await asyncio.gather(*sent)
        count += len(chunk)
    seconds = time.perf_counter() - begun
    await producer.stop()
    return {"count": count, "seconds": seconds}


async def relaying(gate: Gate, kafka: dict[str, Any], mongodb: str, database: str, until: int) -> dict[str, Any]:
    """Relay until the published position is `until`."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    ledger, pulse = Ledger(client[database]), Pulse("relay")
    relay = Relay(client[database], EventStore(client[database]), _access(kafka), SERVICE, pulse, KEYS[SERVICE])
    already = await ledger.published()
    await gate.go()
    begun = time.perf_counter()
    running = asyncio.create_task(relay.run())
    while await ledger.published() < until:
        if running.done() or time.perf_counter() - begun > 600:
            raise TimeoutError(f"published {await ledger.published()} of {until}: {pulse.trouble}")
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - begun
    running.cancel()
    await asyncio.wait([running])
    return {"count": until - already, "seconds": seconds}


def _context(number: int, sampled_one_in: int) -> list[tuple[str, bytes]]:
    """Return the header of a sampled trace, for one record in so many."""
    if not sampled_one_in or number % sampled_one_in:
        return []
    return [(TRACEPARENT, f"00-{number + 1:032x}-{number + 1:016x}-01".encode())]


def _access(kafka: dict[str, Any]) -> KafkaAccess:
    return KafkaSettings(**kafka).kafka_access()
