"""Refusals of authenticated callers, stored without the request body: actor, time, command, rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from uuid_utils import uuid7

from shared.store.event_store import DURABLE
from shared.store.indexes import Indexes

INDEXES: Indexes = {"refusals": []}


class Refusals:
    """The append-only refusals of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._refusals = database.get_collection("refusals", write_concern=DURABLE)

    async def record(
        self, actor: str, role: str, rule: str, *, request: str, command_id: str | None, digest: str | None = None
    ) -> None:
        """Store one refusal."""
        document = {
            "_id": str(uuid7()),
            "at": datetime.now(UTC),
            "actor": actor,
            "role": role,
            "rule": rule,
            "request": request,
            "command_id": command_id,
            "digest": digest,
        }
        await self._refusals.insert_one({name: value for name, value in document.items() if value is not None})

    async def latest(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest refusals."""
        return await self._refusals.find().sort("_id", -1).limit(limit).to_list(limit)
