"""Refills a restored store and ledger from their topic, which holds the events that the backup lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.consumer.decoder import RecordDecoder
from shared.consumer.decoding import decode_unsigned
from shared.consumer.record import ConsumedEvent, topic_of
from shared.consumer.topic_reader import read_topic
from shared.events.canonical import ZERO_HASH, sha256_hex
from shared.ledger.checkpoint_topic import checkpoints_published
from shared.ledger.checkpoints import leaves
from shared.ledger.ledger import Batch, Entry, Ledger, LedgerMoved
from shared.ledger.recorded_commits import batch_ends, commit_documents
from shared.runtime.kafka_access import KafkaAccess
from shared.store.commits import stored_commit
from shared.store.event_store import DURABLE, EventStore
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import Tree
from shared.tlog.notes import Note

Progress = Callable[[int, int], None]
Candidates = defaultdict[int, list[ConsumedEvent]]


class CannotRefill(Exception):
    """The topic does not continue the store; the message names the position and the fault."""


@dataclass
class Refilled:
    """The counts of commits and ledger entries that a refill added."""

    commits: int = 0
    entries: int = 0


class Refill:
    """One refill of one service's database from its topic. An interrupted refill can be run again.

    It takes all that is proven and nothing else: events with a proof; and, up to the newest checkpoint on its topic,
    events published before records were signed, if they make the root that was signed.
    """

    def __init__(
        self, database: AsyncIOMotorDatabase[Any], kafka: KafkaAccess, service: str, decoder: RecordDecoder
    ) -> None:
        self._commits = database.get_collection("commits", write_concern=DURABLE)
        self._store = EventStore(database)
        self._ledger = Ledger(database)
        self._kafka, self._service, self._decoder = kafka, service, decoder
        self._topic = topic_of(service)
        self._heads: dict[str, tuple[int, str]] = {}
        self._refilled = Refilled()

    async def run(self, progress: Progress = lambda done, of: None) -> Refilled:
        """Verify the topic's events past the ledger's end, then store them. Raises CannotRefill before storing any."""
        last = await self._ledger.last()
        end = last.end if last else 0
        proven, unsigned = await self._candidates(end)
        checkpoint = await self._newest_checkpoint()
        covered = checkpoint.size if checkpoint is not None else 0
        stop = max(covered, _end_of_run(end, proven))
        chosen = [
            await self._choose(position, [*proven[position], *(unsigned[position] if position < covered else ())])
            for position in range(end, stop)
        ]
        if checkpoint is not None and end < covered:
            await self._ensure_root(checkpoint, chosen[: covered - end])
        start = 0
        for after in batch_ends([event.recorded for event in chosen]):
            await self._enter(end + start, chosen[start:after])
            start = after
            progress(after, len(chosen))
        await self._ledger.raise_published(end + len(chosen))
        return self._refilled

    async def _candidates(self, end: int) -> tuple[Candidates, Candidates]:
        """Return the topic's events from a position on, by position: those with a proof, and those without."""
        proven, unsigned = Candidates(list), Candidates(list)
        async for item in self._decoder.decode_all(read_topic(self._kafka, self._topic)):
            event = item if isinstance(item, ConsumedEvent) else decode_unsigned(item.record)
            if event is not None and event.position >= end:
                (proven if event.proof else unsigned)[event.position].append(event)
        return proven, unsigned

    async def _newest_checkpoint(self) -> Checkpoint | None:
        notes = await checkpoints_published(self._kafka, self._service, self._decoder.trust)
        return Checkpoint.parse(Note.parse(notes[max(notes)]).text) if notes else None

    async def _ensure_root(self, checkpoint: Checkpoint, chosen: Sequence[ConsumedEvent]) -> None:
        """Check that the ledger and the chosen events make the root of a checkpoint. Raises CannotRefill."""
        tree = Tree()
        async for leaf in leaves(self._ledger, 0, checkpoint.size - len(chosen)):
            tree.add(leaf)
        for event in chosen:
            tree.add(bytes.fromhex(event.leaf))
        if tree.root() != checkpoint.root:
            raise CannotRefill(
                f"ledger and topic do not make the root that {checkpoint.origin} signed for {checkpoint.size} events"
            )

    async def _choose(self, position: int, candidates: Sequence[ConsumedEvent]) -> ConsumedEvent:
        """Return the candidate at a position that continues its stream."""
        for event in candidates:
            stream, version = event.key
            head, previous = await self._head(stream)
            if version <= head:
                if await self._stored(stream, version) == event.raw:
                    return event
            elif version == head + 1 and event.recorded.previoushash == previous:
                self._heads[stream] = version, event.hash
                return event
        raise CannotRefill(f"position {position} of {self._topic}: no proven record continues what is stored")

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
        for document in commit_documents([(event.recorded, event.raw) for event in events]):
            try:
                await self._commits.insert_one(document)
                self._refilled.commits += 1
            except DuplicateKeyError:
                commit = stored_commit(document)
                if await self._stored(commit.stream, commit.first) != commit.events[0]:
                    raise CannotRefill(f"{document['_id']} is stored with other bytes") from None
        entries = tuple(Entry(*event.key, event.leaf) for event in events)
        try:
            await self._ledger.enter(Batch(first, entries, None))
        except LedgerMoved:
            raise CannotRefill(f"the ledger of {self._service} was extended meanwhile: run it again") from None
        self._refilled.entries += len(entries)


def _end_of_run(end: int, positions: Collection[int]) -> int:
    """Return the position after the last one that has a predecessor, or is `end`; another one is not the relay's."""
    return max((each for each in positions if each == end or each - 1 in positions), default=end - 1) + 1
