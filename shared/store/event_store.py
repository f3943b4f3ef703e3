"""The event store: one insert-only commit document per append, in MongoDB. It is the truth.

`{_id: {s: stream, v: first version}, last, command_id, command_digest, actor, events: [bytes, ...]}`, write concern
majority and journalled. `_id` gives optimistic concurrency; a unique `command_id` makes a retried command return its
first result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bson.binary import Binary
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from uuid_utils import uuid7

from shared.domain.aggregate import Context
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Event
from shared.store.batching import RequestBatcher
from shared.store.connection_monitor import monitor_of

_DUPLICATE_KEY = 11000
DURABLE = WriteConcern(w="majority", j=True)
UNCHECKED = "the database was away, and is looked at before anything is written to it: it may be an older one"
StoreFault = PyMongoError
"""What a store raises when its database cannot be reached, or fails."""


@dataclass(frozen=True)
class Head:
    """Where a stream ends, as `read` found it; `append` takes nothing else for its expected version.

    `first` is the version of the first event of its last commit.
    """

    stream: str
    version: int
    hash: str
    time: str | None
    first: int = 0


@dataclass(frozen=True)
class Commit:
    """What one command appended: its events' bytes, and the versions of the first and last of them."""

    stream: str
    first: int
    last: int
    events: tuple[bytes, ...]
    replayed: bool = False

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """The same events, decoded once."""
        return tuple(map(decode, self.events))


def head_of(commit: Commit, time: str) -> Head:
    """Return where a stream ends with a commit, whose last event was recorded at `time`."""
    return Head(commit.stream, commit.last, hash_of(commit.events[-1]), time, commit.first)


class Conflict(Exception):
    """Somebody else appended to the stream since it was read: read it again and decide again."""


class CommandReused(Exception):
    """The command id belongs to another command, or to another actor's."""


class StoreFenced(Exception):
    """Nothing may be appended: the store lacks what its topic already holds."""


class EventStore:
    """The commits of one service.

    What is asked at the same time goes in one round trip; each commit still lands, or does not, by itself.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._closed: str | None = None
        self._interruptions = monitor_of(database)
        self._looked_at = self.interrupted
        self._commits = database.get_collection("commits", write_concern=DURABLE, read_concern=ReadConcern("majority"))
        self._lookup = self._commits.with_options(read_concern=ReadConcern("linearizable"))
        self._inserts = RequestBatcher(self._insert)
        self._ends = RequestBatcher(self._end_there)

    @property
    def interrupted(self) -> int:
        """How often the database was away so far."""
        return self._interruptions.count

    @property
    def closed(self) -> str | None:
        """Why nothing may be appended, if so; it closes by itself when the database was away, until it is looked at."""
        return self._closed or (None if self.interrupted == self._looked_at else UNCHECKED)

    def close(self, why: str) -> None:
        """Append nothing until it is opened again."""
        self._closed = why

    def open(self, interrupted: int) -> None:
        """Append again, to a database that was looked at after so many interruptions."""
        self._closed, self._looked_at = None, interrupted

    async def prepare(self) -> None:
        """Create the index that makes a command happen once."""
        await self._commits.create_index("command_id", unique=True, name="command_id")

    async def read(self, stream: str) -> tuple[Head, list[Recorded]]:
        """Return a stream's head and its events in order; an unknown stream has version 0 and no events."""
        commits = await self._commits_of(stream)
        if not commits:
            return Head(stream, 0, ZERO_HASH, None), []
        raws = [bytes(raw) for commit in commits for raw in commit["events"]]
        recorded = [decode(raw) for raw in raws]
        last = recorded[-1]
        return Head(stream, last.streamversion, hash_of(raws[-1]), last.time, commits[-1]["_id"]["v"]), recorded

    async def read_bytes(self, stream: str) -> list[bytes]:
        """Return the bytes of a stream's events in order."""
        return [bytes(raw) for commit in await self._commits_of(stream) for raw in commit["events"]]

    async def _commits_of(self, stream: str) -> list[dict[str, Any]]:
        span = {"_id": {"$gte": {"s": stream, "v": 0}, "$lt": {"s": stream, "v": 2**31}}}
        found: list[dict[str, Any]] = (
            await self._commits.find(span, {"events": 1}, hint="_id_").sort("_id", 1).to_list()
        )
        return found

    async def ends_at(self, head: Head) -> bool:
        """Tell whether a stream still ends where it did, with the same bytes: `append` may take that head again."""
        return await self._ends.ask(head)

    async def _end_there(self, heads: Sequence[Head]) -> Sequence[bool]:
        points = [{"s": head.stream, "v": version} for head in heads for version in (head.first, head.version + 1)]
        cursor = self._commits.find({"_id": {"$in": points}}, {"last": 1, "events": {"$slice": -1}}, hint="_id_")
        found = {(commit["_id"]["s"], commit["_id"]["v"]): commit for commit in await cursor.to_list()}

        def ends(head: Head) -> bool:
            commit = found.get((head.stream, head.first))
            if commit is None or (head.stream, head.version + 1) in found:
                return False
            return bool(commit["last"] == head.version and hash_of(commit["events"][-1]) == head.hash)

        return [ends(head) for head in heads]

    async def streams(self, kind: str) -> AsyncIterator[str]:
        """Yield every stream of a kind, in order."""
        span = {"_id": {"$gte": {"s": f"{kind}/", "v": 0}, "$lt": {"s": f"{kind}0", "v": 0}}}
        found = self._commits.aggregate([{"$match": span}, {"$group": {"_id": "$_id.s"}}, {"$sort": {"_id": 1}}])
        async for row in found:
            yield row["_id"]

    async def every(self) -> AsyncIterator[bytes]:
        """Yield the bytes of all events, stream by stream and in stream order."""
        async for commit in self._commits.find({}, {"events": 1}, hint="_id_").sort("_id", 1):
            for raw in commit["events"]:
                yield bytes(raw)

    async def append(self, head: Head, events: Sequence[Event], context: Context, digest: str) -> Commit:
        """Append events together or not at all, once per command id.

        Raises Conflict, CommandReused, StoreClosed, and TooLarge for an event past the limit.
        """
        raws: list[bytes] = []
        previous, time = head.hash, stamp(context.now, head.time)
        for version, event in enumerate(events, start=head.version + 1):
            raw = encode(
                event,
                event_id=str(uuid7()),
                subject=head.stream,
                time=time,
                version=version,
                actor=context.actor,
                role=context.role,
                command_id=context.command_id,
                correlation_id=context.correlation_id,
                causation_id=context.causation_id,
                previous_hash=previous,
            )
            previous = hash_of(raw)
            raws.append(raw)
        document = {
            "_id": {"s": head.stream, "v": head.version + 1},
            "last": head.version + len(raws),
            "command_id": context.command_id,
            "command_digest": digest,
            "actor": context.actor,
            "events": [Binary(raw) for raw in raws],
        }
        try:
            await self._inserts.ask(document)
        except DuplicateKeyError:
            if (earlier := await self.result_of(context, digest, certain=True)) is not None:
                return earlier
            raise Conflict(head.stream) from None
        return Commit(head.stream, head.version + 1, head.version + len(raws), tuple(raws))

    async def _insert(self, documents: Sequence[dict[str, Any]]) -> Sequence[Exception | None]:
        """Insert commits, each for itself; say of each that was not inserted why."""
        if self.closed is not None:
            raise StoreFenced(self.closed)
        outcomes: list[Exception | None] = [None] * len(documents)
        try:
            await self._commits.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:  # whatever was inserted may yet roll back
                raise
            for fault in error.details["writeErrors"]:
                kind = DuplicateKeyError if fault["code"] == _DUPLICATE_KEY else OperationFailure
                outcomes[fault["index"]] = kind(fault["errmsg"], fault["code"])
        return outcomes

    async def result_of(self, context: Context, digest: str, *, certain: bool = False) -> Commit | None:
        """Return what this command did before, or None.

        After a duplicate key it must be `certain`, for what was met may yet roll back: where a majority read does not
        show it, a linearizable one waits until it does or is gone (100 ms, since mongod waits for its journal).
        """
        asked = {"command_id": context.command_id}
        found = await self._commits.find_one(asked)
        if found is None and certain:
            found = await self._lookup.find_one(asked)
        if found is None:
            return None
        if found.get("command_digest", digest) != digest or found["actor"] != context.actor:
            raise CommandReused(context.command_id)
        events = tuple(bytes(raw) for raw in found["events"])
        return Commit(found["_id"]["s"], found["_id"]["v"], found["last"], events, replayed=True)
