"""Events of the meetings service: a meeting from proposal to outcome, or recorded as it was."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.event import Correction, Event, Voiding
from shared.events.values import (
    Flag,
    Id,
    Link,
    Member,
    ProvisionRef,
    Rendition,
    Seen,
    ShortText,
    Text,
    WorldDate,
    WorldTime,
)
from shared.events.words import ActionPointEnd, Confirmer, MeetingKind, Modality, OutcomeKind, Presence


class _Meetings(Event):
    service: ClassVar[str] = "meetings"


class MeetingProposed(_Meetings):
    """A meeting was proposed, with its time and form."""

    fixed: ClassVar[frozenset[str]] = frozenset({"meeting"})
    begins: ClassVar[tuple[str, str] | None] = ("meeting", "meeting")

    meeting: Id
    title: ShortText
    kind: MeetingKind
    modality: Modality
    starts_at: WorldTime
    ends_at: WorldTime
    time_zone: ShortText | None = Field(None, examples=["Asia/Bangkok"])
    place: ShortText | None = Field(None, examples=["United Nations Conference Centre, Bangkok"])
    link: Link | None = None


class MeetingConfirmed(_Meetings):
    """One of the two who must confirm a meeting did so."""

    fixed: ClassVar[frozenset[str]] = frozenset({"by"})

    by: Confirmer


class MeetingConvened(_Meetings):
    """Chair and secretariat have both confirmed: the meeting is convened."""


class MeetingRescheduled(_Meetings):
    """The meeting was given another time: it is proposed again, and confirmed by the one who moved it.

    Without `by`, as version 1 has it, the confirmations stand.
    """

    version: ClassVar[int] = 2
    fixed: ClassVar[frozenset[str]] = frozenset({"by"})

    by: Confirmer | None = Field(None, description="the one who moved it, whose confirmation of the new time this is")
    starts_at: WorldTime
    ends_at: WorldTime
    time_zone: ShortText | None = None
    modality: Modality | None = None
    place: ShortText | None = None
    link: Link | None = None
    reason: Text | None = None


class MeetingCancelled(_Meetings):
    """The meeting will not be held."""

    reason: Text


class AgendaItemAdded(_Meetings):
    """The meeting is to take a matter up."""

    fixed: ClassVar[frozenset[str]] = frozenset({"item", "provisions", "before"})

    item: Id
    title: ShortText
    priority: Id | None = None
    provisions: tuple[ProvisionRef, ...] = ()
    before: Id | None = Field(None, description="the item on the agenda that it was put before; without it, the last")


class AgendaOrdered(_Meetings):
    """The items of the agenda were put into this order."""

    items: tuple[Id, ...] = Field(min_length=1, description="every item of the agenda, in its new order")


class DocumentDisseminated(_Meetings):
    """A document was given to the group, in the forms named."""

    fixed: ClassVar[frozenset[str]] = frozenset({"document"})

    document: Id
    title: ShortText
    symbol: ShortText | None = None
    renditions: tuple[Rendition, ...] = Field(min_length=1)
    disseminated_on: WorldDate | None = None


class AttendanceRecorded(_Meetings):
    """A member's expert took part."""

    fixed: ClassVar[frozenset[str]] = frozenset({"membership", "member"})

    membership: Id
    member: Member
    presence: Presence
    seen: Seen = Field(description="the version of the membership that this rests on")
    membership_began_on: WorldDate | None = Field(None, description="given where it began after the meeting")
    membership_ended: Flag | None = Field(None, description="true where it had ended when this was recorded")
    membership_ended_on: WorldDate | None = None


class MeetingHeld(_Meetings):
    """The meeting took place."""

    held_from: WorldTime | None = None
    held_to: WorldTime | None = None


class OutcomeRecorded(_Meetings):
    """The meeting decided something, or set somebody to work."""

    fixed: ClassVar[frozenset[str]] = frozenset({"outcome"})

    outcome: Id
    kind: OutcomeKind
    text: Text
    responsible: ShortText | None = None
    due: WorldDate | None = None


class ActionPointClosed(_Meetings):
    """An action point of the meeting was done, or is pursued no longer."""

    fixed: ClassVar[frozenset[str]] = frozenset({"outcome"})

    outcome: Id
    end: ActionPointEnd
    on: WorldDate | None = None


class MeetingRecorded(_Meetings):
    """A meeting that this platform did not convene was recorded, as far as its record goes; it counts as held."""

    fixed: ClassVar[frozenset[str]] = frozenset({"meeting"})
    begins: ClassVar[tuple[str, str] | None] = ("meeting", "meeting")

    meeting: Id
    title: ShortText
    kind: MeetingKind
    starts_at: WorldTime | None = None
    ends_at: WorldTime | None = None
    time_zone: ShortText | None = None
    modality: Modality | None = None
    place: ShortText | None = None
    link: Link | None = None


class RecordCorrected(Correction, _Meetings):
    """An earlier event of this stream was wrong; this is its whole new data."""


class RecordVoided(Voiding, _Meetings):
    """An earlier event of this stream should not have been recorded: the stream is folded without it."""
