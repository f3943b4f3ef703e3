"""Events of the notifications service: who wants to hear of what, and what became of each message."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.event import Correction, Event
from shared.events.values import Flag, Id, Sealed, ShortText, Text, Version


class _Notifications(Event):
    service: ClassVar[str] = "notifications"


class SubscriptionAdded(_Notifications):
    """A person asked to hear of these events."""

    fixed: ClassVar[frozenset[str]] = frozenset({"subscription", "person", "sealed"})

    subscription: Id
    person: Id
    sealed: Sealed = Field(description="name and address, encrypted")
    events: tuple[ShortText, ...] = Field(
        min_length=1, description="names of events", examples=[["RecommendationAdopted"]]
    )


class SubscriptionRemoved(_Notifications):
    """The person asked to hear no more."""


class NotificationPlanned(_Notifications):
    """One event is to be told to one subscriber."""

    fixed: ClassVar[frozenset[str]] = frozenset({"notification", "subscription", "event_id"})

    notification: Id
    subscription: Id
    event_id: Id
    event_type: ShortText
    stream: ShortText
    stream_version: Version


class NotificationAttempted(_Notifications):
    """SMTP is about to be spoken to; who appended this, and nobody else, may send."""

    attempt: Version


class NotificationDelivered(_Notifications):
    """The SMTP server took the message."""

    attempt: Version
    smtp_code: Version | None = None


class NotificationFailed(_Notifications):
    """The message was certainly not taken. A temporary failure may be attempted again."""

    attempt: Version
    reason: Literal[
        "refused", "unreachable", "rejected_recipient", "subscription_ended", "unreadable_address", "person_erased"
    ]
    temporary: Flag
    smtp_code: Version | None = None


class NotificationUncertain(_Notifications):
    """The message may or may not have been taken; it is shown to a person and never sent again by itself."""

    attempt: Version
    reason: Literal["no_answer", "interrupted"]


class SubscriberErased(_Notifications):
    """The key that opened what was sealed of a subscriber was destroyed; nothing else of the record was."""

    fixed: ClassVar[frozenset[str]] = frozenset({"person"})

    person: Id
    reason: Text = Field(description="on what ground; never about the person")


class RecordCorrected(Correction, _Notifications):
    """An earlier event of this stream was wrong; this is its whole new data."""
