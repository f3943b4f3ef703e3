"""Counts of folded states by the values of their facets, for the filters beside a list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase


def facets_query(facets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query for states whose facets have these values."""
    return {f"facets.{name}": value for name, value in facets.items()}


async def count_by_facet(
    database: AsyncIOMotorDatabase[Any],
    kind: str,
    seen: Mapping[str, Any],
    chosen: Mapping[str, Any],
    facets: Iterable[str],
) -> dict[str, dict[str, int]]:
    """Count the known states of a kind by each value of some facets, among those that the other chosen values leave.

    Only states that match the query `seen` are counted, whichever facet they are counted by. A state counts once for
    each value of a facet that is a list, and for none where it has no such facet.
    """
    others = {facet: {name: value for name, value in chosen.items() if name != facet} for facet in facets}
    queries = [{"$and": [{"kind": kind, "version": {"$gt": 0}}, facets_query(each), seen]} for each in others.values()]
    counts = await asyncio.gather(*map(partial(_count, database), others, queries))
    return dict(zip(others, counts, strict=True))


async def _count(database: AsyncIOMotorDatabase[Any], facet: str, query: Mapping[str, Any]) -> dict[str, int]:
    rows = database.states.aggregate(
        [
            {"$match": query},
            {"$unwind": f"$facets.{facet}"},
            {"$group": {"_id": f"$facets.{facet}", "count": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
    )
    return {row["_id"]: row["count"] async for row in rows}
