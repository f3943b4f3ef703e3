"""The commit feed: commits in the order in which MongoDB committed them, and those that a ledger lacks.

It reads the change stream by plain `aggregate` and `getMore` commands, which return whole batches, each with its resume
token; motor's `watch()` returns one document at a time, at five times the cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from shared.ledger.ledger import Batch, Entry, Token
from shared.store.commits import StoredCommit, commit_span, stored_commit

_RESUME_IMPOSSIBLE = {136, 222, 260, 280, 286}  # capped position lost, oplog overrun, bad or too old a token
_STREAMS_PER_QUERY = 200
_STORED = {"events": 1, "trace": 1}


class TokenTooOld(Exception):
    """The change stream cannot resume from the token; compare heads instead."""


class CommitFeed:
    """The commits of one service in the order of MongoDB's oplog.

    All reads share one causally consistent session: heads compared after `open` are read at a time no earlier than that
    of `open`, so that no commit is missed between the two.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any], session: AsyncIOMotorClientSession) -> None:
        self._database = database
        self._session = session
        self._commits = database.get_collection("commits", read_concern=ReadConcern("majority"))
        self._cursor: Any = None
        self._prefetched: asyncio.Task[tuple[list[StoredCommit], Token]] | None = None

    async def open(self, token: Token | None) -> Token:
        """Open the stream after `token`, or now. Return the token to start from. Raises TokenTooOld."""
        stage: dict[str, Any] = {"resumeAfter": token} if token else {}
        pipeline = [
            {"$changeStream": stage},
            {"$match": {"operationType": "insert"}},
            {"$project": {"fullDocument._id": 1, "fullDocument.events": 1, "fullDocument.trace": 1}},
        ]
        try:
            answer = await self._database.command(
                "aggregate", "commits", pipeline=pipeline, cursor={"batchSize": 0}, session=self._session
            )
        except OperationFailure as error:
            if token is not None:  # comparing heads needs no token, valid or not
                raise TokenTooOld from error
            raise
        self._cursor = answer["cursor"]["id"]
        opened: Token = answer["cursor"]["postBatchResumeToken"]
        return opened

    async def batches(self, limit: int, wait_ms: int) -> AsyncGenerator[tuple[list[StoredCommit], Token], None]:
        """Yield the batches of `next`, without end; in a backlog, prefetch the next while the last is in use."""
        try:
            while True:
                batch = await (self._prefetched or self.next(limit, wait_ms))
                self._prefetched = asyncio.create_task(self.next(limit, wait_ms)) if len(batch[0]) >= limit else None
                yield batch
        finally:
            if self._prefetched is not None:
                self._prefetched.cancel()
                await asyncio.wait([self._prefetched])
                self._prefetched = None

    async def next(self, limit: int, wait_ms: int) -> tuple[list[StoredCommit], Token]:
        """Return up to `limit` commits, waiting up to `wait_ms` for the first, and the token after them."""
        try:
            answer = await self._database.command(
                "getMore",
                self._cursor,
                collection="commits",
                batchSize=limit,
                maxTimeMS=wait_ms,
                session=self._session,
            )
        except OperationFailure as error:
            if error.code in _RESUME_IMPOSSIBLE:
                raise TokenTooOld from error
            raise
        cursor = answer["cursor"]
        return [stored_commit(change["fullDocument"]) for change in cursor["nextBatch"]], cursor["postBatchResumeToken"]

    async def behind(self, heads: Mapping[str, int]) -> dict[str, int]:
        """Return the known head of each stream whose commits reach past it."""
        grouped = self._commits.aggregate(
            [{"$group": {"_id": "$_id.s", "last": {"$max": "$last"}}}], allowDiskUse=True, session=self._session
        )
        return {row["_id"]: heads.get(row["_id"], 0) async for row in grouped if row["last"] > heads.get(row["_id"], 0)}

    async def after(self, heads: Mapping[str, int]) -> AsyncIterator[StoredCommit]:
        """Yield, stream by stream and in stream order, the commits after each head."""
        if self._prefetched is not None:  # a session runs one command at a time
            await asyncio.wait([self._prefetched])
        for chunk in chunked(sorted(heads.items()), _STREAMS_PER_QUERY):
            spans = [commit_span(stream, head + 1) for stream, head in chunk]
            cursor = self._commits.find({"$or": spans}, _STORED, session=self._session).sort("_id", 1)
            async for document in cursor:
                yield stored_commit(document)


async def commits_of(database: AsyncIOMotorDatabase[Any], entries: Sequence[Entry]) -> list[StoredCommit]:
    """Return the commits that hold these ledgered events."""
    collection = database.get_collection("commits", read_concern=ReadConcern("majority"))
    spans: dict[str, tuple[int, int]] = {}
    for entry in entries:
        low, high = spans.get(entry.stream, (entry.version, entry.version))
        spans[entry.stream] = min(low, entry.version), max(high, entry.version)
    commits: list[StoredCommit] = []
    for chunk in chunked(spans.items(), _STREAMS_PER_QUERY):
        filters = [{**commit_span(stream, 0, high + 1), "last": {"$gte": low}} for stream, (low, high) in chunk]
        commits += [stored_commit(each) async for each in collection.find({"$or": filters}, _STORED)]
    return commits


async def bytes_of(database: AsyncIOMotorDatabase[Any], entries: Sequence[Entry]) -> dict[tuple[str, int], bytes]:
    """Return the bytes of ledgered events by stream and version."""
    return by_version(await commits_of(database, entries))


def by_version(commits: Iterable[StoredCommit]) -> dict[tuple[str, int], bytes]:
    """Return the bytes of the events of commits by stream and version."""
    return {(commit.stream, commit.first + index): raw for commit in commits for index, raw in enumerate(commit.events)}


def traceparents_of(batch: Batch, commits: Iterable[StoredCommit]) -> dict[int, str]:
    """Return, by ledger position, the traceparent of each event of a batch whose commit has one."""
    sampled = {(commit.stream, version): commit.traceparent for commit in commits if commit.traceparent
               for version in range(commit.first, commit.last + 1)}  # fmt: skip
    if not sampled:
        return {}
    placed = enumerate(batch.entries, start=batch.first)
    rows = ((position, sampled.get((entry.stream, entry.version))) for position, entry in placed)
    return {position: traceparent for position, traceparent in rows if traceparent is not None}
