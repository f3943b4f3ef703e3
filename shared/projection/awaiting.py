"""Reads the waiting matters of folded states, from their facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase

from shared.domain.waiting import Waiting


class Wanted(NamedTuple):
    """The matters to read: of some kinds, for a role (of a member) or for all, with keys from one to before another."""

    kinds: Sequence[str]
    role: str | None
    member: str | None
    first: str
    end: str
    limit: int

    def takes(self, matter: Waiting) -> bool:
        """Tell whether a matter is one of them."""
        for_role = self.role is None or self.role in matter.roles
        for_member = self.member is None or matter.member in (None, self.member)
        return matter.kind in self.kinds and for_role and for_member and self.first <= matter.key < self.end


async def awaiting(database: AsyncIOMotorDatabase[Any], wanted: Wanted) -> list[Waiting]:
    """Return the first of the wanted matters that are not due by the days of a session, by their keys."""
    span = {"$gte": wanted.first, "$lt": wanted.end}
    whose: dict[str, Any] = {} if wanted.role is None else {"awaits.roles": wanted.role}
    whose |= {} if wanted.member is None else {"awaits.member": {"$in": [None, wanted.member]}}
    matching = {"awaits.kind": {"$in": list(wanted.kinds)}, "awaits.session": None, "awaits.key": span, **whose}
    return await _read(database, span, matching, [{"$sort": {"awaits.key": 1}}, {"$limit": wanted.limit}])


async def by_session(database: AsyncIOMotorDatabase[Any]) -> list[Waiting]:
    """Return all matters that are due by the days of a session."""
    return await _read(database, {"$gt": ""}, {"awaits.session": {"$ne": None}}, [])


async def _read(
    database: AsyncIOMotorDatabase[Any],
    span: Mapping[str, str],
    matching: Mapping[str, Any],
    ordered: Sequence[Mapping[str, Any]],
) -> list[Waiting]:
    rows = database.states.aggregate(
        [
            {"$match": {"facets.awaits.key": span, "version": {"$gt": 0}}},
            {"$project": {"_id": 0, "awaits": "$facets.awaits"}},
            {"$unwind": "$awaits"},
            {"$match": matching},
            *ordered,
            {"$project": {"awaits.key": 0}},
        ]
    )
    return [Waiting.model_validate(row["awaits"]) async for row in rows]
