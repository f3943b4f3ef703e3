"""A notification: planned, attempted, and its outcome. Only the process that appends the attempt may send."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.notifications.commands import (
    AttemptNotification,
    PlanNotification,
    ReportDelivered,
    ReportFailed,
    ReportUncertain,
    ResendNotification,
)
from services.notifications.domain.rules import EventCameBeforeSubscription, NotificationRestsOnUnknownSubscription
from services.notifications.domain.subscription import Active, in_words
from services.notifications.domain.waiting import of_failed, of_uncertain
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.domain.waiting import Waiting, as_facet
from shared.events.event import Event
from shared.events.notifications import (
    NotificationAttempted,
    NotificationDelivered,
    NotificationFailed,
    NotificationPlanned,
    NotificationUncertain,
)
from shared.events.values import Model


class Absent(Model):
    """No notification of this id is on record."""

    stage: Literal["absent"] = "absent"


class _OnRecord(Model):
    planned: NotificationPlanned
    attempt: int = 0
    at: str = Field(description="when the latest of its events was recorded")
    versions: tuple[int, ...]


class Planned(_OnRecord):
    """No attempt has been made."""

    stage: Literal["planned"] = "planned"


class Attempted(_OnRecord):
    """An attempt without an outcome yet."""

    stage: Literal["attempted"] = "attempted"


class Postponed(_OnRecord):
    """A temporary failure: it will be attempted again."""

    stage: Literal["postponed"] = "postponed"
    failed: NotificationFailed


class Delivered(_OnRecord):
    """The SMTP server accepted it."""

    stage: Literal["delivered"] = "delivered"
    delivered: NotificationDelivered


class Failed(_OnRecord):
    """A final failure: only a person resends it."""

    stage: Literal["failed"] = "failed"
    failed: NotificationFailed


class Uncertain(_OnRecord):
    """The SMTP server may or may not have accepted it: a person checks it."""

    stage: Literal["uncertain"] = "uncertain"
    uncertain: NotificationUncertain


Notification: TypeAlias = Absent | Void | Planned | Attempted | Postponed | Delivered | Failed | Uncertain


def evolve(state: Notification, fact: Fact) -> Notification:
    """Fold one fact of a notification's stream."""
    if isinstance(fact.data, NotificationPlanned):
        return Planned(planned=fact.data, at=fact.time, versions=fact.versions)
    if isinstance(state, Absent | Void):
        return state
    was: dict[str, Any] = {"planned": state.planned, "at": fact.time, "versions": state.versions + fact.versions}
    match fact.data:
        case NotificationAttempted(attempt=attempt):
            return Attempted(attempt=attempt, **was)
        case NotificationDelivered() as delivered:
            return Delivered(attempt=delivered.attempt, delivered=delivered, **was)
        case NotificationFailed(temporary=True) as failed:
            return Postponed(attempt=failed.attempt, failed=failed, **was)
        case NotificationFailed() as failed:
            return Failed(attempt=failed.attempt, failed=failed, **was)
        case NotificationUncertain() as uncertain:
            return Uncertain(attempt=uncertain.attempt, uncertain=uncertain, **was)
        case _:
            return state


def decide(state: Notification, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Plan once, attempt when no attempt is open, answer the open attempt; resend only for a person."""
    match state, command:
        case Absent(), PlanNotification():
            return _plan(command, facts)
        case Planned() | Postponed(), AttemptNotification():
            return [NotificationAttempted(attempt=state.attempt + 1)]
        case Uncertain() | Failed(), ResendNotification():
            return [event_from(command, NotificationAttempted, attempt=state.attempt + 1)]
        case Attempted() | Uncertain(), ReportDelivered() | ReportFailed() if command.attempt == state.attempt:
            return [_answered(command)]
        case Attempted(), ReportUncertain() if command.attempt == state.attempt:
            return [event_from(command, NotificationUncertain)]
        case _:
            stage = "not on record" if isinstance(state, Absent) else state.stage
            return OutOfOrder(type(command).__name__, stream, stage)


def _plan(command: PlanNotification, facts: Facts) -> Decision:
    stream = f"subscription/{command.subscription}"
    if stream not in facts:
        return NotificationRestsOnUnknownSubscription(command.subscription)
    subscription = facts[stream].state
    if not isinstance(subscription, Active):
        return OutOfOrder("PlanNotification", stream, in_words(subscription))
    if command.recorded_at <= subscription.added_at:
        return EventCameBeforeSubscription(command.subscription)
    return [event_from(command, NotificationPlanned)]


def _answered(command: ReportDelivered | ReportFailed) -> Event:
    """Record a certain answer. It also resolves an uncertain attempt, for only the attempt's sender can give it."""
    return event_from(command, NotificationDelivered if isinstance(command, ReportDelivered) else NotificationFailed)


def needs(_state: Notification, command: Command) -> frozenset[str]:
    """Return the subscription that a plan rests on."""
    if isinstance(command, PlanNotification):
        return frozenset({f"subscription/{command.subscription}"})
    return frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the subscription that a plan names."""
    if isinstance(event, NotificationPlanned):
        return frozenset({f"subscription/{event.subscription}"})
    return frozenset()


def facets(state: Notification) -> dict[str, Any]:
    """Return the values that lists of notifications filter on."""
    if isinstance(state, Void):
        return {
            "standing": state.stage,
            **{name: state.recorded[name] for name in ("subscription", "stream", "event_id")},
        }
    if isinstance(state, Absent):
        return {"standing": state.stage}
    awaits = as_facet(waiting(state))
    return {
        "awaits": awaits,
        "standing": state.stage,
        **state.planned.model_dump(include={"subscription", "stream", "event_id"}),
    }


def waiting(state: Notification) -> list[Waiting]:
    """Return what waits on a mail: whatever only a person knows of it."""
    match state:
        case Uncertain(uncertain=uncertain):
            return of_uncertain(state.planned, uncertain, state.at)
        case Failed(failed=failed):
            return of_failed(state.planned, failed, state.at)
        case _:
            return []


def is_tried(state: Notification) -> bool:
    """Tell whether the mail was attempted, so that it stays on record whatever becomes of its event."""
    return isinstance(state, _OnRecord) and not isinstance(state, Planned)


def gaps_of(planned: NotificationPlanned, voids: Set[int]) -> list[str]:
    """Return, in words, that a mail was attempted about an event that is void; `voids` are those of its stream."""
    if planned.stream_version not in voids and 1 not in voids:
        return []
    return [f"It is about version {planned.stream_version} of {planned.stream}, which is void; its mail was tried."]


NOTIFICATION: Aggregate[Notification] = Aggregate(
    kind="notification",
    initial=Absent(),
    states=TypeAdapter(Annotated[Notification, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=needs,
    names=names,
    facets=facets,
)
