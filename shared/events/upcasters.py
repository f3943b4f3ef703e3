"""Upcasters: the conversion of older event versions to the newest.

`UPCASTERS[old type] = (new type, data -> data)`. Add an entry when an event's shape changes, and never remove one:
the old bytes stay as they are, in the store, the topic and every export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.events.event import schema_of

Upcaster = tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]

UPCASTERS: Mapping[str, Upcaster] = {
    # who moved it is not on record there, and the confirmations stood
    "throughline.meetings.MeetingRescheduled.v1": ("throughline.meetings.MeetingRescheduled.v2", dict),
}


def upcast(attributes: dict[str, Any], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> dict[str, Any]:
    """Return the attributes as the newest version of their type, step by step."""
    while (step := upcasters.get(attributes.get("type", ""))) is not None:
        newer, change = step
        changed = change(dict(attributes["data"]))
        attributes = {**attributes, "type": newer, "dataschema": schema_of(newer), "data": changed}
    return attributes
