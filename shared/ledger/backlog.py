"""The backlog of a service's log: events that are not published yet, and published ones that no checkpoint signs.

It is measured, never counted along: a commit costs nothing more for it. Commits are read from the newest one back, in
the order of their insertion, to the last published one.
"""

from __future__ import annotations

import time
from typing import Any

import orjson
from motor.motor_asyncio import AsyncIOMotorDatabase

from shared.events.envelope import moment
from shared.ledger.checkpoints import Checkpoints
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.telemetry import RELAY_LEADS, UNPUBLISHED_AGE, UNSIGNED_AGE
from shared.store.commits import commit_span

MOST_COMMITS = 2_000
_ONE_EVENT = {"events": {"$slice": 1}}
Document = dict[str, Any]


class Backlog:
    """The age of the oldest event of one service that is not published, and of the oldest that is not signed."""

    def __init__(
        self, database: AsyncIOMotorDatabase[Any], service: str, relay: Relay, checkpoints: Checkpoints
    ) -> None:
        self._commits, self._ledger = database["commits"], Ledger(database)
        self._service, self._relay, self._checkpoints = service, relay, checkpoints
        self._oldest: float | None = None

    async def measure(self) -> None:
        """Set the metrics."""
        published = await self._ledger.published()
        RELAY_LEADS.labels(self._service).set(self._relay.term is not None)
        UNPUBLISHED_AGE.labels(self._service).set(_age(await self._unpublished_since(published)))
        UNSIGNED_AGE.labels(self._service).set(_age(await self._unsigned_since(published)))

    async def _unpublished_since(self, published: int) -> float | None:
        """Return the time of the oldest unpublished event.

        Where more than MOST_COMMITS are not published, one that was found before counts, unless it is published by now.
        """
        last = await self._commit_at(published - 1) if published else None
        oldest, count = await self._oldest_after(last)
        since = _time_of(await self._commits.find_one({"_id": oldest}, _ONE_EVENT)) if oldest else None
        if since and count == MOST_COMMITS and self._oldest and self._oldest > (_time_of(last) or 0):
            since = min(since, self._oldest)
        self._oldest = since
        return since

    async def _oldest_after(self, last: Document | None) -> tuple[Document | None, int]:
        """Return the key of the oldest commit after a published one, and how many there are."""
        oldest, count = None, 0
        async for row in self._commits.find({}, {"_id": 1}).sort("$natural", -1).limit(MOST_COMMITS):
            if last is not None and row["_id"] == last["_id"]:
                break
            oldest, count = row["_id"], count + 1
        return oldest, count

    async def _unsigned_since(self, published: int) -> float | None:
        newest = await self._checkpoints.newest()
        size = newest.size if newest else 0
        return _time_of(await self._commit_at(size)) if size < published else None

    async def _commit_at(self, position: int) -> Document | None:
        """Return the commit with the event at a position of the ledger, and the first of its events."""
        entry = await self._ledger.entry(position)
        if entry is None:
            return None
        span = commit_span(entry.stream, 0, entry.version + 1)
        commit: Document | None = await self._commits.find_one(span, _ONE_EVENT, sort=[("_id", -1)])
        return commit


def _time_of(commit: Document | None) -> float | None:
    return moment(orjson.loads(bytes(commit["events"][0]))["time"]).timestamp() if commit else None


def _age(since: float | None) -> float:
    return 0.0 if since is None else max(0.0, time.time() - since)
