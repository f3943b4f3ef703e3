"""Commands of the notifications service."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from shared.domain.aggregate import Command
from shared.events.envelope import Stamp
from shared.events.notifications import (
    NotificationDelivered,
    NotificationFailed,
    NotificationPlanned,
    NotificationUncertain,
    SubscriptionAdded,
    SubscriptionRemoved,
)
from shared.events.values import Id, Model, ShortText, Text
from shared.events.words import Status

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def _reachable(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is not a mail address in ASCII, as in reader@example.org")
    if "=?" in text:
        raise ValueError("holds '=?', which mail programs take for the beginning of an encoded word")
    return text


Address = Annotated[
    str, StringConstraints(max_length=254), AfterValidator(_reachable), Field(examples=["synthetic.reader@example.org"])
]


class SubscriberDetails(Model):
    """A subscriber, in plain text: encrypted before anything is decided or stored."""

    name: ShortText = Field(examples=["Synthetic Reader"])
    address: Address


class AddSubscriptionRequest(Command):
    """Notify a person of events by mail, as the secretariat writes it."""

    subscription: Id | None = None
    person: Id | None = Field(None, description="the subscriber's opaque id; left out: given here")
    details: SubscriberDetails
    events: tuple[ShortText, ...] = Field(
        min_length=1, description="names of events", examples=[["RecommendationAdopted"]]
    )
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class AddSubscription(Command, SubscriptionAdded):
    """Notify a person of events by mail; personal data is sealed."""


class RemoveSubscription(Command, SubscriptionRemoved):
    """Stop notifying the person."""

    uses_reserve: ClassVar[bool] = True


class PlanNotification(Command, NotificationPlanned):
    """Notify one subscriber of one event; only a policy issues it."""

    recorded_at: Stamp = Field(description="when the event was recorded")


class AttemptNotification(Command):
    """Claim a planned notification, or one whose last attempt failed for now, before SMTP is spoken to."""


class ResendNotification(Command):
    """Attempt a notification once more, on a person's decision: it is uncertain, or has failed for good."""

    note: Text | None = None


class ReportDelivered(Command, NotificationDelivered):
    """Report that the SMTP server accepted the message."""


class ReportFailed(Command, NotificationFailed):
    """Report that the SMTP server certainly did not accept the message."""


class ReportUncertain(Command, NotificationUncertain):
    """Report that nobody knows whether the SMTP server accepted the message."""


class EraseSubscriber(Command):
    """Destroy the key of a subscriber, for good: nobody will open what was sealed of the person."""

    uses_reserve: ClassVar[bool] = True

    reason: Text = Field(description="on what ground; never about the person", examples=["Request of the person"])
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None
