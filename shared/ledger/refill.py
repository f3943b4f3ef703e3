"""Fills a restored store and ledger up from their topic, which kept what the backup lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bson.binary import Binary
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.consumer.record import ConsumedEvent, decode_record
from shared.events.canonical import ZERO_HASH, sha256_hex
from shared.ledger.ledger import Batch, Entry, Ledger
from shared.ledger.restore_check import records
from shared.store.event_store import DURABLE, EventStore

BATCH_ENTRIES = 2_000
Say = Callable[[int, int], None]


class CannotRefill(Exception):
    """The topic does not continue what is stored; the message names the position and what is wrong there."""


@dataclass
class Refilled:
    """What a refill added."""

    commits: int = 0
    entries: int = 0


class Refill:
    """One refill of one service's database from its topic. It may be interrupted, and run again."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], kafka: str, service: str) -> None:
        self._commits = database.get_collection("commits", write_concern=DURABLE)
        self._store = EventStore(database)
        self._ledger = Ledger(database)
        self._kafka = kafka
        self._topic = f"throughline.{service}"
        self._heads: dict[str, tuple[int, str]] = {}
        self._done = Refilled()

    async def run(self, say: Say = lambda done, of: None) -> Refilled:
        """Verify what the topic holds past the ledger, then store it. Raises CannotRefill before anything is stored."""
        last = await self._ledger.last()
        end = last.end if last else 0
        found: dict[int, list[ConsumedEvent]] = {}
        async for arrival in records(self._kafka, self._topic):
            event = decode_record(arrival)
            if isinstance(event, ConsumedEvent) and event.position >= end:
                found.setdefault(event.position, []).append(event)
        chosen = [await self._at(position, found) for position in range(end, _end_of_run(end, found))]
        start = 0
        for stop in _cuts(chosen):
            await self._enter(end + start, chosen[start:stop])
            start = stop
            say(stop, len(chosen))
        await self._ledger.raise_published(end + len(chosen))
        return self._done

    async def _at(self, position: int, found: dict[int, list[ConsumedEvent]]) -> ConsumedEvent:
        """Return the event at a position that continues its stream."""
        for event in found.get(position, ()):
            stream, version = event.key
            head, previous = await self._head(stream)
            if version <= head:
                if await self._stored(stream, version) == event.raw:
                    return event
            elif version == head + 1 and event.recorded.previoushash == previous:
                self._heads[stream] = version, event.hash
                return event
        raise CannotRefill(f"position {position} of {self._topic}: no record continues what is stored")

    async def _head(self, stream: str) -> tuple[int, str]:
        if stream not in self._heads:
            raws = await self._store.read_bytes(stream)
            self._heads[stream] = (len(raws), sha256_hex(raws[-1])) if raws else (0, ZERO_HASH)
        return self._heads[stream]

    async def _stored(self, stream: str, version: int) -> bytes | None:
        raws = await self._store.read_bytes(stream)
        return raws[version - 1] if version <= len(raws) else None

    async def _enter(self, first: int, events: Sequence[ConsumedEvent]) -> None:
        for commit in _commits_of(events):
            try:
                await self._commits.insert_one(commit)
                self._done.commits += 1
            except DuplicateKeyError:
                stored = await self._stored(commit["_id"]["s"], commit["_id"]["v"])
                if stored != bytes(commit["events"][0]):
                    raise CannotRefill(f"{commit['_id']} is stored with other bytes") from None
        entries = tuple(Entry(*event.key, event.leaf) for event in events)
        await self._ledger.enter(Batch(first, entries, None))
        self._done.entries += len(entries)


def _end_of_run(end: int, found: Collection[int]) -> int:
    """Return where the positions from `end` on cease; a record without a predecessor was published by no relay."""
    return max((position for position in found if position == end or position - 1 in found), default=end - 1) + 1


def _cuts(events: Sequence[ConsumedEvent]) -> list[int]:
    """Return where to cut into batches, never within a commit."""
    cuts: list[int] = []
    for stop in range(1, len(events)):
        whole = events[stop].recorded.commandid != events[stop - 1].recorded.commandid
        if whole and stop - (cuts[-1] if cuts else 0) >= BATCH_ENTRIES:
            cuts.append(stop)
    return [*cuts, len(events)] if events else []


def _commits_of(events: Sequence[ConsumedEvent]) -> list[dict[str, Any]]:
    """Return commit documents: what one command appended to one stream, together. The command's digest is not known."""
    grouped: dict[tuple[str, str], list[ConsumedEvent]] = {}
    for event in events:
        grouped.setdefault((event.recorded.subject, event.recorded.commandid), []).append(event)
    return [
        {
            "_id": {"s": stream, "v": group[0].recorded.streamversion},
            "last": group[-1].recorded.streamversion,
            "command_id": command_id,
            "actor": group[0].recorded.actor,
            "events": [Binary(event.raw) for event in group],
        }
        for (stream, command_id), group in grouped.items()
    ]
