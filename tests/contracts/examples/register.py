"""One full example of each event of instruments, sessions, priorities, initiatives and deliverables. Synthetic."""

from __future__ import annotations

from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import ProvisionRef, Seen
from tests.contracts.examples.common import CERTAIN

PROVISION = ProvisionRef(instrument="synthetic-75-4", provision="synthetic-75-4/report")

EXAMPLES: dict[str, Event] = {
    "InstrumentRegistered": r.InstrumentRegistered(
        instrument="synthetic-75-4",
        cite="Synthetic resolution 75/4",
        body="SYN",
        title="On synthetic air",
        title_status="recalled",
        adopted_on="2029-05-31",
        adopted_status="inferred",
        symbol="SYN/RES/75/4",
        symbol_status="verified",
        **CERTAIN,
    ),
    "ProvisionRegistered": r.ProvisionRegistered(
        provision="synthetic-75-4/report",
        paragraph="3 (c)",
        verb="requests",
        addressee="the synthetic secretary",
        summary="Report on synthetic air.",
        reporting_duty=r.ReportingDuty(body="synthetic commission", session=77, due="2031"),
        **CERTAIN,
    ),
    "ReportingDutyDischarged": r.ReportingDutyDischarged(
        provision="synthetic-75-4/report", document_symbol="SYN/77/5", on="2031-04-26", **CERTAIN
    ),
    "InstrumentSuperseded": r.InstrumentSuperseded(by="synthetic-78-2", on="2032-05-27", **CERTAIN),
    "InstrumentReaffirmed": r.InstrumentReaffirmed(by="synthetic-79-1", on="2033-05", **CERTAIN),
    "InstrumentCarried": r.InstrumentCarried(by="synthetic-76-212", on="2030", **CERTAIN),
    "DoubleRegistrationNoted": r.DoubleRegistrationNoted(other="synthetic-75-4-again", **CERTAIN),
    "InstrumentEndorsed": r.InstrumentEndorsed(by="synthetic-77-1", on="2031", **CERTAIN),
    "BodySessionRecorded": r.BodySessionRecorded(
        key="synthetic-commission-77",
        body="synthetic commission",
        session=77,
        starts_on="2031-04-26",
        ends_on="2031-04",
        **CERTAIN,
    ),
    "CommitteeSessionRecorded": r.CommitteeSessionRecorded(
        session=7, starts_on="2032-11-29", ends_on="2032-12-01", level="ministerial", **CERTAIN
    ),
    "PrioritySelected": r.PrioritySelected(
        priority="synthetic-priority",
        title="Synthetic air",
        themes=("air pollution",),
        outcome="A synthetic plan of action.",
        timeline_from="2031",
        timeline_to="2032-12",
        provisions=(PROVISION,),
        meeting="synthetic-meeting",
        on="2031-03-18",
        seen=Seen(stream="meeting/synthetic-meeting", version=4),
        **CERTAIN,
    ),
    "PriorityClosed": r.PriorityClosed(reason="achieved", on="2032-12", **CERTAIN),
    "InitiativeRegistered": r.InitiativeRegistered(
        initiative="synthetic-initiative",
        title="Synthetic network",
        supporting_member="FJI",
        provisions=(PROVISION,),
        **CERTAIN,
    ),
    "DeliverableRecorded": r.DeliverableRecorded(
        deliverable="synthetic-deliverable",
        body="synthetic committee",
        year="2032",
        planned_three_hour_meetings=6,
        actual_three_hour_meetings=0,
        **CERTAIN,
    ),
}
