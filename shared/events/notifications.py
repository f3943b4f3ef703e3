"""Events of the notifications service: subscriptions, and the outcome of each message."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.event import Correction, Event, Voiding
from shared.events.values import Flag, Id, Sealed, ShortText, Text, Version


class _Notifications(Event):
    service: ClassVar[str] = "notifications"


class SubscriptionAdded(_Notifications):
    """A person subscribed to these events."""

    fixed: ClassVar[frozenset[str]] = frozenset({"subscription", "person", "sealed"})
    begins: ClassVar[tuple[str, str] | None] = ("subscription", "subscription")

    subscription: Id
    person: Id
    sealed: Sealed = Field(description="name and address, encrypted")
    events: tuple[ShortText, ...] = Field(
        min_length=1, description="names of events", examples=[["RecommendationAdopted"]]
    )


class SubscriptionRemoved(_Notifications):
    """The person unsubscribed."""


class NotificationPlanned(_Notifications):
    """A notification of one event to one subscriber was planned."""

    fixed: ClassVar[frozenset[str]] = frozenset({"notification", "subscription", "event_id"})
    begins: ClassVar[tuple[str, str] | None] = ("notification", "notification")

    notification: Id
    subscription: Id
    event_id: Id
    event_type: ShortText
    stream: ShortText
    stream_version: Version


class NotificationAttempted(_Notifications):
    """A sender is about to speak SMTP; only the one that appended this may send."""

    voidable: ClassVar[bool] = False

    attempt: Version


class NotificationDelivered(_Notifications):
    """The SMTP server accepted the message."""

    voidable: ClassVar[bool] = False

    attempt: Version
    smtp_code: Version | None = None


class NotificationFailed(_Notifications):
    """The SMTP server certainly did not accept the message. A temporary failure may be attempted again."""

    voidable: ClassVar[bool] = False

    attempt: Version
    reason: Literal[
        "refused", "unreachable", "rejected_recipient", "subscription_ended", "unreadable_address", "person_erased"
    ]
    temporary: Flag
    smtp_code: Version | None = None


class NotificationUncertain(_Notifications):
    """The SMTP server may or may not have accepted the message; only a person resends it."""

    voidable: ClassVar[bool] = False

    attempt: Version
    reason: Literal["no_answer", "interrupted"]


class SubscriberErased(_Notifications):
    """The key to a subscriber's sealed details was destroyed; recorded events are unchanged."""

    voidable: ClassVar[bool] = False
    fixed: ClassVar[frozenset[str]] = frozenset({"person"})
    begins: ClassVar[tuple[str, str] | None] = ("subscriber", "person")

    person: Id
    reason: Text = Field(description="on what ground; never about the person")


class RecordCorrected(Correction, _Notifications):
    """An earlier event of this stream was wrong; this is its whole new data."""


class RecordVoided(Voiding, _Notifications):
    """An earlier event of this stream should not have been recorded: the stream is folded without it."""
