"""The names of those who record: who is behind an actor of the history, outside the history and erasable."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.privacy.key_ring import ERASED
from shared.store.event_store import DURABLE
from shared.store.indexes import Indexes

INDEXES: Indexes = {"staff": []}


class Staff:
    """The staff list, in one service's database.

    `{_id: actor, name}`; once erased `{_id: actor, erased: true}` for ever, and the actor takes no name again.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._staff = database.get_collection("staff", write_concern=DURABLE)

    async def put(self, actor: str, name: str) -> bool:
        """Store the name of an actor; False where it was erased."""
        query = {"_id": actor, "erased": {"$ne": True}}
        for _ in range(2):
            try:
                await self._staff.update_one(query, {"$set": {"name": name}}, upsert=True)
            except DuplicateKeyError:  # erased, or stored by a concurrent request
                continue
            return True
        return False

    async def names(self, actors: Collection[str]) -> dict[str, str]:
        """Return the name of each actor that is on the list, `[erased]` for one that was."""
        entries = self._staff.find({"_id": {"$in": list(actors)}})
        return {entry["_id"]: entry.get("name", ERASED) async for entry in entries}

    async def erase(self, actor: str) -> bool:
        """Remove the name of an actor for good; False where there was never one."""
        replaced = await self._staff.replace_one({"_id": actor}, {"erased": True})
        return replaced.matched_count == 1
