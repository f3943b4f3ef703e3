"""Replicas of the siblings' streams that a meeting rests on: folded here, decided there."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from shared.domain.aggregate import Aggregate, Decision
from shared.domain.facts import Fact
from shared.domain.voids import Void
from shared.events.nominations import MembershipBegan, MembershipEnded
from shared.events.recommendations import InstrumentRegistered, PrioritySelected, ProvisionRegistered
from shared.events.values import Model


class Unknown(Model):
    """No event that registers it has been consumed yet."""

    stage: Literal["unheard"] = "unheard"


class Membership(Model):
    """An expert's membership, and the member that nominated the expert."""

    stage: Literal["active", "ended"]
    member: str
    began_on: str | None = None
    ended_on: str | None = None


class Priority(Model):
    """A priority of the group."""

    stage: Literal["selected"] = "selected"


class Instrument(Model):
    """An instrument and the provisions that are registered."""

    stage: Literal["registered"] = "registered"
    provisions: tuple[str, ...] = ()


MembershipReplica: TypeAlias = Unknown | Void | Membership
PriorityReplica: TypeAlias = Unknown | Void | Priority
InstrumentReplica: TypeAlias = Unknown | Void | Instrument


def of_membership(state: MembershipReplica, fact: Fact) -> MembershipReplica:
    """Fold one fact of a membership's stream."""
    match state, fact.data:
        case _, MembershipBegan(member=member, began_on=began_on):
            return Membership(stage="active", member=member, began_on=began_on)
        case Membership(), MembershipEnded(ended_on=ended_on):
            return state.model_copy(update={"stage": "ended", "ended_on": ended_on})
        case _:
            return state


def of_priority(state: PriorityReplica, fact: Fact) -> PriorityReplica:
    """Fold one fact of a priority's stream."""
    return Priority() if isinstance(fact.data, PrioritySelected) else state


def of_instrument(state: InstrumentReplica, fact: Fact) -> InstrumentReplica:
    """Fold one fact of an instrument's stream."""
    match state, fact.data:
        case Unknown(), InstrumentRegistered():
            return Instrument()
        case Instrument(provisions=provisions), ProvisionRegistered(provision=provision):
            return Instrument(provisions=(*provisions, provision))
        case _:
            return state


def decided_elsewhere(*_: Any, **__: Any) -> Decision:
    """Raise LookupError: another service decides on this stream."""
    raise LookupError("only the service that owns a stream decides on it")


MEMBERSHIP: Aggregate[MembershipReplica] = Aggregate(
    kind="membership",
    initial=Unknown(),
    states=TypeAdapter(Annotated[MembershipReplica, Field(discriminator="stage")]),
    evolve=of_membership,
    decide=decided_elsewhere,
)
PRIORITY: Aggregate[PriorityReplica] = Aggregate(
    kind="priority",
    initial=Unknown(),
    states=TypeAdapter(Annotated[PriorityReplica, Field(discriminator="stage")]),
    evolve=of_priority,
    decide=decided_elsewhere,
)
INSTRUMENT: Aggregate[InstrumentReplica] = Aggregate(
    kind="instrument",
    initial=Unknown(),
    states=TypeAdapter(Annotated[InstrumentReplica, Field(discriminator="stage")]),
    evolve=of_instrument,
    decide=decided_elsewhere,
)
