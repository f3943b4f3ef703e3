"""Decides which details of experts a caller reads in plain text, in one place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.nominations.commands import PersonDetails
from shared.domain.visibility import sees
from shared.events.values import Sealed
from shared.http.auth import Principal
from shared.privacy.key_ring import KeyRing
from shared.projection.state_store import StateStore

_ERASABLE = ("name", "contact")
Boxes = Mapping[str, tuple[Sealed, Collection[str]]]


async def is_in_group(caller: Principal, states: StateStore) -> bool:
    """Tell whether the caller is an expert whose own membership is active."""
    if caller.role != "expert" or caller.expert is None:
        return False
    return bool(await states.find("membership", {"stage": "active", "person": caller.expert}, limit=1))


def fields_seen(caller: Principal, facets: Mapping[str, Any], *, in_group: bool) -> Collection[str]:
    """Return the fields of an expert's details that a caller sees in plain text, by the facets of the record."""
    if sees(caller, "details", facets):
        return PersonDetails.model_fields
    return ("name",) if in_group or sees(caller, "name", facets) else ()


async def opened(keys: KeyRing, boxes: Boxes) -> dict[str, dict[str, str]]:
    """Decrypt the given fields of boxes by name, in one round trip; a box whose key is lost is left out."""
    seen = {name: (box, fields) for name, (box, fields) in boxes.items() if fields}
    details = await keys.shown([box for box, _ in seen.values()], _ERASABLE) if seen else []
    return {
        name: {field: shown[field] for field in shown if field in fields}
        for (name, (_, fields)), shown in zip(seen.items(), details, strict=True)
        if shown is not None
    }
