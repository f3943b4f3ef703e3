"""Registers: streams of little more than one recorded fact (session, priority, initiative, deliverable)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter

from services.recommendations.commands import (
    ClosePriority,
    RecordBodySession,
    RecordCommitteeSession,
    RecordDeliverable,
    RegisterInitiative,
    SelectPriority,
)
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.provisions import as_facets, well_formed
from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from services.recommendations.domain.rules import CitesUnknownProvision, SessionIsTheCommittees
from services.recommendations.domain.sessions import is_the_committee
from services.recommendations.domain.waiting import of_priority
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import NotHeardYet, OutOfOrder, Rejection
from shared.domain.voids import Void
from shared.domain.waiting import as_facet
from shared.events.event import Event
from shared.events.recommendations import (
    BodySessionRecorded,
    CommitteeSessionRecorded,
    DeliverableRecorded,
    InitiativeRegistered,
    PriorityClosed,
    PrioritySelected,
)
from shared.events.values import Model, ProvisionRef, Seen

E = TypeVar("E", bound=Event, covariant=True)


class Absent(Model):
    """Nothing of this id is on record."""

    stage: Literal["absent"] = "absent"


class OnRecord(Model, Generic[E]):
    """It is on record."""

    stage: Literal["on record"] = "on record"
    recorded: RecordedFact[E]


class Closed(Model, Generic[E]):
    """It was on record and has ended."""

    stage: Literal["closed"] = "closed"
    recorded: RecordedFact[E]
    closed: RecordedFact[PriorityClosed]


Session: TypeAlias = Absent | Void | OnRecord[CommitteeSessionRecorded]
BodySession: TypeAlias = Absent | Void | OnRecord[BodySessionRecorded]
Initiative: TypeAlias = Absent | Void | OnRecord[InitiativeRegistered]
Deliverable: TypeAlias = Absent | Void | OnRecord[DeliverableRecorded]
Priority: TypeAlias = Absent | Void | OnRecord[PrioritySelected] | Closed[PrioritySelected]


def unknown_provision(named: Iterable[ProvisionRef], facts: Facts) -> Rejection | None:
    """Return the refusal of the first provision that is not in the register."""
    for ref in named:
        known = facts.get(f"instrument/{ref.instrument}")
        if known is None or not isinstance(known.state, Registered) or known.state.provision(ref.provision) is None:
            return CitesUnknownProvision(ref.instrument, ref.provision)
    return None


def instruments_of(named: Iterable[ProvisionRef]) -> frozenset[str]:
    """Return the streams of the instruments that provisions belong to."""
    return frozenset(f"instrument/{ref.instrument}" for ref in named)


def _evolve_session(state: Session, fact: Fact) -> Session:
    if isinstance(fact.data, CommitteeSessionRecorded):
        return OnRecord[CommitteeSessionRecorded](recorded=recorded_fact(fact, CommitteeSessionRecorded))
    return state


def _evolve_body_session(state: BodySession, fact: Fact) -> BodySession:
    if isinstance(fact.data, BodySessionRecorded):
        return OnRecord[BodySessionRecorded](recorded=recorded_fact(fact, BodySessionRecorded))
    return state


def _evolve_initiative(state: Initiative, fact: Fact) -> Initiative:
    if isinstance(fact.data, InitiativeRegistered):
        return OnRecord[InitiativeRegistered](recorded=recorded_fact(fact, InitiativeRegistered))
    return state


def _evolve_deliverable(state: Deliverable, fact: Fact) -> Deliverable:
    if isinstance(fact.data, DeliverableRecorded):
        return OnRecord[DeliverableRecorded](recorded=recorded_fact(fact, DeliverableRecorded))
    return state


def _evolve_priority(state: Priority, fact: Fact) -> Priority:
    match state, fact.data:
        case _, PrioritySelected():
            return OnRecord[PrioritySelected](recorded=recorded_fact(fact, PrioritySelected))
        case OnRecord() | Closed(), PriorityClosed():
            return Closed[PrioritySelected](recorded=state.recorded, closed=recorded_fact(fact, PriorityClosed))
        case _:
            return state


def _decide(state: Any, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    match state, command:
        case Absent(), RecordCommitteeSession():
            return [event_from(command, CommitteeSessionRecorded)]
        case Absent(), RecordBodySession(body=body, session=session):
            if is_the_committee(body):
                return SessionIsTheCommittees(body, session)
            return [event_from(command, BodySessionRecorded, key=command.key)]
        case Absent(), RecordDeliverable():
            return [event_from(command, DeliverableRecorded)]
        case Absent(), RegisterInitiative(provisions=provisions):
            return unknown_provision(provisions, facts) or [event_from(command, InitiativeRegistered)]
        case Absent(), SelectPriority():
            return _select(command, facts)
        case OnRecord(), ClosePriority():
            return [event_from(command, PriorityClosed)]
        case _:
            words = "not on record" if isinstance(state, Absent) else state.stage
            return OutOfOrder(type(command).__name__, stream, words)


def _select(command: SelectPriority, facts: Facts) -> Decision:
    if (refusal := unknown_provision(command.provisions, facts)) is not None:
        return refusal
    if command.meeting is None:
        return [event_from(command, PrioritySelected)]
    meeting = f"meeting/{command.meeting}"
    if meeting not in facts:
        return NotHeardYet(meeting)
    return [event_from(command, PrioritySelected, seen=Seen(stream=meeting, version=facts[meeting].version))]


def _needs(_state: Any, command: Command) -> frozenset[str]:
    match command:
        case RegisterInitiative():
            return instruments_of(command.provisions)
        case SelectPriority():
            meeting = {f"meeting/{command.meeting}"} if command.meeting else set()
            return instruments_of(command.provisions) | meeting
        case _:
            return frozenset()


def _names(event: Event) -> frozenset[str]:
    match event:
        case InitiativeRegistered():
            return instruments_of(event.provisions)
        case PrioritySelected():
            meeting = {f"meeting/{event.meeting}"} if event.meeting else set()
            return instruments_of(event.provisions) | meeting
        case _:
            return frozenset()


def supported(state: Initiative) -> list[str]:
    """Return the provisions that an initiative rests on, void or not, as facets hold them."""
    if isinstance(state, Void):
        return as_facets(well_formed(state.recorded.get("provisions", ())))
    return as_facets(state.recorded.data.provisions) if isinstance(state, OnRecord) else []


def _facets_of_initiative(state: Initiative) -> dict[str, Any]:
    rests_on = {"rests_on": supported(state)}
    if isinstance(state, Absent | Void):
        return rests_on
    return {"member": state.recorded.data.supporting_member, "provision": supported(state), **rests_on}


def _facets_of_priority(state: Priority) -> dict[str, Any]:
    if isinstance(state, Void):
        return {"stage": state.stage}
    if isinstance(state, Absent):
        return {}
    awaits = as_facet(of_priority(state.recorded.data)) if isinstance(state, OnRecord) else []
    return {"stage": state.stage, "theme": list(state.recorded.data.themes), "awaits": awaits}


def _facets_of_deliverable(state: Deliverable) -> dict[str, Any]:
    return (
        {} if isinstance(state, Absent | Void) else {"year": state.recorded.data.year, "body": state.recorded.data.body}
    )


SESSION: Aggregate[Session] = Aggregate(
    kind="session",
    initial=Absent(),
    states=TypeAdapter(Annotated[Session, Field(discriminator="stage")]),
    evolve=_evolve_session,
    decide=_decide,
)
BODY_SESSION: Aggregate[BodySession] = Aggregate(
    kind="body_session",
    initial=Absent(),
    states=TypeAdapter(Annotated[BodySession, Field(discriminator="stage")]),
    evolve=_evolve_body_session,
    decide=_decide,
)
INITIATIVE: Aggregate[Initiative] = Aggregate(
    kind="initiative",
    initial=Absent(),
    states=TypeAdapter(Annotated[Initiative, Field(discriminator="stage")]),
    evolve=_evolve_initiative,
    decide=_decide,
    needs=_needs,
    names=_names,
    facets=_facets_of_initiative,
)
DELIVERABLE: Aggregate[Deliverable] = Aggregate(
    kind="deliverable",
    initial=Absent(),
    states=TypeAdapter(Annotated[Deliverable, Field(discriminator="stage")]),
    evolve=_evolve_deliverable,
    decide=_decide,
    facets=_facets_of_deliverable,
)
PRIORITY: Aggregate[Priority] = Aggregate(
    kind="priority",
    initial=Absent(),
    states=TypeAdapter(Annotated[Priority, Field(discriminator="stage")]),
    evolve=_evolve_priority,
    decide=_decide,
    needs=_needs,
    names=_names,
    facets=_facets_of_priority,
)
