"""The rules of notifications, each a refusal with a sentence for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, UnknownReference


@dataclass(frozen=True)
class SubscriptionNamesUnknownEvent(UnknownReference):
    """One subscribes to events that the platform records, and not to those of notifications themselves."""

    says: ClassVar[str] = "{event} is not an event that anybody is told of: give a name such as RecommendationAdopted"

    event: str


@dataclass(frozen=True)
class NotificationRestsOnUnknownSubscription(UnknownReference):
    """A notification is for a subscription that is on record."""

    says: ClassVar[str] = "subscription/{subscription} is not on record"

    subscription: str


@dataclass(frozen=True)
class EventCameBeforeSubscription(Rejection):
    """A subscriber is notified only of events recorded after the subscription."""

    says: ClassVar[str] = "the event was recorded before subscription/{subscription} was: nobody is told of it"

    subscription: str
