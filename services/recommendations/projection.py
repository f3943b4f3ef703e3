"""What this service reads: its own streams and the meetings it hears of, folded, and the traces composed of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, TEXT, InsertOne, ReplaceOne, WriteConcern
from pymongo.errors import BulkWriteError

from services.recommendations.domain.foreign import MEETING
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import DELIVERABLE, INITIATIVE, PRIORITY, SESSION
from services.recommendations.trace import SHAPE, compose, needs
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.events.canonical import sha256_hex
from shared.projection.fold import FoldedState, fold_on
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore

OWN: dict[str, Aggregate[Any]] = {
    aggregate.kind: aggregate for aggregate in (RECOMMENDATION, INSTRUMENT, SESSION, PRIORITY, INITIATIVE, DELIVERABLE)
}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, MEETING.kind: MEETING}
TOPICS = ("throughline.recommendations", "throughline.meetings")
_DUPLICATE_KEY = 11000
TRACES_AT_ONCE = 100
TRACES_AT_A_STRETCH = 5


class _Read(NamedTuple):
    """What a lot of traces is composed of: those wanted, the revisions of those stored, and the states read after."""

    wanted: Sequence[str] = ()
    revisions: Mapping[str, int] = MappingProxyType({})
    states: Mapping[str, FoldedState] = MappingProxyType({})


class Traces:
    """The trace documents: composed from folded states, stored by compare-and-set."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], states: StateStore, journal: Journal) -> None:
        self._traces = database.get_collection("traces", write_concern=WriteConcern(w="majority"))
        self._states = states
        self._journal = journal

    async def prepare(self) -> None:
        """Create the indexes of the lists, and compose again what another version of this code composed."""
        for field in ("recommendation.themes", "mandates.standing", "mandates.provision", "dispositions.outcome"):
            await self._traces.create_index([(field, ASCENDING)])
        await self._traces.create_index([("coverage", ASCENDING)])
        texts = ("recommendation.title", "recommendation.text", "mandates.summary", "mandates.cite")
        await self._traces.create_index([(field, TEXT) for field in texts], name="text", default_language="none")
        older = self._traces.find({"shape": {"$ne": SHAPE}}, {"_id": 1})
        await self.store({row["_id"] async for row in older})

    async def compose_for(self, streams: set[str]) -> None:
        """Compose every trace that depends on these streams, as the folded states say once one's own are stored."""
        through = await self._states.dependants(streams, kind="instrument")
        affected = await self._states.dependants(streams | through, kind="recommendation")
        affected |= {stream for stream in streams if stream.startswith("recommendation/")}
        await self.store({stream.partition("/")[2] for stream in affected})

    async def store(self, references: Iterable[str]) -> None:
        """Compose and store traces, each lot while the next is read and the one before is written.

        What another instance stored meanwhile is composed again. The newest come first: the states that they rest on
        are most likely still remembered. Where another instance stores the same traces, it goes on from the other end,
        and leaves those that the other has made by then.
        The revision is read before the states: who replaces at that revision composed from states no older than those
        of whoever wrote it, so the last to write has read the newest. Every other guard was found wrong by a model.
        """
        pending = sorted(references, reverse=True)
        many = len(pending) > TRACES_AT_ONCE
        read, writes = _Read(), dict[str, Any]()
        while pending or read.wanted or writes:
            lot, pending = pending[:TRACES_AT_ONCE], pending[TRACES_AT_ONCE:]
            read, writes, lost = await asyncio.gather(
                self._read(lot, leave_current=many), _composed(read), self._written(writes)
            )
            if lost:
                pending = pending[::-1] + lost

    async def _read(self, references: Sequence[str], *, leave_current: bool) -> _Read:
        if not references:
            return _Read()
        found = self._traces.find({"_id": {"$in": references}}, {"revision": 1, "shape": 1, "made_of": 1})
        stored = {row["_id"]: row for row in await found.to_list(None)}
        current = await self._current(stored.values()) if leave_current else set()
        wanted = [reference for reference in references if reference not in current]
        revisions = {reference: stored[reference]["revision"] for reference in wanted if reference in stored}
        return _Read(wanted, revisions, await gather(wanted, self._states))

    async def _current(self, stored: Iterable[Mapping[str, Any]]) -> set[str]:
        """Return the traces of these, read before, that were made by this code of the states as they are now."""
        made_of = {row["_id"]: row["made_of"] for row in stored if row["shape"] == SHAPE and "made_of" in row}
        heads = await self._states.heads({stream for made in made_of.values() for stream in made["streams"]})
        return {reference for reference, made in made_of.items() if digest_of(made["streams"], heads) == made["digest"]}

    async def _written(self, writes: Mapping[str, Any]) -> list[str]:
        """Write traces, and return them all if any was stored by another meanwhile."""
        if not writes:
            return []
        try:
            result = await self._traces.bulk_write(list(writes.values()), ordered=False)
        except BulkWriteError as error:
            if any(fault["code"] != _DUPLICATE_KEY for fault in error.details["writeErrors"]):
                raise
            return list(writes)
        return [] if result.inserted_count + result.matched_count == len(writes) else list(writes)

    async def get(self, reference: str) -> dict[str, Any] | None:
        """Return a trace as it is stored, with its `_id` and `revision`."""
        found: dict[str, Any] | None = await self._traces.find_one({"_id": reference})
        return found

    async def events_of(self, trace: Mapping[str, Any]) -> list[ConsumedEvent]:
        """Return every event that a trace is based on, as this service heard it."""
        versions: dict[str, int] = dict(trace["based_on"])
        heard = await self._journal.after(dict.fromkeys(versions, 0))
        return [event for stream, version in versions.items() for event in heard[stream][:version]]

    async def find(self, query: Mapping[str, Any], limit: int, after: str | None) -> list[dict[str, Any]]:
        """Return the traces that match, by reference, after the one given."""
        paged = {**query, "_id": {"$gt": after}} if after else dict(query)
        return await self._traces.find(paged).sort("_id", 1).limit(limit).to_list(limit)

    async def at(self, reference: str, as_of: date | None, known_at: str | None) -> dict[str, Any] | None:
        """Compose one trace as of a day in the world, from what had been recorded by a time."""
        states: dict[str, FoldedState] = {}
        while wanted := needs(reference, states):
            states |= await self._known(wanted, known_at) if known_at else await self._states.read(wanted)
        return compose(reference, states, as_of)

    async def _known(self, streams: set[str], known_at: str) -> dict[str, FoldedState]:
        events = await self._journal.after(dict.fromkeys(streams, 0))
        known: dict[str, FoldedState] = {}
        for stream in streams:
            nothing = self._states.nothing(stream)
            prefix = [event for event in events[stream] if event.recorded.time <= known_at]
            outcome = fold_on(self._states.aggregate_of(stream), nothing, prefix)
            known[stream] = outcome.folded if outcome else nothing
        return known


async def _composed(read: _Read) -> dict[str, Any]:
    """Say how each trace is written; a few are composed at a stretch, so that reading and writing go on beside."""
    composed: dict[str, Any] = {}
    for number, reference in enumerate(read.wanted):
        if number % TRACES_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        states = subset(reference, read.states)
        if (trace := compose(reference, states)) is not None:
            made_of = {"streams": list(states), "digest": digest_of(states, states)}
            document = {"_id": reference, "made_of": made_of, **trace}
            composed[reference] = _write(document, read.revisions.get(reference, 0))
    return composed


async def gather(references: Iterable[str], states: StateStore) -> dict[str, FoldedState]:
    """Read, from the primary, every state that these traces are composed of."""
    found: dict[str, FoldedState] = {}
    wanted = list(references)
    while missing := {stream for reference in wanted for stream in needs(reference, found)}:
        found |= await states.read(missing)
    return found


def subset(reference: str, states: Mapping[str, FoldedState]) -> dict[str, FoldedState]:
    """Return those of the states that one trace is composed of, and no others."""
    chosen: dict[str, FoldedState] = {}
    while wanted := needs(reference, chosen):
        chosen |= {stream: states[stream] for stream in wanted}
    return chosen


def digest_of(streams: Iterable[str], states: Mapping[str, FoldedState]) -> str:
    """Return a digest that is another one as soon as one of these states was stored again."""
    told = [f"{stream} {states[stream].revision} {states[stream].hash}" for stream in streams]
    return sha256_hex("\n".join(told).encode())


def _write(document: Mapping[str, Any], revision: int) -> InsertOne[Any] | ReplaceOne[Any]:
    replacement = {**document, "revision": revision + 1}
    return (
        ReplaceOne({"_id": document["_id"], "revision": revision}, replacement) if revision else InsertOne(replacement)
    )
