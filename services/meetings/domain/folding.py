"""The fold of a meeting's facts."""

from __future__ import annotations

from typing import Any

from services.meetings.domain.states import (
    Absent,
    Cancelled,
    Convened,
    Entry,
    Held,
    Meeting,
    OnRecord,
    Particulars,
    Proposed,
    Recorded,
)
from shared.domain.agenda import inserted, ordered
from shared.domain.facts import Fact
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.meetings import (
    ActionPointClosed,
    AgendaItemAdded,
    AgendaOrdered,
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
)


def evolve(state: Meeting, fact: Fact) -> Meeting:
    """Fold one fact of a meeting's stream."""
    match state, fact.data:
        case _, MeetingProposed() as proposed:
            return Proposed(particulars=_particulars(proposed, fact), since=fact.time)
        case _, MeetingRecorded() as recorded:
            return Recorded(particulars=_particulars(recorded, fact), since=fact.time)
        case Absent() | Void(), _:
            return state
        case _, event:
            return _entered(_step(state, event, fact.time), event, fact)


def _step(state: OnRecord, event: Event, time: str) -> OnRecord:
    """Return the meeting in the stage after an event, which may be the same."""
    so_far: dict[str, Any] = {name: getattr(state, name) for name in ("particulars", "proceedings", "confirmed_by")}
    so_far["since"] = time
    match event:
        case MeetingConfirmed(by=by):
            return state.model_copy(update={"confirmed_by": (*state.confirmed_by, by)})
        case MeetingConvened():
            return Convened(**so_far)
        case MeetingHeld():
            return Held(**so_far, held=event)
        case MeetingCancelled():
            return Cancelled(**so_far, cancelled=event)
        case MeetingRescheduled(by=by) if by is not None and isinstance(state, Proposed | Convened):
            return Proposed(**so_far | {"confirmed_by": (by,)})
        case _:
            return state


def _entered(state: OnRecord, event: Event, fact: Fact) -> Meeting:
    """Enter an event in the proceedings or particulars of a meeting in any stage."""
    match event:
        case MeetingRescheduled():
            changed = {name: getattr(event, name) for name in _MOVED}
            changed = {name: value for name, value in changed.items() if value is not None}
            changed["versions"] = state.particulars.versions + fact.versions
            return state.model_copy(update={"particulars": state.particulars.model_copy(update=changed)})
        case AgendaItemAdded():
            added = Entry[AgendaItemAdded](fact=event, versions=fact.versions)
            return _with_agenda(state, inserted(state.proceedings.agenda, added, event.before, _item))
        case AgendaOrdered():
            return _with_agenda(state, ordered(state.proceedings.agenda, event.items, _item))
        case DocumentDisseminated():
            return _with(state, "documents", Entry[DocumentDisseminated](fact=event, versions=fact.versions))
        case AttendanceRecorded():
            return _with(state, "attendance", Entry[AttendanceRecorded](fact=event, versions=fact.versions))
        case OutcomeRecorded():
            return _with(state, "outcomes", Entry[OutcomeRecorded](fact=event, versions=fact.versions))
        case ActionPointClosed():
            return _with(state, "closed", Entry[ActionPointClosed](fact=event, versions=fact.versions))
        case _:
            return state


_MOVED = ("starts_at", "ends_at", "time_zone", "modality", "place", "link")


def _with(state: OnRecord, section: str, entry: Entry[Any]) -> Meeting:
    entries = (*getattr(state.proceedings, section), entry)
    return state.model_copy(update={"proceedings": state.proceedings.model_copy(update={section: entries})})


def _with_agenda(state: OnRecord, agenda: tuple[Entry[AgendaItemAdded], ...]) -> Meeting:
    return state.model_copy(update={"proceedings": state.proceedings.model_copy(update={"agenda": agenda})})


def _item(entry: Entry[AgendaItemAdded]) -> str:
    return entry.fact.item


def _particulars(event: MeetingProposed | MeetingRecorded, fact: Fact) -> Particulars:
    fields = event.model_dump(include=set(Particulars.model_fields))
    return Particulars.model_validate(fields | {"versions": fact.versions})
