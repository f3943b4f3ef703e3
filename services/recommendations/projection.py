"""What this service reads: its own streams and the meetings it hears of, folded, and the traces composed of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, TEXT, InsertOne, ReplaceOne, WriteConcern
from pymongo.errors import BulkWriteError

from services.recommendations.domain.heard import MEETING
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.small import DELIVERABLE, INITIATIVE, PRIORITY, SESSION
from services.recommendations.trace import SHAPE, compose, needs
from shared.aggregates import Aggregate
from shared.folding import States
from shared.folds import Folded, fold_on
from shared.intake import Heard
from shared.journal import Journal

OWN: dict[str, Aggregate[Any]] = {
    aggregate.kind: aggregate for aggregate in (RECOMMENDATION, INSTRUMENT, SESSION, PRIORITY, INITIATIVE, DELIVERABLE)
}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, MEETING.kind: MEETING}
TOPICS = ("throughline.recommendations", "throughline.meetings")
_DUPLICATE_KEY = 11000
_TRACES_AT_ONCE = 100


class Traces:
    """The trace documents: composed from folded states, stored by compare-and-set."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], states: States, journal: Journal) -> None:
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
        """Compose and store traces, one lot while the one before is written; what another stored meanwhile, again.

        The newest come first: the states that they rest on are most likely still remembered.
        The revision is read before the states: who replaces at that revision composed from states no older than those
        of whoever wrote it, so the last to write has read the newest. Every other guard was found wrong by a model.
        """
        pending = sorted(references, reverse=True)
        while pending:
            lost: list[str] = []
            writing = asyncio.ensure_future(self._written({}))
            for start in range(0, len(pending), _TRACES_AT_ONCE):
                writes = await self._composed(pending[start : start + _TRACES_AT_ONCE])
                lost += await writing
                writing = asyncio.ensure_future(self._written(writes))
            pending = lost + await writing

    async def _composed(self, references: Sequence[str]) -> dict[str, Any]:
        found = self._traces.find({"_id": {"$in": references}}, {"revision": 1})
        revisions = {row["_id"]: row["revision"] for row in await found.to_list(None)}
        states = await gather(references, self._states)
        composed = {reference: compose(reference, subset(reference, states)) for reference in references}
        return {
            reference: _write(reference, trace, revisions.get(reference, 0))
            for reference, trace in composed.items()
            if trace is not None
        }

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

    async def events_of(self, trace: Mapping[str, Any]) -> list[Heard]:
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
        states: dict[str, Folded] = {}
        while wanted := needs(reference, states):
            states |= await self._known(wanted, known_at) if known_at else await self._states.read(wanted)
        return compose(reference, states, as_of)

    async def _known(self, streams: set[str], known_at: str) -> dict[str, Folded]:
        events = await self._journal.after(dict.fromkeys(streams, 0))
        known: dict[str, Folded] = {}
        for stream in streams:
            nothing = self._states.nothing(stream)
            prefix = [event for event in events[stream] if event.recorded.time <= known_at]
            outcome = fold_on(self._states.aggregate_of(stream), nothing, prefix)
            known[stream] = outcome.folded if outcome else nothing
        return known


async def gather(references: Iterable[str], states: States) -> dict[str, Folded]:
    """Read, from the primary, every state that these traces are composed of."""
    found: dict[str, Folded] = {}
    wanted = list(references)
    while missing := {stream for reference in wanted for stream in needs(reference, found)}:
        found |= await states.read(missing)
    return found


def subset(reference: str, states: Mapping[str, Folded]) -> dict[str, Folded]:
    """Return those of the states that one trace is composed of, and no others."""
    chosen: dict[str, Folded] = {}
    while wanted := needs(reference, chosen):
        chosen |= {stream: states[stream] for stream in wanted}
    return chosen


def _write(reference: str, trace: dict[str, Any], revision: int) -> InsertOne[Any] | ReplaceOne[Any]:
    document = {"_id": reference, "revision": revision + 1, **trace}
    return ReplaceOne({"_id": reference, "revision": revision}, document) if revision else InsertOne(document)
