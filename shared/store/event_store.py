"""The event store: one insert-only commit document per append, in MongoDB. It is the truth.

Write concern majority and journalled. The `_id` (stream, first version) gives optimistic concurrency; a unique
`command_id` makes a retried command return its first result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import IndexModel, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from uuid_utils import uuid7

from shared.domain.aggregate import Context
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Event
from shared.events.services import TOPIC_PREFIX
from shared.store.batching import RequestBatcher
from shared.store.commits import DUPLICATE_KEY, StoredCommit, commit_document, commit_key, commit_span, stored_commit
from shared.store.connection_monitor import monitor_of
from shared.store.database_clock import DatabaseClock
from shared.store.indexes import Indexes
from shared.tracing.messaging import appending
from shared.tracing.spans import tracing

DURABLE = WriteConcern(w="majority", j=True)
INDEXES: Indexes = {"commits": [IndexModel("command_id", name="command_id", unique=True)]}
DISCONNECTED = "the database was disconnected and may be an older copy now: no commands until the relay has checked it"
StoreFault = PyMongoError
"""The error of a store whose database fails or is unreachable."""


@dataclass(frozen=True)
class Head:
    """The end of a stream, as `read` returned it: the expected version that `append` takes.

    `first` is the version of the first event of its last commit, `size` the bytes of all its events.
    """

    stream: str
    version: int
    hash: str
    time: str | None
    first: int = 0
    size: int = 0


@dataclass(frozen=True)
class Commit:
    """The result of one command: the bytes of the events it appended, and their first and last versions."""

    stream: str
    first: int
    last: int
    events: tuple[bytes, ...]
    replayed: bool = False

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """The same events, decoded once."""
        return tuple(map(decode, self.events))


class Conflict(Exception):
    """Another writer appended to the stream since it was read: read it again and decide again."""


class CommandReused(Exception):
    """The command id belongs to another command or another actor."""


class StoreFenced(Exception):
    """The store refuses appends: it may lack what its topic already holds."""

    rule = "StoreClosed"


class ClocksDiffer(StoreFenced):
    """The store refuses appends: the clock by which events are dated differs from its database's."""

    rule = "ClocksDiffer"


class EventStore:
    """The commits of one service. Concurrent requests share a round trip; each commit succeeds or fails alone."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._fence_reason: str | None = None
        self.clock = DatabaseClock(database)
        self._monitor = monitor_of(database)
        self._checked_count = self.pool_cleared_count
        self._commits = database.get_collection("commits", write_concern=DURABLE, read_concern=ReadConcern("majority"))
        self._lookup = self._commits.with_options(read_concern=ReadConcern("linearizable"))
        self._inserts = RequestBatcher(self._insert)
        self._ends = RequestBatcher(self._end_there)

    @property
    def pool_cleared_count(self) -> int:
        """The number of connection losses so far; `unfence` takes the one read before the check."""
        return self._monitor.pool_cleared_count

    @property
    def fence_reason(self) -> str | None:
        """The reason why the store refuses appends, or None; a connection loss fences it until the next check."""
        return self._fence_reason or (None if self.pool_cleared_count == self._checked_count else DISCONNECTED)

    def fence(self, reason: str) -> None:
        """Refuse appends until `unfence`."""
        self._fence_reason = reason

    def unfence(self, pool_cleared_count: int) -> None:
        """Accept appends again: the database was checked after this number of connection losses."""
        self._fence_reason, self._checked_count = None, pool_cleared_count

    async def read(self, stream: str) -> tuple[Head, list[Recorded]]:
        """Return a stream's head and its events in order; an unknown stream has version 0 and no events."""
        commits = await self._commits_of(stream)
        if not commits:
            return Head(stream, 0, ZERO_HASH, None), []
        raws = [raw for commit in commits for raw in commit.events]
        recorded = [decode(raw) for raw in raws]
        last = recorded[-1]
        size = sum(map(len, raws))
        return Head(stream, last.streamversion, hash_of(raws[-1]), last.time, commits[-1].first, size), recorded

    async def read_bytes(self, stream: str) -> list[bytes]:
        """Return the bytes of a stream's events in order."""
        return [raw for commit in await self._commits_of(stream) for raw in commit.events]

    async def _commits_of(self, stream: str) -> list[StoredCommit]:
        cursor = self._commits.find(commit_span(stream), {"events": 1}, hint="_id_").sort("_id", 1)
        return [stored_commit(document) for document in await cursor.to_list()]

    async def ends_at(self, head: Head) -> bool:
        """Tell whether a stream still ends at this head, with the same bytes."""
        return await self._ends.submit(head)

    async def _end_there(self, heads: Sequence[Head]) -> Sequence[bool]:
        keys = [commit_key(head.stream, version) for head in heads for version in (head.first, head.version + 1)]
        cursor = self._commits.find({"_id": {"$in": keys}}, {"last": 1, "events": {"$slice": -1}}, hint="_id_")
        stored = {(document["_id"]["s"], document["_id"]["v"]): document for document in await cursor.to_list()}

        def ends(head: Head) -> bool:
            last = stored.get((head.stream, head.first))
            if last is None or (head.stream, head.version + 1) in stored:
                return False
            return bool(last["last"] == head.version and hash_of(last["events"][-1]) == head.hash)

        return [ends(head) for head in heads]

    async def streams(self, kind: str) -> AsyncIterator[str]:
        """Yield the names of all streams of a kind, in order."""
        span = {"_id": {"$gte": commit_key(f"{kind}/", 0), "$lt": commit_key(f"{kind}0", 0)}}
        streams = self._commits.aggregate([{"$match": span}, {"$group": {"_id": "$_id.s"}}, {"$sort": {"_id": 1}}])
        async for document in streams:
            yield document["_id"]

    async def every(self) -> AsyncIterator[bytes]:
        """Yield the bytes of all events, stream by stream and in stream order."""
        async for document in self._commits.find({}, {"events": 1}, hint="_id_").sort("_id", 1):
            for raw in document["events"]:
                yield bytes(raw)

    async def append(self, head: Head, events: Sequence[Event], context: Context, digest: str) -> Commit:
        """Append events together or not at all, once per command id.

        Raises Conflict, CommandReused, StoreFenced (ClocksDiffer too), and TooLarge for an event past the limit.
        """
        commit = self.encode(head, events, context)
        try:
            with appending(TOPIC_PREFIX + events[0].service, len(events)):
                document = commit_document(
                    commit.stream,
                    commit.first,
                    commit.events,
                    command_id=context.command_id,
                    actor=context.actor,
                    command_digest=digest,
                    traceparent=tracing().traceparent(),
                )
                await self._inserts.submit(document)
        except DuplicateKeyError:
            if (earlier := await self.result_of(context, digest, certain=True)) is not None:
                return earlier
            raise Conflict(head.stream) from None
        return commit

    def encode(self, head: Head, events: Sequence[Event], context: Context) -> Commit:
        """Return what `append` would store. Raises TooLarge."""
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
        return Commit(head.stream, head.version + 1, head.version + len(raws), tuple(raws))

    async def _insert(self, documents: Sequence[dict[str, Any]]) -> Sequence[Exception | None]:
        """Insert commits independently; return for each None, or the error of its insert."""
        if self.fence_reason is not None:
            raise StoreFenced(self.fence_reason)
        if trouble := self.clock.trouble:
            raise ClocksDiffer(trouble)
        results: list[Exception | None] = [None] * len(documents)
        try:
            await self._commits.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:  # the inserts may yet roll back
                raise
            for fault in error.details["writeErrors"]:
                kind = DuplicateKeyError if fault["code"] == DUPLICATE_KEY else OperationFailure
                results[fault["index"]] = kind(fault["errmsg"], fault["code"])
        return results

    async def result_of(self, context: Context, digest: str, *, certain: bool = False) -> Commit | None:
        """Return the earlier result of this command, or None.

        After a duplicate key, ask for a `certain` answer, for the other insert may yet roll back: where a majority read
        finds nothing, a linearizable one waits until the commit is durable or gone (100 ms: mongod's journal).
        """
        query = {"command_id": context.command_id}
        document = await self._commits.find_one(query)
        if document is None and certain:
            document = await self._lookup.find_one(query)
        if document is None:
            return None
        if document.get("command_digest", digest) != digest or document["actor"] != context.actor:
            raise CommandReused(context.command_id)
        commit = stored_commit(document)
        return Commit(commit.stream, commit.first, commit.last, commit.events, replayed=True)
