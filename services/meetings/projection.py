"""Projection of this service: its own meetings, and the siblings' streams that they rest on, folded."""

from __future__ import annotations

from typing import Any

from services.meetings.domain.foreign import INSTRUMENT, MEMBERSHIP, PRIORITY
from services.meetings.domain.meeting import MEETING
from shared.domain.aggregate import Aggregate

SHAPE = 3
OWN: dict[str, Aggregate[Any]] = {MEETING.kind: MEETING}
FOREIGN: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (MEMBERSHIP, PRIORITY, INSTRUMENT)}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, **FOREIGN}
TOPICS = ("throughline.meetings", "throughline.nominations", "throughline.recommendations")
