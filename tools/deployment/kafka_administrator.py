"""The start of a client of Kafka's administrator."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

ATTEMPTS, PAUSE_SECONDS = 40, 0.5


async def start(client: AIOKafkaAdminClient) -> None:
    """Start a client, and wait until Kafka names a broker. Raises KafkaError, OSError.

    A broker that has just begun answers before it is in its own list, and a client without a broker sends nothing.
    """
    await client.start()
    for _ in range(ATTEMPTS):
        if client._client.cluster.brokers():
            return
        await asyncio.sleep(PAUSE_SECONDS)
        await client._client.force_metadata_update()
