"""Commands of the meetings service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.domain.aggregate import Command
from shared.events.event import Event
from shared.events.meetings import (
    ActionPointClosed,
    AgendaItemAdded,
    AgendaOrdered,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    OutcomeRecorded,
)
from shared.events.values import Id, Link, Model, ShortText, Text, WorldTime
from shared.events.words import Modality, Presence


class ProposeMeeting(Command, MeetingProposed):
    """Propose a meeting, with its time and form."""


class ConfirmMeeting(Command, Event):
    """Confirm a proposed meeting, as the one whose token is shown: chair or secretariat."""


class RescheduleMeeting(Command, Event):
    """Give the meeting another time: it is proposed again, and waits for the other one's confirmation."""

    starts_at: WorldTime
    ends_at: WorldTime
    time_zone: ShortText | None = None
    modality: Modality | None = None
    place: ShortText | None = None
    link: Link | None = None
    reason: Text | None = None


class CancelMeeting(Command, MeetingCancelled):
    """Call the meeting off."""

    uses_reserve: ClassVar[bool] = True


class AddAgendaItem(Command, AgendaItemAdded):
    """Put a matter on the agenda."""


class OrderAgenda(Command, AgendaOrdered):
    """Put the items of the agenda into an order: every item once."""


class DisseminateDocument(Command, DocumentDisseminated):
    """Record that a document was given to the group, in which forms."""


class RecordAttendance(Command, Event):
    """Record that an expert took part; the member is the membership's own."""

    membership: Id
    presence: Presence


class Attendee(Model):
    """An expert who took part, by membership."""

    membership: Id
    presence: Presence


class RecordAttendanceList(Command, Event):
    """Record that several experts took part: all of them, or none if one is refused."""

    attendance: tuple[Attendee, ...] = Field(min_length=1, max_length=200)


class HoldMeeting(Command, MeetingHeld):
    """Record that the meeting took place."""

    uses_reserve: ClassVar[bool] = True


class RecordOutcome(Command, OutcomeRecorded):
    """Record what the meeting decided, or whom it set to work."""


class CloseActionPoint(Command, ActionPointClosed):
    """Record that an action point was done, or is pursued no longer."""


class RecordMeeting(Command, MeetingRecorded):
    """Record a meeting that this platform did not convene, as far as its record goes."""
