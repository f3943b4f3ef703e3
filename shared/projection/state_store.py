"""The state store: every stream folded, with its version and the events behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorCursor, AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, UpdateOne, WriteConcern
from pymongo.read_concern import ReadConcern

from shared.domain import search
from shared.domain.aggregate import Aggregate, Known
from shared.domain.visibility import ALL, Within
from shared.projection.fold import UNFOLDED, FoldedState
from shared.projection.journal import Journal
from shared.projection.natural_order import natural_order
from shared.projection.partial_fold import fault_of, fold_whole
from shared.projection.revisioned_collection import RevisionedCollection, Written
from shared.projection.state_cache import StateCache
from shared.projection.state_document import state_document
from shared.projection.state_query import known_states
from shared.store.indexes import Indexes

_STREAMS_PER_QUERY = 5_000
_STATES_PER_WRITE = 1_000
_STATES_PER_FOLD = 200
CACHED_CHARACTERS = 10_000_000
_WITHOUT_SEARCH = {"terms": 0, "lines": 0}
"""All of a state but its terms of search, which are as large as the state."""
INDEXES: Indexes = {
    "states": [
        IndexModel([("depends_on", ASCENDING)], name="depends_on"),
        IndexModel([("kind", ASCENDING), ("_id", ASCENDING)], name="kind"),
        IndexModel([("kind", ASCENDING), ("order", ASCENDING)], name="order"),
        IndexModel([("waits", ASCENDING)], name="waits", sparse=True),
        IndexModel([("facets.awaits.key", ASCENDING)], name="awaits", sparse=True),
    ]
}


class StoredState(NamedTuple):
    """A state as it is stored: its stream, version, whether it waits for an event, and itself as JSON."""

    stream: str
    version: int
    blocked: bool
    state: str


@dataclass
class StateStore:
    """The stored states of one service, written by compare-and-set."""

    database: AsyncIOMotorDatabase[Any]
    aggregates: Mapping[str, Aggregate[Any]]
    shape: int
    _states: Any = field(init=False)
    _journal: Journal = field(init=False)
    _revisioned: RevisionedCollection = field(init=False)
    _cache: StateCache = field(init=False)

    def __post_init__(self) -> None:
        self._states = self.database.get_collection(
            "states", write_concern=WriteConcern(w="majority"), read_concern=ReadConcern("local")
        )
        self._journal = Journal(self.database)
        self._revisioned = RevisionedCollection(self._states)
        self._cache = StateCache(CACHED_CHARACTERS)

    def aggregate_of(self, stream: str) -> Aggregate[Any]:
        """Return the aggregate that folds a stream in this service."""
        return self.aggregates.get(stream.partition("/")[0], UNFOLDED)

    def initial(self, stream: str, revision: int = 0, policy_version: int = 0) -> FoldedState:
        """Return the state before a stream's first event."""
        initial = self.aggregate_of(stream).initial
        return FoldedState(stream, initial, revision=revision, policy_version=policy_version)

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        """Return the states of streams, from the primary; an unknown stream is at version 0.

        A cached state is returned only if the stored revision and hash are still its own. One that another version of
        this code stored, which runs beside this one, is folded here from the journal, as far as it was folded there.
        """
        states = {stream: self.initial(stream) for stream in streams}
        unread = [stream for stream in states if self._cache.get(stream) is None]
        if len(unread) < len(states):
            current = self._states.find({"_id": {"$in": list(states)}}, {"revision": 1, "hash": 1})
            unread = []
            async for row in current:
                cached = self._cache.get(row["_id"])
                if cached is not None and (cached.revision, cached.hash) == (row["revision"], row["hash"]):
                    states[row["_id"]] = cached
                else:
                    unread.append(row["_id"])
        if unread:
            of_others: list[dict[str, Any]] = []
            async for document in self._states.find({"_id": {"$in": unread}}, _WITHOUT_SEARCH):
                if document["shape"] == self.shape:
                    states[document["_id"]] = folded = self._from_document(document)
                    self._cache.put(folded, _characters(document))
                else:
                    of_others.append(document)
            for chunk in chunked(of_others, _STATES_PER_FOLD):
                states |= await self._fold_again(chunk)
        return states

    async def _fold_again(self, documents: Sequence[Mapping[str, Any]]) -> dict[str, FoldedState]:
        """Fold streams of another shape from the journal, as far as it can be read here.

        One whose events are others there is at version 0. Policies run again from the version that cannot be read.
        """
        events = await self._journal.after({document["_id"]: 0 for document in documents})
        states: dict[str, FoldedState] = {}
        for document in documents:
            stream, version = document["_id"], document["version"]
            initial = self.initial(stream, document["revision"], document["acted"])
            behind = [event for event in events[stream] if event.recorded.streamversion <= version]
            folded = fold_whole(self.aggregate_of(stream), initial, behind, self.shape).folded
            if not behind or behind[-1].recorded.streamversion < version:
                folded = folded._replace(policy_version=min(folded.policy_version, folded.version))
            elif behind[-1].hash != document["hash"]:
                folded = initial
            # blocked as it is stored, so that one that stops earlier here differs, and is stored
            folded = folded._replace(blocked=document.get("waits", False), fault=document.get("fault"))
            states[stream] = folded
            self._cache.put(folded, _characters(document))
        return states

    async def heads(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        """Return the stored version, hash, revision and policy version of streams, with their initial states."""
        heads = {stream: self.initial(stream) for stream in streams}
        if not heads:
            return {}
        fields = {"version": 1, "hash": 1, "revision": 1, "acted": 1}
        for row in await self._states.find({"_id": {"$in": list(heads)}}, fields).to_list(None):
            head = self.initial(row["_id"], row["revision"], row["acted"])
            heads[row["_id"]] = head._replace(version=row["version"], hash=row["hash"])
        return heads

    async def known(self, stream: str) -> Known | None:
        """Return a stream's state for a decision; None for an unknown stream."""
        folded = (await self.read([stream]))[stream]
        return Known(folded.state, folded.version) if folded.version else None

    async def write(self, states: Iterable[FoldedState]) -> Written:
        """Store states at the revision after the one that was read, with the streams that they depend on.

        Return the streams that another instance stored, and those whose state cannot be stored, with the reason.
        """
        lost: set[str] = set()
        refused: dict[str, str] = {}
        for chunk in chunked(states, _STATES_PER_WRITE):
            documents: dict[str, dict[str, Any]] = {}
            for folded in chunk:
                try:
                    documents[folded.stream] = state_document(self.aggregate_of(folded.stream), folded, self.shape)
                except Exception as error:  # noqa: BLE001 - pure code: whatever it raises belongs to this stream
                    refused[folded.stream] = fault_of(error)
            written = await self._revisioned.replace(list(documents.values()))
            lost |= written.lost
            refused |= written.refused
            for folded in chunk:
                if folded.stream in documents.keys() - lost - refused.keys():
                    stored = folded._replace(
                        revision=folded.revision + 1, depends_on=frozenset(documents[folded.stream]["depends_on"])
                    )
                    self._cache.put(stored, _characters(documents[folded.stream]))
        return Written(lost, refused)

    async def mark_policies_run(self, states: Iterable[FoldedState]) -> None:
        """Store each state's policy version, unless its stream was folded to other events meanwhile."""
        reached = {state.stream: state for state in states}
        writes = [
            UpdateOne({"_id": stream, "hash": state.hash}, {"$max": {"acted": state.policy_version}})
            for stream, state in reached.items()
        ]
        await self._states.bulk_write(writes, ordered=False)
        for stream, state in reached.items():
            self._cache.raise_policy_version(stream, state.hash, state.policy_version)

    async def dependants(self, streams: Iterable[str], kind: str | None = None) -> set[str]:
        """Return the streams whose states depend on one of these."""
        dependants: set[str] = set()
        for chunk in chunked(streams, _STREAMS_PER_QUERY):
            query = {"depends_on": {"$in": chunk}} | ({"kind": kind} if kind else {})
            dependants |= {row["_id"] for row in await self._states.find(query, {"_id": 1}).to_list(None)}
        return dependants

    async def blocked(self) -> dict[str, int]:
        """Return the blocked streams, with the version that each lacks."""
        cursor = self._states.find({"waits": True}, {"version": 1})
        return {row["_id"]: row["version"] + 1 async for row in cursor}

    async def find(
        self, kind: str, facets: Mapping[str, Any], limit: int, after: str | None = None
    ) -> list[FoldedState]:
        """Return the known states of a kind whose facets have these values, by stream id, after a given one.

        States of another shape are left out: another version of this code, which runs beside this one, stored them.
        """
        query = known_states(kind, facets) | {"shape": self.shape} | ({"_id": {"$gt": after}} if after else {})
        rows = self._states.find(query, _WITHOUT_SEARCH).sort("_id", 1).limit(limit)
        return [self._from_document(row) async for row in rows]

    async def count(self, kind: str, facets: Mapping[str, Any], limit: int) -> int:
        """Count the known states of a kind whose facets have these values, up to a limit."""
        return int(await self._states.count_documents(known_states(kind, facets), limit=limit))

    async def namesakes(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return the streams of a kind that have one of these keys among their facets."""
        query = {"facets.keys": {"$in": list(keys)}, "kind": kind}
        return {row["_id"] async for row in self._states.find(query, {"_id": 1})}

    async def by_facet(self, kind: str, facet: str, values: Iterable[str]) -> dict[str, set[str]]:
        """Return the streams of a kind by each of these values of a facet that is a list."""
        streams: dict[str, set[str]] = {value: set() for value in values}
        for chunk in chunked(streams, _STREAMS_PER_QUERY):
            query = {f"facets.{facet}": {"$in": chunk}, "kind": kind}
            async for row in self._states.find(query, {f"facets.{facet}": 1}):
                for value in row["facets"][facet]:
                    if value in streams:
                        streams[value].add(row["_id"])
        return streams

    async def with_later_events(self, kind: str) -> set[str]:
        """Return the streams of a kind that have more than their first event."""
        return {row["_id"] async for row in self._states.find({"kind": kind, "version": {"$gt": 1}}, {"_id": 1})}

    async def listed(
        self, kind: str, facets: Mapping[str, Any], limit: int, after: str | None = None, within: Within = ALL
    ) -> list[FoldedState]:
        """Return what `find` returns, of what a reader sees, in the order of the numbers in the ids: R2 before R10."""
        rows = self._listed(known_states(kind, facets, within), limit, after)
        return [self._from_document(row) async for row in rows]

    async def listed_as_stored(
        self, kind: str, facets: Mapping[str, Any], limit: int, after: str | None = None, within: Within = ALL
    ) -> list[StoredState]:
        """Return what `listed` returns, each state as the JSON that is stored."""
        rows = self._listed(known_states(kind, facets, within), limit, after)
        return [StoredState(row["_id"], row["version"], row.get("waits", False), row["state"]) async for row in rows]

    def _listed(self, query: Mapping[str, Any], limit: int, after: str | None) -> AsyncIOMotorCursor[Any]:
        paged = {**query, "shape": self.shape} | ({"order": {"$gt": natural_order(after)}} if after else {})
        rows: AsyncIOMotorCursor[Any] = self._states.find(paged, _WITHOUT_SEARCH)
        return rows.sort("order", ASCENDING).limit(limit)

    async def of_another_shape(self) -> list[str]:
        """Return the streams that another version of this code folded, or stored in another form."""
        other: list[Any] = [{"shape": {"$ne": self.shape}}, {"search_shape": {"$ne": search.SHAPE}}]
        other.append({"order": {"$exists": False}})
        return [row["_id"] async for row in self._states.find({"$or": other}, {"_id": 1})]

    async def faults(self) -> dict[str, str]:
        """Return the streams whose next event cannot be folded or stored, with the reason in words."""
        cursor = self._states.find({"waits": True, "fault": {"$exists": True}}, {"fault": 1})
        return {row["_id"]: row["fault"] async for row in cursor}

    def _from_document(self, document: Mapping[str, Any]) -> FoldedState:
        stream = document["_id"]
        return FoldedState(
            stream=stream,
            state=self.aggregate_of(stream).states.validate_json(document["state"]),
            version=document["version"],
            hash=document["hash"],
            depends_on=frozenset(document["depends_on"]),
            blocked=document.get("waits", False),
            policy_version=document["acted"],
            revision=document["revision"],
            fault=document.get("fault"),
        )


def _characters(document: Mapping[str, Any]) -> int:
    return len(document["state"])
