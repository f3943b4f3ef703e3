"""Projection of this service: its own streams, folded."""

from __future__ import annotations

from typing import Any

from services.nominations.domain.call import CALL
from services.nominations.domain.expert import EXPERT
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from shared.domain.aggregate import Aggregate

SHAPE = 2
OWN: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (CALL, NOMINATION, MEMBERSHIP, EXPERT)}
AGGREGATES: dict[str, Aggregate[Any]] = OWN
TOPICS = ("throughline.nominations",)
