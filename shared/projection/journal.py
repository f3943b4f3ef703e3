"""The journal: a service's own copy of all the history that it has consumed, unique by stream and version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from itertools import compress
from operator import not_
from typing import Any, NamedTuple

from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from shared.consumer.record import ConsumedEvent, KafkaRecord, headers_of, service_of_topic
from shared.domain.dates import day_in_the_world
from shared.events.catalogue import Undecodable, decode_again
from shared.store.commits import DUPLICATE_KEY, PAST_ANY_VERSION
from shared.store.indexes import Indexes

INDEXES: Indexes = {"journal": []}

_STREAMS_PER_QUERY = 200
_EVENTS_PER_QUERY = 1_000


class Place(NamedTuple):
    """The place of an event in a service's log: its ledger position, and its RFC 6962 leaf hash in hex.

    `time` is when it was recorded, `day` when it happened in the world; `actor` and `role` are who recorded it. A
    correction or void also has the version that it is about, and its reason.
    """

    stream: str
    version: int
    service: str
    position: int
    leaf: str
    type: str
    about: int | None
    reason: str | None
    time: str
    day: str | None
    actor: str | None
    role: str | None


class Journal:
    """The journal of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._events = database.get_collection(
            "journal", write_concern=WriteConcern(w="majority", j=True), read_concern=ReadConcern("majority")
        )

    async def insert(self, events: Sequence[ConsumedEvent]) -> list[tuple[ConsumedEvent, ConsumedEvent]]:
        """Insert events; of identical repeats keep the newest proof.

        Return (held, newcomer) for other bytes or another position.
        """
        if not events:
            return []
        try:
            await self._events.insert_many([_to_document(event) for event in events], ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(fault["code"] != DUPLICATE_KEY for fault in faults):
                raise
            return await self._conflicts([events[fault["index"]] for fault in faults])
        return []

    async def _conflicts(self, repeated: Sequence[ConsumedEvent]) -> list[tuple[ConsumedEvent, ConsumedEvent]]:
        conflicts: list[tuple[ConsumedEvent, ConsumedEvent]] = []
        for newcomers in chunked(repeated, _EVENTS_PER_QUERY):
            ids = [{"s": stream, "v": version} for stream, version in {event.key for event in newcomers}]
            documents = await self._events.find({"_id": {"$in": ids}}).to_list(None)
            held = {(document["_id"]["s"], document["_id"]["v"]): document for document in documents}
            pairs = [(held[event.key], event) for event in newcomers if event.key in held]
            same = [(each["position"], each["raw"]) == (event.position, event.raw) for each, event in pairs]
            await self._keep_proofs(compress(pairs, same))
            conflicts += [(_from_document(each), event) for each, event in compress(pairs, map(not_, same))]
        return conflicts

    async def _keep_proofs(self, repeats: Iterable[tuple[Mapping[str, Any], ConsumedEvent]]) -> None:
        """Store the proofs of repeats where the journal has another or none."""
        writes = [
            UpdateOne({"_id": held["_id"], "hash": event.hash}, {"$set": {"proof": event.proof}})
            for held, event in repeats
            if held.get("proof") != event.proof
        ]
        if writes:
            await self._events.bulk_write(writes, ordered=False)

    async def get(self, stream: str, version: int) -> ConsumedEvent | None:
        """Return one event."""
        document = await self._events.find_one({"_id": {"s": stream, "v": version}})
        return _from_document(document) if document else None

    async def after(self, versions: Mapping[str, int]) -> dict[str, list[ConsumedEvent]]:
        """Return each stream's events after a version, in order.

        An event that only a newer version of this code knows, which runs beside this one, is left out as missing.
        """
        events: dict[str, list[ConsumedEvent]] = {stream: [] for stream in versions}
        for chunk in chunked(versions.items(), _STREAMS_PER_QUERY):
            spans = [_span_after(stream, version) for stream, version in chunk]
            for document in await self._events.find({"$or": spans}).to_list(None):
                with suppress(Undecodable):
                    events[document["_id"]["s"]].append(_from_document(document))
        for stream_events in events.values():
            stream_events.sort(key=lambda event: event.recorded.streamversion)
        return events

    async def places(self, versions: Mapping[str, Iterable[int]]) -> list[Place]:
        """Return the place of events in their logs, by stream and version; of those alone that are journalled."""
        ids = [{"s": stream, "v": version} for stream in sorted(versions) for version in sorted(versions[stream])]
        places: list[Place] = []
        for chunk in chunked(ids, _EVENTS_PER_QUERY):
            places += [_place(row) async for row in self._events.find({"_id": {"$in": chunk}}).sort("_id", 1)]
        return places

    async def lower_position(self, event: ConsumedEvent) -> None:
        """Set position, origin and proof of these bytes to this event's, if they are stored at a higher position."""
        stream, version = event.key
        query = {"_id": {"s": stream, "v": version}, "hash": event.hash, "position": {"$gt": event.position}}
        moved = {"position": event.position, "origin": event.origin, "proof": event.proof}
        await self._events.update_one(query, {"$set": moved})

    async def remove(self, event: ConsumedEvent) -> None:
        """Free an event's place, if this event still holds it."""
        stream, version = event.key
        await self._events.delete_one({"_id": {"s": stream, "v": version}, "hash": event.hash})

    async def without_proof(self, limit: int) -> list[tuple[str, int]]:
        """Return the stream and version of the first events that were journalled before records were signed."""
        rows = self._events.find({"proof": {"$exists": False}}, {"_id": 1}).sort("_id", 1).limit(limit)
        return [(row["_id"]["s"], row["_id"]["v"]) async for row in rows]

    async def count(self) -> int:
        """Return the approximate number of events."""
        return int(await self._events.estimated_document_count())

    async def batches(self, size: int) -> AsyncGenerator[list[ConsumedEvent], None]:
        """Yield the whole journal by stream and version, in batches of a size, prefetching the next one."""
        cursor = self._events.find(sort=[("_id", 1)], batch_size=size)
        prefetch = asyncio.ensure_future(cursor.to_list(size))
        try:
            while documents := await prefetch:
                prefetch = asyncio.ensure_future(cursor.to_list(size))
                yield [_from_document(document) for document in documents]
        finally:
            prefetch.cancel()
            await cursor.close()

    async def streams(self, size: int) -> AsyncGenerator[dict[str, list[ConsumedEvent]], None]:
        """Yield the whole journal as whole streams, some `size` events in a batch."""
        events_by_stream: dict[str, list[ConsumedEvent]] = {}
        async with aclosing(self.batches(size)) as batches:
            async for events in batches:
                for event in events:
                    events_by_stream.setdefault(event.recorded.subject, []).append(event)
                last = events[-1].recorded.subject
                unfinished = {last: events_by_stream.pop(last)}
                if events_by_stream:
                    yield events_by_stream
                events_by_stream = unfinished
        if events_by_stream:
            yield events_by_stream

    async def all(self) -> AsyncIterator[ConsumedEvent]:
        """Yield the whole journal by stream and version."""
        async with aclosing(self.batches(_EVENTS_PER_QUERY)) as batches:
            async for events in batches:
                for event in events:
                    yield event


def to_record(event: ConsumedEvent) -> KafkaRecord:
    """Return the record that carried a journalled event."""
    topic, partition, offset = event.origin.rsplit("/", 2)
    headers = headers_of(event.position, event.leaf, event.proof)
    return KafkaRecord(topic, int(partition), int(offset), event.recorded.subject.encode(), event.raw, headers)


def _span_after(stream: str, version: int) -> dict[str, Any]:
    return {"_id": {"$gt": {"s": stream, "v": version}, "$lt": {"s": stream, "v": PAST_ANY_VERSION}}}


def _to_document(event: ConsumedEvent) -> dict[str, Any]:
    stream, version = event.key
    return {
        "_id": {"s": stream, "v": version},
        "raw": event.raw,
        "hash": event.hash,
        "leaf": event.leaf,
        "position": event.position,
        "origin": event.origin,
    } | ({"proof": event.proof} if event.proof else {})


def _place(document: Mapping[str, Any]) -> Place:
    event = _from_document(document)
    (stream, version), data = event.key, event.recorded.data
    service = service_of_topic(event.origin.partition("/")[0])
    about = getattr(data, "corrects", None) or getattr(data, "voids", None)
    reason = getattr(data, "reason", None) if about is not None else None
    known = event.recorded
    of_whom = (known.time, day_in_the_world(vars(data)), known.actor, known.role)
    return Place(stream, version, service, event.position, event.leaf, type(data).__name__, about, reason, *of_whom)


def _from_document(document: Mapping[str, Any]) -> ConsumedEvent:
    raw: bytes = document["raw"]
    return ConsumedEvent(
        decode_again(raw),
        raw,
        document["hash"],
        document["leaf"],
        document["position"],
        document["origin"],
        document.get("proof", b""),
    )
