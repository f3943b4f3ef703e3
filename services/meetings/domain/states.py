"""The stages of a meeting, and what is written under each."""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.meetings import (
    ActionPointClosed,
    AgendaItemAdded,
    AttendanceRecorded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingHeld,
    OutcomeRecorded,
)
from shared.events.values import Id, Link, Model, ShortText, WorldTime
from shared.events.words import Confirmer, MeetingKind, Modality

E = TypeVar("E", bound=Event)


class Entry(Model, Generic[E]):
    """A fact of the meeting, and the versions behind it."""

    fact: E
    versions: tuple[int, ...]


class Particulars(Model):
    """The particulars of a meeting, as it now stands."""

    meeting: Id
    title: ShortText
    kind: MeetingKind
    modality: Modality | None = None
    starts_at: WorldTime | None = None
    ends_at: WorldTime | None = None
    time_zone: ShortText | None = None
    place: ShortText | None = None
    link: Link | None = None
    versions: tuple[int, ...]


class Proceedings(Model):
    """The agenda in its order, documents, attendance and outcomes of a meeting, and the action points closed since."""

    agenda: tuple[Entry[AgendaItemAdded], ...] = ()
    documents: tuple[Entry[DocumentDisseminated], ...] = ()
    attendance: tuple[Entry[AttendanceRecorded], ...] = ()
    outcomes: tuple[Entry[OutcomeRecorded], ...] = ()
    closed: tuple[Entry[ActionPointClosed], ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of the items of the agenda, in its order."""
        return tuple(entry.fact.item for entry in self.agenda)


class Absent(Model):
    """No meeting of this id is on record."""

    stage: Literal["absent"] = "absent"


class _OnRecord(Model):
    """A meeting; `since` is the time of the event that put it into its stage."""

    particulars: Particulars
    proceedings: Proceedings = Proceedings()
    confirmed_by: tuple[Confirmer, ...] = ()
    since: str


class Proposed(_OnRecord):
    """It waits for chair and secretariat."""

    stage: Literal["proposed"] = "proposed"


class Convened(_OnRecord):
    """Both have confirmed it."""

    stage: Literal["convened"] = "convened"


class Held(_OnRecord):
    """It took place."""

    stage: Literal["held"] = "held"
    held: MeetingHeld


class Recorded(_OnRecord):
    """It took place, and this platform did not convene it."""

    stage: Literal["recorded"] = "recorded"


class Cancelled(_OnRecord):
    """It will not take place."""

    stage: Literal["cancelled"] = "cancelled"
    cancelled: MeetingCancelled


OnRecord: TypeAlias = Proposed | Convened | Held | Recorded | Cancelled
Meeting: TypeAlias = Absent | Void | OnRecord
