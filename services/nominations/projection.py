"""Projection of this service: its own streams, folded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.nominations.domain.call import CALL
from services.nominations.domain.expert import EXPERT
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.searched import SEARCHED
from shared.domain.aggregate import Aggregate
from shared.projection import state_search, state_store
from shared.store.indexes import Indexes

SHAPE = 3
OWN: dict[str, Aggregate[Any]] = {
    aggregate.kind: replace(aggregate, searched=SEARCHED.get(aggregate.kind))
    for aggregate in (CALL, NOMINATION, MEMBERSHIP, EXPERT)
}
AGGREGATES: dict[str, Aggregate[Any]] = OWN
TOPICS = ("throughline.nominations",)
INDEXES: Indexes = {"states": [*state_store.INDEXES["states"], *state_search.INDEXES["states"]]}
