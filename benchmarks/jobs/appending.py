"""Concurrent appends: through the store, and by a bare insert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bson import BSON, decode_all
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from benchmarks.job import Gate
from shared.domain.aggregate import Context
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import hash_of, moment
from shared.store.event_store import INDEXES, EventStore, Head
from shared.store.indexes import ensure

CONCURRENCY = 64
Document = dict[str, Any]


def write(file: Path, documents: Sequence[Document]) -> Path:
    """Write commit documents to a file."""
    file.write_bytes(b"".join(BSON.encode(document) for document in documents))
    return file


def read(file: Path) -> list[Document]:
    """Return the commit documents of a file."""
    return decode_all(file.read_bytes())


async def bare(gate: Gate, mongodb: str, database: str, file: str) -> dict[str, Any]:
    """Insert commit documents one by one, majority and journalled, with no index but `_id`."""
    documents = read(Path(file))
    collection = _client(mongodb)[database].get_collection("bare", write_concern=WriteConcern(w="majority", j=True))
    await collection.insert_one({"_id": "first"})
    await gate.go()
    waiting = iter(documents)

    async def worker() -> None:
        for document in waiting:
            await collection.insert_one(document)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return {"count": len(documents), "seconds": time.perf_counter() - begun}


async def stored(gate: Gate, mongodb: str, database: str, file: str, reading: bool) -> dict[str, Any]:
    """Append the same commits through the store, each stream in order; `reading` reads the head before each append."""
    client = _client(mongodb)
    store = EventStore(client[database])
    await ensure(client[database], INDEXES)
    streams: dict[str, list[tuple[list[Recorded], list[bytes], str]]] = {}
    for document in read(Path(file)):
        raws = [bytes(raw) for raw in document["events"]]
        append = ([decode(raw) for raw in raws], raws, document["command_digest"])
        streams.setdefault(document["_id"]["s"], []).append(append)

    async def append_all(stream: str) -> int:
        head = Head(stream, 0, ZERO_HASH, None)
        for recorded, raws, digest in streams[stream]:
            if reading:
                head, _ = await store.read(stream)
            commit = await store.append(head, [event.data for event in recorded], _context(recorded[0]), digest)
            head = Head(stream, commit.last, hash_of(commit.events[-1]), recorded[-1].time)
            if len(commit.events) != len(raws):
                raise ValueError(stream)
        return len(streams[stream])

    await gate.go()
    return await _timed(list(streams), append_all)


def _context(event: Recorded) -> Context:
    return Context(moment(event.time), event.actor, event.role, event.commandid, event.correlationid, event.causationid)


async def _timed(streams: Sequence[str], append_all: Callable[[str], Awaitable[int]]) -> dict[str, Any]:
    waiting, count = iter(streams), 0

    async def worker() -> None:
        nonlocal count
        for stream in waiting:
            appended = await append_all(stream)
            count += appended

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return {"count": count, "seconds": time.perf_counter() - begun}


def _client(mongodb: str) -> AsyncIOMotorClient[Any]:
    return AsyncIOMotorClient(mongodb, maxPoolSize=100)
