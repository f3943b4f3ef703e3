"""Counts of folded states by the values of their facets, for the filters beside a list; sums of facets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel

from shared.domain.visibility import Within
from shared.projection.state_query import known_states

_NUMBER = {"$gte": 0}


async def count_by_facet(
    database: AsyncIOMotorDatabase[Any],
    kind: str,
    within: Within,
    chosen: Mapping[str, Any],
    facets: Iterable[str],
) -> dict[str, dict[str, int]]:
    """Count the known states of a kind by each value of some facets, among those that the other chosen values leave.

    Only what a reader sees is counted, whichever facet it is counted by. A state counts once for
    each value of a facet that is a list, and for none where it has no such facet.
    """
    others = {facet: {name: value for name, value in chosen.items() if name != facet} for facet in facets}
    queries = [known_states(kind, each, within) for each in others.values()]
    counts = await asyncio.gather(*map(partial(_count, database), others, queries))
    return dict(zip(others, counts, strict=True))


async def _count(database: AsyncIOMotorDatabase[Any], facet: str, query: Mapping[str, Any]) -> dict[str, int]:
    pipeline: list[Mapping[str, Any]] = [
        {"$match": query},
        {"$unwind": f"$facets.{facet}"},
        {"$group": {"_id": f"$facets.{facet}", "count": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]
    rows = database.states.aggregate(pipeline)
    return {row["_id"]: row["count"] async for row in rows}


def total_index(facet: str) -> IndexModel:
    """Return the index that `total` reads instead of the states."""
    keys = [("kind", ASCENDING), (f"facets.{facet}", ASCENDING)]
    return IndexModel(keys, name=facet, partialFilterExpression={f"facets.{facet}": _NUMBER})


async def total(database: AsyncIOMotorDatabase[Any], kind: str, facet: str) -> int:
    """Return the sum of a facet that is a number, over the states of a kind; from its index, if it has one."""
    pipeline: list[Mapping[str, Any]] = [
        {"$match": {"kind": kind, f"facets.{facet}": _NUMBER}},
        {"$group": {"_id": None, "sum": {"$sum": f"$facets.{facet}"}}},
    ]
    return int(sum([row["sum"] async for row in database.states.aggregate(pipeline)]))
