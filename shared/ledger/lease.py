"""The lease by which one relay of a service leads. It makes a second relay rare; the ledger's keys make it harmless."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

LEASE_MS = 5_000
RENEW_SECONDS = LEASE_MS / 3_000


class Lease:
    """The lease of one service, as one relay takes and renews it."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._leases = database.get_collection("relay")
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"

    async def take(self) -> bool:
        """Take or renew the lease, by the database's clock; False while another relay holds it."""
        free = {"$or": [{"owner": self._owner}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        renewed = {"$set": {"owner": self._owner, "until": {"$add": ["$$NOW", LEASE_MS]}}}
        if (await self._leases.update_one({"_id": "lease", **free}, [renewed])).matched_count:
            return True
        if await self._leases.find_one({"_id": "lease"}) is not None:
            return False
        try:
            await self._leases.insert_one(
                {"_id": "lease", "owner": self._owner, "until": datetime.fromtimestamp(0, UTC)}
            )
        except DuplicateKeyError:
            return False
        return await self.take()

    async def hold(self) -> None:
        """Renew the lease until another relay takes it."""
        held = True
        while held:
            await asyncio.sleep(RENEW_SECONDS)
            held = await self.take()

    async def release(self) -> None:
        """Release the lease, so that another relay need not wait for its end."""
        expired = {"$set": {"until": {"$subtract": ["$$NOW", 1]}}}
        await self._leases.update_one({"_id": "lease", "owner": self._owner}, [expired])
