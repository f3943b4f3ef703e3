"""An instrument, its provisions, and its relations to later instruments."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.recommendations.commands import (
    CarryInstrument,
    DischargeReportingDuty,
    EndorseInstrument,
    ReaffirmInstrument,
    RegisterInstrument,
    RegisterProvision,
    SupersedeInstrument,
)
from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from services.recommendations.domain.rules import NamesUnknownInstrument, ProvisionNotOnRecord
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Fact, Facts, event_from
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.recommendations import (
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
_RELATES: dict[type[Command], type[Relation]] = {
    SupersedeInstrument: InstrumentSuperseded,
    ReaffirmInstrument: InstrumentReaffirmed,
    CarryInstrument: InstrumentCarried,
    EndorseInstrument: InstrumentEndorsed,
}


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

    def provision(self, provision: str) -> RecordedFact[ProvisionRegistered] | None:
        """Return a provision by its id."""
        return next((item for item in self.provisions if item.data.provision == provision), None)

    def superseded_by(self, instrument: str) -> bool:
        """Tell whether its supersession by this instrument is on record."""
        return any(item.data.by == instrument for item in self.superseded)


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
            if f"instrument/{command.by}" not in facts or f"instrument/{command.by}" == stream:
                return NamesUnknownInstrument(command.by)
            return [event_from(command, _RELATES[type(command)])]
        case _:
            return OutOfOrder(type(command).__name__, stream, _in_words(state))


def _in_words(state: Instrument) -> str:
    return "not on record" if isinstance(state, Absent) else state.stage


def needs(_state: Instrument, command: Command) -> frozenset[str]:
    """Return the other instrument that a relation names."""
    match command:
        case SupersedeInstrument() | ReaffirmInstrument() | CarryInstrument() | EndorseInstrument():
            return frozenset({f"instrument/{command.by}"})
        case _:
            return frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the other instrument that an event names."""
    match event:
        case InstrumentSuperseded() | InstrumentReaffirmed() | InstrumentCarried() | InstrumentEndorsed():
            return frozenset({f"instrument/{event.by}"})
        case _:
            return frozenset()


def depends_on(state: Instrument) -> frozenset[str]:
    """Return the instruments that a trace names beside this one."""
    if not isinstance(state, Registered):
        return frozenset()
    related = (*state.superseded, *state.reaffirmed, *state.carried, *state.endorsed)
    return frozenset(f"instrument/{item.data.by}" for item in related)


def facets(state: Instrument) -> dict[str, Any]:
    """Return the values that lists of instruments filter on."""
    if not isinstance(state, Registered):
        return {"standing": state.stage} if isinstance(state, Void) else {}
    data = state.registered.data
    return {"cite": data.cite, "body": data.body, "standing": "superseded" if state.superseded else "live"}


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
)
