"""An instrument, its provisions, and its relations to later instruments."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.recommendations.commands import (
    CarryInstrument,
    DischargeReportingDuty,
    EndorseInstrument,
    NoteDoubleRegistration,
    ReaffirmInstrument,
    RegisterInstrument,
    RegisterProvision,
    SupersedeInstrument,
)
from services.recommendations.domain.circles import leads_back
from services.recommendations.domain.instrument_keys import keys, texts_by_key
from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from services.recommendations.domain.rules import (
    InstrumentIsRegistered,
    InstrumentRelatesToItself,
    NamesUnknownInstrument,
    ProvisionHasNoReportingDuty,
    ProvisionNotOnRecord,
    RelationsFormACircle,
)
from services.recommendations.domain.sessions import session_stream
from services.recommendations.domain.waiting import of_duties
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.voids import Once, Void, recorded_anew
from shared.domain.waiting import as_facet
from shared.events.event import Event
from shared.events.recommendations import (
    DoubleRegistrationNoted,
    InstrumentCarried,
    InstrumentEndorsed,
    InstrumentReaffirmed,
    InstrumentRegistered,
    InstrumentSuperseded,
    ProvisionRegistered,
    ReportingDutyDischarged,
)
from shared.events.values import Model

Relation: TypeAlias = InstrumentSuperseded | InstrumentReaffirmed | InstrumentCarried | InstrumentEndorsed
_RELATIONS = (InstrumentSuperseded, InstrumentReaffirmed, InstrumentCarried, InstrumentEndorsed)
_RELATES: dict[type[Command], type[Relation]] = {
    SupersedeInstrument: InstrumentSuperseded,
    ReaffirmInstrument: InstrumentReaffirmed,
    CarryInstrument: InstrumentCarried,
    EndorseInstrument: InstrumentEndorsed,
}
_COMMANDS = (SupersedeInstrument, ReaffirmInstrument, CarryInstrument, EndorseInstrument)


class Absent(Model):
    """No instrument of this id is on record."""

    stage: Literal["absent"] = "absent"


class Registered(Model):
    """An instrument in the register."""

    stage: Literal["registered"] = "registered"
    registered: RecordedFact[InstrumentRegistered]
    provisions: tuple[RecordedFact[ProvisionRegistered], ...] = ()
    discharged: tuple[RecordedFact[ReportingDutyDischarged], ...] = ()
    superseded: tuple[RecordedFact[InstrumentSuperseded], ...] = ()
    reaffirmed: tuple[RecordedFact[InstrumentReaffirmed], ...] = ()
    carried: tuple[RecordedFact[InstrumentCarried], ...] = ()
    endorsed: tuple[RecordedFact[InstrumentEndorsed], ...] = ()
    doubles: tuple[RecordedFact[DoubleRegistrationNoted], ...] = ()

    def provision(self, provision: str) -> RecordedFact[ProvisionRegistered] | None:
        """Return a provision by its id."""
        return next((item for item in self.provisions if item.data.provision == provision), None)

    @property
    def undischarged(self) -> tuple[RecordedFact[ProvisionRegistered], ...]:
        """The provisions that ask for a report which is not on record."""
        given = {item.data.provision for item in self.discharged}
        return tuple(item for item in self.provisions if item.data.reporting_duty and item.data.provision not in given)

    def superseded_by(self, instrument: str) -> bool:
        """Tell whether its supersession by this instrument is on record."""
        return any(item.data.by == instrument for item in self.superseded)

    def is_double_of(self, instrument: str) -> bool:
        """Tell whether it is on record that this instrument was registered with the same citation or symbol."""
        return any(item.data.other == instrument for item in self.doubles)


Instrument: TypeAlias = Absent | Void | Registered


def evolve(state: Instrument, fact: Fact) -> Instrument:
    """Fold one fact of an instrument's stream."""
    kind = type(fact.data)
    if kind is InstrumentRegistered:
        return Registered(registered=recorded_fact(fact, InstrumentRegistered))
    if kind not in _LISTS or isinstance(state, Absent | Void):
        return state
    name = _LISTS[kind]
    return state.model_copy(update={name: (*getattr(state, name), recorded_fact(fact, kind))})


_LISTS: dict[type[Event], str] = {
    ProvisionRegistered: "provisions",
    ReportingDutyDischarged: "discharged",
    InstrumentSuperseded: "superseded",
    InstrumentReaffirmed: "reaffirmed",
    InstrumentCarried: "carried",
    InstrumentEndorsed: "endorsed",
    DoubleRegistrationNoted: "doubles",
}


def decide(state: Instrument, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Register an instrument and its provisions, and relate it to others on record."""
    match state, command:
        case Absent(), RegisterInstrument():
            return [event_from(command, InstrumentRegistered)]
        case Registered(), RegisterProvision(provision=provision):
            if state.provision(provision) is not None:
                return OutOfOrder("RegisterProvision", stream, f"registered with provision {provision} already")
            return [event_from(command, ProvisionRegistered)]
        case Registered(), DischargeReportingDuty(provision=provision):
            if state.provision(provision) is None:
                return ProvisionNotOnRecord(stream, provision)
            return [event_from(command, ReportingDutyDischarged)]
        case (
            Registered(),
            SupersedeInstrument() | ReaffirmInstrument() | CarryInstrument() | EndorseInstrument(),
        ):
            if f"instrument/{command.by}" == stream:
                return InstrumentRelatesToItself(stream)
            if f"instrument/{command.by}" not in facts:
                return NamesUnknownInstrument(command.by)
            return [event_from(command, _RELATES[type(command)])]
        case Registered(), NoteDoubleRegistration(other=other) if not state.is_double_of(other):
            return [event_from(command, DoubleRegistrationNoted)]
        case _:
            return OutOfOrder(type(command).__name__, stream, _in_words(state))


def _in_words(state: Instrument) -> str:
    return "not on record" if isinstance(state, Absent) else state.stage


def needs(_state: Instrument, command: Command) -> frozenset[str]:
    """Return the other instrument that a relation names."""
    return names(command)


def names(item: Command | Event) -> frozenset[str]:
    """Return the other instrument that an event, or its command, names."""
    return frozenset({f"instrument/{item.by}"}) if isinstance(item, (*_RELATIONS, *_COMMANDS)) else frozenset()


def depends_on(state: Instrument) -> frozenset[str]:
    """Return the instruments that a trace names beside this one, and the sessions that reports were asked for."""
    if not isinstance(state, Registered):
        return frozenset()
    related = (*state.superseded, *state.reaffirmed, *state.carried, *state.endorsed)
    named = {item.data.by for item in related} | {item.data.other for item in state.doubles}
    duties = (item.data.reporting_duty for item in state.provisions)
    sessions = {session_stream(duty.body, duty.session) for duty in duties if duty is not None and duty.session}
    return frozenset({f"instrument/{instrument}" for instrument in named} | sessions)


def facets(state: Instrument) -> dict[str, Any]:
    """Return the values that lists of instruments filter on."""
    if not isinstance(state, Registered):
        return {"standing": state.stage} if isinstance(state, Void) else {}
    data = state.registered.data
    standing = "superseded" if state.superseded else "live"
    return {
        "cite": data.cite,
        "body": data.body,
        "standing": standing,
        "keys": sorted(keys(data)),
        "provisions": len(state.provisions),
        "awaits": as_facet(of_duties(data, (item.data for item in state.undischarged))),
    }


def leads_to(item: object, facts: Facts) -> frozenset[str]:
    """Return the instruments that the instruments read so far lead to by a relation's own kind."""
    if not isinstance(item, _RELATIONS):
        return frozenset()
    return frozenset(chain.from_iterable(_later(known.state, item) for known in facts.values()))


def _later(state: object, relation: Relation) -> list[str]:
    """Return the later instruments of an instrument by relations of one kind."""
    kind = next(kind for kind in _RELATIONS if isinstance(relation, kind))
    items = getattr(state, _LISTS[kind]) if isinstance(state, Registered) else ()
    return [f"instrument/{item.data.by}" for item in items]


def check(state: Instrument, event: Event, *, stream: str, facts: Facts, **_: object) -> Rejection | None:
    """Refuse a second registration, a circle of relations, and the discharge of no duty."""
    match event:
        case InstrumentRegistered():
            return _registered_before(event, stream, facts)
        case InstrumentSuperseded() | InstrumentReaffirmed() | InstrumentCarried() | InstrumentEndorsed():
            later = {other: _later(known.state, event) for other, known in facts.items()}
            circle = leads_back(stream, f"instrument/{event.by}", later)
            return RelationsFormACircle(stream, f"instrument/{event.by}") if circle else None
        case ReportingDutyDischarged(provision=provision) if isinstance(state, Registered):
            registered = state.provision(provision)
            has_duty = registered is not None and registered.data.reporting_duty is not None
            return None if has_duty else ProvisionHasNoReportingDuty(stream, provision)
        case _:
            return None


def judge_void(
    before: Instrument, after: Instrument, then: Mapping[int, Instrument], _version: int, stream: str
) -> Rejection | None:
    """Refuse a void by which a provision would be registered twice."""
    return recorded_anew(_once(before), _once(after), then, stream)


def _once(state: Instrument) -> list[Once]:
    provisions = state.provisions if isinstance(state, Registered) else ()
    return [(item.data.provision, item.versions[0]) for item in provisions]


def _registered_before(event: InstrumentRegistered, stream: str, facts: Facts) -> Rejection | None:
    texts = texts_by_key(event)
    for other, known in sorted(facts.items()):
        if other != stream and isinstance(known.state, Registered):
            registered = known.state.registered.data
            for key in texts.keys() & keys(registered):
                field, text = texts[key]
                return InstrumentIsRegistered(field, text, registered.instrument, registered.cite)
    return None


INSTRUMENT: Aggregate[Instrument] = Aggregate(
    kind="instrument",
    initial=Absent(),
    states=TypeAdapter(Annotated[Instrument, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=needs,
    names=names,
    depends_on=depends_on,
    facets=facets,
    judge_void=judge_void,
    check=check,
    leads_to=leads_to,
    keys=keys,
    checked_again=_RELATIONS,
)
