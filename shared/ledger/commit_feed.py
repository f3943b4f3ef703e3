"""The order in which MongoDB committed: a change stream read in bulk, and the commits that a ledger lacks.

The stream is read by plain `aggregate` and `getMore` commands, which bring whole batches and the resume token that
goes with each; motor's `watch()` brings one document at a time at five times the cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from shared.ledger.ledger import Entry, Token

_RESUME_IMPOSSIBLE = {136, 222, 260, 280, 286}  # capped position lost, oplog overrun, bad or too old a token
_PAST_ANY_VERSION = 2**31
T = TypeVar("T")


class StoredCommit(NamedTuple):
    """A commit as the relay needs it: its stream, the version of its first event, its events' bytes."""

    stream: str
    first: int
    events: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """The version of the last event."""
        return self.first + len(self.events) - 1


class TokenTooOld(Exception):
    """The change stream cannot be resumed from the token; compare heads instead."""


class CommitFeed:
    """The commits of one service in the order in which they were committed.

    All reads go through one causally consistent session: what is compared after the stream was opened is read at no
    earlier a time than that at which it was opened, so that no commit falls between the two.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any], session: AsyncIOMotorClientSession) -> None:
        self._database = database
        self._session = session
        self._commits = database.get_collection("commits", read_concern=ReadConcern("majority"))
        self._cursor: Any = None
        self._coming: asyncio.Task[tuple[list[StoredCommit], Token]] | None = None

    async def open(self, token: Token | None) -> Token:
        """Open the stream after `token`, or now. Return the token to start from. Raises TokenTooOld."""
        stage: dict[str, Any] = {"resumeAfter": token} if token else {}
        pipeline = [
            {"$changeStream": stage},
            {"$match": {"operationType": "insert"}},
            {"$project": {"fullDocument._id": 1, "fullDocument.events": 1}},
        ]
        try:
            answer = await self._database.command(
                "aggregate", "commits", pipeline=pipeline, cursor={"batchSize": 0}, session=self._session
            )
        except OperationFailure as error:
            if token is not None:  # whatever is wrong with it, comparing heads needs none
                raise TokenTooOld from error
            raise
        self._cursor = answer["cursor"]["id"]
        opened: Token = answer["cursor"]["postBatchResumeToken"]
        return opened

    async def batches(self, limit: int, wait_ms: int) -> AsyncGenerator[tuple[list[StoredCommit], Token], None]:
        """Yield what `next` returns, without end; in a backlog the next batch is read while the last one is used."""
        try:
            while True:
                taken = await (self._coming or self.next(limit, wait_ms))
                self._coming = asyncio.create_task(self.next(limit, wait_ms)) if len(taken[0]) >= limit else None
                yield taken
        finally:
            if self._coming is not None:
                self._coming.cancel()
                await asyncio.wait([self._coming])
                self._coming = None

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
        return [_stored(change["fullDocument"]) for change in cursor["nextBatch"]], cursor["postBatchResumeToken"]

    async def behind(self, heads: Mapping[str, int]) -> dict[str, int]:
        """Return the streams of which commits hold more than `heads` says, with the head that is known."""
        grouped = self._commits.aggregate(
            [{"$group": {"_id": "$_id.s", "last": {"$max": "$last"}}}], allowDiskUse=True, session=self._session
        )
        return {row["_id"]: heads.get(row["_id"], 0) async for row in grouped if row["last"] > heads.get(row["_id"], 0)}

    async def after(self, heads: Mapping[str, int]) -> AsyncIterator[StoredCommit]:
        """Yield, stream by stream and in stream order, the commits after each head."""
        if self._coming is not None:  # a session serves one at a time
            await asyncio.wait([self._coming])
        for chunk in _chunks(sorted(heads.items()), 200):
            spans = [_span(stream, head + 1, _PAST_ANY_VERSION) for stream, head in chunk]
            async for found in self._commits.find({"$or": spans}, {"events": 1}, session=self._session).sort("_id", 1):
                yield _stored(found)


async def bytes_of(database: AsyncIOMotorDatabase[Any], entries: Sequence[Entry]) -> dict[tuple[str, int], bytes]:
    """Return the bytes of ledgered events by stream and version."""
    commits = database.get_collection("commits", read_concern=ReadConcern("majority"))
    spans: dict[str, tuple[int, int]] = {}
    for entry in entries:
        low, high = spans.get(entry.stream, (entry.version, entry.version))
        spans[entry.stream] = min(low, entry.version), max(high, entry.version)
    found: dict[tuple[str, int], bytes] = {}
    for chunk in _chunks(spans.items(), 200):
        wanted = [{**_span(stream, 0, high + 1), "last": {"$gte": low}} for stream, (low, high) in chunk]
        async for document in commits.find({"$or": wanted}, {"events": 1}):
            commit = _stored(document)
            found.update(((commit.stream, commit.first + index), raw) for index, raw in enumerate(commit.events))
    return found


def _span(stream: str, start: int, end: int) -> dict[str, Any]:
    return {"_id": {"$gte": {"s": stream, "v": start}, "$lt": {"s": stream, "v": end}}}


def _stored(document: Mapping[str, Any]) -> StoredCommit:
    key = document["_id"]
    return StoredCommit(key["s"], key["v"], tuple(bytes(raw) for raw in document["events"]))


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
