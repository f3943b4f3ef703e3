"""Counts connection pool failures to MongoDB: the server that answers after one may hold an older backup.

The driver reconnects and retries by itself, and reports the failure to listeners only.
"""

from __future__ import annotations

from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import monitoring


class ConnectionMonitor(monitoring.ConnectionPoolListener):
    """A listener that counts how often one client cleared its pool, before it sends anything again."""

    def __init__(self) -> None:
        self.pool_cleared_count = 0

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Count a failure: the client drops all connections to a server together."""
        self.pool_cleared_count += 1

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Ignore the event."""

    pool_ready = pool_closed = connection_created = connection_ready = connection_closed = pool_created  # type: ignore[assignment]
    connection_check_out_started = connection_check_out_failed = pool_created  # type: ignore[assignment]
    connection_checked_out = connection_checked_in = pool_created  # type: ignore[assignment]


def monitor_of(database: AsyncIOMotorDatabase[Any]) -> ConnectionMonitor:
    """Return the monitor among a client's listeners, or one that never counts."""
    listeners: list[Any] = database.client.delegate.options.event_listeners
    return next((each for each in listeners if isinstance(each, ConnectionMonitor)), ConnectionMonitor())
