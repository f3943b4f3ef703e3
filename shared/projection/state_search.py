"""Search in the states of one service, by the terms and lines that each state was stored with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel

from shared.domain.search import RANKS, SearchQuery, Terms, entries_of, kind_of
from shared.domain.search_entry import SearchEntry
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from shared.store.indexes import Indexes

_INDEX = "terms"
_FIRST_BATCH = 20
INDEXES: Indexes = {"states": [IndexModel([("terms", ASCENDING)], name=_INDEX)]}
Visible = Sequence[Mapping[str, Any]]
"""The queries of `states` that select what a caller may see; what any of them selects is visible."""


class Place(NamedTuple):
    """The place of a match: its rank, and the number of matches of this rank before it."""

    rank: int
    number: int


class Match(NamedTuple):
    """An entry of a state that a search matches."""

    place: Place
    folded: FoldedState
    entry: SearchEntry


class StateSearch:
    """The searchable entries of one service, by rank, and within a rank in the order of their first storing."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], states: StateStore) -> None:
        self._collection = database["states"]
        self._states = states

    def has(self, kind: str) -> bool:
        """Tell whether streams of a kind are searched."""
        return self._states.aggregate_of(f"{kind}/").searched is not None

    async def find(
        self, query: SearchQuery, visible: Visible, limit: int, after: Place | None = None, kind: str | None = None
    ) -> list[Match]:
        """Return the best matches after a place."""
        places: list[tuple[Place, str, int]] = []
        first = after or Place(0, -1)
        for rank in RANKS[first.rank :]:
            number = -1
            async for stream, index in self._of_rank(query, rank, visible, kind):
                number += 1
                if (rank, number) > first:
                    places.append((Place(rank, number), stream, index))
                if len(places) == limit:
                    return await self._matches(places)
        return await self._matches(places)

    async def _of_rank(
        self, query: SearchQuery, rank: int, visible: Visible, kind: str | None
    ) -> AsyncIterator[tuple[str, int]]:
        """Yield the stream and the number of each entry that matches at a rank."""
        selected = {"terms": _selection(query.terms(rank)), "$or": list(visible)}
        rows = self._collection.find(selected, {"lines": 1}, batch_size=_FIRST_BATCH).hint(_INDEX)
        async for row in rows:
            if not query.may_match(row["lines"]):
                continue
            for index, line in enumerate(row["lines"].split("\n")):
                if query.may_match(line) and query.rank(line) == rank and kind in (None, kind_of(line)):
                    yield row["_id"], index

    async def _matches(self, places: Sequence[tuple[Place, str, int]]) -> list[Match]:
        """Return the matches at places, but for those that another writer has taken away meanwhile."""
        states = await self._states.read({stream for _, stream, _ in places})
        entries = {
            stream: entries_of(self._states.aggregate_of(stream), stream, folded.state)
            for stream, folded in states.items()
        }
        return [
            Match(place, states[stream], entries[stream][index])
            for place, stream, index in places
            if index < len(entries[stream])
        ]


def _selection(terms: Terms) -> dict[str, Any]:
    if terms.terms:
        return {"$all": list(terms.terms)}
    return {"$elemMatch": {"$gte": terms.beginning, "$lt": f"{terms.beginning}\U0010ffff"}}
