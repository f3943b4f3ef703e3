"""Each instance checks a reconnected database before it appends to it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from shared.domain.aggregate import Context
from shared.events.recommendations import ProvisionRegistered
from shared.ledger.relay import Relay
from shared.runtime.telemetry import Pulse
from shared.store.connection_monitor import ConnectionMonitor
from shared.store.event_store import DISCONNECTED, EventStore, StoreFenced
from tests.faults.relaying import a_site
from tests.faults.rig.proxy import Proxies
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


async def append(store: EventStore) -> None:
    """Append an event to a new stream."""
    head, _ = await store.read(f"instrument/{uuid4().hex}")
    context = Context(datetime.now(UTC), "synthetic-actor", "secretariat", str(uuid4()), "synthetic")
    await store.append(head, [ProvisionRegistered(provision="p", summary="Synthetic")], context, "0" * 64)


async def test_a_standby_appends_nothing_before_it_has_checked_a_reconnected_database(servers: Stack):
    proxies = Proxies()
    port = servers.memory.ports()["mongodb"]
    proxy = proxies.add("mongodb", port)
    async with a_site(servers) as site:
        with proxies.open():
            address = servers.mongodb_admin_uri.replace(f":{port}", f":{proxy.port}")
            client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
                address, directConnection=True, event_listeners=[ConnectionMonitor()]
            )
            database: AsyncIOMotorDatabase[Any] = client[site.service]
            store = EventStore(database)
            await append(store)
            with proxy.shut():
                await asyncio.sleep(0.1)
            await database.command("ping")
            assert store.fence_reason == DISCONNECTED
            with pytest.raises(StoreFenced):
                await append(store)
            relay = Relay(database, store, servers.kafka_admin, site.service, Pulse("relay"), site.keys)
            assert await relay.check()
            assert store.fence_reason is None
            await append(store)
            client.close()
            with proxy.shut():
                await asyncio.sleep(0.2)
