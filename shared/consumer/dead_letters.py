"""What could not be taken, kept as it came, until it is resolved, replayed or dismissed with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bson.binary import Binary
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, UpdateOne, WriteConcern
from pymongo.read_concern import ReadConcern

from shared.consumer.record import KafkaRecord, Poison
from shared.runtime.telemetry import DEAD_LETTERS

CONFLICT = "conflicting_bytes"


class DeadLetters:
    """The dead letters of one service, by the place of the record in Kafka."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], service: str) -> None:
        self._letters = database.get_collection(
            "dead_letters", write_concern=WriteConcern(w="majority", j=True), read_concern=ReadConcern("majority")
        )
        self.service = service

    async def prepare(self) -> None:
        """Create the index by which stalled streams are found."""
        await self._letters.create_index([("standing", ASCENDING), ("stream", ASCENDING)], name="standing_stream")

    async def keep(self, poisons: Iterable[Poison], expected: Mapping[str, int]) -> None:
        """Store records as they came, once each, with the version of the stream that each stands for.

        That is what the record itself says, or else the next one by `expected`, which has only streams that are known.
        """
        writes = [
            UpdateOne({"_id": poison.arrival.origin}, _letter(poison, expected), upsert=True) for poison in poisons
        ]
        if writes:
            stored = await self._letters.bulk_write(writes, ordered=False)
            DEAD_LETTERS.labels(self.service, "any").inc(stored.upserted_count)

    async def find(self, standing: str | None = "open", limit: int = 500) -> list[dict[str, Any]]:
        """Return letters, oldest first."""
        query = {"standing": standing} if standing else {}
        return await self._letters.find(query).sort("at", 1).limit(limit).to_list(limit)

    async def get(self, letter: str) -> dict[str, Any] | None:
        """Return one letter."""
        found: dict[str, Any] | None = await self._letters.find_one({"_id": letter})
        return found

    async def awaited(self) -> dict[str, int]:
        """Return the streams that open letters are about, with the highest version that one of them stands for."""
        query = {"standing": "open", "stream": {"$exists": True}}
        awaited: dict[str, int] = {}
        async for row in self._letters.find(query, {"stream": 1, "version": 1}):
            awaited[row["stream"]] = max(row["version"], awaited.get(row["stream"], 0))
        return awaited

    async def open_for(self, streams: Iterable[str]) -> list[dict[str, Any]]:
        """Return the open letters about these streams, oldest first."""
        query = {"standing": "open", "stream": {"$in": list(streams)}}
        return await self._letters.find(query).sort("at", 1).to_list(None)

    async def arrived(self, folded: Mapping[str, int]) -> None:
        """Close the letters whose version has since been folded; conflicting bytes stay open for a person to see."""
        for stream in {letter["stream"] for letter in await self.open_for(folded)}:
            come = {"$lte": folded[stream]}
            await self._letters.update_many(
                {"standing": "open", "stream": stream, "version": come, "reason": {"$ne": CONFLICT}},
                _closed("resolved", "the version has arrived", None),
            )

    async def close(self, letter: str, standing: str, reason: str, actor: str | None = None) -> bool:
        """Dismiss or resolve an open letter, with a reason; False where there is none."""
        closed = await self._letters.update_one({"_id": letter, "standing": "open"}, _closed(standing, reason, actor))
        return closed.modified_count == 1


def _letter(poison: Poison, expected: Mapping[str, int]) -> dict[str, Any]:
    arrival = poison.arrival
    kept: dict[str, Any] = {
        "value": Binary(arrival.value or b""),
        "key": Binary(arrival.key or b""),
        "headers": [[_as_written(name), Binary(value or b"")] for name, value in arrival.headers],
        "topic": arrival.topic,
        "partition": arrival.partition,
        "offset": arrival.offset,
        "reason": poison.reason,
        "detail": poison.detail[:2_000],
        "at": datetime.now(UTC),
        "standing": "open",
    }
    version = poison.version or expected.get(poison.stream or "")
    if poison.stream is not None and version is not None:
        kept |= {"stream": poison.stream, "version": version}
    return {"$setOnInsert": kept}


def _closed(standing: str, reason: str, actor: str | None) -> dict[str, Any]:
    return {
        "$set": {"standing": standing, "closed_because": reason, "closed_by": actor, "closed_at": datetime.now(UTC)}
    }


def _as_written(name: str) -> str | Binary:
    """Return the name of a header as text, or as its bytes where they are no text."""
    raw = name.encode("utf-8", "surrogateescape")
    return name if raw.decode("utf-8", "ignore") == name else Binary(raw)


def _as_read(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")


def to_record(letter: Mapping[str, Any]) -> KafkaRecord:
    """Return the record that a letter keeps, as it came."""
    headers = tuple((_as_read(name), bytes(value)) for name, value in letter["headers"])
    return KafkaRecord(
        letter["topic"], letter["partition"], letter["offset"], bytes(letter["key"]), bytes(letter["value"]), headers
    )
