"""The journal: a service's own copy of all the history that it has heard, unique by stream and version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from shared.consumer.record import ConsumedEvent, KafkaRecord
from shared.events.catalogue import decode

_DUPLICATE_KEY = 11000
_PAST_ANY_VERSION = 2**31
_STREAMS_PER_QUERY = 200
_EVENTS_AT_ONCE = 1_000


class Journal:
    """The journal of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._events = database.get_collection(
            "journal", write_concern=WriteConcern(w="majority", j=True), read_concern=ReadConcern("majority")
        )

    async def enter(self, heard: Sequence[ConsumedEvent]) -> list[tuple[ConsumedEvent, ConsumedEvent]]:
        """Store events; the same again are ignored. Return (held, newcomer) where bytes or positions differ."""
        if not heard:
            return []
        try:
            await self._events.insert_many([_document(event) for event in heard], ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                raise
            return await self._differing([heard[fault["index"]] for fault in faults])
        return []

    async def _differing(self, repeated: Sequence[ConsumedEvent]) -> list[tuple[ConsumedEvent, ConsumedEvent]]:
        differing: list[tuple[ConsumedEvent, ConsumedEvent]] = []
        for start in range(0, len(repeated), _EVENTS_AT_ONCE):
            newcomers = repeated[start : start + _EVENTS_AT_ONCE]
            places = [{"s": stream, "v": version} for stream, version in {event.key for event in newcomers}]
            found = await self._events.find({"_id": {"$in": places}}).to_list(None)
            held = {(document["_id"]["s"], document["_id"]["v"]): document for document in found}
            known = ((held[event.key], event) for event in newcomers if event.key in held)
            differing += [
                (_heard(document), event)
                for document, event in known
                if (document["position"], document["raw"]) != (event.position, event.raw)
            ]
        return differing

    async def get(self, stream: str, version: int) -> ConsumedEvent | None:
        """Return one event."""
        found = await self._events.find_one({"_id": {"s": stream, "v": version}})
        return _heard(found) if found else None

    async def after(self, heads: Mapping[str, int]) -> dict[str, list[ConsumedEvent]]:
        """Return what the journal holds of each stream after the version given, in order."""
        found: dict[str, list[ConsumedEvent]] = {stream: [] for stream in heads}
        wanted = list(heads.items())
        for start in range(0, len(wanted), _STREAMS_PER_QUERY):
            spans = [_after(stream, head) for stream, head in wanted[start : start + _STREAMS_PER_QUERY]]
            for document in await self._events.find({"$or": spans}).to_list(None):
                event = _heard(document)
                found[event.recorded.subject].append(event)
        for events in found.values():
            events.sort(key=lambda event: event.recorded.streamversion)
        return found

    async def lower(self, event: ConsumedEvent) -> None:
        """Take an event's position and origin for those of the same bytes, where they are held at a higher position."""
        stream, version = event.key
        where = {"_id": {"s": stream, "v": version}, "hash": event.hash, "position": {"$gt": event.position}}
        await self._events.update_one(where, {"$set": {"position": event.position, "origin": event.origin}})

    async def remove(self, event: ConsumedEvent) -> None:
        """Free an event's place, if it is still this event that holds it."""
        stream, version = event.key
        await self._events.delete_one({"_id": {"s": stream, "v": version}, "hash": event.hash})

    async def count(self) -> int:
        """Return about how many events there are."""
        return int(await self._events.estimated_document_count())

    async def lots(self, size: int) -> AsyncGenerator[list[ConsumedEvent], None]:
        """Yield all of the journal, stream by stream and in stream order, in lots of a size, reading one ahead."""
        cursor = self._events.find(sort=[("_id", 1)], batch_size=size)
        reading = asyncio.ensure_future(cursor.to_list(size))
        try:
            while documents := await reading:
                reading = asyncio.ensure_future(cursor.to_list(size))
                yield [_heard(document) for document in documents]
        finally:
            reading.cancel()
            await cursor.close()

    async def all(self) -> AsyncIterator[ConsumedEvent]:
        """Yield all of the journal, stream by stream and in stream order."""
        async with aclosing(self.lots(_EVENTS_AT_ONCE)) as lots:
            async for events in lots:
                for event in events:
                    yield event


def to_record(event: ConsumedEvent) -> KafkaRecord:
    """Return the record that a journalled event came in."""
    topic, partition, offset = event.origin.rsplit("/", 2)
    headers = (("position", str(event.position).encode()), ("leaf", event.leaf.encode()))
    return KafkaRecord(topic, int(partition), int(offset), event.recorded.subject.encode(), event.raw, headers)


def _after(stream: str, head: int) -> dict[str, Any]:
    return {"_id": {"$gt": {"s": stream, "v": head}, "$lt": {"s": stream, "v": _PAST_ANY_VERSION}}}


def _document(event: ConsumedEvent) -> dict[str, Any]:
    stream, version = event.key
    return {
        "_id": {"s": stream, "v": version},
        "raw": event.raw,
        "hash": event.hash,
        "leaf": event.leaf,
        "position": event.position,
        "origin": event.origin,
    }


def _heard(document: Mapping[str, Any]) -> ConsumedEvent:
    raw: bytes = document["raw"]
    return ConsumedEvent(decode(raw), raw, document["hash"], document["leaf"], document["position"], document["origin"])
