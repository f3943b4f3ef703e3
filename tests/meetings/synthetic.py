"""Synthetic meetings: none of them took place."""

from __future__ import annotations

from typing import Any

from services.meetings.domain.foreign import INSTRUMENT, MEMBERSHIP, PRIORITY
from services.meetings.domain.meeting import MEETING
from shared.events.event import Event
from shared.events.meetings import (
    AgendaItemAdded,
    AttendanceRecorded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingConfirmed,
    MeetingConvened,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    MeetingRescheduled,
    OutcomeRecorded,
    RecordCorrected,
)
from shared.events.nominations import MembershipBegan, MembershipEnded
from shared.events.recommendations import InstrumentRegistered, PrioritySelected, ProvisionRegistered
from shared.events.values import ProvisionRef, Rendition, Seen
from tests.given import Given, given, known

FORM: dict[str, Any] = {
    "meeting": "m1",
    "title": "Synthetic meeting",
    "kind": "technical_expert_group",
    "modality": "hybrid",
    "starts_at": "2026-03-02T10:00:00+07:00",
    "ends_at": "2026-03-02T13:00:00+07:00",
    "time_zone": "Asia/Bangkok",
}
OLD: dict[str, Any] = {"meeting": "m1", "title": "Synthetic meeting of old", "kind": "forum", "starts_at": "2019-05"}
LATER: dict[str, Any] = {"starts_at": "2026-04-01", "ends_at": "2026-04-02", "modality": "online"}
ITEM: dict[str, Any] = {"item": "i1", "title": "Synthetic matter"}
PAPER: dict[str, Any] = {
    "document": "d1",
    "title": "Synthetic paper",
    "renditions": (Rendition(media_type="text/html", language="en", digest="0" * 64, accessible=True),),
}
DECISION: dict[str, Any] = {"outcome": "o1", "kind": "decision", "text": "Synthetic decision"}

PROPOSED = MeetingProposed(**FORM)
BY_CHAIR = MeetingConfirmed(by="chair")
BY_SECRETARIAT = MeetingConfirmed(by="secretariat")
CONVENED = (PROPOSED, BY_CHAIR, BY_SECRETARIAT, MeetingConvened())
HELD = (*CONVENED, MeetingHeld())
RECORDED = MeetingRecorded(**OLD)
CANCELLED = MeetingCancelled(reason="Synthetic storm")
RESCHEDULED = MeetingRescheduled(**LATER, by="secretariat")
RESCHEDULED_AS_V1 = MeetingRescheduled(**LATER)
ITEM_ADDED = AgendaItemAdded(**ITEM)
DISSEMINATED = DocumentDisseminated(**PAPER)
OUTCOME = OutcomeRecorded(**DECISION)
ATTENDED = AttendanceRecorded(
    membership="e1", member="FJI", presence="in_room", seen=Seen(stream="membership/e1", version=1)
)

BEGAN = MembershipBegan(membership="e1", nomination="e1", person="synthetic-person", member="FJI")
MEMBER = known(MEMBERSHIP, "membership/e1", BEGAN)
FORMER_MEMBER = known(MEMBERSHIP, "membership/e1", BEGAN, MembershipEnded(reason="term_ended"))
SELECTED = PrioritySelected(priority="air", title="Synthetic", outcome="Synthetic", timeline_to="2027")
AIR = known(PRIORITY, "priority/air", SELECTED)
REGISTERED = InstrumentRegistered(instrument="res-1", cite="Synthetic 1", body="Synthetic", title="Synthetic")
PROVISION = ProvisionRegistered(provision="1/help", summary="Synthetic request")
RESOLUTION = known(INSTRUMENT, "instrument/res-1", REGISTERED, PROVISION)
REF = ProvisionRef(instrument="res-1", provision="1/help")

HISTORIES: dict[str, tuple[Event, ...]] = {
    "not on record": (),
    "proposed": (PROPOSED,),
    "convened": CONVENED,
    "held": HELD,
    "recorded": (RECORDED,),
    "cancelled": (PROPOSED, CANCELLED),
}


def a_meeting(*events: Event) -> Given:
    """Begin with the meeting m1."""
    return given(MEETING, "meeting/m1", *events)


def corrected(version: int, data: Event) -> RecordCorrected:
    """Correct the event of that version."""
    whole = data.model_dump(mode="json", exclude_none=True)
    return RecordCorrected(corrects=version, data=whole, reason="synthetic slip of the pen")
