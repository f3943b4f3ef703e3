"""Commands of the meetings service."""

from __future__ import annotations

from typing import ClassVar

from shared.domain.aggregate import Command
from shared.events.event import Event
from shared.events.meetings import (
    AgendaItemAdded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    OutcomeRecorded,
)
from shared.events.values import Id, ShortText, Text, WorldTime
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
    reason: Text | None = None


class CancelMeeting(Command, MeetingCancelled):
    """Call the meeting off."""

    uses_reserve: ClassVar[bool] = True


class AddAgendaItem(Command, AgendaItemAdded):
    """Put a matter on the agenda."""


class DisseminateDocument(Command, DocumentDisseminated):
    """Record that a document was given to the group, in which forms."""


class RecordAttendance(Command, Event):
    """Record that an expert took part; the member is the membership's own."""

    membership: Id
    presence: Presence


class HoldMeeting(Command, MeetingHeld):
    """Record that the meeting took place."""

    uses_reserve: ClassVar[bool] = True


class RecordOutcome(Command, OutcomeRecorded):
    """Record what the meeting decided, or whom it set to work."""


class RecordMeeting(Command, MeetingRecorded):
    """Record a meeting that this platform did not convene, as far as its record goes."""
