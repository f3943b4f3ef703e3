"""The read side of this service: its own streams and foreign meetings, folded, and the traces composed of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, TEXT, IndexModel, WriteConcern

from services.recommendations.composing import composed, gather, look_up_initiatives, trace_or_fault
from services.recommendations.domain.foreign import MEETING
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.provisions import provisions_in
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import BODY_SESSION, DELIVERABLE, INITIATIVE, PRIORITY, SESSION
from services.recommendations.domain.searched import SEARCHED
from services.recommendations.trace import SHAPE, needs, phase_of
from services.recommendations.trace.initiatives import by_provision
from services.recommendations.trace.provenance import versions_behind
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.projection import state_search, state_store
from shared.projection.facet_counts import total_index
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal, Place
from shared.projection.natural_order import natural_order
from shared.projection.partial_fold import fold_whole
from shared.projection.revisioned_collection import RevisionedCollection, Written
from shared.projection.state_store import StateStore
from shared.store.indexes import Indexes
from shared.tracing.spans import tracing

log = structlog.get_logger()

OWN: dict[str, Aggregate[Any]] = {
    aggregate.kind: replace(aggregate, searched=SEARCHED[aggregate.kind])
    for aggregate in (RECOMMENDATION, INSTRUMENT, SESSION, BODY_SESSION, PRIORITY, INITIATIVE, DELIVERABLE)
}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, MEETING.kind: MEETING}
TOPICS = ("throughline.recommendations", "throughline.meetings")
STATES_SHAPE = 3
"""The number of the code that folds states and their facets; that of traces is their own."""
_LISTED_BY = (
    "recommendation.themes", "recommendation.standing", "mandates.standing", "mandates.provision",
    "dispositions.outcome", "coverage",
)  # fmt: skip
_SEARCHED = ("recommendation.title", "recommendation.text", "mandates.summary", "mandates.cite")
INDEXES: Indexes = {
    "states": [
        *state_store.INDEXES["states"],
        *state_search.INDEXES["states"],
        *(IndexModel([(f"facets.{facet}", ASCENDING)], name=facet, sparse=True) for facet in ("keys", "rests_on")),
        total_index("provisions"),
    ],
    "traces": [
        *(IndexModel([(field, ASCENDING)]) for field in _LISTED_BY),
        IndexModel([("order", ASCENDING)], name="order"),
        IndexModel([("fault", ASCENDING)], sparse=True),
        IndexModel([(field, TEXT) for field in _SEARCHED], name="text", default_language="none"),
    ],
}
_CITATIONS = {"mandates.instrument": 1, "mandates.provision": 1, "mandates.standing": 1}
CITES = ("live", "suspect")
"""The standings of a mandate whose provision counts as cited."""
TRACES_PER_CHUNK = 100
CONCURRENT_CHUNKS = 2


class Traces:
    """The trace documents: composed from folded states, stored by compare-and-set."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], states: StateStore, journal: Journal) -> None:
        self._traces = database.get_collection("traces", write_concern=WriteConcern(w="majority"))
        self._revisioned = RevisionedCollection(self._traces)
        self._states = states
        self._journal = journal

    async def prepare(self) -> None:
        """Compose again the traces of another shape, of code that gave them no order, and those with a fault."""
        outdated = self._traces.find({"$or": [{"shape": {"$ne": SHAPE}}, {"order": {"$exists": False}}]}, {"_id": 1})
        await self.store({row["_id"] async for row in outdated})

    async def compose_for(self, streams: set[str]) -> None:
        """Compose every trace that depends on these streams, whose folded states are stored."""
        with tracing().in_each_event("compose traces") as span:
            references = await self.dependants(streams)
            span.set_attribute("throughline.traces", len(references))
            await self.store(references)

    async def dependants(self, streams: set[str]) -> set[str]:
        """Return the references of the traces that rest on any of these streams."""
        through = await self._states.dependants(streams, kind="instrument")
        affected = await self._states.dependants(streams | through, kind="recommendation")
        affected |= {stream for stream in streams if stream.startswith("recommendation/")}
        affected |= await self._beside({stream for stream in streams if stream.startswith("initiative/")})
        return {stream.partition("/")[2] for stream in affected}

    async def _beside(self, initiatives: set[str]) -> set[str]:
        """Return the recommendations that cite a provision which any event of these initiatives ever named."""
        if not initiatives:
            return set()
        events = await self._journal.after(dict.fromkeys(initiatives, 0))
        named = {each for stream in events.values() for event in stream for each in provisions_in(event.recorded.data)}
        citing = await self._states.by_facet(RECOMMENDATION.kind, "rests_on", named)
        return set(chain.from_iterable(citing.values()))

    async def store(self, references: Iterable[str]) -> None:
        """Compose and store traces, newest first; compose again those that another instance stored meanwhile.

        The revision is read before the states: a writer that replaces that revision composed from states no older than
        those of the revision's writer, so the last writer has read the newest states. A model check found every other
        guard wrong.
        """
        pending = sorted(references, reverse=True)
        await asyncio.gather(*(self._store_chunks(pending) for _ in range(CONCURRENT_CHUNKS)))

    async def _store_chunks(self, pending: list[str]) -> None:
        """Take chunks of pending references until none is left; while this waits for MongoDB, another composes."""
        while pending:
            chunk = pending[:TRACES_PER_CHUNK]
            del pending[:TRACES_PER_CHUNK]
            pending += sorted(await self._store_chunk(chunk))

    async def _store_chunk(self, chunk: Sequence[str]) -> set[str]:
        """Compose and store traces; return those that another instance stored meanwhile."""
        rows = await self._traces.find({"_id": {"$in": chunk}}, {"revision": 1, "fault": 1}).to_list(None)
        stored = {row["_id"]: row for row in rows}
        traces = await composed(chunk, *await gather(chunk, self._states))
        written = await self._replace(traces, stored)
        refused = {reference: {"fault": fault} for reference, fault in written.refused.items()}
        again = await self._replace(refused, stored)
        if again.refused:
            raise RuntimeError(f"MongoDB stores nothing of the traces {sorted(again.refused)}, not even why")
        gone = {reference: row["revision"] for reference, row in stored.items() if reference not in traces}
        return written.lost | again.lost | await self._revisioned.remove(gone)

    async def _replace(self, traces: Mapping[str, dict[str, Any]], stored: Mapping[str, dict[str, Any]]) -> Written:
        """Store traces at the revision after the one that was read; log the faults that are new."""
        documents = []
        for reference, trace in traces.items():
            before = stored.get(reference, {"revision": 0})
            of_the_store = {
                "order": natural_order(reference), "phase": phase_of(trace), "revision": before["revision"] + 1
            }  # fmt: skip
            documents.append({"_id": reference, **trace, **of_the_store})
            if "fault" in trace and trace["fault"] != before.get("fault"):
                log.error("trace_stopped", reference=reference, reason=trace["fault"])
        return await self._revisioned.replace(documents)

    async def faults(self) -> dict[str, str]:
        """Return the streams whose trace cannot be composed or stored, with the reason in words."""
        rows = self._traces.find({"fault": {"$exists": True}}, {"fault": 1})
        return {RECOMMENDATION.stream(row["_id"]): row["fault"] async for row in rows}

    async def get(self, reference: str) -> dict[str, Any] | None:
        """Return a trace as it is stored, with its `_id` and `revision`; in place of one with a fault, the `fault`."""
        trace: dict[str, Any] | None = await self._traces.find_one({"_id": reference})
        return trace

    async def events_of(self, trace: Mapping[str, Any]) -> list[ConsumedEvent]:
        """Return every event that a trace is based on, from this service's journal."""
        events = await self._journal.after({stream: 0 for stream, *_ in trace["based_on"]})
        return [event for stream, version, *_ in trace["based_on"] for event in events[stream][:version]]

    async def places_of(self, trace: Mapping[str, Any]) -> list[Place]:
        """Return the place of each event of the recommendation, and of the others behind statements of its trace."""
        versions = versions_behind(trace["provenance"]["statements"])
        own = RECOMMENDATION.stream(trace["recommendation"]["reference"])
        versions |= {stream: set(range(1, head + 1)) for stream, head, _ in trace["based_on"] if stream == own}
        return await self._journal.places(versions)

    async def find(
        self, query: Mapping[str, Any], limit: int, after: str | None, fields: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the traces that match, or some fields of each, by reference, after the one given.

        R2 comes before R10. Those with a fault are absent.
        """
        paged = {**query, "shape": {"$exists": True}} | ({"order": {"$gt": natural_order(after)}} if after else {})
        return await self._traces.find(paged, fields).sort("order", ASCENDING).limit(limit).to_list(limit)

    async def matching(self, references: Iterable[str], query: Mapping[str, Any]) -> set[str]:
        """Return those of these references whose traces match."""
        rows = self._traces.find({"_id": {"$in": list(references)}, **query}, {"_id": 1})
        return {row["_id"] async for row in rows}

    async def citing(self, provisions: Sequence[str], query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the citations of every trace that matches and cites one of these provisions, by reference."""
        query = {"mandates.provision": {"$in": list(provisions)}, "shape": {"$exists": True}, **query}
        rows = await self._traces.find(query, _CITATIONS).to_list(None)
        return sorted(rows, key=lambda row: natural_order(row["_id"]))

    async def cited(self, query: Mapping[str, Any]) -> int:
        """Return how many provisions the traces that match cite."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {**query, "shape": {"$exists": True}}},
            {"$project": _CITATIONS},
            {"$unwind": "$mandates"},
            {"$match": {"mandates.standing": {"$in": list(CITES)}}},
            {"$group": {"_id": ["$mandates.instrument", "$mandates.provision"]}},
            {"$count": "number"},
        ]
        rows = await self._traces.aggregate(pipeline).to_list(1)
        return int(rows[0]["number"]) if rows else 0

    async def instruments(self, query: Mapping[str, Any]) -> list[str]:
        """Return the instruments whose provisions the traces that match name as mandates."""
        return await self._traces.distinct("mandates.instrument", {**query, "shape": {"$exists": True}})

    async def by_coverage(self, query: Mapping[str, Any]) -> dict[str, int]:
        """Return how many of the traces that match have each coverage."""
        pipeline = [
            {"$match": {**query, "shape": {"$exists": True}}},
            {"$group": {"_id": "$coverage", "number": {"$sum": 1}}},
        ]
        return {row["_id"]: row["number"] async for row in self._traces.aggregate(pipeline)}

    async def at(self, reference: str, as_of: date | None, known_at: str | None) -> dict[str, Any] | None:
        """Compose one trace as of a day in the world, from what had been recorded by a time; or return its `fault`."""
        if known_at is None:
            return trace_or_fault(reference, *await gather([reference], self._states), as_of)
        states = await self._known({RECOMMENDATION.stream(reference)}, known_at)
        beside = await look_up_initiatives(states.values(), self._states)
        changed = await self._states.with_later_events(INITIATIVE.kind)
        states |= await self._known(changed.union(*beside.values()), known_at)
        initiatives = by_provision(states.values())
        while wanted := needs(reference, states, initiatives):
            states |= await self._known(wanted, known_at)
        return trace_or_fault(reference, states, initiatives, as_of)

    async def _known(self, streams: set[str], known_at: str) -> dict[str, FoldedState]:
        events = await self._journal.after(dict.fromkeys(streams, 0))
        known: dict[str, FoldedState] = {}
        for stream in streams:
            initial = self._states.initial(stream)
            prefix = [event for event in events[stream] if event.recorded.time <= known_at]
            known[stream] = fold_whole(self._states.aggregate_of(stream), initial, prefix, self._states.shape).folded
        return known
