"""Dead letters: records that a service cannot take, stored as they came until resolved, replayed or dismissed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from bson.binary import Binary
from bson.codec_options import CodecOptions
from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, UpdateOne, WriteConcern
from pymongo.read_concern import ReadConcern

from shared.consumer.record import UNSIGNED, KafkaRecord, Poison
from shared.events.canonical import leaf_hash
from shared.runtime.telemetry import DEAD_LETTERS, OPEN_DEAD_LETTERS
from shared.store.indexes import Indexes

CONFLICT = "conflicting_bytes"
INDEXES: Indexes = {
    "dead_letters": [
        IndexModel([("standing", ASCENDING), ("stream", ASCENDING)], name="standing_stream"),
        IndexModel([("standing", ASCENDING), ("leaf", ASCENDING)], name="standing_leaf"),
    ]
}
DeadLetterStanding = Literal["open", "resolved", "refused", "dismissed", "superseded"]
NEWER_CODE_MAY_DECODE = ["unknown_type", "schema_violation"]
MOST_COUNTED = 10_000
SHOWN = ("topic", "partition", "offset", "reason", "detail", "stream", "version", "leaf", "at", "standing")
SHOWN_OF_CLOSED = ("closed_because", "closed_by", "closed_at")


class DeadLetters:
    """The dead letters of one service, by the record's place in Kafka."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], service: str) -> None:
        self._dead_letters = database.get_collection(
            "dead_letters",
            codec_options=CodecOptions(tz_aware=True),
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        self.service = service

    async def add(self, poisons: Iterable[Poison], expected: Mapping[str, int]) -> None:
        """Store each record once, with the stream version that it stands for.

        That is the version in the record, else the next version of its stream in `expected`, which names known streams.
        """
        documents = {poison.record.origin: _to_document(poison, expected) for poison in poisons}
        if documents:
            inserts = [
                UpdateOne({"_id": origin}, {"$setOnInsert": document}, upsert=True)
                for origin, document in documents.items()
            ]
            result = await self._dead_letters.bulk_write(inserts, ordered=False)
            DEAD_LETTERS.labels(self.service, "any").inc(result.upserted_count)
            if result.upserted_count < len(documents):
                await self._replace_lost(documents)

    async def _replace_lost(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Store records in place of others that were at their offsets before the topic was made again.

        The others are closed, under an id of their own.
        """
        async for row in self._dead_letters.find({"_id": {"$in": list(documents)}}):
            document = documents[row["_id"]]
            if bytes(row["value"]) != bytes(document["value"]):
                lost = {**row, "_id": f"{row['_id']}@{row['at'].isoformat()}", "standing": "superseded"}
                lost["closed_because"] = "its topic was made again, and another record has its offset"
                await self._dead_letters.replace_one({"_id": lost["_id"]}, lost, upsert=True)
                await self._dead_letters.replace_one({"_id": row["_id"]}, document)

    async def find(
        self, standing: str | None = "open", limit: int = 500, after: str | None = None
    ) -> list[dict[str, Any]]:
        """Return a page of dead letters, by place, each with the size of its value instead of its record."""
        query = ({"standing": standing} if standing else {}) | ({"_id": {"$gt": after}} if after else {})
        shown: dict[str, Any] = dict.fromkeys((*SHOWN, *SHOWN_OF_CLOSED), 1) | {"size": {"$binarySize": "$value"}}
        return await self._dead_letters.find(query, shown, hint="_id_").sort("_id", 1).limit(limit).to_list(None)

    async def measure(self) -> None:
        """Set the metric of how many are open."""
        count = await self._dead_letters.count_documents({"standing": "open"}, limit=MOST_COUNTED)
        OPEN_DEAD_LETTERS.labels(self.service).set(count)

    async def get(self, origin: str) -> dict[str, Any] | None:
        """Return one dead letter."""
        document: dict[str, Any] | None = await self._dead_letters.find_one({"_id": origin})
        return document

    async def undecoded(self, size: int) -> AsyncGenerator[list[dict[str, Any]], None]:
        """Yield the open dead letters that newer code may decode, by stream and version, in chunks of a size."""
        query = {"standing": "open", "reason": {"$in": NEWER_CODE_MAY_DECODE}, "stream": {"$exists": True}}
        places = self._dead_letters.find(query, {"stream": 1, "version": 1})
        by_version = sorted([(row["stream"], row["version"], row["_id"]) async for row in places])
        for chunk in chunked(by_version, size):
            origins = [origin for *_, origin in chunk]
            rows = {row["_id"]: row async for row in self._dead_letters.find({"_id": {"$in": origins}})}
            yield [rows[origin] for origin in origins]

    async def awaited_versions(self) -> dict[str, int]:
        """Return, for each stream with open dead letters, the highest version that one of them stands for."""
        query = {"standing": "open", "stream": {"$exists": True}}
        awaited: dict[str, int] = {}
        async for row in self._dead_letters.find(query, {"stream": 1, "version": 1}):
            awaited[row["stream"]] = max(row["version"], awaited.get(row["stream"], 0))
        return awaited

    async def open_for(self, streams: Iterable[str]) -> list[dict[str, Any]]:
        """Return the open dead letters of these streams, oldest first."""
        query = {"standing": "open", "stream": {"$in": list(streams)}}
        return await self._dead_letters.find(query).sort("at", 1).to_list(None)

    async def resolve_up_to(self, versions: Mapping[str, int]) -> None:
        """Resolve dead letters whose version has been folded; conflicting bytes stay open for a person to see."""
        for stream in {dead_letter["stream"] for dead_letter in await self.open_for(versions)}:
            await self._dead_letters.update_many(
                {
                    "standing": "open",
                    "stream": stream,
                    "version": {"$lte": versions[stream]},
                    "reason": {"$ne": CONFLICT},
                },
                _closing("resolved", "the version has arrived", None),
            )

    async def resolve_proven(self, leaves: Collection[str]) -> None:
        """Resolve unsigned dead letters whose bytes have arrived with a proof."""
        unsigned = {"standing": "open", "leaf": {"$gt": ""}}
        if leaves and await self._dead_letters.find_one(unsigned, {"_id": 1}) is not None:
            arrived = {"standing": "open", "leaf": {"$in": list(leaves)}}
            await self._dead_letters.update_many(arrived, _closing("resolved", "its bytes arrived with a proof", None))

    async def close(self, origin: str, standing: str, reason: str, actor: str | None = None) -> bool:
        """Dismiss or resolve an open dead letter, with a reason; False if it is not open."""
        query = {"_id": origin, "standing": "open"}
        result = await self._dead_letters.update_one(query, _closing(standing, reason, actor))
        return result.modified_count == 1


def _to_document(poison: Poison, expected: Mapping[str, int]) -> dict[str, Any]:
    record = poison.record
    document: dict[str, Any] = {
        "value": Binary(record.value or b""),
        "key": Binary(record.key or b""),
        "headers": [[_stored_name(name), Binary(value or b"")] for name, value in record.headers],
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "reason": poison.reason,
        "detail": poison.detail[:2_000],
        "at": datetime.now(UTC),
        "standing": "open",
    }
    version = poison.version or expected.get(poison.stream or "")
    if poison.reason == UNSIGNED:
        document["leaf"] = leaf_hash(record.value or b"")
    elif poison.stream is not None and version is not None:
        document |= {"stream": poison.stream, "version": version}
    return document


def _closing(standing: str, reason: str, actor: str | None) -> dict[str, Any]:
    return {
        "$set": {"standing": standing, "closed_because": reason, "closed_by": actor, "closed_at": datetime.now(UTC)}
    }


def _stored_name(name: str) -> str | Binary:
    """Return a header's name as text, or as bytes if it is not UTF-8."""
    raw = name.encode("utf-8", "surrogateescape")
    return name if raw.decode("utf-8", "ignore") == name else Binary(raw)


def _header_name(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogateescape")


def to_record(dead_letter: Mapping[str, Any]) -> KafkaRecord:
    """Return the record that a dead letter holds, as it came."""
    return KafkaRecord(
        dead_letter["topic"],
        dead_letter["partition"],
        dead_letter["offset"],
        bytes(dead_letter["key"]),
        bytes(dead_letter["value"]),
        tuple((_header_name(name), bytes(value)) for name, value in dead_letter["headers"]),
    )
