import pytest

from services.recommendations.commands import (
    CarryInstrument,
    ClosePriority,
    DischargeReportingDuty,
    EndorseInstrument,
    ReaffirmInstrument,
    RecordCommitteeSession,
    RecordDeliverable,
    RegisterInitiative,
    RegisterInstrument,
    RegisterProvision,
    SelectPriority,
    SupersedeInstrument,
)
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.registers import DELIVERABLE, INITIATIVE, PRIORITY, SESSION
from services.recommendations.domain.rules import CitesUnknownProvision, NamesUnknownInstrument, ProvisionNotOnRecord
from shared.domain.rejections import NotHeardYet, OutOfOrder
from shared.events import recommendations as r
from shared.events.values import ProvisionRef, Seen
from tests.given import given
from tests.recommendations.synthetic import HELD, NEW, OLD, old_asks, old_registered, third_session

REGISTER = RegisterInstrument(instrument="old", cite="Synthetic resolution 1", body="SYN", title="Old")
CITED = ProvisionRef(instrument="old", provision="old/ask")
PRIORITY_OF_TWO = {"priority": "p1", "title": "P", "outcome": "O", "timeline_to": "2031"}


def an_instrument(*events):
    return given(INSTRUMENT, "instrument/old", old_registered, old_asks, *events)


def test_an_instrument_is_registered_once():
    given(INSTRUMENT, "instrument/old").when(REGISTER).then(
        r.InstrumentRegistered(instrument="old", cite="Synthetic resolution 1", body="SYN", title="Old")
    )
    an_instrument().when(REGISTER).then_refused(OutOfOrder)


def test_a_provision_is_registered_once_in_an_instrument_on_record():
    command = RegisterProvision(provision="old/ask", summary="Synthetic ask")
    given(INSTRUMENT, "instrument/old", old_registered).when(command).then(old_asks)
    an_instrument().when(command).then_refused(OutOfOrder)
    given(INSTRUMENT, "instrument/old").when(command).then_refused(OutOfOrder)


def test_a_reporting_duty_is_that_of_a_provision_on_record():
    an_instrument().when(DischargeReportingDuty(provision="old/no", document_symbol="SYN/1")).then_refused(
        ProvisionNotOnRecord
    )


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (SupersedeInstrument(by="new"), r.InstrumentSuperseded(by="new")),
        (ReaffirmInstrument(by="new"), r.InstrumentReaffirmed(by="new")),
        (CarryInstrument(by="new"), r.InstrumentCarried(by="new")),
        (EndorseInstrument(by="new"), r.InstrumentEndorsed(by="new")),
    ],
    ids=lambda item: type(item).__name__,
)
def test_instruments_are_related_where_both_are_on_record(command, event):
    an_instrument().knowing(NEW).when(command).then(event)
    an_instrument().when(command).then_refused(NamesUnknownInstrument)


def test_a_session_is_recorded_once():
    command = RecordCommitteeSession(session=3, starts_on="2030-11-04", ends_on="2030-11-06")
    given(SESSION, "session/3").when(command).then(third_session)
    given(SESSION, "session/3", third_session).when(command).then_refused(OutOfOrder)


def test_a_priority_rests_on_provisions_on_record_and_a_known_meeting():
    command = SelectPriority(**PRIORITY_OF_TWO, provisions=(CITED,), meeting="m1")
    new = given(PRIORITY, "priority/p1")
    new.knowing(HELD).when(command).then_refused(CitesUnknownProvision)
    new.knowing(OLD).when(command).then_refused(NotHeardYet)
    seen = Seen(stream="meeting/m1", version=1)
    new.knowing(OLD | HELD).when(command).then(
        r.PrioritySelected(**PRIORITY_OF_TWO, provisions=(CITED,), meeting="m1", seen=seen)
    )


def test_a_priority_is_closed_once():
    selected = r.PrioritySelected(**PRIORITY_OF_TWO)
    closed = r.PriorityClosed(reason="achieved")
    given(PRIORITY, "priority/p1", selected).when(ClosePriority(reason="achieved")).then(closed).then_stage("closed")
    given(PRIORITY, "priority/p1", selected, closed).when(ClosePriority(reason="lapsed")).then_refused(OutOfOrder)


def test_an_initiative_rests_on_provisions_on_record():
    command = RegisterInitiative(initiative="i1", title="Synthetic", supporting_member="FJI", provisions=(CITED,))
    given(INITIATIVE, "initiative/i1").when(command).then_refused(CitesUnknownProvision)
    given(INITIATIVE, "initiative/i1").knowing(OLD).when(command).then(
        r.InitiativeRegistered(initiative="i1", title="Synthetic", supporting_member="FJI", provisions=(CITED,))
    )


def test_a_deliverable_is_recorded_once():
    command = RecordDeliverable(deliverable="d1", body="SYN", year="2031", planned_three_hour_meetings=4)
    recorded = r.DeliverableRecorded(deliverable="d1", body="SYN", year="2031", planned_three_hour_meetings=4)
    given(DELIVERABLE, "deliverable/d1").when(command).then(recorded)
    given(DELIVERABLE, "deliverable/d1", recorded).when(command).then_refused(OutOfOrder)
