"""Synthetic subscriptions and notifications. No person in it exists."""

from __future__ import annotations

from typing import Any

from services.notifications.domain.subscription import SUBSCRIPTION
from shared.domain.aggregate import Known
from shared.events.event import Event
from shared.events.notifications import (
    NotificationAttempted,
    NotificationDelivered,
    NotificationFailed,
    NotificationPlanned,
    NotificationUncertain,
    SubscriptionAdded,
)
from shared.events.values import Sealed
from shared.privacy.key_ring import encrypt
from tests.given import known

KEY = bytes(range(32))
SUBSCRIBER = "synthetic-subscriber"
SUBSCRIPTION_STREAM = "subscription/s1"
NOTIFICATION_STREAM = "notification/n1"
DETAILS = {"name": "Synthetic Reader", "address": "synthetic.reader@example.org"}


def sealed() -> Sealed:
    return encrypt(KEY, SUBSCRIBER, DETAILS)


def added(**more: Any) -> SubscriptionAdded:
    given = {"subscription": "s1", "person": SUBSCRIBER, "sealed": sealed(), "events": ("RecommendationAdopted",)}
    return SubscriptionAdded.model_validate(given | more)


def planned() -> NotificationPlanned:
    return NotificationPlanned(
        notification="n1",
        subscription="s1",
        event_id="e1",
        event_type="throughline.recommendations.RecommendationAdopted.v1",
        stream="recommendation/CED/2022/R1",
        stream_version=4,
    )


def attempted(attempt: int = 1) -> NotificationAttempted:
    return NotificationAttempted(attempt=attempt)


def delivered(attempt: int = 1) -> NotificationDelivered:
    return NotificationDelivered(attempt=attempt, smtp_code=250)


def postponed(attempt: int = 1) -> NotificationFailed:
    return NotificationFailed(attempt=attempt, reason="unreachable", temporary=True)


def failed(attempt: int = 1) -> NotificationFailed:
    return NotificationFailed(attempt=attempt, reason="rejected_recipient", temporary=False, smtp_code=550)


def uncertain(attempt: int = 1) -> NotificationUncertain:
    return NotificationUncertain(attempt=attempt, reason="no_answer")


def subscribed(*events: Event) -> dict[str, Known]:
    return known(SUBSCRIPTION, SUBSCRIPTION_STREAM, *(events or (added(),)))
