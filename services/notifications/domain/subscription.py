"""A subscription: active, then removed. The subscriber's name and address stay sealed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.notifications.commands import AddSubscription, RemoveSubscription
from services.notifications.domain.rules import SubscriptionNamesUnknownEvent
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.catalogue import EVENTS
from shared.events.notifications import SubscriptionAdded, SubscriptionRemoved
from shared.events.values import Model

ANNOUNCED_EVENTS = frozenset(event.__name__ for event in EVENTS.values() if event.service != "notifications")


class Absent(Model):
    """No subscription of this id is on record."""

    stage: Literal["absent"] = "absent"


class _OnRecord(Model):
    added: SubscriptionAdded
    added_at: str
    versions: tuple[int, ...]


class Active(_OnRecord):
    """The person is notified of events recorded after `added_at`."""

    stage: Literal["active"] = "active"


class Removed(_OnRecord):
    """The person is no longer notified."""

    stage: Literal["removed"] = "removed"


Subscription: TypeAlias = Absent | Void | Active | Removed


def evolve(state: Subscription, fact: Fact) -> Subscription:
    """Fold one fact of a subscription's stream."""
    match state, fact.data:
        case _, SubscriptionAdded() as added:
            return Active(added=added, added_at=fact.time, versions=fact.versions)
        case Active() | Removed(), SubscriptionRemoved():
            return Removed(added=state.added, added_at=state.added_at, versions=state.versions + fact.versions)
        case _:
            return state


def decide(state: Subscription, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Add a subscription that is not on record, remove one that is active."""
    match state, command:
        case Absent(), AddSubscription():
            unknown = sorted(set(command.events) - ANNOUNCED_EVENTS)
            return SubscriptionNamesUnknownEvent(unknown[0]) if unknown else [event_from(command, SubscriptionAdded)]
        case Active(), RemoveSubscription():
            return [event_from(command, SubscriptionRemoved)]
        case _:
            return OutOfOrder(type(command).__name__, stream, in_words(state))


def in_words(state: Subscription) -> str:
    """Return the stage of a subscription in words."""
    return "not on record" if isinstance(state, Absent) else state.stage


def facets(state: Subscription) -> dict[str, Any]:
    """Return the values that lists of subscriptions filter on."""
    match state:
        case Absent() | Void():
            return {"stage": state.stage}
        case Active() | Removed():
            return {"stage": state.stage, "event": list(state.added.events), "person": state.added.person}


SUBSCRIPTION: Aggregate[Subscription] = Aggregate(
    kind="subscription",
    initial=Absent(),
    states=TypeAdapter(Annotated[Subscription, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    facets=facets,
)
