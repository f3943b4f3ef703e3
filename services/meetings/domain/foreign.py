"""What a meeting rests on of other services' streams, as far as it was heard: folded here, decided there."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from shared.domain.aggregate import Aggregate, Decision, Fact
from shared.events.nominations import MembershipBegan, MembershipEnded
from shared.events.recommendations import InstrumentRegistered, PrioritySelected, ProvisionRegistered
from shared.events.values import Model


class UnknownMeeting(Model):
    """Nothing was heard yet that says what it is."""

    stage: Literal["unheard"] = "unheard"


class Membership(Model):
    """An expert's membership, and the member that nominated the expert."""

    stage: Literal["active", "ended"]
    member: str


class Priority(Model):
    """A priority of the group."""

    stage: Literal["selected"] = "selected"


class Instrument(Model):
    """An instrument and the provisions that are registered."""

    stage: Literal["registered"] = "registered"
    provisions: tuple[str, ...] = ()


HeardMembership: TypeAlias = UnknownMeeting | Membership
HeardPriority: TypeAlias = UnknownMeeting | Priority
HeardInstrument: TypeAlias = UnknownMeeting | Instrument


def of_membership(state: HeardMembership, fact: Fact) -> HeardMembership:
    """Fold one fact of a membership's stream."""
    match state, fact.data:
        case _, MembershipBegan(member=member):
            return Membership(stage="active", member=member)
        case Membership(), MembershipEnded():
            return state.model_copy(update={"stage": "ended"})
        case _:
            return state


def of_priority(state: HeardPriority, fact: Fact) -> HeardPriority:
    """Fold one fact of a priority's stream."""
    return Priority() if isinstance(fact.data, PrioritySelected) else state


def of_instrument(state: HeardInstrument, fact: Fact) -> HeardInstrument:
    """Fold one fact of an instrument's stream."""
    match state, fact.data:
        case UnknownMeeting(), InstrumentRegistered():
            return Instrument()
        case Instrument(provisions=provisions), ProvisionRegistered(provision=provision):
            return Instrument(provisions=(*provisions, provision))
        case _:
            return state


def not_ours(*_: Any, **__: Any) -> Decision:
    """Another service decides about this stream."""
    raise LookupError("a stream that was only heard of is decided about by the service that owns it")


MEMBERSHIP: Aggregate[HeardMembership] = Aggregate(
    kind="membership",
    initial=UnknownMeeting(),
    states=TypeAdapter(Annotated[HeardMembership, Field(discriminator="stage")]),
    evolve=of_membership,
    decide=not_ours,
)
PRIORITY: Aggregate[HeardPriority] = Aggregate(
    kind="priority",
    initial=UnknownMeeting(),
    states=TypeAdapter(Annotated[HeardPriority, Field(discriminator="stage")]),
    evolve=of_priority,
    decide=not_ours,
)
INSTRUMENT: Aggregate[HeardInstrument] = Aggregate(
    kind="instrument",
    initial=UnknownMeeting(),
    states=TypeAdapter(Annotated[HeardInstrument, Field(discriminator="stage")]),
    evolve=of_instrument,
    decide=not_ours,
)
