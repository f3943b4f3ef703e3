"""A subscriber: a stream only for an erased person; other streams hold the person's details, sealed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.notifications.commands import EraseSubscriber
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.notifications import SubscriberErased
from shared.events.values import Model


class Held(Model):
    """No erasure of the person is on record."""

    stage: Literal["held"] = "held"


class Erased(Model):
    """The key was destroyed: nobody can decrypt the person's details."""

    stage: Literal["erased"] = "erased"
    erased: SubscriberErased
    erased_at: str
    versions: tuple[int, ...]


Subscriber: TypeAlias = Held | Void | Erased


def evolve(state: Subscriber, fact: Fact) -> Subscriber:
    """Fold one fact of a subscriber's stream."""
    match fact.data:
        case SubscriberErased() as erased:
            return Erased(erased=erased, erased_at=fact.time, versions=fact.versions)
        case _:
            return state


def decide(state: Subscriber, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Erase a person once."""
    match state, command:
        case Held(), EraseSubscriber():
            return [event_from(command, SubscriberErased, person=stream.partition("/")[2])]
        case _:
            return OutOfOrder(type(command).__name__, stream, state.stage)


def facets(state: Subscriber) -> dict[str, Any]:
    """Return what lists filter on."""
    return {"stage": state.stage}


SUBSCRIBER: Aggregate[Subscriber] = Aggregate(
    kind="subscriber",
    initial=Held(),
    states=TypeAdapter(Annotated[Subscriber, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    facets=facets,
)
