"""A request to publish the whole ledger again, which the leading relay works off: `{_id: "republish", next, end}`.

It outlives every process: a relay continues where another stopped. It is deleted when it is done.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.read_concern import ReadConcern

from shared.ledger.ledger import Ledger
from shared.store.event_store import DURABLE

_ID = {"_id": "republish"}


class Remaining(NamedTuple):
    """The position to publish next, and the end of the ledger when that was requested."""

    next: int
    end: int


class Republication:
    """The request to publish one service's ledger again."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._ledger = Ledger(database)
        self._requests = database.get_collection("relay", write_concern=DURABLE, read_concern=ReadConcern("majority"))

    async def request(self) -> None:
        """Request it, unless it is under way."""
        last = await self._ledger.last()
        remaining = {"next": 0, "end": last.end if last else 0}
        await self._requests.update_one(_ID, {"$setOnInsert": remaining}, upsert=True)

    async def remaining(self) -> Remaining | None:
        """Return what remains, or None when nothing is requested."""
        document = await self._requests.find_one(_ID)
        return Remaining(document["next"], document["end"]) if document else None

    async def begin_again(self) -> None:
        """Go back to the first position: what was published again is lost again."""
        await self._requests.update_one(_ID, {"$set": {"next": 0}})

    async def advance(self, position: int) -> None:
        """Note that the topic holds every event before a position again."""
        await self._requests.update_one(_ID, {"$max": {"next": position}})

    async def finish(self) -> None:
        """Delete the request."""
        await self._requests.delete_one(_ID)
