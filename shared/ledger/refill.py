"""Refills a restored store and ledger from their topic, which holds the events that the backup lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.consumer.record import ConsumedEvent, decode_record, topic_of
from shared.consumer.topic_reader import read_topic
from shared.events.canonical import ZERO_HASH, sha256_hex
from shared.ledger.ledger import Batch, Entry, Ledger
from shared.runtime.kafka_access import KafkaAccess
from shared.store.commits import commit_document, stored_commit
from shared.store.event_store import DURABLE, EventStore

BATCH_ENTRIES = 2_000
Progress = Callable[[int, int], None]


class CannotRefill(Exception):
    """The topic does not continue the store; the message names the position and the fault."""


@dataclass
class Refilled:
    """The counts of commits and ledger entries that a refill added."""

    commits: int = 0
    entries: int = 0


class Refill:
    """One refill of one service's database from its topic. An interrupted refill can be run again."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], kafka: KafkaAccess, service: str) -> None:
        self._commits = database.get_collection("commits", write_concern=DURABLE)
        self._store = EventStore(database)
        self._ledger = Ledger(database)
        self._kafka = kafka
        self._topic = topic_of(service)
        self._heads: dict[str, tuple[int, str]] = {}
        self._refilled = Refilled()

    async def run(self, progress: Progress = lambda done, of: None) -> Refilled:
        """Verify the topic's events past the ledger's end, then store them. Raises CannotRefill before storing any."""
        last = await self._ledger.last()
        end = last.end if last else 0
        candidates: dict[int, list[ConsumedEvent]] = {}
        async for record in read_topic(self._kafka, self._topic):
            event = decode_record(record)
            if isinstance(event, ConsumedEvent) and event.position >= end:
                candidates.setdefault(event.position, []).append(event)
        chosen = [await self._choose(position, candidates) for position in range(end, _end_of_run(end, candidates))]
        start = 0
        for stop in _batch_ends(chosen):
            await self._enter(end + start, chosen[start:stop])
            start = stop
            progress(stop, len(chosen))
        await self._ledger.raise_published(end + len(chosen))
        return self._refilled

    async def _choose(self, position: int, candidates: dict[int, list[ConsumedEvent]]) -> ConsumedEvent:
        """Return the candidate at a position that continues its stream."""
        for event in candidates.get(position, ()):
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
        """Return the version and hash of a stream's last event, stored or chosen."""
        if stream not in self._heads:
            raws = await self._store.read_bytes(stream)
            self._heads[stream] = (len(raws), sha256_hex(raws[-1])) if raws else (0, ZERO_HASH)
        return self._heads[stream]

    async def _stored(self, stream: str, version: int) -> bytes | None:
        raws = await self._store.read_bytes(stream)
        return raws[version - 1] if version <= len(raws) else None

    async def _enter(self, first: int, events: Sequence[ConsumedEvent]) -> None:
        for document in _commit_documents(events):
            try:
                await self._commits.insert_one(document)
                self._refilled.commits += 1
            except DuplicateKeyError:
                commit = stored_commit(document)
                if await self._stored(commit.stream, commit.first) != commit.events[0]:
                    raise CannotRefill(f"{document['_id']} is stored with other bytes") from None
        entries = tuple(Entry(*event.key, event.leaf) for event in events)
        await self._ledger.enter(Batch(first, entries, None))
        self._refilled.entries += len(entries)


def _end_of_run(end: int, positions: Collection[int]) -> int:
    """Return the end of the run of positions from `end` on; a record without a predecessor is not the relay's."""
    return max((each for each in positions if each == end or each - 1 in positions), default=end - 1) + 1


def _batch_ends(events: Sequence[ConsumedEvent]) -> list[int]:
    """Return the indexes at which batches end, never within a commit."""
    ends: list[int] = []
    for stop in range(1, len(events)):
        between_commits = events[stop].recorded.commandid != events[stop - 1].recorded.commandid
        if between_commits and stop - (ends[-1] if ends else 0) >= BATCH_ENTRIES:
            ends.append(stop)
    return [*ends, len(events)] if events else []


def _commit_documents(events: Sequence[ConsumedEvent]) -> list[dict[str, Any]]:
    """Return the commits of events, one per stream and command. The digest of the command is not known."""
    grouped: dict[tuple[str, str], list[ConsumedEvent]] = {}
    for event in events:
        grouped.setdefault((event.recorded.subject, event.recorded.commandid), []).append(event)
    return [
        commit_document(
            stream,
            group[0].recorded.streamversion,
            [event.raw for event in group],
            command_id=command_id,
            actor=group[0].recorded.actor,
        )
        for (stream, command_id), group in grouped.items()
    ]
