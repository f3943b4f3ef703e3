"""Refusals of authenticated callers, stored without the request body: actor, time, command, rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from uuid_utils import uuid7

from shared.store.event_store import DURABLE
from shared.store.indexes import Indexes

INDEXES: Indexes = {"refusals": [IndexModel([("role", ASCENDING), ("_id", ASCENDING)], name="role")]}


class Refusals:
    """The append-only refusals of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._refusals = database.get_collection(
            "refusals", codec_options=CodecOptions(tz_aware=True), write_concern=DURABLE
        )

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

    async def latest(self, limit: int, role: str | None = None) -> list[dict[str, Any]]:
        """Return the newest refusals, of a role or of all."""
        chosen = {} if role is None else {"role": role}
        return await self._refusals.find(chosen).sort("_id", -1).limit(limit).to_list(limit)
