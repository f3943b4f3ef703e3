"""Lists of folded states by the greatest value of a facet first, as of the newest by a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import DESCENDING, IndexModel


def newest_index(facet: str) -> IndexModel:
    """Return the index of states for such lists."""
    keys = [("kind", DESCENDING), (f"facets.{facet}", DESCENDING), ("_id", DESCENDING)]
    return IndexModel(keys, name=f"newest_{facet}")


async def newest_first(
    database: AsyncIOMotorDatabase[Any], query: Mapping[str, Any], facet: str, limit: int, after: str | None = None
) -> list[str]:
    """Return the streams whose states match, those without the facet last, after a given one."""
    name = f"facets.{facet}"
    paged = [dict(query)]
    if after is not None:
        last = await database.states.find_one({"_id": after}, {name: 1}) or {}
        value = last.get("facets", {}).get(facet)
        follows: list[dict[str, Any]] = [{name: {"$lt": value}}, {name: None}] if value is not None else []
        paged.append({"$or": [{name: value, "_id": {"$lt": after}}, *follows]})
    order = [(name, DESCENDING), ("_id", DESCENDING)]
    return [row["_id"] async for row in database.states.find({"$and": paged}, {"_id": 1}).sort(order).limit(limit)]
