"""Synthetic streams for these tests: nothing here is a fact about any meeting, instrument or session."""

from __future__ import annotations

from services.recommendations.domain.foreign import MEETING
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import DELIVERABLE, PRIORITY, SESSION
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import Given, given, known

OWN = "recommendation/SYN/2030/R1"
REFERENCE = "SYN/2030/R1"

drafted = r.RecommendationDrafted(reference=REFERENCE, title="Synthetic title", themes=("Synthetic theme",))
cited = r.MandateCited(instrument="old", provision="old/ask")
adopted = r.RecommendationAdopted(status="unknown", note="Synthetic: the record is silent.")
transmitted = r.RecommendationTransmitted(session=3)

old_registered = r.InstrumentRegistered(
    instrument="old", cite="Synthetic resolution 1", body="SYN", title="Old", adopted_on="2020-01-01"
)
old_asks = r.ProvisionRegistered(provision="old/ask", summary="Synthetic ask")
new_registered = r.InstrumentRegistered(
    instrument="new", cite="Synthetic resolution 2", body="SYN", title="New", adopted_on="2031"
)
new_asks = r.ProvisionRegistered(provision="new/ask", summary="Synthetic ask, renewed")
superseded = r.InstrumentSuperseded(by="new", on="2031-05-01", status="inferred")
third_session = r.CommitteeSessionRecorded(session=3, starts_on="2030-11-04", ends_on="2030-11-06")
held = m.MeetingRecorded(
    meeting="m1", title="Synthetic meeting", kind="expert_group", starts_at="2030-03-01", ends_at="2030-03-01"
)
proposed = m.MeetingProposed(
    meeting="m2",
    title="Synthetic meeting to come",
    kind="technical_expert_group",
    modality="online",
    starts_at="2030-06-01T09:00:00+07:00",
    ends_at="2030-06-01T12:00:00+07:00",
)

OLD = known(INSTRUMENT, "instrument/old", old_registered, old_asks)
OLD_SUPERSEDED = known(INSTRUMENT, "instrument/old", old_registered, old_asks, superseded)
NEW = known(INSTRUMENT, "instrument/new", new_registered, new_asks)
THIRD_SESSION = known(SESSION, "session/3", third_session)
HELD = known(MEETING, "meeting/m1", held)
PROPOSED = known(MEETING, "meeting/m2", proposed)
SELECTED = known(PRIORITY, "priority/p1", r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2031"))
DELIVERED = known(DELIVERABLE, "deliverable/d1", r.DeliverableRecorded(deliverable="d1", body="SYN", year="2031"))


def a_recommendation(*events: Event) -> Given:
    """Begin with the synthetic recommendation and these further events."""
    return given(RECOMMENDATION, OWN, drafted, *events)


def no_recommendation() -> Given:
    """Begin with no recommendation of the synthetic reference."""
    return given(RECOMMENDATION, OWN)
