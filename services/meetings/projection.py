"""What this service reads: its own meetings, and what they rest on of its siblings' streams, folded."""

from __future__ import annotations

from typing import Any

from services.meetings.domain.foreign import INSTRUMENT, MEMBERSHIP, PRIORITY
from services.meetings.domain.meeting import MEETING
from shared.domain.aggregate import Aggregate

SHAPE = 1
OWN: dict[str, Aggregate[Any]] = {MEETING.kind: MEETING}
HEARD: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (MEMBERSHIP, PRIORITY, INSTRUMENT)}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, **HEARD}
TOPICS = ("throughline.meetings", "throughline.nominations", "throughline.recommendations")
