"""Compare-and-set on `revision`: the only way in which states and traces are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from shared.store.commits import DUPLICATE_KEY


class RevisionedCollection:
    """A collection whose documents count in `revision` how often they were stored."""

    def __init__(self, collection: AsyncIOMotorCollection[Any]) -> None:
        self._collection = collection

    async def replace(self, documents: Sequence[Mapping[str, Any]]) -> set[str]:
        """Insert each document of revision 1; replace the others where the stored revision is one below.

        Return the ids of the documents that are not stored so: another instance stored them since they were read, or a
        restored database lacks them. A document that is gone is never inserted at a later revision, since what its
        policies did may be gone with it.
        """
        if not documents:
            return set()
        writes = [
            InsertOne(document)
            if document["revision"] == 1
            else ReplaceOne({"_id": document["_id"], "revision": document["revision"] - 1}, document)
            for document in documents
        ]
        try:
            result = await self._collection.bulk_write(writes, ordered=False)
            if result.inserted_count + result.matched_count == len(writes):
                return set()
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
                raise
        return await self._not_stored(documents)

    async def _not_stored(self, documents: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return the ids of the documents that differ from the stored ones, or are not stored."""
        rows = self._collection.find({"_id": {"$in": [document["_id"] for document in documents]}})
        stored = {row["_id"]: row async for row in rows}
        return {document["_id"] for document in documents if stored.get(document["_id"]) != document}
