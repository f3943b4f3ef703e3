"""Compare-and-set on `revision`: the only way in which states and traces are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from shared.store.commits import DUPLICATE_KEY


class RevisionedCollection:
    """A collection whose documents count in `revision` how often they were stored."""

    def __init__(self, collection: AsyncIOMotorCollection[Any]) -> None:
        self._collection = collection

    async def replace(self, documents: Sequence[Mapping[str, Any]]) -> set[str]:
        """Store each document whose stored revision is one below its own (0: none is stored).

        Return the ids of the others: another instance stored them since they were read. A document at another revision
        does not match, so the upsert meets its `_id`.
        """
        if not documents:
            return set()
        writes = [
            ReplaceOne({"_id": document["_id"], "revision": document["revision"] - 1}, document, upsert=True)
            for document in documents
        ]
        try:
            await self._collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
                raise
            return {documents[fault["index"]]["_id"] for fault in faults}
        return set()
