"""Groups of folded states by several of their facets, counted by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase


class FacetGroup(NamedTuple):
    """The states that have the same values, how many they are, and the least and greatest value of another facet."""

    key: tuple[Any, ...]
    number: int
    least: Any
    greatest: Any


async def count_groups(
    database: AsyncIOMotorDatabase[Any], query: Mapping[str, Any], fields: Sequence[str], of: str
) -> list[FacetGroup]:
    """Count the states that match by the values of some fields, None where a state has no such field."""
    names = [f"f{number}" for number, _ in enumerate(fields)]
    key = {name: f"${field}" for name, field in zip(names, fields, strict=True)}
    group = {"_id": key, "number": {"$sum": 1}, "least": {"$min": f"${of}"}, "greatest": {"$max": f"${of}"}}
    rows = database.states.aggregate([{"$match": query}, {"$group": group}])
    return [
        FacetGroup(tuple(row["_id"].get(name) for name in names), row["number"], row["least"], row["greatest"])
        async for row in rows
    ]
