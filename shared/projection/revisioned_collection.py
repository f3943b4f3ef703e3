"""Compare-and-set on `revision`: the only way in which states and traces are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import bson
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from shared.store.commits import DUPLICATE_KEY

OF_THE_DOCUMENT = frozenset({2, 15, 22, 67, 121, 171, 10334, 16755, 17261, 17262, 17280, 17419, 17420})
"""MongoDB's error codes of a write that fails because of what the document holds, on any server at any time.

A bad value, nesting too deep, invalid BSON, no index entry possible, a validator, parallel arrays, too large, a
geometry, a language, a key too long for an index. Any other error is the server's: the whole batch fails, and is tried
again.
"""
_NOT_ENCODABLE = (BSONError, OverflowError, UnicodeEncodeError)
_DOCUMENT_LIMIT = 16 * 2**20


class Written(NamedTuple):
    """The documents that were not stored: `lost` to another instance, or `refused` for what they hold, and why."""

    lost: set[str]
    refused: dict[str, str]


class RevisionedCollection:
    """A collection whose documents count in `revision` how often they were stored."""

    def __init__(self, collection: AsyncIOMotorCollection[Any]) -> None:
        self._collection = collection

    async def replace(self, documents: Sequence[Mapping[str, Any]]) -> Written:
        """Insert each document of revision 1; replace the others where the stored revision is one below.

        Return as `lost` the ids of those that are not stored so: another instance stored them since they were read, or
        a restored database lacks them. A document that is gone is never inserted at a later revision, since what its
        policies did may be gone with it. A document that is refused stops no other.
        """
        if not documents:
            return Written(set(), {})
        writes = [
            InsertOne(document)
            if document["revision"] == 1
            else ReplaceOne({"_id": document["_id"], "revision": document["revision"] - 1}, document)
            for document in documents
        ]
        refused: dict[str, str] = {}
        try:
            result = await self._collection.bulk_write(writes, ordered=False)
            if result.inserted_count + result.matched_count == len(writes):
                return Written(set(), {})
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            known = OF_THE_DOCUMENT | {DUPLICATE_KEY}
            if error.details.get("writeConcernErrors") or any(fault["code"] not in known for fault in faults):
                raise
            of_documents = [fault for fault in faults if fault["code"] != DUPLICATE_KEY]
            refused = {documents[each["index"]]["_id"]: _says(each["code"]) for each in of_documents}
        except _NOT_ENCODABLE:
            return await self._replace_encodable(documents)
        rest = [document for document in documents if document["_id"] not in refused]
        return Written(await self._not_stored(rest), refused)

    async def _replace_encodable(self, documents: Sequence[Mapping[str, Any]]) -> Written:
        """Replace all but the documents that no client can send; those of the first attempt are found stored."""
        refused = {document["_id"]: fault for document in documents if (fault := _encoding_fault(document)) is not None}
        if not refused:
            raise ValueError("MongoDB's client refuses to send documents that can each be encoded")
        written = await self.replace([document for document in documents if document["_id"] not in refused])
        return Written(written.lost, refused | written.refused)

    async def remove(self, revisions: Mapping[str, int]) -> set[str]:
        """Delete documents where the stored revision is this one; return the ids of those that are stored otherwise."""
        if not revisions:
            return set()
        writes = [DeleteOne({"_id": key, "revision": revision}) for key, revision in revisions.items()]
        await self._collection.bulk_write(writes, ordered=False)
        rows = self._collection.find({"_id": {"$in": list(revisions)}}, {"_id": 1})
        return {row["_id"] async for row in rows}

    async def _not_stored(self, documents: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return the ids of the documents that differ from the stored ones, or are not stored."""
        rows = self._collection.find({"_id": {"$in": [document["_id"] for document in documents]}})
        stored = {row["_id"]: row async for row in rows}
        return {document["_id"] for document in documents if stored.get(document["_id"]) != document}


def _says(code: int) -> str:
    return f"MongoDB refuses its document with error {code}"


def _encoding_fault(document: Mapping[str, Any]) -> str | None:
    try:
        size = len(bson.encode(document))
    except _NOT_ENCODABLE as error:
        return f"its document is no BSON: {type(error).__name__}"
    return f"its document of {size} bytes is larger than MongoDB takes" if size > _DOCUMENT_LIMIT else None
