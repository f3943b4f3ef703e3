"""Projection of this service: its own streams, folded; of its siblings' streams the versions only."""

from __future__ import annotations

from typing import Any

from services.notifications.domain.notification import NOTIFICATION
from services.notifications.domain.subscriber import SUBSCRIBER
from services.notifications.domain.subscription import SUBSCRIPTION
from shared.domain.aggregate import Aggregate
from shared.events.services import REGISTRY

SHAPE = 2
OWN: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (SUBSCRIPTION, NOTIFICATION, SUBSCRIBER)}
AGGREGATES = OWN
TOPICS = tuple(service.topic for service in REGISTRY)
