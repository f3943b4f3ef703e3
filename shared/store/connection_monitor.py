"""How often the connections to MongoDB broke: what answers afterwards may be an older backup of it.

The driver reads and writes again by itself after a break, and says so to nobody but a listener.
"""

from __future__ import annotations

from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import monitoring


class ConnectionMonitor(monitoring.ConnectionPoolListener):
    """Counts the breaks of one client, before anything is sent again."""

    def __init__(self) -> None:
        self.count = 0

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Count a break: all connections to a server are given up at once."""
        self.count += 1

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Look on."""

    pool_ready = pool_closed = connection_created = connection_ready = connection_closed = pool_created  # type: ignore[assignment]
    connection_check_out_started = connection_check_out_failed = pool_created  # type: ignore[assignment]
    connection_checked_out = connection_checked_in = pool_created  # type: ignore[assignment]


def monitor_of(database: AsyncIOMotorDatabase[Any]) -> ConnectionMonitor:
    """Return the listener of a database's client; one that hears nothing where it has none."""
    listeners: list[Any] = database.client.delegate.options.event_listeners
    return next((each for each in listeners if isinstance(each, ConnectionMonitor)), ConnectionMonitor())
