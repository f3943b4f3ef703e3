"""Queries for folded states: the known ones of a kind, by their facets, of what a reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, IndexModel

from shared.domain.visibility import ALL, Within


def known_states(kind: str, facets: Mapping[str, Any], within: Within = ALL) -> dict[str, Any]:
    """Return the query for the known states of a kind whose facets have these values, of what a reader sees."""
    chosen = {f"facets.{name}": value for name, value in facets.items()}
    return chosen | {"kind": kind, "version": {"$gt": 0}} | seen_query(within, "facets.")


def seen_query(within: Within, prefix: str = "") -> dict[str, Any]:
    """Return the query for what a reader sees, in documents that hold the facets under names with a prefix."""
    if {} in within:
        return {}
    alternatives = [{f"{prefix}{name}": {"$in": list(values)} for name, values in each.items()} for each in within]
    return {"$and": [{"$or": alternatives}]} if alternatives else {"_id": {"$in": []}}


def facet_index(facet: str) -> IndexModel:
    """Return the index that finds the states of a kind with one value of a facet, by stream id."""
    return IndexModel([("kind", ASCENDING), (f"facets.{facet}", ASCENDING), ("_id", ASCENDING)], name=facet)
