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
) -> dict[str, str]:
    """Return the streams whose states match, those without the facet last, after a place; each with its own place.

    A place is the value of the facet and the stream, so that no record need be read again to find it.
    """
    name = f"facets.{facet}"
    paged = [dict(query)]
    if after is not None:
        value, _, stream = after.partition(" ")
        follows: list[dict[str, Any]] = [{name: {"$lt": value}}, {name: None}] if value else []
        paged.append({"$or": [{name: value or None, "_id": {"$lt": stream}}, *follows]})
    order = [(name, DESCENDING), ("_id", DESCENDING)]
    rows = database.states.find({"$and": paged}, {name: 1}).sort(order).limit(limit)
    return {row["_id"]: f"{row.get('facets', {}).get(facet) or ''} {row['_id']}" async for row in rows}
