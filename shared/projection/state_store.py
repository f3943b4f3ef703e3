"""Folded states as they are stored: what each stream amounts to, its version, and the events behind it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from shared.domain.aggregate import Aggregate, Known
from shared.projection.fold import UNFOLDED, FoldedState

_DUPLICATE_KEY = 11000
_STREAMS_PER_QUERY = 5_000
_STATES_AT_ONCE = 1_000
REMEMBERED_CHARACTERS = 10_000_000


class Remembered:
    """States that were read or written lately, up to a size; who takes one asks first whether it is still current."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._states: OrderedDict[str, tuple[FoldedState, int]] = OrderedDict()

    def get(self, stream: str) -> FoldedState | None:
        """Return what is remembered of a stream."""
        if (found := self._states.get(stream)) is None:
            return None
        self._states.move_to_end(stream)
        return found[0]

    def acted(self, stream: str, version: int) -> None:
        """Note in what is remembered of a stream up to which version policies have acted."""
        if (found := self._states.get(stream)) is not None:
            self._states[stream] = found[0]._replace(acted=max(found[0].acted, version)), found[1]

    def put(self, folded: FoldedState, size: int) -> None:
        """Remember a state of this size, and forget the oldest beyond the limit."""
        self._held += size - self._states.pop(folded.stream, (folded, 0))[1]
        self._states[folded.stream] = folded, size
        while self._held > self._most:
            self._held -= self._states.popitem(last=False)[1][1]


@dataclass
class StateStore:
    """The stored states of one service, written by compare-and-set."""

    database: AsyncIOMotorDatabase[Any]
    aggregates: Mapping[str, Aggregate[Any]]
    shape: int
    _states: Any = field(init=False)
    _remembered: Remembered = field(init=False)

    def __post_init__(self) -> None:
        self._states = self.database.get_collection(
            "states", write_concern=WriteConcern(w="majority"), read_concern=ReadConcern("local")
        )
        self._remembered = Remembered(REMEMBERED_CHARACTERS)

    async def prepare(self) -> None:
        """Create the indexes by which dependants, stalled streams and lists are found."""
        await self._states.create_index([("depends_on", ASCENDING)], name="depends_on")
        await self._states.create_index([("kind", ASCENDING), ("_id", ASCENDING)], name="kind")
        await self._states.create_index([("waits", ASCENDING)], name="waits", sparse=True)

    def aggregate_of(self, stream: str) -> Aggregate[Any]:
        """Return the aggregate by which a stream is folded here."""
        return self.aggregates.get(stream.partition("/")[0], UNFOLDED)

    def nothing(self, stream: str, revision: int = 0, acted: int = 0) -> FoldedState:
        """Return the state before a stream's first event."""
        return FoldedState(stream, self.aggregate_of(stream).initial, revision=revision, acted=acted)

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        """Return the states of streams, from the primary; one not heard of is at version 0.

        What is remembered is asked for its revision first, and only taken where that is still the stored one.
        """
        wanted = list(streams)
        found = {stream: self.nothing(stream) for stream in wanted}
        unread = [stream for stream in wanted if self._remembered.get(stream) is None]
        if len(unread) < len(wanted):
            current = self._states.find({"_id": {"$in": wanted}}, {"revision": 1, "hash": 1})
            unread = []
            async for row in current:
                known = self._remembered.get(row["_id"])
                if known is not None and (known.revision, known.hash) == (row["revision"], row["hash"]):
                    found[row["_id"]] = known
                else:
                    unread.append(row["_id"])
        if unread:
            async for document in self._states.find({"_id": {"$in": unread}}):
                folded = self._folded(document)
                found[folded.stream] = folded
                self._remembered.put(folded, len(document["state"]) + len(document["line"]))
        return found

    async def heads(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        """Return the stored version, hash, revision and `acted` of streams, and nothing else of their states."""
        wanted = list(streams)
        fields = {"version": 1, "hash": 1, "revision": 1, "acted": 1}
        found = {
            row["_id"]: self.nothing(row["_id"])._replace(**{field: row[field] for field in fields})
            for row in await self._states.find({"_id": {"$in": wanted}}, fields).to_list(None)
        }
        return {stream: found.get(stream) or self.nothing(stream) for stream in wanted}

    async def known(self, stream: str) -> Known | None:
        """Return a stream's state as a decision sees it; None where it was not heard of."""
        folded = (await self.read([stream]))[stream]
        return Known(folded.state, folded.version) if folded.version else None

    async def write(self, states: Iterable[FoldedState]) -> set[str]:
        """Store states whose stored revision is still the one they were read at; return the streams of the others."""
        remaining, lost = iter(states), set[str]()
        while lot := list(islice(remaining, _STATES_AT_ONCE)):
            lost |= await self._written(lot)
        return lost

    async def _written(self, lot: Sequence[FoldedState]) -> set[str]:
        documents = [self._document(folded) for folded in lot]
        writes = [
            ReplaceOne({"_id": folded.stream, "revision": folded.revision}, document)
            if folded.revision
            else InsertOne(document)
            for folded, document in zip(lot, documents, strict=True)
        ]
        try:
            result = await self._states.bulk_write(writes, ordered=False)
            all_written = result.inserted_count + result.matched_count == len(writes)
        except BulkWriteError as error:
            if any(fault["code"] != _DUPLICATE_KEY for fault in error.details["writeErrors"]):
                raise
            all_written = False
        lost = set() if all_written else await self._not_stored(documents)
        for folded, document in zip(lot, documents, strict=True):
            if folded.stream not in lost:
                size = len(document["state"]) + len(document["line"])
                self._remembered.put(folded._replace(revision=folded.revision + 1), size)
        return lost

    async def _not_stored(self, documents: Iterable[Mapping[str, Any]]) -> set[str]:
        """Return the streams of those documents that are not what is stored."""
        fields = ("_id", "revision", "hash", "waits", "shape")
        wanted = {str(document["_id"]): [document.get(field) for field in fields] for document in documents}
        found = self._states.find({"_id": {"$in": list(wanted)}}, dict.fromkeys(fields, 1))
        stored = {row["_id"]: [row.get(field) for field in fields] async for row in found}
        return {stream for stream, written in wanted.items() if stored.get(stream) != written}

    async def acted(self, versions: Mapping[str, int]) -> None:
        """Note up to which version of each stream the policies of this service have acted."""
        writes = [UpdateOne({"_id": stream}, {"$max": {"acted": version}}) for stream, version in versions.items()]
        await self._states.bulk_write(writes, ordered=False)
        for stream, version in versions.items():
            self._remembered.acted(stream, version)

    async def dependants(self, streams: Iterable[str], kind: str | None = None) -> set[str]:
        """Return the streams whose states say that they depend on one of these."""
        found: set[str] = set()
        remaining = iter(streams)
        while chunk := list(islice(remaining, _STREAMS_PER_QUERY)):
            query = {"depends_on": {"$in": chunk}} | ({"kind": kind} if kind else {})
            found |= {row["_id"] for row in await self._states.find(query, {"_id": 1}).to_list(None)}
        return found

    async def waiting(self) -> dict[str, int]:
        """Return the streams that wait for a version, with that version."""
        cursor = self._states.find({"waits": True}, {"version": 1})
        return {row["_id"]: row["version"] + 1 async for row in cursor}

    async def find(
        self, kind: str, facets: Mapping[str, Any], limit: int, after: str | None = None
    ) -> list[FoldedState]:
        """Return the states of a kind whose facets have these values, by stream id, after the one given."""
        query: dict[str, Any] = {"kind": kind, **{f"facets.{name}": value for name, value in facets.items()}}
        if after:
            query["_id"] = {"$gt": after}
        return [self._folded(row) async for row in self._states.find(query).sort("_id", 1).limit(limit)]

    async def of_another_shape(self) -> list[str]:
        """Return the streams that another version of this code folded."""
        return [row["_id"] async for row in self._states.find({"shape": {"$ne": self.shape}}, {"_id": 1})]

    def _document(self, folded: FoldedState) -> dict[str, Any]:
        aggregate = self.aggregate_of(folded.stream)
        document = {
            "_id": folded.stream,
            "kind": folded.stream.partition("/")[0],
            "version": folded.version,
            "hash": folded.hash,
            "line": folded.line,
            "state": aggregate.states.dump_json(folded.state, exclude_none=True).decode(),
            "depends_on": sorted(folded.depends_on),
            "facets": aggregate.facets(folded.state),
            "acted": folded.acted,
            "revision": folded.revision + 1,
            "shape": self.shape,
        }
        return document | ({"waits": True} if folded.waits else {})

    def _folded(self, document: Mapping[str, Any]) -> FoldedState:
        stream = document["_id"]
        if document["shape"] != self.shape:
            return self.nothing(stream, document["revision"], document["acted"])
        return FoldedState(
            stream=stream,
            state=self.aggregate_of(stream).states.validate_json(document["state"]),
            version=document["version"],
            hash=document["hash"],
            depends_on=frozenset(document["depends_on"]),
            line=document["line"],
            waits=document.get("waits", False),
            acted=document["acted"],
            revision=document["revision"],
        )
