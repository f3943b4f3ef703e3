"""Projection of this service: its own meetings, and the siblings' streams that they rest on, folded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.meetings.domain.foreign import INSTRUMENT, MEMBERSHIP, PRIORITY
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.searched import SEARCHED
from shared.domain.aggregate import Aggregate
from shared.projection import state_search, state_store
from shared.store.indexes import Indexes

SHAPE = 4
OWN: dict[str, Aggregate[Any]] = {MEETING.kind: replace(MEETING, searched=SEARCHED[MEETING.kind])}
FOREIGN: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (MEMBERSHIP, PRIORITY, INSTRUMENT)}
AGGREGATES: dict[str, Aggregate[Any]] = {**OWN, **FOREIGN}
TOPICS = ("throughline.meetings", "throughline.nominations", "throughline.recommendations")
INDEXES: Indexes = {"states": [*state_store.INDEXES["states"], *state_search.INDEXES["states"]]}
