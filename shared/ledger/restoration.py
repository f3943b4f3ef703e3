"""Restores a lost store and ledger from the events of an export, after a declared break of the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.events.canonical import leaf_hash
from shared.events.catalogue import Recorded, decode
from shared.ledger.lease import Lease
from shared.ledger.ledger import Batch, Entry, Ledger, LedgerMoved
from shared.ledger.recorded_commits import BATCH_ENTRIES, commit_documents
from shared.store.commits import stored_commit
from shared.store.event_store import DURABLE
from shared.tlog.breaks import LogBreak

MUST_BE_EMPTY = ("commits", "ledger", "checkpoints", "journal")
Advance = Callable[[int, int], None]
Events = Sequence[tuple[Recorded, bytes]]


class CannotRestore(Exception):
    """The database is not empty, or a service uses it; the message names what to do."""


class Restoration:
    """The restoration of one service's database. An interrupted one can be run again, with the same break."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], service: str) -> None:
        self._database, self._service = database, service
        self._commits = database.get_collection("commits", write_concern=DURABLE)
        self._ledger = Ledger(database)

    async def declared(self) -> list[bytes]:
        """Return the breaks that an interrupted restoration declared; none for a database that is empty.

        Raises CannotRestore for one that holds anything else.
        """
        if breaks := await self._ledger.breaks():
            return breaks
        holds = [name for name in MUST_BE_EMPTY if await self._database[name].find_one({}, {"_id": 1}) is not None]
        if holds:
            raise CannotRestore(
                f"the database of {self._service} holds {', '.join(holds)}: an export is restored into an empty one. "
                "One restored from a backup of MongoDB is refilled from Kafka (throughline refill); otherwise drop the "
                "database, run throughline indexes ensure, and start no service before this"
            )
        return []

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold the lease of the service's relay, so that none runs meanwhile. Raises CannotRestore where one does."""
        lease = Lease(self._database)
        if not await lease.take():
            raise CannotRestore(f"an instance of {self._service} runs on its database: stop all services first")
        holding = asyncio.create_task(lease.hold())
        try:
            yield
        finally:
            holding.cancel()
            await lease.release()

    async def run(self, breaks: Sequence[bytes], entries: Iterable[bytes], advance: Advance) -> int:
        """Store the breaks, then the events with their positions; return how many were added. Raises CannotRestore."""
        await self._ledger.declare_breaks(breaks)
        size, last = LogBreak.opened(breaks[-1]).size, await self._ledger.last()
        begun = last.end if last else 0
        await self._ensure_beginning(begun, entries := iter(entries), size)
        position = begun
        for events in _batches(entries):
            await self._enter(position, events)
            position += len(events)
            advance(position, size)
        if position != size:
            raise CannotRestore(f"{self._service}: the export gave {position} events, and the break says {size}")
        return position - begun

    async def _ensure_beginning(self, begun: int, entries: Iterator[bytes], size: int) -> None:
        """Check that what an interrupted restoration entered is the beginning of this export. Raises CannotRestore."""
        position = 0
        async for batch in self._ledger.since(0):
            for entry in batch.entries:
                raw = next(entries, b"")
                if leaf_hash(raw) != entry.leaf:
                    raise CannotRestore(f"the ledger of {self._service} holds another event at position {position}")
                position += 1
        if begun > size:
            raise CannotRestore(f"the ledger of {self._service} holds {begun} events, and the export {size}")

    async def _enter(self, first: int, events: Events) -> None:
        for document in commit_documents(events):
            try:
                await self._commits.insert_one(document)
            except DuplicateKeyError:
                stored = await self._commits.find_one({"_id": document["_id"]})
                if stored is None or stored_commit(stored) != stored_commit(document):
                    raise CannotRestore(f"{document['_id']} is stored with other bytes") from None
        entries = tuple(Entry(recorded.subject, recorded.streamversion, leaf_hash(raw)) for recorded, raw in events)
        try:
            await self._ledger.enter(Batch(first, entries, None))
        except LedgerMoved:
            raise CannotRestore(f"the ledger of {self._service} was extended meanwhile: stop all services") from None


def _batches(entries: Iterable[bytes]) -> Iterator[Events]:
    """Yield events in batches that end between two commits."""
    events: list[tuple[Recorded, bytes]] = []
    for raw in entries:
        recorded = decode(raw)
        if len(events) >= BATCH_ENTRIES and recorded.commandid != events[-1][0].commandid:
            yield events
            events = []
        events.append((recorded, raw))
    if events:
        yield events
